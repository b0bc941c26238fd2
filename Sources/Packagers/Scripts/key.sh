#!/bin/sh
#@ SPDX-License-Identifier: GPL-2.0-only
# Called in this folder: key KERNEL SOURCE. Prints the name under which the results of this package's probe are kept
# for these headers: a digest of the headers, their configuration and symbols, the compiler, and the probe.
set -eu
export LC_ALL=C
kernel=$1
obj=$(readlink -f "$2")

# Debian has a folder for each architecture and a common one, SUSE one for each flavour and a shared one: what the
# Makefile includes or passes to make -C.
outer=$(sed -n \
  -e 's|^include[[:space:]]\{1,\}\(.*\)/Makefile[[:space:]]*$|\1|p' \
  -e 's|^MAKEARGS[[:space:]]*:=[[:space:]]*-C[[:space:]]\{1,\}\([^[:space:]]*\).*$|\1|p' \
  "$obj/Makefile" | sed -n 1p)
case $outer in
'' | *'$'*) outer=$obj ;;
/*) ;;
*) outer=$obj/$outer ;;
esac
source=$(readlink -f "$outer")

# The compiler that dkms names, else the one that built the kernel, else gcc. It has many names, and dkms does not
# always use the same one: what counts is its version and its target.
compiler=${CC:-}
if [ -z "$compiler" ]; then
  built=$(sed -n 's/^CONFIG_CC_VERSION_TEXT="\{0,1\}\([^"]*\).*/\1/p' "$obj/include/config/auto.conf")
  case $built in
  *clang*) compiler=clang ;;
  *) compiler=${built%% *} ;;
  esac
  command -v "$compiler" >/dev/null 2>&1 || compiler=gcc
fi
compiler="$($compiler --version | sed -n '1s/^[^ ]* //p') $($compiler -dumpmachine)"

# Names and contents of files, whatever their folder is called.
digest() {
  sort | tr '\n' '\0' >"$list"
  cat "$list"
  xargs -0 cat <"$list"
}
list=$(mktemp)
trap 'rm -f "$list"' EXIT
{
  echo @OPTIONS@
  echo "$kernel"
  echo "$compiler"
  find @INPUTS@ -type f ! -path './dkms/probed/*' ! -path ./make.log \
    ! -path ./dkms/compiler ! -path ./dkms/hint ! -path ./dkms.conf \
    ! -path ./dkms/pre-build ! -path ./dkms/post-install | digest
#@if SETTINGS
  grep -hv '^[[:space:]]*\(#\|$\)' @SETTINGS@ 2>/dev/null || :
#@end
  # Headers of other packages that the probe sees.
  for word in ${SITE_HAS-}; do
    echo "$word"
    case $word in
    *=/*)
      find -L "${word#*=}" -type f \( -name '*.[hc]' -o -name 'Makefile*' -o -name '*.mk' -o -name Module.symvers \) | digest
      ;;
    esac
  done
  cat "$obj/Module.symvers" 2>/dev/null || :
  # Behind links too: Ubuntu's headers of a flavour are mostly links to common ones.
  for folder in "$obj" "$source"; do
    cd "$folder"
    for top in arch include scripts Makefile; do
      [ ! -e $top ] || find -L $top -path include/config -prune -o \
        -type f \( -name '*.h' -o -name 'Makefile*' -o -name 'Kbuild*' \) -print
    done | digest
  done
} | sha256sum | cut -c1-32
