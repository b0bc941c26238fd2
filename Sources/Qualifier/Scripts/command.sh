# SPDX-License-Identifier: GPL-2.0-only
# Runs a command, with all that it says in its output: COMMAND…
exec 2>&1
"$@"
