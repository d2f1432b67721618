/*
 * DESIGN
 * A peer is an executable file NAME.sh in the peers' folder and nothing else, so dropping in a
 * script adds a column.
 */
#include "lineup.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX ".sh"

static int add(struct lineup *lineup, const char *dir, const char *name, size_t len)
{
	struct lineup_member *member = &lineup->members[lineup->size];
	int n;

	if (lineup->size == LINEUP_MAX || len == 0 || len >= sizeof(member->name)) {
		fprintf(stderr, "bench: peer '%.*s': %s\n", (int)len, name,
			lineup->size == LINEUP_MAX ? "too many peers" : "not a name");
		return -1;
	}
	*member = (struct lineup_member){0};
	memcpy(member->name, name, len);
	n = snprintf(member->script, sizeof(member->script), "%s/%.*s" SUFFIX, dir, (int)len, name);
	if (n >= (int)sizeof(member->script)) {
		fprintf(stderr, "bench: peer '%s': path too long\n", member->name);
		return -1;
	}
	if (access(member->script, X_OK) < 0) {
		fprintf(stderr, "bench: peer '%s': %s: %s\n", member->name, member->script,
			strerror(errno));
		return -1;
	}
	lineup->size++;
	return 0;
}

static int add_listed(struct lineup *lineup, const char *dir, const char *names)
{
	for (;;) {
		size_t len = strcspn(names, ",");

		if (add(lineup, dir, names, len) < 0)
			return -1;
		if (names[len] == '\0')
			return 0;
		names += len + 1;
	}
}

static int is_script(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > strlen(SUFFIX) && strcmp(entry->d_name + len - strlen(SUFFIX), SUFFIX) == 0;
}

static int add_all(struct lineup *lineup, const char *dir)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, is_script, alphasort);
	int rc = 0;

	if (n < 0) {
		fprintf(stderr, "bench: %s: %s\n", dir, strerror(errno));
		return -1;
	}
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;

		if (rc == 0)
			rc = add(lineup, dir, name, strlen(name) - strlen(SUFFIX));
		free(entries[i]);
	}
	free(entries);
	return rc;
}

int lineup_make(struct lineup *lineup, const char *dir, const char *names)
{
	*lineup = (struct lineup){.members = {{.name = "direct"}}, .size = 1};
	return names != NULL ? add_listed(lineup, dir, names) : add_all(lineup, dir);
}
