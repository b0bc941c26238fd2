#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Mounts a samplefs, reads, writes, compares, unmounts. Prints a line a check.
# Needs root, the modules installed or loaded, and nothing beyond busybox.
#
# usage: smoke.sh [FOLDER_FOR_MOUNTS]

set -u

top=${1:-${TMPDIR:-/tmp}/sample-smoke.$$}
one=$top/one
two=$top/two
failed=0

check() {
	what=$1
	shift
	if "$@"; then
		echo "ok: $what"
	else
		echo "FAILED: $what"
		failed=1
	fi
}

fails() {
	! "$@" 2>/dev/null
}

unmount() {
	if grep -q " $1 samplefs " /proc/mounts; then
		umount "$1"
	fi
}

cleanup() {
	unmount "$one"
	unmount "$two"
	rm -rf "$top"
}

contains() {
	grep -q -- "$2" "$1"
}

same() {
	[ "$(cat "$1")" = "$2" ]
}

if ! grep -qw samplefs /proc/filesystems; then
	modprobe samplefs || exit 1
fi

trap cleanup EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$one" "$two"

check "mount" mount -t samplefs none "$one"
grep -q " $one samplefs " /proc/mounts || exit 1

check "version is the module's" \
	same "$one/version" "$(cat /sys/module/samplefs/version)"
check "kernel is the running one" same "$one/kernel" "$(uname -r)"
check "version cannot be written to" fails sh -c "echo 1 >$one/version"

echo "hello from smoke.sh" >"$one/messages"
check "a message is posted" contains "$one/messages" ": hello from smoke.sh$"
check "network devices post messages" contains "$one/messages" "lo: NETDEV_"

dd if=/dev/urandom of="$top/data" bs=4096 count=256 2>/dev/null
check "mkdir" mkdir "$one/folder"
check "write 1 MiB" cp "$top/data" "$one/folder/data"
check "read it back" cmp "$top/data" "$one/folder/data"
check "append" dd if=/dev/zero of="$one/folder/data" bs=1 seek=1048576 \
	count=1 conv=notrunc 2>/dev/null
check "it has grown" [ "$(wc -c <"$one/folder/data")" -eq 1048577 ]
check "rename" mv "$one/folder/data" "$one/data"
check "link" ln "$one/data" "$one/again"
check "both are the same" cmp "$one/data" "$one/again"
check "rmdir" rmdir "$one/folder"
check "unlink" rm "$one/data" "$one/again"

check "mount another" mount -t samplefs none "$two"
check "mkdir in one" mkdir "$one/only-here"
check "which the other does not see" [ ! -e "$two/only-here" ]
check "yet they share messages" contains "$two/messages" "hello from smoke.sh$"

check "unmount" umount "$one"
check "unmount the other" umount "$two"
check "nothing is left" fails grep -q " $top/" /proc/mounts

[ "$failed" -eq 0 ] && echo "smoke: all is well"
exit "$failed"
