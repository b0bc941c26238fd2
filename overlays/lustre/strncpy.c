/* SPDX-License-Identifier: GPL-2.0-only */
/* Compiles where nothing is called strncpy. */
#include <linux/string.h>

enum { strncpy };
