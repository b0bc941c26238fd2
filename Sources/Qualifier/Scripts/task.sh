#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Each task of an array job: FOLDER. It becomes lrelease, so that what stops the task stops lrelease, which then cleans
# up.
exec "$1/lrelease" qualify-case "$1" "$SLURM_ARRAY_TASK_ID"
