# SPDX-License-Identifier: GPL-2.0-only
# Names the kernels whose headers are in a chroot.
exec 2>&1
for folder in /lib/modules/*; do
  [ ! -e "$folder/build/Makefile" ] || basename "$folder"
done
