# SPDX-License-Identifier: GPL-2.0-only
# Gives a root the keys of its archive, and its sources their name: ROOT FILE
set -eu
root=$1
name=/etc/apt/keyrings/lrelease.${2##*.}
mkdir -p "$root/etc/apt/keyrings"
cp -- "$2" "$root$name"
chmod 644 "$root$name"
sed -i "s|^deb |deb [signed-by=$name] |" "$root/etc/apt/sources.list"
