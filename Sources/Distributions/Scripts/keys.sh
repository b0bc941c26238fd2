# SPDX-License-Identifier: GPL-2.0-only
# Puts the keys and lists of mirrors that the sources of a root name into it, if its packages did not bring them:
# ROOT FILE…
#
# apt in the root looks for them at the same path, unless files do not stay there.
set -eu
root=$1
shift
number=0
for file in "$@"; do
  number=$((number + 1))
  place=$file
  case $file in
  /tmp/* | /var/tmp/* | /run/* | /root/* | /home/*) place=/etc/apt/keyrings/lrelease-$number.${file##*.} ;;
  esac
  if [ ! -e "$root$place" ]; then
    mkdir -p "$root${place%/*}"
    cp -L -- "$file" "$root$place"
    chmod 644 "$root$place"
  fi
  [ "$place" != "$file" ] || continue
  for list in "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/*; do
    [ ! -f "$list" ] || sed -i "s|$file|$place|g" "$list"
  done
done
