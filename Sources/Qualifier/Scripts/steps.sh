# SPDX-License-Identifier: GPL-2.0-only
# What is tried in the guest, for the shell of the target: what the target has goes before what busybox has.
# A report begins with a mark and its number, so that nothing else is taken for one and none is missed.
read -r mark </etc/mark
rm -f /etc/mark
number=0
report() {
  number=$((number + 1))
  printf '%s %s %s\n' "$mark" $number "$*" >/dev/ttyS1
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
  ip address add 10.0.2.15/24 dev eth0
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

modules=$(cat /etc/load)
all=$modules
begin load
load
pass
begin unload
unload
pass
if [ -e /etc/smoke ]; then
  begin smoke
  # What it writes is streamed: it is there, too, when the kernel stops.
  sh /etc/smoke || fail "status $?"
  pass
  begin unload-again
  unload
  pass
fi
finish
