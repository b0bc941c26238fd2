// SPDX-License-Identifier: GPL-2.0-only

#include "CRPM.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <rpm/header.h>
#include <rpm/rpmbuild.h>
#include <rpm/rpmio.h>
#include <rpm/rpmlib.h>
#include <rpm/rpmlog.h>
#include <rpm/rpmmacro.h>
#include <rpm/rpmts.h>
#include <rpm/rpmver.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct message {
  char *text;
  size_t size, used;
};

static void append(struct message *message, const char *text) {
  size_t length = strlen(text);
  if (message->size == 0 || message->used + 1 >= message->size) return;
  size_t room = message->size - message->used - 1;
  if (length > room) length = room;
  memcpy(message->text + message->used, text, length);
  message->used += length;
  message->text[message->used] = 0;
}

static void start(struct message *message, char *text, size_t size) {
  *message = (struct message){text, size, 0};
  if (size > 0) text[0] = 0;
}

static int take_log(rpmlogRec record, rpmlogCallbackData data) {
  append(data, rpmlogRecMessage(record));
  return 0;
}

// The configuration of rpm is read once in a process.
static int configure(struct message *message) {
  static int configured = -1;
  if (configured != 0) configured = rpmReadConfigFiles(NULL, NULL);
  if (configured != 0) append(message, "the configuration of rpm cannot be read");
  return configured == 0 ? 0 : -1;
}

static rpmver parse(const char *text, struct message *message) {
  rpmver version = NULL;
  // librpm takes nearly any text for a version; these are the characters that a spec may use.
  const char *bad = text + strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+_~^:-");
  if (*bad == 0 && *text != 0) version = rpmverParse(text);
  if (!version) append(message, *text == 0 ? "it is empty" : "it is not a version that RPM takes");
  return version;
}

int lr_rpm_version_check(const char *version, char *error, size_t size) {
  struct message message;
  start(&message, error, size);
  rpmver parsed = parse(version, &message);
  int status = parsed ? 0 : -1;
  rpmverFree(parsed);
  return status;
}

int lr_rpm_version_compare(const char *a, const char *b, int *result, char *error, size_t size) {
  struct message message;
  start(&message, error, size);
  rpmver first = parse(a, &message);
  rpmver second = first ? parse(b, &message) : NULL;
  int status = first && second ? 0 : -1;
  if (status == 0) *result = rpmverCmp(first, second);
  rpmverFree(first);
  rpmverFree(second);
  return status;
}

static int build(
    int amount, const char *spec, const char *root, const char *const *macros, size_t count, char *error, size_t size) {
  struct message message;
  start(&message, error, size);
  pthread_mutex_lock(&lock);
  rpmlogSetCallback(take_log, &message);
  rpmlogSetMask(RPMLOG_UPTO(RPMLOG_WARNING));
  int status = configure(&message);
  for (size_t i = 0; status == 0 && i < count; i++) {
    if (rpmDefineMacro(NULL, macros[i], RMIL_CMDLINE) != 0) {
      append(&message, "bad macro definition: ");
      append(&message, macros[i]);
      status = -1;
    }
  }
  if (status == 0) {
    rpmSpec parsed = rpmSpecParse(spec, RPMSPEC_FORCE, root);
    rpmts transaction = rpmtsCreate();
    struct rpmBuildArguments_s arguments = {.buildAmount = amount};
    if (!parsed || rpmSpecBuild(transaction, parsed, &arguments) != 0) status = -1;
    rpmtsFree(transaction);
    rpmSpecFree(parsed);
  }
  if (status != 0 && message.used == 0) append(&message, "librpm gave no reason");
  rpmlogSetCallback(NULL, NULL);
  pthread_mutex_unlock(&lock);
  return status;
}

int lr_rpm_build_binary(
    const char *spec, const char *root, const char *const *macros, size_t count, char *error, size_t size) {
  return build(RPMBUILD_PACKAGEBINARY, spec, root, macros, count, error, size);
}

int lr_rpm_build_source(const char *spec, const char *const *macros, size_t count, char *error, size_t size) {
  return build(RPMBUILD_PACKAGESOURCE, spec, NULL, macros, count, error, size);
}

int lr_rpm_read_header(const char *path, char *text, size_t length, char *error, size_t size) {
  struct message message, lines;
  start(&message, error, size);
  start(&lines, text, length);
  pthread_mutex_lock(&lock);
  rpmlogSetCallback(take_log, &message);
  int status = configure(&message);
  FD_t file = status == 0 ? Fopen(path, "r.ufdio") : NULL;
  if (!file || Ferror(file)) {
    if (status == 0) append(&message, file ? Fstrerror(file) : "it cannot be opened");
    status = -1;
  }
  if (status == 0) {
    Header header = NULL;
    rpmts transaction = rpmtsCreate();
    // Packages here are as yet unsigned; whether they are signed is not the question.
    rpmtsSetVSFlags(transaction, RPMVSF_MASK_NOSIGNATURES);
    rpmRC code = rpmReadPackageFile(transaction, file, path, &header);
    if (header && (code == RPMRC_OK || code == RPMRC_NOTTRUSTED || code == RPMRC_NOKEY)) {
      const char *problem = NULL;
      char *formatted = headerFormat(
          header,
          "Name: %{NAME}\nVersion: %{VERSION}\nRelease: %{RELEASE}\nArchitecture: %{ARCH}\nLicense: %{LICENSE}\n"
          "Summary: %{SUMMARY}\n[Requires: %{REQUIRENEVRS}\n][Provides: %{PROVIDENEVRS}\n]",
          &problem);
      if (formatted) {
        append(&lines, formatted);
      } else {
        append(&message, problem ? problem : "its header cannot be shown");
        status = -1;
      }
      free(formatted);
    } else {
      if (message.used == 0) append(&message, "it is not an RPM package, or it is damaged");
      status = -1;
    }
    headerFree(header);
    rpmtsFree(transaction);
  }
  if (file) Fclose(file);
  rpmlogSetCallback(NULL, NULL);
  pthread_mutex_unlock(&lock);
  return status;
}
