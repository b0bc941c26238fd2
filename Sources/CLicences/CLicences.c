// SPDX-License-Identifier: GPL-2.0-only

#include "CLicences.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char t_spdx_txt[] = {
#embed "spdx.txt"
};
static const unsigned char t_0BSD[] = {
#embed "texts/0BSD.txt"
};
static const unsigned char t_Apache_2_0[] = {
#embed "texts/Apache-2.0.txt"
};
static const unsigned char t_Autoconf_exception_generic[] = {
#embed "texts/Autoconf-exception-generic.txt"
};
static const unsigned char t_Autoconf_exception_generic_3_0[] = {
#embed "texts/Autoconf-exception-generic-3.0.txt"
};
static const unsigned char t_BSD_2_Clause[] = {
#embed "texts/BSD-2-Clause.txt"
};
static const unsigned char t_BSD_3_Clause[] = {
#embed "texts/BSD-3-Clause.txt"
};
static const unsigned char t_CC0_1_0[] = {
#embed "texts/CC0-1.0.txt"
};
static const unsigned char t_CDDL_1_0[] = {
#embed "texts/CDDL-1.0.txt"
};
static const unsigned char t_FSFUL[] = {
#embed "texts/FSFUL.txt"
};
static const unsigned char t_FSFULLR[] = {
#embed "texts/FSFULLR.txt"
};
static const unsigned char t_FSFULLRWD[] = {
#embed "texts/FSFULLRWD.txt"
};
static const unsigned char t_GCC_exception_2_0[] = {
#embed "texts/GCC-exception-2.0.txt"
};
static const unsigned char t_GPL_1_0[] = {
#embed "texts/GPL-1.0.txt"
};
static const unsigned char t_GPL_2_0[] = {
#embed "texts/GPL-2.0.txt"
};
static const unsigned char t_GPL_3_0[] = {
#embed "texts/GPL-3.0.txt"
};
static const unsigned char t_ISC[] = {
#embed "texts/ISC.txt"
};
static const unsigned char t_LGPL_2_0[] = {
#embed "texts/LGPL-2.0.txt"
};
static const unsigned char t_LGPL_2_1[] = {
#embed "texts/LGPL-2.1.txt"
};
static const unsigned char t_LGPL_3_0[] = {
#embed "texts/LGPL-3.0.txt"
};
static const unsigned char t_Libtool_exception[] = {
#embed "texts/Libtool-exception.txt"
};
static const unsigned char t_Linux_OpenIB[] = {
#embed "texts/Linux-OpenIB.txt"
};
static const unsigned char t_Linux_syscall_note[] = {
#embed "texts/Linux-syscall-note.txt"
};
static const unsigned char t_MIT[] = {
#embed "texts/MIT.txt"
};
static const unsigned char t_MPL_1_1[] = {
#embed "texts/MPL-1.1.txt"
};
static const unsigned char t_MPL_2_0[] = {
#embed "texts/MPL-2.0.txt"
};
static const unsigned char t_X11[] = {
#embed "texts/X11.txt"
};
static const unsigned char t_Zlib[] = {
#embed "texts/Zlib.txt"
};

#define FILE_(name, bytes) { name, bytes, sizeof(bytes) }

static const lr_licence_file files[] = {
	FILE_("spdx.txt", t_spdx_txt),
	FILE_("0BSD", t_0BSD),
	FILE_("Apache-2.0", t_Apache_2_0),
	FILE_("Autoconf-exception-generic", t_Autoconf_exception_generic),
	FILE_("Autoconf-exception-generic-3.0", t_Autoconf_exception_generic_3_0),
	FILE_("BSD-2-Clause", t_BSD_2_Clause),
	FILE_("BSD-3-Clause", t_BSD_3_Clause),
	FILE_("CC0-1.0", t_CC0_1_0),
	FILE_("CDDL-1.0", t_CDDL_1_0),
	FILE_("FSFUL", t_FSFUL),
	FILE_("FSFULLR", t_FSFULLR),
	FILE_("FSFULLRWD", t_FSFULLRWD),
	FILE_("GCC-exception-2.0", t_GCC_exception_2_0),
	FILE_("GPL-1.0", t_GPL_1_0),
	FILE_("GPL-2.0", t_GPL_2_0),
	FILE_("GPL-3.0", t_GPL_3_0),
	FILE_("ISC", t_ISC),
	FILE_("LGPL-2.0", t_LGPL_2_0),
	FILE_("LGPL-2.1", t_LGPL_2_1),
	FILE_("LGPL-3.0", t_LGPL_3_0),
	FILE_("Libtool-exception", t_Libtool_exception),
	FILE_("Linux-OpenIB", t_Linux_OpenIB),
	FILE_("Linux-syscall-note", t_Linux_syscall_note),
	FILE_("MIT", t_MIT),
	FILE_("MPL-1.1", t_MPL_1_1),
	FILE_("MPL-2.0", t_MPL_2_0),
	FILE_("X11", t_X11),
	FILE_("Zlib", t_Zlib),
};

const lr_licence_file *lr_licence_files(size_t *count)
{
	*count = sizeof(files) / sizeof(files[0]);
	return files;
}
