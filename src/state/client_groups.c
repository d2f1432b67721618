/*
 * A line names a group and some of its networks; a second line of the same name adds to it. Groups
 * are few, so they are looked for one by one, and only when rules and limits are compiled.
 */
#include "state/client_groups.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"

#define BLANKS " \t"
#define LEGAL                                                                                      \
	"@NAME and networks, such as @room12 192.168.12.0/24, 192.168.13.5 (a line a group; in "   \
	"one value they are separated by ;)"

/* ---- asking ---- */

static struct client_group *find_group(const struct client_groups *g, const char *name, size_t len)
{
	for (size_t i = 0; i < g->count; i++) {
		if (strlen(g->groups[i].name) == len && memcmp(g->groups[i].name, name, len) == 0)
			return &g->groups[i];
	}
	return NULL;
}

const struct client_group *client_groups_find(
	const struct client_groups *g, const char *name, size_t len)
{
	return find_group(g, name, len);
}

bool client_group_contains(const struct client_group *group, const struct addr *client)
{
	for (size_t i = 0; i < group->count; i++) {
		if (network_contains_on_link(&group->networks[i], client))
			return true;
	}
	return false;
}

bool client_groups_valid_name(const char *name, size_t len)
{
	if (len == 0 || len > CLIENT_GROUP_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    c == '_' || c == '-' || c == '.' || c >= 0x80))
			return false;
	}
	return true;
}

/* ---- the value ---- */

static void empty_groups(struct client_groups *g)
{
	for (size_t i = 0; i < g->count; i++) {
		free(g->groups[i].name);
		free(g->groups[i].networks);
	}
	free(g->groups);
	*g = (struct client_groups){.count = 0};
}

/* NULL without memory. */
static struct client_group *add_group(
	struct client_groups *g, const char *name, size_t len, const struct setting_place *place)
{
	struct client_group *groups =
		grow_by_one(g->groups, g->count, &g->size, sizeof(*g->groups));
	char *copy;

	if (groups == NULL)
		return NULL;
	g->groups = groups;
	copy = strndup(name, len);
	if (copy == NULL)
		return NULL;
	g->groups[g->count] = (struct client_group){.name = copy, .place = *place};
	return &g->groups[g->count++];
}

static int add_group_network(struct client_group *group, const struct network *n)
{
	struct network *networks =
		grow_by_one(group->networks, group->count, &group->size, sizeof(*group->networks));

	if (networks == NULL)
		return -1;
	group->networks = networks;
	group->networks[group->count++] = *n;
	return 0;
}

static int copy_groups(void *to, const void *from)
{
	const struct client_groups *old = from;
	struct client_groups new = {.count = 0};

	for (size_t i = 0; i < old->count; i++) {
		const struct client_group *g = &old->groups[i];
		struct client_group *copy = add_group(&new, g->name, strlen(g->name), &g->place);

		for (size_t k = 0; copy != NULL && k < g->count; k++) {
			if (add_group_network(copy, &g->networks[k]) < 0)
				copy = NULL;
		}
		if (copy == NULL) {
			empty_groups(&new);
			return -1;
		}
	}
	empty_groups(to);
	*(struct client_groups *)to = new;
	return 0;
}

static void free_groups(void *value)
{
	empty_groups(value);
}

static bool equal_groups(const void *a, const void *b)
{
	const struct client_groups *g = a, *h = b;

	if (g->count != h->count)
		return false;
	for (size_t i = 0; i < g->count; i++) {
		const struct client_group *x = &g->groups[i], *y = &h->groups[i];

		if (strcmp(x->name, y->name) != 0 || x->count != y->count)
			return false;
		for (size_t k = 0; k < x->count; k++) {
			if (!network_equal(&x->networks[k], &y->networks[k]))
				return false;
		}
	}
	return true;
}

/* ---- reading and writing ---- */

static bool refuse_group(char why[SETTING_ERROR_MAX], const char *word, size_t len,
	const char *reason, const char *more)
{
	snprintf(why, SETTING_ERROR_MAX, "\"%.*s\": %s%s", (int)(len < 128 ? len : 128), word,
		reason, more);
	return false;
}

/* What was written may be a network but for the bits behind its prefix. */
static bool refuse_network(const char *word, size_t len, char why[SETTING_ERROR_MAX])
{
	char text[NETWORK_TEXT_MAX], hint[NETWORK_TEXT_MAX + 32] = "";
	struct network around;

	if (network_parse_around(word, len, &around))
		snprintf(hint, sizeof(hint), "; did you mean %s?", network_format(&around, text));
	return refuse_group(why, word, len, "legal are networks such as 192.168.12.0/24", hint);
}

/* Takes "@name networks" of `len` bytes. */
static bool take_group(struct client_groups *g, const char *text, size_t len,
	const struct setting_place *place, char why[SETTING_ERROR_MAX])
{
	static const char separators[] = ", \t";
	const char *end = text + len, *word = text;
	size_t name_len = strcspn(text, separators);
	struct client_group *group;

	if (name_len > len)
		name_len = len;
	if (*text != '@' || !client_groups_valid_name(text + 1, name_len - 1))
		return refuse_group(why, text, name_len, "legal is " LEGAL, "");
	group = find_group(g, text + 1, name_len - 1);
	if (group == NULL)
		group = add_group(g, text + 1, name_len - 1, place);
	for (word += name_len; group != NULL; word += len) {
		struct network n;

		word += strspn(word, separators);
		if (word >= end)
			break;
		len = strcspn(word, separators);
		if (len > (size_t)(end - word))
			len = (size_t)(end - word);
		if (!network_parse(word, len, &n))
			return refuse_network(word, len, why);
		if (add_group_network(group, &n) < 0)
			group = NULL;
	}
	if (group == NULL)
		snprintf(why, SETTING_ERROR_MAX, "out of memory");
	else if (group->count == 0)
		return refuse_group(why, text, name_len, "it has no networks; legal is " LEGAL, "");
	return group != NULL;
}

static bool take_groups(struct client_groups *g, const struct setting_input *in, char *why)
{
	const char *text = in->text + strspn(in->text, BLANKS ";");

	while (*text != '\0') {
		size_t len = strcspn(text, ";");

		if (!take_group(g, text, len, &in->place, why))
			return false;
		text += len;
		text += strspn(text, BLANKS ";");
	}
	return true;
}

static bool read_groups(const struct setting *setting, void *value, const struct setting_input *in,
	char why[SETTING_ERROR_MAX])
{
	struct client_groups g = {.count = 0};

	(void)setting;
	if (in->adds && copy_groups(&g, value) < 0) {
		snprintf(why, SETTING_ERROR_MAX, "out of memory");
		return false;
	}
	if (!take_groups(&g, in, why)) {
		empty_groups(&g);
		return false;
	}
	empty_groups(value);
	*(struct client_groups *)value = g;
	return true;
}

static void write_groups(const struct setting *setting, const void *value, FILE *out)
{
	const struct client_groups *g = value;
	char text[ADDR_TEXT_MAX];

	(void)setting;
	for (size_t i = 0; i < g->count; i++) {
		const struct client_group *group = &g->groups[i];

		fprintf(out, "%s@%s", i == 0 ? "" : "; ", group->name);
		for (size_t k = 0; k < group->count; k++)
			fprintf(out, "%s%s/%u", k == 0 ? " " : ", ",
				addr_format_host(&group->networks[k].base, text),
				group->networks[k].prefix);
	}
}

static void put_legal_groups(const struct setting *setting, FILE *out)
{
	(void)setting;
	fputs(LEGAL, out);
}

const struct setting_type setting_client_groups = {
	.size = sizeof(struct client_groups),
	.is_list = true,
	.parse = read_groups,
	.format = write_groups,
	.equal = equal_groups,
	.copy = copy_groups,
	.free = free_groups,
	.legal = put_legal_groups,
};
