#!/bin/sh
#@ SPDX-License-Identifier: GPL-2.0-only
# Lays out the DKMS packages of this release as the packages that were released with it hold them.
#
#   sh lrelease/dkms/install deb FOLDER    each below FOLDER/<package>
#   sh lrelease/dkms/install rpm FOLDER    all below FOLDER
set -eu
format=$1
folder=$(realpath -m "$2")
cd "$(dirname "$0")"
here=$PWD
for package in "$here"/*/; do
  [ -f "$package$format" ] || continue
  read -r name sources <"$package$format"
  root=$folder
  [ "$format" != deb ] || root=$folder/$name
  mkdir -p "$root/$sources" "$root/usr/share/doc/$name"
  tar -C "$here/../.." -cf - --no-recursion -T "${package}files" | tar -C "$root/$sources" -xf - --no-same-owner
  cp -a "${package}tree/." "$root/$sources"
  [ ! -d "$package$format.files" ] || cp -a "$package$format.files/." "$root"
  install -p -m 644 "${package}origins.jsonl.gz" "$root/usr/share/doc/$name"
  chmod -R u=rwX,go=rX "$root/$sources" "$root/usr/share/doc/$name"
done
