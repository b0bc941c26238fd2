#!/bin/sh
#@ SPDX-License-Identifier: GPL-2.0-only
# Called by dkms before each build: pre-build KERNEL SOURCE. Exit status 77 means that the kernel is skipped, which
# pre-build --supports KERNEL also tells.
# shellcheck disable=SC2154
set -eu

#@SCRATCH@

# What root has in its environment, such as CDPATH, GREP_OPTIONS and MAKEFLAGS, is for root's own work.
if [ -z "${DKMS_PRE_BUILD-}" ]; then
  # dkms gives it to make, though: what then builds elsewhere, and takes away files of the headers, is set by kernel builds.
  outer=${KBUILD_OUTPUT:+KBUILD_OUTPUT }${sub_make_done:+sub_make_done }
  exec env -i DKMS_PRE_BUILD=":$outer" PATH="$PATH" HOME="${HOME:-/}" LC_ALL=C TMPDIR="$(scratch_folder)" ${CC:+"CC=$CC"} \
    ${DKMS_PROBE_RESULTS:+"DKMS_PROBE_RESULTS=$DKMS_PROBE_RESULTS"} sh "$0" "$@"
fi

#@if RANGE
number() {
  release=${1%%[!0-9.]*}
  major=${release%%.*}
  rest=${release#*.}
  minor=${rest%%.*}
  patch=${rest#"$minor"}
  patch=${patch#.}
  patch=${patch%%.*}
  echo $((major * 1000000 + minor * 1000 + ${patch:-$2}))
}

supports() {
  here=$(number "$1" 0)
  [ "$here" -ge "$(number @MIN@ 0)" ] && [ "$here" -le "$(number @MAX@ 999)" ]
}
#@end
#@if FAMILIES
kernel=$1
[ "$1" != --supports ] || kernel=$2
is() { printf '%s\n' "$kernel" | grep -Eq -e "$1"; }
#@FAMILIES@
#@end

# Says why there is no build, and sees to it that dkms before 3.1.7, which goes on, fails at once and for the same reason.
stop() {
  echo "$*" >&2
  mkdir -p dkms && echo "$*" >dkms/cause
  said=$(echo "$*" | tr -c 'A-Za-z0-9 .,:;/_+=-' ' ')
# shellcheck disable=SC2043
  for makefile in @MAKEFILES@; do
    echo "\$(error $said)" >"$makefile" || :
  done
  exit 1
}

#@if RANGE
if [ "$1" = --supports ]; then
  supports "$2" || exit 77
  exit 0
fi
kernel=$1
source=$2
if ! supports "$kernel"; then
  echo "@MODULE@ @VERSION@: kernel $kernel is skipped: supported are @MIN@ to @MAX@" >&2
  exit 77
fi
#@end
#@if FAMILIES
if [ "$1" = --supports ]; then
  is "$expression" && exit 0
  echo "$reason"
  exit 77
fi
source=$2
if ! is "$expression"; then
  echo "@MODULE@ @VERSION@: kernel $kernel is skipped: $reason" >&2
  exit 77
fi
#@end
if [ "$DKMS_PRE_BUILD" != : ]; then
  stop "@MODULE@ @VERSION@: root's environment has ${DKMS_PRE_BUILD#:}of a kernel build: build again without"
fi
if [ ! -e "$source/Makefile" ]; then
  stop "@MODULE@ @VERSION@: kernel $kernel has no headers in $source: install them and build again"
fi

# Where this system has several compilers, the one that built the kernel, be it in a gcc-toolset: what its flags are for.
# dkms looks for the name that the kernel's configuration gives, often no more than "gcc", and tells only the environment.
mkdir -p dkms
: >dkms/compiler
: >dkms/hint
major() {
  number=$(sed -n "s/^CONFIG_$1_VERSION=\([1-9][0-9]*\)$/\1/p" "$source/include/config/auto.conf" 2>/dev/null) || number=
  echo $((${number:-0} / 10000))
}
built=$(major GCC)
here=$(gcc -dumpversion 2>/dev/null) || here=
if [ "$built" -gt 0 ] && [ -n "$here" ] && [ "$built" != "${here%%.*}" ]; then
  machine=$(gcc -dumpmachine)
  toolset=/opt/rh/gcc-toolset-$built/root/usr/bin
  found=
  for compiler in ${CC:+"$CC"} "gcc-$built" "gcc$built-gcc" "$toolset/gcc"; do
    version=$("$compiler" -dumpversion 2>/dev/null) || continue
    if [ "${version%%.*}" = "$built" ] && [ "$("$compiler" -dumpmachine)" = "$machine" ]; then
      found=$compiler
      break
    fi
  done
  case $found in
  '')
    echo "the kernel was built with gcc $built, and this system has gcc ${here%%.*}: install gcc-$built or gcc-toolset-$built" \
      >dkms/hint
    ;;
  "$toolset"/*)
    # Its assembler and linker go with it.
    PATH=$toolset:/usr/sbin:/usr/bin:/sbin:/bin
    CC=$found
    echo "CC=$CC PATH=$PATH" >dkms/compiler
    ;;
  *)
    CC=$found
    echo "CC=$CC" >dkms/compiler
    ;;
  esac
  [ -z "$found" ] || export CC
fi
# clang built the kernel, with its own linker or with that of binutils. dkms before 3.0 does not look for it.
built=$(major CLANG)
if [ "$built" -gt 0 ]; then
  here=$(clang -dumpversion 2>/dev/null) || here=
  if [ "${here%%.*}" != "$built" ]; then
    echo "the kernel was built with clang $built, and this system has ${here:-none}: install clang, lld and llvm $built" \
      >dkms/hint
  fi
  CC=clang
  export CC
  echo "CC=$CC" >dkms/compiler
  if grep -qx 'CONFIG_LD_IS_LLD=y' "$source/include/config/auto.conf"; then
    LLVM=1
    export LLVM
    echo "LLVM=1" >dkms/compiler
  fi
fi
#@if CONDITIONS
# What this site has, which dkms.conf asks too. NAME=FOLDER is the code of another package.
SITE_HAS=$(sh @CONDITIONS@ "$kernel" "$source" "$(uname -m)" | tr '\n' ' ')
export SITE_HAS
#@end
#@if PROBE
# What a probe of exactly these headers has found was shipped with the release, or has to be found out.
key=
results=
if [ -d dkms/probed ] || [ -n "${DKMS_PROBE_RESULTS:-}" ]; then
  key=$(sh dkms/key "$kernel" "$source") || key=
fi
if [ -n "$key" ] && [ -f "dkms/probed/$key" ]; then
  results=dkms/probed/$key
fi
if ! sh @PROBE@ "$kernel" "$source" ${results:+"$results"} 2>dkms/cause; then
  stop "$(grep . dkms/cause || echo "@MODULE@ @VERSION@: the probe of kernel $kernel failed and said nothing")"
fi
cat dkms/cause >&2
rm -f dkms/cause
# For who qualifies this release: what was found, under which key, and whether it came with the release.
# What was found with the code of another package is true at this site alone.
case ${SITE_HAS-} in
*=/*)
  [ -z "${DKMS_PROBE_RESULTS:-}" ] || echo "of this site: $SITE_HAS" >"$DKMS_PROBE_RESULTS.key"
  DKMS_PROBE_RESULTS=
  ;;
esac
if [ -n "${DKMS_PROBE_RESULTS:-}" ]; then
  sh @PROBE@ --results >"$DKMS_PROBE_RESULTS" || rm "$DKMS_PROBE_RESULTS"
  echo "$key $results" >"$DKMS_PROBE_RESULTS.key"
fi
#@end
