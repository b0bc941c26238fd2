#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What 'lrelease qualify' runs in a virtual machine, as root, with the modules installed. Exit status 0 is success; the
# last lines that it prints are shown when it fails. There is nothing but busybox and what [qualify] in the manifest
# names under 'programs' and 'packages'.
#
# Loading is all that is tried here. Add what a user of the modules would do: mount, write, read back, compare, unmount.

set -eu

modules="MODULES"
loaded=

for module in $modules; do
	modprobe "$module"
	# The kernel has '_' where the name of a module has '-'.
	name=$(echo "$module" | tr - _)
	test -d "/sys/module/$name" || { echo "$module is not loaded" >&2; exit 1; }
	echo "ok: $module is loaded"
	loaded="$module $loaded"
done

# The other way round, so that none is in use by another.
for module in $loaded; do
	test -d "/sys/module/$(echo "$module" | tr - _)" || continue
	modprobe -r "$module"
	echo "ok: $module is unloaded"
done
