# SPDX-License-Identifier: GPL-2.0-only
# Installs a package, and sees what dkms makes of it: KERNEL COMMAND…
exec 2>&1
kernel=$1
shift
mkdir -p /q
find /lib/modules/"$kernel" -name '*.ko*' | sort >/q/before
export DKMS_PROBE_RESULTS=/q/results
"$@"
status=$?
find /var/lib/dkms -name make.log -exec cat {} + 2>/dev/null
find /lib/modules/"$kernel" -name '*.ko*' | sort >/q/after
[ "$(cat /q/before)" != "$(cat /q/after)" ] || echo no module was installed
exit $status
