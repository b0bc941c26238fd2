# SPDX-License-Identifier: GPL-2.0-only
# Runs a prepare step: COMMAND…
# A fixed umask: what a step makes must not depend on ours.
umask 022
exec "$@"
