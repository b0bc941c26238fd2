/* SPDX-License-Identifier: GPL-2.0-only */
#include <archive.h>
#include <archive_entry.h>
