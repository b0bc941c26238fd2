# SPDX-License-Identifier: GPL-2.0-only
# Compiles the modules of a DKMS package for a machine of another architecture: it does what dkms.conf says, as dkms
# would, and installs nothing. PACKAGE KERNEL MODULE VERSION MACHINE ARCH TRIPLET
#
# The build takes this for such a machine: uname says so, and tools of the usual names are those for it. For what was
# found out about the kernel's headers, another compiler than that of a site was asked: it is not kept.
exec 2>&1
set -e
export kernelver="$2" module="$3" module_version="$4" machine="$5" triplet="$7"
export ARCH="$6" CROSS_COMPILE="$7-"
mkdir -p /q/bin
dpkg-deb -x "$1" /q/package
cp -a /q/package/. /

cat >/q/bin/uname <<'END'
#!/bin/sh
case $* in
-m | --machine) echo "$MACHINE" ;;
-r | --kernel-release) echo "$KERNEL" ;;
*) exec /usr/bin/uname "$@" ;;
esac
END
# A package may start from an empty environment.
sed -i -e "s|\$MACHINE|$machine|" -e "s|\$KERNEL|$kernelver|" /q/bin/uname
chmod +x /q/bin/uname
for tool in /usr/bin/"$triplet"-*; do ln -sf "$tool" "/q/bin/${tool##*/"$triplet"-}"; done
ln -sf "/usr/bin/$triplet-gcc" /q/bin/cc
export PATH="/q/bin:$PATH"

cat >/q/compile <<'END'
dkms_tree=/var/lib/dkms
source_tree=/usr/src
arch=$machine
action=build
kernel_source_dir=/lib/modules/$kernelver/build
. "$source_tree/$module-$module_version/dkms.conf" || exit
if [[ $BUILD_EXCLUSIVE_KERNEL && ! $kernelver =~ $BUILD_EXCLUSIVE_KERNEL ]]; then
  echo "$module $module_version: kernel $kernelver is skipped: BUILD_EXCLUSIVE_KERNEL"
  exit 0
fi
build=$dkms_tree/$module/$module_version/build
mkdir -p "${build%/*}"
cp -a "$source_tree/$module-$module_version" "$build"
cd "$build" || exit
if [[ $PRE_BUILD ]]; then
  (eval "$build/$PRE_BUILD")
  status=$?
  [[ $status != 77 ]] || exit 0
  [[ $status = 0 ]] || exit "$status"
fi
# dkms writes down what it has read, and reads that.
eval "line=\"${MAKE[0]:-make}\""
[[ $line != make* ]] || line="make -j$(nproc) KERNELRELEASE=$kernelver${line#make}"
eval "$line" || exit
mkdir -p "/lib/modules/$kernelver/updates"
kind() { od -An -tx1 -j18 -N2 "$1"; }
echo >/q/empty.c
cc -c -o /q/empty.o /q/empty.c || exit
for ((index = 0; index < ${#BUILT_MODULE_NAME[@]}; index++)); do
  file=${BUILT_MODULE_LOCATION[index]}${BUILT_MODULE_NAME[index]}.ko
  [[ -e $file ]] || { echo "error: $file was not built"; exit 1; }
  [[ $(kind "$file") = "$(kind /q/empty.o)" ]] || { echo "error: $file is not for $machine"; exit 1; }
  cp "$file" "/lib/modules/$kernelver/updates/" || exit
done
END
status=0
find /lib/modules/"$kernelver" -name '*.ko*' | sort >/q/before
bash /q/compile || status=$?
find /lib/modules/"$kernelver" -name '*.ko*' | sort >/q/after
[ "$(cat /q/before)" != "$(cat /q/after)" ] || echo no module was installed
exit $status
