# SPDX-License-Identifier: GPL-2.0-only
# Removes the packages that brought a kernel: deb|rpm KERNEL COMMAND…
exec 2>&1
format=$1
kernel=$2
shift 2

# Names of the packages that own files and folders.
owners() {
  case $format in
  deb) dpkg-query --search "$@" | sed 's/: .*//; s/, /\n/g' ;;
  rpm) rpm --query --file "$@" ;;
  esac
}

# shellcheck disable=SC2046 # Each name is a word.
"$@" $(owners "/lib/modules/$kernel" "/usr/src/linux-headers-$kernel" 2>/dev/null | sort -u)
