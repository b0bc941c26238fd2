/* SPDX-License-Identifier: GPL-2.0-only */
#include "CVersion.h"

const char *lr_version(void)
{
#ifdef LRELEASE_BUILD
	return LRELEASE_VERSION " (" LRELEASE_BUILD ")";
#else
	return LRELEASE_VERSION;
#endif
}
