/*
 * /proc/self/cgroup says where the process is in each hierarchy, and /proc/self/mountinfo where the
 * hierarchies are mounted and from which of their groups on: in a container that is often its own,
 * be it that /proc shows its path from there (a namespace of cgroups) or from the host's root. A
 * limit holds for all groups within, so each level is asked, from the process's own group up to the
 * mount point. What lies above that cannot be seen.
 *
 * Whatever cannot be read or understood is no limit: it decides how much is taken at start, and
 * there is a plain error behind it when that is too much.
 */
#include "base/cgroup.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/lines.h"
#include "base/parse.h"

/* ---- one line of /proc ---- */

/* Is `word` one of `list`, which commas separate? */
static bool is_listed(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; (at = strstr(at, word)) != NULL; at += len) {
		if ((at == list || at[-1] == ',') && (at[len] == ',' || at[len] == '\0'))
			return true;
	}
	return false;
}

/* Is it the hierarchy of this controller of v1, or with "" that of v2, which lists none? */
static bool is_controller(const char *list, const char *controller)
{
	return *controller == '\0' ? *list == '\0' : is_listed(list, controller);
}

/* "4:memory,pids:/a/b" of v1 or "0::/a/b" of v2: the path of the group; NULL
 * when the line is about another hierarchy. */
static const char *read_membership(char *line, const char *controller)
{
	char *list = strchr(line, ':'), *path = list == NULL ? NULL : strchr(list + 1, ':');

	if (path == NULL)
		return NULL;
	*path++ = '\0';
	return is_controller(list + 1, controller) ? path : NULL;
}

/* mountinfo writes blanks and the like as \040. */
static void unescape_octal(char *text)
{
	char *to = text;

	for (; *text != '\0'; text++) {
		if (text[0] == '\\' && strspn(text + 1, "01234567") >= 3) {
			*to++ = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + text[3] - '0');
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

struct mount {
	const char *root; /* which group of the hierarchy is mounted */
	const char *point; /* where */
};

/* "ID PARENT DEV ROOT POINT OPTIONS [TAG ...] - TYPE SOURCE OPTIONS"; false when the line is not
 * about a hierarchy with this controller ("": that of v2). */
static bool read_mount(char *line, const char *controller, struct mount *out)
{
	char *fields[5], *rest, *type = strstr(line, " - "), *options;

	if (type == NULL)
		return false;
	*type = '\0';
	type = strtok_r(type + 3, " ", &rest);
	strtok_r(NULL, " ", &rest);
	options = strtok_r(NULL, " ", &rest);
	for (size_t i = 0; i < 5; i++) {
		fields[i] = strtok_r(i == 0 ? line : NULL, " ", &rest);
		if (fields[i] == NULL)
			return false;
	}
	unescape_octal(fields[3]);
	unescape_octal(fields[4]);
	*out = (struct mount){.root = fields[3], .point = fields[4]};
	if (type == NULL || options == NULL)
		return false;
	return *controller == '\0' ? strcmp(type, "cgroup2") == 0
				   : strcmp(type, "cgroup") == 0 && is_listed(options, controller);
}

/* ---- where the process is ---- */

/* Calls `each` for the lines of a file as far as they can be read. */
static void each_line(
	const char *root, const char *name, void (*each)(void *context, char *line), void *context)
{
	char path[CGROUP_PATH_MAX], error[LINES_ERROR_MAX];
	struct lines *lines;
	struct line line;

	snprintf(path, sizeof(path), "%s%s", root, name);
	lines = lines_open(path, false, error);
	while (lines != NULL && lines_next(lines, &line, error) == LINES_LINE)
		each(context, line.text);
	lines_close(lines);
}

struct place {
	const char *controller;
	const char *root;
	char group[CGROUP_PATH_MAX]; /* as /proc says; "": there is none */
	char folder[CGROUP_PATH_MAX]; /* of the group; "": none can be seen */
	size_t top; /* so much of it is the mount point */
	bool is_within; /* the folder is the group's, and not only the mount point */
};

static void note_membership(void *context, char *line)
{
	struct place *p = context;
	const char *path = read_membership(line, p->controller);

	if (path != NULL && strlen(path) < sizeof(p->group))
		strcpy(p->group, path);
}

/* The way from the group at `root` to `group`, which is in it: "" or "/x/y". NULL: it is not. */
static const char *way_down(const char *root, const char *group)
{
	size_t len = strcmp(root, "/") == 0 ? 0 : strlen(root);

	if (strstr(group, "/..") != NULL || strncmp(group, root, len) != 0 ||
		(group[len] != '/' && group[len] != '\0'))
		return NULL;
	return strcmp(group + len, "/") == 0 ? "" : group + len;
}

/* A later mount may cover an earlier one. One that does not show the group may still be around it,
 * so its top counts as long as there is none that does. */
static void note_mount(void *context, char *line)
{
	struct place *p = context;
	struct mount m;
	const char *down;
	int len;

	if (!read_mount(line, p->controller, &m))
		return;
	down = way_down(m.root, p->group);
	if (down == NULL && p->is_within)
		return;
	len = snprintf(
		p->folder, sizeof(p->folder), "%s%s%s", p->root, m.point, down == NULL ? "" : down);
	if (len < 0 || (size_t)len >= sizeof(p->folder))
		p->folder[0] = '\0';
	p->top = strlen(p->root) + strlen(m.point);
	p->is_within = down != NULL;
}

/* False when the process is in no hierarchy with this controller ("": that of v2), or none is to be
 * seen. */
static bool find_place(struct place *p, const char *root, const char *controller)
{
	*p = (struct place){.controller = controller, .root = root};
	each_line(root, "/proc/self/cgroup", note_membership, p);
	if (p->group[0] == '\0')
		return false;
	each_line(root, "/proc/self/mountinfo", note_mount, p);
	return p->folder[0] != '\0';
}

/* ---- limits ---- */

#define TEXT_MAX 64

/* The line of a file, whose path `path` receives; false when there is no such file. */
static bool read_text(
	const char *folder, const char *name, char path[CGROUP_PATH_MAX], char text[TEXT_MAX])
{
	ssize_t len = -1;
	int fd, written = snprintf(path, CGROUP_PATH_MAX, "%s/%s", folder, name);

	if (written < 0 || written >= CGROUP_PATH_MAX)
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		len = read(fd, text, TEXT_MAX - 1);
		close(fd);
	}
	if (len < 0)
		return false;
	text[len] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return true;
}

/* Anything but a number, such as "max", is no limit. */
static uint64_t parse_value(const char *text)
{
	int64_t number;

	return parse_number(text, &number) ? (uint64_t)number : CGROUP_NO_LIMIT;
}

/* The file of a limit, in the hierarchy of a controller of v1 or in that of v2 (""), and how to
 * understand it. */
struct source {
	const char *controller;
	const char *name;
	/* What the text says, with what `other` beside the file says when the text is not all: NULL
	 * there for what is all. */
	uint64_t (*understand)(char *text, const char *other);
	const char *other;
};

static uint64_t understand_value(char *text, const char *other)
{
	(void)other;
	return parse_value(text);
}

/* The other one says how much of it is in use. */
static uint64_t understand_left(char *text, const char *other)
{
	uint64_t value = parse_value(text), taken = other == NULL ? 0 : parse_value(other);

	if (value == CGROUP_NO_LIMIT || taken == CGROUP_NO_LIMIT)
		return value;
	return value > taken ? value - taken : 0;
}

/* So much time in each period, on as many processors as like to. */
static uint64_t processors_of(uint64_t time, uint64_t period)
{
	if (time == CGROUP_NO_LIMIT || period == CGROUP_NO_LIMIT || time == 0 || period == 0)
		return CGROUP_NO_LIMIT;
	return time / period + (time % period > 0);
}

/* "150000 100000", or "max 100000". */
static uint64_t understand_quota(char *text, const char *other)
{
	char *period = strchr(text, ' ');

	(void)other;
	if (period == NULL)
		return CGROUP_NO_LIMIT;
	*period++ = '\0';
	return processors_of(parse_value(text), parse_value(period));
}

/* The other one is the period; -1 is no limit. */
static uint64_t understand_quota_v1(char *text, const char *other)
{
	return other == NULL ? CGROUP_NO_LIMIT
			     : processors_of(parse_value(text), parse_value(other));
}

/* What the source says in this folder, when that is less than what others have said. */
static void lower(struct cgroup_limit *limit, const struct place *p, const struct source *s)
{
	char path[CGROUP_PATH_MAX], beside[CGROUP_PATH_MAX], text[TEXT_MAX], other[TEXT_MAX];
	bool has_other;
	uint64_t value;

	if (!read_text(p->folder, s->name, path, text))
		return;
	has_other = s->other != NULL && read_text(p->folder, s->other, beside, other);
	value = s->understand(text, has_other ? other : NULL);
	if (value >= limit->value)
		return;
	limit->value = value;
	strcpy(limit->file, path + strlen(p->root));
}

static struct cgroup_limit find_least(const char *root, const struct source *sources, size_t count)
{
	struct cgroup_limit limit = {.value = CGROUP_NO_LIMIT};
	struct place p;

	for (size_t i = 0; i < count; i++) {
		if (!find_place(&p, root, sources[i].controller))
			continue;
		for (;;) {
			lower(&limit, &p, &sources[i]);
			if (strlen(p.folder) <= p.top)
				break;
			*strrchr(p.folder, '/') = '\0';
		}
	}
	return limit;
}

struct cgroup_limit cgroup_memory(const char *root)
{
	static const struct source sources[] = {{"", "memory.max", understand_value, NULL},
		{"", "memory.high", understand_value, NULL},
		{"memory", "memory.limit_in_bytes", understand_value, NULL}};

	return find_least(root, sources, sizeof(sources) / sizeof(sources[0]));
}

struct cgroup_limit cgroup_threads_left(const char *root)
{
	static const struct source sources[] = {{"", "pids.max", understand_left, "pids.current"},
		{"pids", "pids.max", understand_left, "pids.current"}};

	return find_least(root, sources, sizeof(sources) / sizeof(sources[0]));
}

struct cgroup_limit cgroup_processors(const char *root)
{
	static const struct source sources[] = {{"", "cpu.max", understand_quota, NULL},
		{"cpu", "cpu.cfs_quota_us", understand_quota_v1, "cpu.cfs_period_us"}};

	return find_least(root, sources, sizeof(sources) / sizeof(sources[0]));
}
