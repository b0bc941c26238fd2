#@ SPDX-License-Identifier: GPL-2.0-only
#@ What the maintainer scripts and pre-build share.
# shellcheck shell=sh disable=SC2317
# The first folder where files can be written: without one dkms says nothing and exits 0, and compilers fail.
scratch_folder() {
  for folder in "${TMPDIR:-/tmp}" /tmp /var/tmp /run; do
    case $folder in /*) ;; *) continue ;; esac
    file=$(TMPDIR=$folder mktemp 2>/dev/null) || continue
    if { echo written >"$file"; } 2>/dev/null; then rm -f "$file" && break; fi
    rm -f "$file"
  done
  echo "$folder"
}
