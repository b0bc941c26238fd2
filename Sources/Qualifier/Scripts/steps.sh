# SPDX-License-Identifier: GPL-2.0-only
# What is tried in the guest, for the shell of the target: what the target has goes before what busybox has.
report() { printf '%s\n' "$*" >/dev/ttyS1; }
ln -sf /proc/mounts /etc/mtab
[ -e /usr/bin/bash ] || ln -sf sh /usr/bin/bash
# shellcheck disable=SC2013 # Each name is a word.
for module in $(cat /etc/kernel-modules); do modprobe "$module"; done
ip link set lo up
if [ -e /sys/class/net/eth0 ]; then
  ip address add 10.0.2.15/24 dev eth0
  ip link set eth0 up
fi
report ready

begin() { step=$1; report begin "$step"; }
pass() { report pass "$step"; }
fail() { report fail "$step" "$*"; finish; }
finish() { report end; sync; reboot -f; }

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
  if sh /etc/smoke >/tmp/smoke.log 2>&1; then
    cat /tmp/smoke.log
  else
    status=$?
    cat /tmp/smoke.log
    fail "$(grep -m 1 -i -e '^failed' -e error -e cannot /tmp/smoke.log || tail -n 1 /tmp/smoke.log) (status $status)"
  fi
  pass
  step=unload-again
  report begin "$step"
  unload
  pass
fi
finish
