# SPDX-License-Identifier: GPL-2.0-only
# Builds with the headers of a kernel: COMMAND…
exec 2>&1
umask 022
exec "$@"
