/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LRELEASE_CRPM_H
#define LRELEASE_CRPM_H

#include <stddef.h>

/*
 * The part of librpm that is used. Each function returns 0 when all is well, and otherwise -1 with what librpm said
 * in `error`, cut to `size` bytes with the zero at the end.
 */

/* Checks that `version` is a legal [epoch:]version[-release]. */
int lr_rpm_version_check(const char *version, char *error, size_t size);

/* Compares two [epoch:]version[-release]: -1, 0 or 1 in `result` as `a` is older than, as old as, or newer than `b`. */
int lr_rpm_version_compare(const char *a, const char *b, int *result, char *error, size_t size);

/*
 * Makes the binary packages of the spec at `spec` from the ready build root `root`, without running its scripts.
 * `macros` holds `count` definitions, each "name body". The log goes to `log`.
 *
 * It changes macros, the environment and temporary files of the whole process: call it in a child only.
 */
int lr_rpm_build_binary(
    const char *spec, const char *root, const char *const *macros, size_t count, char *error, size_t size);

/* The same for the source package: the spec and the sources that it names, from _sourcedir. */
int lr_rpm_build_source(const char *spec, const char *const *macros, size_t count, char *error, size_t size);

/*
 * Reads the header of the package at `path` as lines "Name: value" into `text`, cut to `length` bytes: Name, Version,
 * Release, Architecture, License, Summary, and a Requires or Provides line for each of these. It does not verify the
 * payload.
 */
int lr_rpm_read_header(const char *path, char *text, size_t length, char *error, size_t size);

#endif
