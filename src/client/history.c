/*
 * A plain file of lines, to which each line is appended when it was typed, so that nothing is lost
 * however the program ends, and two that run at once both have theirs kept. When it has become long
 * the newest lines are moved to a new file that takes its place.
 */
#include "client/history.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_LINES (2 * HISTORY_LINES) /* more of them are cut to HISTORY_LINES */

char *history_path(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char *path = NULL;
	int len = -1;

	/* Relative ones are invalid, says the XDG Base Directory Specification. */
	if (state != NULL && *state == '/')
		len = asprintf(&path, "%s/monitor_client/history", state);
	else if (home != NULL && *home == '/')
		len = asprintf(&path, "%s/.local/state/monitor_client/history", home);
	return len < 0 ? NULL : path;
}

static int open_for_owner(const char *path, int flags)
{
	return open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
}

/* The folders that are missing. */
static void make_folders(const char *path)
{
	char *folder = strdup(path);

	for (char *p = folder; p != NULL && (p = strchr(p + 1, '/')) != NULL; *p = '/') {
		*p = '\0';
		mkdir(folder, 0700);
	}
	free(folder);
}

/* In one write, so that lines of several processes do not mix. */
static void write_line(int fd, const char *line)
{
	char *text;
	int len = asprintf(&text, "%s\n", line);

	if (len >= 0) {
		(void)!write(fd, text, (size_t)len); /* a full disk: a line less */
		free(text);
	}
}

void history_add(const char *path, const char *line)
{
	int fd = open_for_owner(path, O_WRONLY | O_APPEND | O_CREAT);

	if (fd < 0) {
		make_folders(path);
		fd = open_for_owner(path, O_WRONLY | O_APPEND | O_CREAT);
	}
	if (fd < 0)
		return;
	write_line(fd, line);
	close(fd);
}

/* The newest lines of a file, in a ring. */
struct newest {
	char *lines[HISTORY_LINES];
	size_t count; /* of all that were read */
};

static size_t first_of(const struct newest *n)
{
	return n->count < HISTORY_LINES ? 0 : n->count - HISTORY_LINES;
}

static void read_lines(struct newest *n, FILE *file)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, file) > 0) {
		char **place = &n->lines[n->count % HISTORY_LINES];

		line[strcspn(line, "\n")] = '\0';
		if (*line == '\0')
			continue;
		free(*place);
		*place = line;
		n->count++;
		line = NULL;
		size = 0;
	}
	free(line);
}

/* Leaves the file as it is when that fails. */
static void cut_file(const char *path, const struct newest *n)
{
	char *other;
	int fd;

	if (asprintf(&other, "%s.new", path) < 0)
		return;
	fd = open_for_owner(other, O_WRONLY | O_CREAT | O_TRUNC);
	if (fd >= 0) {
		for (size_t i = first_of(n); i < n->count; i++)
			write_line(fd, n->lines[i % HISTORY_LINES]);
		if (close(fd) < 0 || rename(other, path) < 0)
			unlink(other);
	}
	free(other);
}

void history_read(const char *path, void (*take)(void *context, const char *line), void *context)
{
	int fd = open_for_owner(path, O_RDONLY);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	struct newest n = {.count = 0};

	if (file == NULL)
		return;
	read_lines(&n, file);
	fclose(file);
	for (size_t i = first_of(&n); i < n.count; i++)
		take(context, n.lines[i % HISTORY_LINES]);
	if (n.count > FILE_LINES)
		cut_file(path, &n);
	for (size_t i = 0; i < HISTORY_LINES; i++)
		free(n.lines[i]);
}
