# SPDX-License-Identifier: GPL-2.0-only
# What is tried in the guest, for the shell of the target: what the target has goes before what busybox has.
# A report begins with a mark and its number, so that nothing else is taken for one and none is missed.
read -r mark </etc/mark
rm -f /etc/mark
read -r role address other </etc/role
# lrelease answers a guest of a pair on the line of its reports, where nothing may be echoed.
exec 3<>/dev/ttyS1
[ "$role" = alone ] || stty -F /dev/ttyS1 raw -echo
number=0
report() {
  number=$((number + 1))
  printf '%s %s %s\n' "$mark" $number "$*" >&3
}
# The steps in the kernel's log: what it says before the first is not the fault of a module.
note() { echo "lrelease: $*" >/dev/kmsg; }
tainted() { cat /proc/sys/kernel/tainted; }
ln -sf /proc/mounts /etc/mtab
[ -e /usr/bin/bash ] || ln -sf sh /usr/bin/bash
# shellcheck disable=SC2013 # Each name is a word.
for module in $(cat /etc/kernel-modules); do modprobe "$module"; done
ip link set lo up
if [ -e /sys/class/net/eth0 ]; then
  ip address add "$address/24" dev eth0
  ip link set eth0 up
fi
report ready "$(tainted)"

begin() { step=$1; note begin "$step"; report begin "$step"; }
pass() { report pass "$step"; }
fail() { report fail "$step" "$*"; finish; }
finish() {
  note end
  report end "$(tainted)"
  sync
  reboot -f
  # Without this, what follows a failure would go on until the kernel restarts.
  while :; do sleep 60; done
}

loaded() { grep -q "^$1 " /proc/modules; }
load() {
  for module in $modules; do
    modprobe "$module" 2>/tmp/complaint ||
      fail "$module: $(head -n 1 /tmp/complaint)"
    loaded "$module" || fail "$module is not loaded, and modprobe does not complain"
  done
}
# Each as soon as nothing uses it.
unload() {
  tries=0
  while :; do
    left=
    for module in $all; do
      if loaded "$module"; then
        rmmod "$module" 2>/tmp/complaint || left="$left $module"
      fi
    done
    [ -n "$left" ] || return 0
    tries=$((tries + 1))
    [ $tries -lt 30 ] || fail "cannot be unloaded:$left: $(head -n 1 /tmp/complaint)"
    [ $tries -lt 5 ] || sleep 1
  done
}

# Runs the script. What it writes is streamed: it is there, too, when the kernel stops.
script() {
  begin "$1"
  shift
  sh /etc/script "$@" 3>&- || fail "status $?"
  pass
}
unloaded() {
  begin "$1"
  unload
  pass
}
# Until lrelease says that the other guest has come as far.
await() {
  begin "$1"
  read -r word <&3
  [ "$word" = go ] || fail "the word was '$word'"
  pass
}

modules=$(cat /etc/load)
all=$modules
begin load
load
pass
case $role in
service)
  script start start "$other"
  await wait
  script stop stop "$other"
  unloaded unload
  ;;
client)
  await wait
  script client "$other"
  unloaded unload
  ;;
*)
  unloaded unload
  if [ -e /etc/script ]; then
    script smoke
    unloaded unload-again
  fi
  ;;
esac
finish
