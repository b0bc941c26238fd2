#!/bin/sh
#@ SPDX-License-Identifier: GPL-2.0-only
# Called by dkms before each build: pre-build KERNEL SOURCE. Exit status 77 means that the kernel is skipped.
set -eu
kernel=$1
source=$2

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

here=$(number "$kernel" 0)
if [ "$here" -lt "$(number @MIN@ 0)" ] || [ "$here" -gt "$(number @MAX@ 999)" ]; then
  echo "@MODULE@ @VERSION@: kernel $kernel is skipped: supported are @MIN@ to @MAX@" >&2
  exit 77
fi
if [ ! -e "$source/Makefile" ]; then
  echo "@MODULE@ @VERSION@: kernel $kernel has no headers in $source: install them and build again" >&2
  exit 1
fi
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
sh @PROBE@ "$kernel" "$source" ${results:+"$results"}
# For who qualifies this release: what was found, under which key, and whether it came with the release.
if [ -n "${DKMS_PROBE_RESULTS:-}" ]; then
  sh @PROBE@ --results >"$DKMS_PROBE_RESULTS" || rm "$DKMS_PROBE_RESULTS"
  echo "$key $results" >"$DKMS_PROBE_RESULTS.key"
fi
#@end
