/*
 * A line says for whom it is in front of its first KEY=VALUE; so words belong to the former until
 * one has an = in it. What is wrong is said with the word, and nothing of the line is taken.
 */
#include "state/limit_types.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/parse.h"

#define BLANKS " \t"
#define SEPARATORS ", \t"
#define SHOWN 64

/* ---- limits alone ---- */

static bool read_limits(const struct setting *setting, void *value, const struct setting_input *in,
	char why[SETTING_ERROR_MAX])
{
	struct limit_default read = {.place = in->place};
	char reason[LIMITS_ERROR_MAX] = "";

	if (limits_parse(in->text, (unsigned)setting->most, &read.limits, reason)) {
		*(struct limit_default *)value = read;
		return true;
	}
	snprintf(why, SETTING_ERROR_MAX, "%s", reason);
	return false;
}

static void write_limits(const struct setting *setting, const void *value, FILE *out)
{
	(void)setting;
	limits_put(&((const struct limit_default *)value)->limits, out);
}

static bool equal_limits(const void *a, const void *b)
{
	const struct limit_default *one = a, *other = b;

	return limits_equal(&one->limits, &other->limits);
}

#define LEGAL_LIMITS                                                                               \
	"KEY=VALUE KEY=VALUE ..., such as sessions=50 rate=20Mbit quota=50GB/month (socks5d(8), "  \
	"LIMITS)"

static void put_legal_limits(const struct setting *setting, FILE *out)
{
	(void)setting;
	fputs(LEGAL_LIMITS ", or nothing", out);
}

const struct setting_type setting_limits = {
	.size = sizeof(struct limit_default),
	.parse = read_limits,
	.format = write_limits,
	.equal = equal_limits,
	.legal = put_legal_limits,
};

/* ---- for whom ---- */

const char *limit_holder_parse(
	const char *word, size_t len, bool may_be_network, struct limit_holder *out)
{
	const char *problem;

	*out = (struct limit_holder){.group = NULL};
	if (len > 0 && word[0] == '@') {
		problem = limits_group_problem(word + 1, len - 1);
		if (problem != NULL)
			return problem;
		out->group = strndup(word + 1, len - 1);
		return out->group == NULL ? "out of memory" : NULL;
	}
	if (!may_be_network)
		return "legal is @GROUP KEY=VALUE ..., as in @pupils rate=2Mbit";
	if (network_parse(word, len, &out->network))
		return NULL;
	return "legal are addresses, networks (no bits set behind the prefix) and @GROUP in front "
	       "of KEY=VALUE ...";
}

static void free_line(struct limit_line *line)
{
	for (size_t i = 0; i < line->count; i++)
		free(line->holders[i].group);
	free(line->holders);
}

static bool add_holder(struct limit_line *line, const struct limit_holder *holder)
{
	struct limit_holder *more =
		reallocarray(line->holders, line->count + 1, sizeof(*line->holders));

	if (more == NULL)
		return false;
	line->holders = more;
	line->holders[line->count++] = *holder;
	return true;
}

static bool refuse_word(char *why, const char *word, size_t len, const char *reason)
{
	snprintf(why, SETTING_ERROR_MAX, "\"%.*s\": %s", (int)(len < SHOWN ? len : SHOWN), word,
		reason);
	return false;
}

/* The words in front of the first KEY=VALUE, at which `*text` is then. */
static bool read_holders(
	const char **text, bool of_clients, struct limit_line *line, char why[SETTING_ERROR_MAX])
{
	const char *cursor = *text, *word;
	struct limit_holder holder;
	size_t len;

	while (parse_next_word(&cursor, &word, &len) && memchr(word, '=', len) == NULL) {
		const char *problem = limit_holder_parse(word, len, of_clients, &holder);

		if (problem == NULL && !of_clients && line->count > 0)
			problem = "one group a line";
		if (problem == NULL && !add_holder(line, &holder))
			problem = "out of memory";
		if (problem != NULL) {
			free(holder.group);
			return refuse_word(why, word, len, problem);
		}
		*text = cursor;
	}
	*text += strspn(*text, SEPARATORS);
	if (line->count > 0 && **text != '\0')
		return true;
	return refuse_word(why, *text, strlen(*text),
		of_clients ? "legal is WHO, WHO ... KEY=VALUE ..., as in 192.168.1.50, @room12 "
			     "rate=2Mbit"
			   : "legal is @GROUP KEY=VALUE ..., as in @pupils rate=2Mbit");
}

/* ---- lines ---- */

static bool add_line(struct limit_lines *lines, const struct limit_line *line)
{
	struct limit_line *more =
		grow_by_one(lines->lines, lines->count, &lines->size, sizeof(*more));

	if (more == NULL)
		return false;
	lines->lines = more;
	more[lines->count++] = *line;
	return true;
}

static bool is_there(const struct limit_lines *lines, const char *group)
{
	for (size_t i = 0; i < lines->count; i++) {
		if (strcmp(lines->lines[i].holders[0].group, group) == 0)
			return true;
	}
	return false;
}

static bool read_line(struct limit_lines *lines, const char *text, bool of_clients,
	const struct setting_place *place, char why[SETTING_ERROR_MAX])
{
	struct limit_line line = {.place = *place};
	char reason[LIMITS_ERROR_MAX] = "";
	bool good = read_holders(&text, of_clients, &line, why);

	if (good &&
		!limits_parse(text, of_clients ? LIMITS_OF_CLIENTS : LIMITS_OF_USERS, &line.limits,
			reason)) {
		snprintf(why, SETTING_ERROR_MAX, "%s", reason);
		good = false;
	}
	if (good && !of_clients && is_there(lines, line.holders[0].group))
		good = refuse_word(why, line.holders[0].group, strlen(line.holders[0].group),
			"this group was there already");
	if (good && !add_line(lines, &line))
		good = refuse_word(why, text, strlen(text), "out of memory");
	if (!good)
		free_line(&line);
	return good;
}

static void drop_lines(struct limit_lines *lines, size_t kept)
{
	while (lines->count > kept)
		free_line(&lines->lines[--lines->count]);
}

static void free_lines(void *value)
{
	struct limit_lines *lines = value;

	drop_lines(lines, 0);
	free(lines->lines);
}

static bool read_parts(struct limit_lines *lines, const struct setting_input *in, bool of_clients,
	char why[SETTING_ERROR_MAX])
{
	char *copy = strdup(in->text), *rest = copy, *part;
	bool good = copy != NULL;

	if (!good)
		snprintf(why, SETTING_ERROR_MAX, "out of memory");
	while (good && (part = strsep(&rest, ";")) != NULL) {
		if (part[strspn(part, SEPARATORS)] != '\0')
			good = read_line(lines, part, of_clients, &in->place, why);
	}
	free(copy);
	return good;
}

static bool read_lines(
	void *value, const struct setting_input *in, bool of_clients, char why[SETTING_ERROR_MAX])
{
	struct limit_lines *lines = value, fresh = {0};
	size_t before = lines->count;

	if (in->adds) {
		if (read_parts(lines, in, of_clients, why))
			return true;
		drop_lines(lines, before);
		return false;
	}
	if (!read_parts(&fresh, in, of_clients, why)) {
		free_lines(&fresh);
		return false;
	}
	free_lines(lines);
	*lines = fresh;
	return true;
}

static bool read_group_limits(const struct setting *setting, void *value,
	const struct setting_input *in, char why[SETTING_ERROR_MAX])
{
	(void)setting;
	return read_lines(value, in, false, why);
}

static bool read_client_limits(const struct setting *setting, void *value,
	const struct setting_input *in, char why[SETTING_ERROR_MAX])
{
	(void)setting;
	return read_lines(value, in, true, why);
}

static void put_holder(const struct limit_holder *holder, FILE *out)
{
	char text[NETWORK_TEXT_MAX];

	if (holder->group != NULL)
		fprintf(out, "@%s", holder->group);
	else
		fputs(network_format(&holder->network, text), out);
}

static void write_lines(const struct setting *setting, const void *value, FILE *out)
{
	const struct limit_lines *lines = value;

	(void)setting;
	for (size_t i = 0; i < lines->count; i++) {
		fputs(i == 0 ? "" : "; ", out);
		for (size_t k = 0; k < lines->lines[i].count; k++) {
			fputs(k == 0 ? "" : ", ", out);
			put_holder(&lines->lines[i].holders[k], out);
		}
		fputc(' ', out);
		limits_put(&lines->lines[i].limits, out);
	}
}

static bool equal_holders(const struct limit_holder *a, const struct limit_holder *b)
{
	if (a->group != NULL && b->group != NULL)
		return strcmp(a->group, b->group) == 0;
	return a->group == NULL && b->group == NULL && network_equal(&a->network, &b->network);
}

static bool equal_lines(const void *a, const void *b)
{
	const struct limit_lines *one = a, *other = b;

	if (one->count != other->count)
		return false;
	for (size_t i = 0; i < one->count; i++) {
		const struct limit_line *l = &one->lines[i], *m = &other->lines[i];

		if (l->count != m->count || !limits_equal(&l->limits, &m->limits))
			return false;
		for (size_t k = 0; k < l->count; k++) {
			if (!equal_holders(&l->holders[k], &m->holders[k]))
				return false;
		}
	}
	return true;
}

static bool copy_line(struct limit_lines *to, const struct limit_line *from)
{
	struct limit_line line = {.limits = from->limits, .place = from->place};
	bool good = true;

	for (size_t i = 0; good && i < from->count; i++) {
		struct limit_holder holder = from->holders[i];

		if (holder.group != NULL)
			holder.group = strdup(holder.group);
		good = (holder.group != NULL || from->holders[i].group == NULL) &&
			add_holder(&line, &holder);
		if (!good)
			free(holder.group);
	}
	good = good && add_line(to, &line);
	if (!good)
		free_line(&line);
	return good;
}

static int copy_lines(void *to, const void *from)
{
	const struct limit_lines *lines = from;
	struct limit_lines copy = {0};

	for (size_t i = 0; i < lines->count; i++) {
		if (!copy_line(&copy, &lines->lines[i])) {
			free_lines(&copy);
			return -1;
		}
	}
	free_lines(to);
	*(struct limit_lines *)to = copy;
	return 0;
}

static void put_legal_group_limits(const struct setting *setting, FILE *out)
{
	(void)setting;
	fputs("@GROUP and " LEGAL_LIMITS, out);
}

static void put_legal_client_limits(const struct setting *setting, FILE *out)
{
	(void)setting;
	fputs("addresses, networks or @GROUP and " LEGAL_LIMITS, out);
}

const struct setting_type setting_group_limits = {
	.size = sizeof(struct limit_lines),
	.is_list = true,
	.parse = read_group_limits,
	.format = write_lines,
	.equal = equal_lines,
	.copy = copy_lines,
	.free = free_lines,
	.legal = put_legal_group_limits,
};

const struct setting_type setting_client_limits = {
	.size = sizeof(struct limit_lines),
	.is_list = true,
	.parse = read_client_limits,
	.format = write_lines,
	.equal = equal_lines,
	.copy = copy_lines,
	.free = free_lines,
	.legal = put_legal_client_limits,
};
