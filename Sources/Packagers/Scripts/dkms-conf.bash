#@ SPDX-License-Identifier: GPL-2.0-only
#@ Which of these variables are used and which are set is up to dkms.
# shellcheck disable=SC1090,SC1091,SC2034,SC2154
# Made by lrelease with release @VERSION@ of @NAME@.
PACKAGE_NAME="@MODULE@"
PACKAGE_VERSION="@DKMS_VERSION@"
AUTOINSTALL="yes"
# Each kernel has modules of its own: a link of weak-modules to those of another kernel would ask no probe and no range.
NO_WEAK_MODULES="yes"
#@if RANGE
# MIN and MAX for dkms since 3.0.11, the expression for older ones.
BUILD_EXCLUSIVE_KERNEL_MIN="@MIN@"
BUILD_EXCLUSIVE_KERNEL_MAX="@DKMS_MAX@"
BUILD_EXCLUSIVE_KERNEL="@EXPRESSION@"
#@end
#@if ARCHITECTURES
BUILD_EXCLUSIVE_ARCH="@ARCHITECTURES@"
#@end
# dkms runs a file below its own folder, if that may be executed; on a noexec file system nothing may. So it runs sh.
PRE_BUILD="../../../../../../../../../../../../bin/sh dkms/pre-build $kernelver $kernel_source_dir"
POST_INSTALL="../../../../../../../../../../../../bin/sh dkms/post-install $kernelver $arch"
# dkms/pre-build says which compiler to use, if it is not the one that dkms takes. dkms reads this twice before it runs it.
MAKE[0]="@MAKE@ \\\$(cat dkms/compiler 2>/dev/null)"
CLEAN="true"
#@if KEEP
POST_BUILD="../../../../../../../../../../../../bin/sh dkms/post-build $kernelver $arch"
#@end
#@if STRIP
# Debug information stays, so that crash dumps can be read.
STRIP[0]="@STRIP@"
#@end
#@if CONDITIONS
# Some modules are only for sites that have what they need. The script runs no program, and nothing that it does stays.
site_has=$(. "/usr/src/@MODULE@-@DKMS_VERSION@/@CONDITIONS@" "${kernelver-}" "${kernel_source_dir-}" "${arch-}" 2>/dev/null)
site_has=" ${site_has//$'\n'/ } "
[[ $site_has != *" strip "* ]] || STRIP[0]="yes"
[[ $site_has != *" weak-modules "* ]] || NO_WEAK_MODULES=""
#@end
#@MODULES@
#@if RANGE
# To dkms 3.0.10 a kernel that is not supported is a failure, with which apt stops half-way through installing it.
if [[ ${FUNCNAME[*]} == *autoinstall* ]]; then
  unset kernelver
  if [[ ${kernelver:-} && ! $kernelver =~ $BUILD_EXCLUSIVE_KERNEL ]]; then
    AUTOINSTALL=""
    echo "@MODULE@ @VERSION@: kernel $kernelver is skipped: supported are @MIN@ to @MAX@" >&2
  fi
fi
#@end
#@if FAMILIES
kernel=${kernelver:-}
# While it looks for what to install, dkms before 3.0.11 reads this for another kernel than the one it installs for.
if [[ ${FUNCNAME[*]} == *autoinstall* ]]; then
  unset kernelver
  kernel=${kernelver:-}
fi
is() { [[ $kernel =~ $1 ]]; }
#@FAMILIES@
# Neither MIN nor MAX: they compare numbers of all families with each other.
BUILD_EXCLUSIVE_KERNEL="$expression"
# To dkms 3.0.10 a kernel that is not supported is a failure, with which apt stops half-way through installing it.
if [[ ${FUNCNAME[*]} == *autoinstall* && $kernel ]] && ! is "$expression"; then
  AUTOINSTALL=""
  echo "@MODULE@ @VERSION@: kernel $kernel is skipped: $reason" >&2
fi
#@end
