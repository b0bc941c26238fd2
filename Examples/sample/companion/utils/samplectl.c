// SPDX-License-Identifier: GPL-2.0-only
/*
 * samplectl: shows the state of the sample and posts messages to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/sample/sample.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const char *const modules[] = { "samplenet", "samplefs", "sampletrace" };

/* The first line of a file, without its end, in line; NULL if there is none. */
static char *first_line(char *line, size_t size, const char *folder,
			const char *name)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "r");
	if (!file)
		return NULL;

	line = fgets(line, size, file);
	fclose(file);
	if (line)
		line[strcspn(line, "\n")] = '\0';
	return line;
}

/* Calls visit for each mounted samplefs until it returns other than 0. */
static int for_each_mount(int (*visit)(const char *folder, void *data),
			  void *data)
{
	struct mntent *mount;
	FILE *mounts;
	int ret = 0;

	mounts = setmntent("/proc/mounts", "r");
	if (!mounts) {
		perror("samplectl: /proc/mounts");
		return -1;
	}
	while (!ret && (mount = getmntent(mounts)))
		if (!strcmp(mount->mnt_type, "samplefs"))
			ret = visit(mount->mnt_dir, data);
	endmntent(mounts);
	return ret;
}

static int show_mount(const char *folder, void *data)
{
	int *count = data;
	char version[128], kernel[128];

	if (!first_line(version, sizeof(version), folder, SAMPLEFS_VERSION) ||
	    !first_line(kernel, sizeof(kernel), folder, SAMPLEFS_KERNEL)) {
		fprintf(stderr, "samplectl: %s: %s\n", folder, strerror(errno));
		return -1;
	}
	printf("%s: samplefs %s on Linux %s\n", folder, version, kernel);
	++*count;
	return 0;
}

static int status(char **args)
{
	int mounted = 0;
	size_t i;

	(void)args;
	for (i = 0; i < ARRAY_SIZE(modules); i++) {
		char folder[64], version[128];

		snprintf(folder, sizeof(folder), "/sys/module/%s", modules[i]);
		if (access(folder, F_OK))
			continue;
		if (!first_line(version, sizeof(version), folder, "version"))
			strcpy(version, "of no version");
		printf("%s: loaded, %s\n", modules[i], version);
	}

	if (for_each_mount(show_mount, &mounted))
		return EXIT_FAILURE;
	if (!mounted)
		puts("samplefs: not mounted");
	return EXIT_SUCCESS;
}

static int messages_path(const char *folder, void *path)
{
	snprintf(path, 4096, "%s/%s", folder, SAMPLEFS_MESSAGES);
	return 1;
}

/* Every samplefs shows the same messages, so any will do. */
static int open_messages(int flags)
{
	char path[4096];
	int fd;

	switch (for_each_mount(messages_path, path)) {
	case 0:
		fputs("samplectl: no samplefs is mounted\n", stderr);
		/* fall through */
	case -1:
		return -1;
	}

	fd = open(path, flags);
	if (fd < 0)
		fprintf(stderr, "samplectl: %s: %s\n", path, strerror(errno));
	return fd;
}

static int messages(char **args)
{
	char buffer[4096];
	ssize_t size;
	int fd;

	(void)args;
	fd = open_messages(O_RDONLY);
	if (fd < 0)
		return EXIT_FAILURE;

	while ((size = read(fd, buffer, sizeof(buffer))) > 0)
		fwrite(buffer, 1, size, stdout);
	if (size < 0)
		perror("samplectl: " SAMPLEFS_MESSAGES);
	close(fd);
	return size < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int post(char **args)
{
	ssize_t written;
	int fd;

	fd = open_messages(O_WRONLY);
	if (fd < 0)
		return EXIT_FAILURE;

	written = write(fd, args[0], strlen(args[0]));
	if (written < 0)
		perror("samplectl: " SAMPLEFS_MESSAGES);
	close(fd);
	return written < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int version(char **args)
{
	(void)args;
	puts("samplectl " VERSION);
	return EXIT_SUCCESS;
}

static const struct command {
	const char *name;
	int argc;
	int (*run)(char **args);
} commands[] = {
	{ "status", 0, status },
	{ "messages", 0, messages },
	{ "post", 1, post },
	{ "version", 0, version },
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc > 1 && i < ARRAY_SIZE(commands); i++)
		if (!strcmp(argv[1], commands[i].name) &&
		    argc - 2 == commands[i].argc)
			return commands[i].run(argv + 2);

	fputs("usage: samplectl status | messages | post TEXT | version\n",
	      stderr);
	return 2;
}
