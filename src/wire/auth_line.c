/*
 * What is decoded holds no control byte, so it can be put into any line, of a log or of another
 * protocol. A line is judged when its LF is there: one that is cut is never taken for a shorter
 * one. Tolerated is only what a later version may add, and bytes that are not coded and could have
 * been, for who tries it by hand.
 */
#include "wire/auth_line.h"

#include <string.h>

#include "base/percent.h"

/* ---- what words may hold ---- */

bool auth_line_has_control(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c < 0x20 || c == 0x7f)
			return true;
	}
	return false;
}

bool auth_line_can_ask(const char *bytes, size_t len)
{
	return len > 0 && len <= AUTH_LINE_FIELD_MAX && !auth_line_has_control(bytes, len);
}

bool auth_line_next_group(const char *groups, const char **cursor, const char **group, size_t *len)
{
	const char *at = *cursor == NULL ? groups : *cursor;

	if (*at == '\0')
		return false;
	*group = at;
	*len = strcspn(at, ",");
	*cursor = at + *len + (at[*len] == ',');
	return true;
}

/* Are they names, each with a comma between it and the next? */
static bool are_groups(const char *groups)
{
	const char *cursor = NULL, *group = NULL;
	size_t len = 0, total = strlen(groups);

	if (total > AUTH_LINE_GROUPS_MAX || auth_line_has_control(groups, total))
		return false;
	if (total > 0 && groups[total - 1] == ',')
		return false;
	while (auth_line_next_group(groups, &cursor, &group, &len)) {
		if (len == 0)
			return false;
	}
	return true;
}

/* ---- writing ---- */

struct writing {
	char *at, *end;
	bool fits;
};

static void put_plain(struct writing *w, const char *text)
{
	if ((size_t)(w->end - w->at) < strlen(text))
		w->fits = false;
	if (w->fits)
		w->at = stpcpy(w->at, text);
}

static void put_coded(struct writing *w, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char coded[4];

		*percent_put(coded, bytes + i, 1) = '\0';
		put_plain(w, coded);
	}
}

static void put_groups(struct writing *w, const char *groups)
{
	const char *cursor = NULL, *group = NULL, *comma = "";
	size_t len = 0;

	if (groups[0] == '\0')
		return;
	put_plain(w, " groups=");
	while (auth_line_next_group(groups, &cursor, &group, &len)) {
		put_plain(w, comma);
		put_coded(w, group, len);
		comma = ",";
	}
}

static void put_value(struct writing *w, const char *key, const char *value)
{
	if (value[0] == '\0')
		return;
	put_plain(w, key);
	put_coded(w, value, strlen(value));
}

static size_t end_line(struct writing *w, const char *out)
{
	put_plain(w, "\n");
	return w->fits ? (size_t)(w->at - out) : 0;
}

/* stpcpy(3) puts a NUL behind what it copies. */
static struct writing begin_writing(char *out, size_t size)
{
	return (struct writing){
		.at = out, .end = out + (size > 0 ? size - 1 : 0), .fits = size > 0};
}

size_t auth_line_put_question(
	const char *name, const char *password, const char *groups, char *out, size_t size)
{
	struct writing w = begin_writing(out, size);
	size_t name_len = strlen(name), password_len = strlen(password);

	if (!auth_line_can_ask(name, name_len) || !auth_line_can_ask(password, password_len))
		return 0;
	if (groups != NULL && !are_groups(groups))
		return 0;
	put_plain(&w, "AUTH ");
	put_coded(&w, name, name_len);
	put_plain(&w, " ");
	put_coded(&w, password, password_len);
	if (groups != NULL)
		put_groups(&w, groups);
	return end_line(&w, out);
}

static const char *const verdicts[] = {[AUTH_OK] = "OK", [AUTH_ERR] = "ERR", [AUTH_BH] = "BH"};

size_t auth_line_put_answer(const struct auth_answer *a, char *out, size_t size)
{
	struct writing w = begin_writing(out, size);

	if (auth_line_has_control(a->user, strlen(a->user)) ||
		auth_line_has_control(a->message, strlen(a->message)) || !are_groups(a->groups))
		return 0;
	put_plain(&w, verdicts[a->verdict]);
	if (a->verdict == AUTH_OK) {
		put_value(&w, " user=", a->user);
		put_groups(&w, a->groups);
	} else if (a->verdict == AUTH_BH) {
		put_value(&w, " message=", a->message);
	}
	return end_line(&w, out);
}

/* ---- reading ---- */

struct word {
	const char *text;
	size_t len;
};

/* The line at `p` without its LF; how many bytes it takes with it, or what has to be said else. */
static int find_line(const char *p, size_t n, struct word *line)
{
	const char *lf = memchr(p, '\n', n < AUTH_LINE_MAX ? n : AUTH_LINE_MAX);

	if (lf == NULL)
		return n < AUTH_LINE_MAX ? AUTH_LINE_MORE : AUTH_LINE_MALFORMED;
	*line = (struct word){.text = p, .len = (size_t)(lf - p)};
	return (int)line->len + 1;
}

/* Takes what is in front of the next `separator` off, and that with it. An empty rest has no word;
 * one that ends with a separator has an empty one, which is what makes it wrong. */
static bool take_word(struct word *rest, char separator, struct word *word)
{
	const char *end;

	if (rest->text == NULL)
		return false;
	end = memchr(rest->text, separator, rest->len);
	*word = (struct word){
		.text = rest->text, .len = end != NULL ? (size_t)(end - rest->text) : rest->len};
	if (end == NULL) {
		rest->text = NULL;
	} else {
		rest->text = end + 1;
		rest->len -= word->len + 1;
	}
	return true;
}

static bool is_word(const struct word *word, const char *text)
{
	return word->len == strlen(text) && memcmp(word->text, text, word->len) == 0;
}

/* Decodes a name, password or text that is not empty. */
static bool read_field(const struct word *word, char out[AUTH_LINE_FIELD_MAX + 1])
{
	int len = percent_decode(word->text, word->len, out, AUTH_LINE_FIELD_MAX + 1);

	return len > 0 && auth_line_can_ask(out, (size_t)len);
}

/* A comma that is coded would be in a name, which a list of names cannot have. */
static bool read_groups(const struct word *word, char out[AUTH_LINE_GROUPS_MAX + 1])
{
	struct word rest = *word, group;
	size_t used = 0;

	while (take_word(&rest, ',', &group)) {
		int len = percent_decode(
			group.text, group.len, out + used, AUTH_LINE_GROUPS_MAX + 1 - used);

		if (len <= 0 || auth_line_has_control(out + used, (size_t)len) ||
			memchr(out + used, ',', (size_t)len) != NULL)
			return false;
		used += (size_t)len;
		if (rest.text != NULL)
			out[used++] = ',';
	}
	return true;
}

/* A KEY=VALUE that may stand there, and where its value goes, which is empty until then. */
struct slot {
	const char *key;
	bool (*read)(const struct word *value, char *out);
	char *out;
};

static bool read_pair(struct word value, const struct slot slots[2])
{
	struct word key;

	if (!take_word(&value, '=', &key) || value.text == NULL || key.len == 0)
		return false;
	for (int i = 0; i < 2; i++) {
		if (slots[i].key != NULL && is_word(&key, slots[i].key))
			return slots[i].out[0] == '\0' && slots[i].read(&value, slots[i].out);
	}
	return true;
}

static bool read_pairs(struct word *rest, const struct slot slots[2])
{
	struct word pair;

	while (take_word(rest, ' ', &pair)) {
		if (!read_pair(pair, slots))
			return false;
	}
	return true;
}

int auth_line_parse_question(const char *p, size_t n, struct auth_question *out)
{
	const struct slot slots[2] = {{"groups", read_groups, out->groups}};
	struct word rest = {0}, verb, name, password;
	int used = find_line(p, n, &rest);

	if (used <= 0)
		return used;
	out->groups[0] = '\0';
	if (take_word(&rest, ' ', &verb) && is_word(&verb, "AUTH") &&
		take_word(&rest, ' ', &name) && read_field(&name, out->name) &&
		take_word(&rest, ' ', &password) && read_field(&password, out->password) &&
		read_pairs(&rest, slots))
		return used;
	return AUTH_LINE_MALFORMED;
}

static bool read_verdict(const struct word *word, enum auth_verdict *out)
{
	for (int v = AUTH_OK; v <= AUTH_BH; v++) {
		if (is_word(word, verdicts[v])) {
			*out = (enum auth_verdict)v;
			return true;
		}
	}
	return false;
}

int auth_line_parse_answer(const char *p, size_t n, struct auth_answer *out)
{
	const struct slot of_ok[2] = {
		{"user", read_field, out->user}, {"groups", read_groups, out->groups}};
	const struct slot of_bh[2] = {{"message", read_field, out->message}}, of_err[2] = {{0}};
	struct word rest = {0}, verb;
	int used = find_line(p, n, &rest);

	if (used <= 0)
		return used;
	out->user[0] = out->groups[0] = out->message[0] = '\0';
	if (take_word(&rest, ' ', &verb) && read_verdict(&verb, &out->verdict) &&
		read_pairs(&rest,
			out->verdict == AUTH_OK           ? of_ok
				: out->verdict == AUTH_BH ? of_bh
							  : of_err))
		return used;
	return AUTH_LINE_MALFORMED;
}
