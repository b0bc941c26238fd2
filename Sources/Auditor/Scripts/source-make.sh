# SPDX-License-Identifier: GPL-2.0-only
# Configures and builds a part of a kernel source: COMMAND…
exec 2>&1
umask 022
make -s olddefconfig ${LRELEASE_LLVM:+"$LRELEASE_LLVM"} && exec "$@"
