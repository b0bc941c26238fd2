# SPDX-License-Identifier: GPL-2.0-only
# Mounts a layer on a root, and runs a command: ROOT UPPER WORK MERGED COMMAND…
# The last three are neighbours. To the options of an overlay, commas and colons in a path are no part of it, so they get
# plain names only: the root stands where its layer will, until it is hidden by that.
(
  mount --rbind -- "$1" "$4" && cd "${4%/*}" &&
    mount -t overlay overlay -o "lowerdir=${4##*/},upperdir=${2##*/},workdir=${3##*/}" "${4##*/}"
) || {
  echo "lrelease: the layer cannot be mounted" >&2
  exit 1
}
shift 4
exec "$@"
