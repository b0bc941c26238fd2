# SPDX-License-Identifier: GPL-2.0-only
# Lists the modules that are not the kernel's own: kernel and name a line.
exec 2>&1
cd /lib/modules || exit
for kernel in *; do
  find "$kernel" -name '*.ko*' ! -path "$kernel/kernel/*" -printf '%P\n' \
    | sed 's|.*/||; s|[.]ko.*||' | tr - _ | sed "s|^|$kernel |"
done
