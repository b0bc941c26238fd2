/* SPDX-License-Identifier: GPL-2.0-only */
/* The SPDX License List and the texts of usual licences, built into the program: clang's #embed takes no time for what
 * the compiler of Swift would read as a literal of 200,000 numbers. */
#ifndef CLICENCES_H
#define CLICENCES_H

#include <stddef.h>

typedef struct {
	/* As SPDX calls it, without -only and -or-later; `spdx.txt` for the list itself. */
	const char *_Nonnull name;
	const unsigned char *_Nonnull bytes;
	size_t count;
} lr_licence_file;

/* All of the files; `count` is how many there are. */
const lr_licence_file *_Nonnull lr_licence_files(size_t *_Nonnull count);

#endif
