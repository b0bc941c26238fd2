# SPDX-License-Identifier: GPL-2.0-only
# Mounts a layer on a kernel source, without stale files and with the layout, and runs a command:
# SOURCE UPPER WORK MERGED STALE LAYOUT COMMAND…
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2,workdir=$3" "$4" && cd "$4" &&
  xargs -0 rm -rf -- <"$5" && cp -a "$6/." . && shift 6 && cd / && exec "$@"
