#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Finds out what a kernel offers: compiles each file in probes/ as a part of a
# module and writes config.h, with HAVE_NAME for each name.c that compiles.
#
# All are compiled in a single run of make, side by side. Nothing is linked, and
# nothing is written but the header and, beside it, what the compiler said.

set -eu

usage="usage: probe.sh KERNEL_BUILD_FOLDER [HEADER]"
here=$(cd "$(dirname "$0")" && pwd)
kernel=${1:?$usage}
header=${2:-$here/config.h}
log=${header%.h}.log
required=kernel_is_usable

die() {
	echo "sample_compat: $*" >&2
	exit 1
}

[ -e "$kernel/Makefile" ] || die "$kernel holds no kernel headers"

work=$(mktemp -d "${TMPDIR:-/tmp}/sample-probe.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

cp "$here"/probes/*.c "$work"
probes=$(cd "$work" && printf '%s\n' *.c | sed 's/\.c$//')
objects=$(printf '%s.o ' $probes)

# A probe fails for what it asks about, not for its style.
cat >"$work/Kbuild" <<KBUILD
ccflags-y := -std=gnu11 -Wno-missing-prototypes -Wno-missing-declarations
ccflags-y += -Wno-error -Werror=implicit-function-declaration
ccflags-y += -Werror=incompatible-pointer-types
obj-m := $objects
KBUILD

llvm=
if grep -qs '^CONFIG_CC_IS_CLANG=y' "$kernel/.config"; then
	llvm=LLVM=1
fi

make -s -k -j"$(nproc)" -C "$kernel" M="$work" $llvm $objects \
	>"$log" 2>&1 || :

# A probe that failed for want of space says nothing about the kernel.
if why=$(grep -m1 'No space left on device' "$log"); then
	die "cannot compile for $kernel: $why"
fi

if [ ! -e "$work/$required.o" ]; then
	why=$(grep -m1 'error:\|Error:' "$log" || tail -n1 "$log")
	die "cannot compile for $kernel: ${why:-make said nothing}"
fi

{
	echo "/* Made by sample_compat/probe.sh. */"
	for probe in $probes; do
		[ "$probe" != "$required" ] || continue
		name=HAVE_$(echo "$probe" | tr '[:lower:]' '[:upper:]')
		if [ -e "$work/$probe.o" ]; then
			echo "#define $name 1"
		else
			echo "/* $name is not set */"
		fi
	done
} >"$work/config.h"

cp "$work/config.h" "$header.new"
mv "$header.new" "$header"

echo "sample_compat: $(grep -c '^#define' "$header") of" \
     "$(grep -c 'HAVE_' "$header") probes compile"
