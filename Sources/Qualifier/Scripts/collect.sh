# SPDX-License-Identifier: GPL-2.0-only
# Collects modules and programs below /guest of a chroot, with what they need:
# KERNEL MODULE… -- KERNEL-MODULE… -- PROGRAM…
#
# What a kernel has no module of is built in, or gone: then the script that needs it says so. The kernel's own folder of
# modules is where depmod finds them.
set -eu
kernel=$1
shift
rm -rf /guest
target=/guest/usr/lib/modules/$kernel
mkdir -p "$target" /guest/usr/bin /guest/usr/sbin /guest/usr/lib64 /guest/etc/modprobe.d
for folder in bin sbin lib lib64; do ln -s "usr/$folder" "/guest/$folder"; done

# A file at its place, below /usr where the distribution still has it outside; links become what they point to.
place() {
  folder=$(readlink -f "$(dirname "$1")")
  case $folder in /usr/* | /etc/*) ;; *) folder=/usr$folder ;; esac
  mkdir -p "/guest$folder"
  [ -e "/guest$folder/$(basename "$1")" ] || cp -L "$1" "/guest$folder/$(basename "$1")"
}
libraries() {
  ldd "$1" 2>/dev/null | sed -n -e 's|.*=> \(/[^ ]*\).*|\1|p' -e 's|^[[:space:]]*\(/[^ ]*\) (.*|\1|p'
}

depmod "$kernel"
# A site's configuration may have a program in place of a module; here the module itself is wanted.
depends() { modprobe -C /dev/null -S "$kernel" --show-depends "$1" >/tmp/depends 2>/tmp/complaint; }
taken() { sed -n 's/^insmod \([^ ]*\).*/\1/p' /tmp/depends >>/tmp/modules; }
while [ "$1" != -- ]; do
  depends "$1" || { echo "the module $1: $(head -n 1 /tmp/complaint)" >&2; exit 1; }
  taken
  shift
done
shift
while [ "$1" != -- ]; do
  ! depends "$1" || taken
  shift
done
shift
sort -u /tmp/modules | while read -r module; do
  inner=${module#*/lib/modules/"$kernel"/}
  mkdir -p "$target/$(dirname "$inner")"
  cp -L "$module" "$target/$inner"
done
cp -L "/lib/modules/$kernel"/modules.builtin* "/lib/modules/$kernel"/modules.order "$target" 2>/dev/null || :
depmod -b /guest "$kernel" 2>/dev/null

for name in sh kmod "$@"; do
  case $name in
  *'*'*)
    for file in $name; do [ ! -e "$file" ] || place "$file"; done
    continue
    ;;
  /*) program=$name ;;
  *) program=$(command -v "$name") || program= ;;
  esac
  [ -e "$program" ] || { echo "the program $name is not in the target" >&2; exit 1; }
  place "$program"
  for library in $(libraries "$program"); do place "$library"; done
done
for name in modprobe insmod rmmod lsmod depmod modinfo; do ln -sf ../bin/kmod "/guest/usr/sbin/$name"; done
[ -e /guest/usr/bin/kmod ] || ln -s ../sbin/kmod /guest/usr/bin/kmod
