// SPDX-License-Identifier: GPL-2.0-only

#define _GNU_SOURCE
#define LIBDPKG_VOLATILE_API
#include "CDpkg.h"

#include <dpkg/dpkg.h>
#include <dpkg/dpkg-db.h>
#include <dpkg/ehandle.h>
#include <dpkg/parsedump.h>
#include <dpkg/report.h>

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// libdpkg keeps its error contexts and its packages in global variables.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct message {
  char *text;
  size_t size;
};

// Stores `text` as one line.
static void store(const struct message *message, const char *text) {
  if (message->size == 0) return;
  size_t used = 0;
  for (; *text && used + 1 < message->size; text++) {
    char c = *text == '\n' || *text == '\t' ? ' ' : *text;
    if (c == ' ' && (used == 0 || message->text[used - 1] == ' ')) continue;
    message->text[used++] = c;
  }
  message->text[used] = 0;
}

static void take_error(const char *text, const void *data) { store(data, text); }
static void take_warning(const char *text, void *data) { store(data, text); }

// Parses strictly: what libdpkg only warns of is an error too.
static int parse(const char *text, struct dpkg_version *version, const struct message *message) {
  struct dpkg_error problem = DPKG_ERROR_INIT;
  if (parseversion(version, text, &problem) == 0) return 0;
  store(message, problem.str ? problem.str : "it is not a version");
  dpkg_error_destroy(&problem);
  return -1;
}

struct comparison {
  const char *a, *b;
  int *result;
};

static int compare(void *argument, const struct message *message) {
  struct comparison *comparison = argument;
  struct dpkg_version a = DPKG_VERSION_INIT, b = DPKG_VERSION_INIT;
  if (parse(comparison->a, &a, message) != 0) return -1;
  if (!comparison->b) return 0;
  if (parse(comparison->b, &b, message) != 0) return -1;
  int order = dpkg_version_compare(&a, &b);
  *comparison->result = (order > 0) - (order < 0);
  return 0;
}

struct control {
  const char *text;
  size_t length;
  int file;
};

static int check_control(void *argument, const struct message *message) {
  struct control *control = argument;
  control->file = memfd_create("control", MFD_CLOEXEC);
  if (control->file < 0) {
    store(message, strerror(errno));
    return -1;
  }
  for (size_t done = 0; done < control->length;) {
    ssize_t count = write(control->file, control->text + done, control->length - done);
    if (count < 0) {
      store(message, strerror(errno));
      return -1;
    }
    done += (size_t)count;
  }
  if (lseek(control->file, 0, SEEK_SET) != 0) {
    store(message, strerror(errno));
    return -1;
  }
  int warnings = warning_get_count();
  struct pkginfo *package = NULL;
  struct parsedb_state *state = parsedb_new("control", control->file, pdb_parse_binary);
  parsedb_load(state);
  int count = parsedb_parse(state, &package);
  parsedb_close(state);
  if (count != 1 || !package) {
    store(message, "it holds no package");
    return -1;
  }
  return warning_get_count() == warnings ? 0 : -1;
}

// Runs `body` in an error context: libdpkg leaves by longjmp when it finds an error.
static int guarded(int (*body)(void *, const struct message *), void *argument, const struct message *message) {
  jmp_buf jump;
  volatile int status;
  pthread_mutex_lock(&lock);
  dpkg_set_warning_printer(take_warning, (void *)message);
  if (setjmp(jump) == 0) {
    push_error_context_jump(&jump, take_error, message);
    status = body(argument, message);
    pop_error_context(ehflag_normaltidy);
  } else {
    pop_error_context(ehflag_bombout);
    status = -1;
  }
  dpkg_set_warning_printer(NULL, NULL);
  pthread_mutex_unlock(&lock);
  return status;
}

int lr_dpkg_version_check(const char *version, char *error, size_t size) {
  struct comparison comparison = {version, NULL, NULL};
  struct message message = {error, size};
  return guarded(compare, &comparison, &message);
}

int lr_dpkg_version_compare(const char *a, const char *b, int *result, char *error, size_t size) {
  struct comparison comparison = {a, b, result};
  struct message message = {error, size};
  return guarded(compare, &comparison, &message);
}

int lr_dpkg_control_check(const char *text, size_t length, char *error, size_t size) {
  struct control control = {text, length, -1};
  struct message message = {error, size};
  int status = guarded(check_control, &control, &message);
  if (control.file >= 0) close(control.file);
  return status;
}
