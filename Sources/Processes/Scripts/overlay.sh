# SPDX-License-Identifier: GPL-2.0-only
# Mounts a layer on folders, each on top of the next, and runs a command:
# UPPER WORK MERGED NUMBER FOLDER… COMMAND…
# The first three are neighbours. To the options of an overlay, commas and colons in a path are no part of it, so they get
# plain names only: the folders stand where the layer will, until it hides them.
fail() {
  echo "lrelease: the layer cannot be mounted" >&2
  exit 1
}
merged=$3
plain=${3##*/}
layer="upperdir=${1##*/},workdir=${2##*/}"
count=$4
shift 4
mount -t tmpfs -o mode=755 lrelease "$merged" || fail
lower=
while [ "$count" -gt 0 ]; do
  mkdir "$merged/$count" || fail
  mount --rbind -- "$1" "$merged/$count" || fail
  lower=$lower${lower:+:}$plain/$count
  count=$((count - 1))
  shift
done
(cd -- "${merged%/*}" && mount -t overlay overlay -o "lowerdir=$lower,$layer" "$plain") || fail
exec "$@"
