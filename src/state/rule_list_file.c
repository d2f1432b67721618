/*
 * What is found in the wild is read as it is meant: a value a line, or lines of hosts(5), of which
 * the names count and not the address that they are sent to. A line that is neither is skipped and
 * counted, since lists come from others and one bad line must not switch off the rest.
 */
#include <stdio.h>
#include <string.h>

#include "base/lines.h"
#include "state/rule_list.h"

#define BLANKS " \t\r\v\f"

_Static_assert(RULE_LIST_ERROR_MAX >= LINES_ERROR_MAX, "what lines_next() says fits");

/* ---- names ---- */

static bool is_of_label(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static bool has_only_digits(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
	}
	return true;
}

/* Labels of 1 to 63 letters, the last of which is no number: that would be an address. */
static bool is_good_name(const char *name, size_t len)
{
	size_t begin = 0;

	for (size_t i = 0; i <= len; i++) {
		if (i < len && name[i] != '.') {
			if (!is_of_label((unsigned char)name[i]))
				return false;
			continue;
		}
		if (i == begin || i - begin > 63)
			return false;
		if (i == len && has_only_digits(name + begin, i - begin))
			return false;
		begin = i + 1;
	}
	return true;
}

enum rule_name_form rule_name_parse(
	const char *text, size_t len, char out[RULE_NAME_MAX], size_t *out_len)
{
	bool and_below = len > 0 && *text == '.';

	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] >= 0x80)
			return RULE_NAME_NOT_ASCII;
	}
	if (and_below) {
		text++;
		len--;
	}
	if (len > 0 && text[len - 1] == '.')
		len--;
	if (len > RULE_NAME_MAX)
		return RULE_NAME_WRONG;
	for (size_t i = 0; i < len; i++)
		out[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
	*out_len = len;
	if (!is_good_name(out, len))
		return RULE_NAME_WRONG;
	return and_below ? RULE_NAME_AND_BELOW : RULE_NAME_EXACT;
}

/* ---- lines ---- */

struct list_reading {
	const char *path;
	bool names; /* are values, too */
	struct rule_list_file *out;
};

enum taken {
	TAKEN,
	TAKEN_NO_MEMORY,
	TAKEN_WRONG,
	TAKEN_NOT_ASCII,
};

/* Of this host, in every hosts file; and what stands for all that is blocked. */
static bool is_name_of_this_host(const char *name, size_t len)
{
	static const char *const known[] = {"localhost", "localhost.localdomain", "local",
		"broadcasthost", "ip6-localhost", "ip6-loopback", "ip6-localnet", "ip6-mcastprefix",
		"ip6-allnodes", "ip6-allrouters", "ip6-allhosts"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strlen(known[i]) == len && strncasecmp(known[i], name, len) == 0)
			return true;
	}
	return false;
}

static enum taken take_name_of_list(struct list_reading *r, const char *word, size_t len)
{
	char name[RULE_NAME_MAX];
	size_t name_len;
	enum rule_name_form form = rule_name_parse(word, len, name, &name_len);

	if (form == RULE_NAME_WRONG)
		return TAKEN_WRONG;
	if (form == RULE_NAME_NOT_ASCII)
		return TAKEN_NOT_ASCII;
	return rule_list_add_name(r->out->list, name, name_len, form == RULE_NAME_AND_BELOW) < 0
		? TAKEN_NO_MEMORY
		: TAKEN;
}

static enum taken take_value_of_list(struct list_reading *r, const char *word, size_t len)
{
	struct network network;

	if (!network_parse(word, len, &network))
		return r->names ? take_name_of_list(r, word, len) : TAKEN_WRONG;
	return rule_list_add_network(r->out->list, &network) < 0 ? TAKEN_NO_MEMORY : TAKEN;
}

/* "fe80::1%lo0" too, whatever interfaces there are. */
static bool is_address(const char *word, size_t len)
{
	const char *percent = memchr(word, '%', len);
	struct addr a;

	return addr_parse(word, percent == NULL ? len : (size_t)(percent - word), &a);
}

/* The names behind the address of a hosts line. */
static enum taken take_names_of_line(struct list_reading *r, const char *text)
{
	enum taken worst = TAKEN;

	for (text += strspn(text, BLANKS); *text != '\0'; text += strspn(text, BLANKS)) {
		size_t len = strcspn(text, BLANKS);

		if (!is_address(text, len) && !is_name_of_this_host(text, len)) {
			enum taken taken = take_name_of_list(r, text, len);

			if (taken == TAKEN_NO_MEMORY)
				return taken;
			worst = taken == TAKEN ? worst : taken;
		}
		text += len;
	}
	return worst;
}

static enum taken take_list_line(struct list_reading *r, const char *text)
{
	size_t len = strcspn(text, BLANKS);
	const char *rest = text + len + strspn(text + len, BLANKS);

	if (*rest == '\0')
		return take_value_of_list(r, text, len);
	return r->names && is_address(text, len) ? take_names_of_line(r, rest) : TAKEN_WRONG;
}

static void cut_list_comment(char *text)
{
	text[strcspn(text, "#")] = '\0';
}

static void skip_line(struct list_reading *r, int number, const char *text, enum taken why)
{
	if (r->out->skipped++ > 0)
		return;
	snprintf(r->out->first_skipped, sizeof(r->out->first_skipped), "%.512s:%d: \"%.*s\": %s",
		r->path, number, (int)strnlen(text, 128), text,
		why == TAKEN_NOT_ASCII
			? "names are written in ASCII, others in their xn-- form"
			: (r->names ? "legal are names, .names with all below, networks, addresses "
				      "and lines of a hosts file"
				    : "legal are networks and addresses"));
}

/* False without memory. */
static bool read_list_line(struct list_reading *r, struct line *line)
{
	char *text;
	enum taken taken;

	cut_list_comment(line->text);
	text = line->text + strspn(line->text, BLANKS);
	if (*text == '\0')
		return true;
	taken = take_list_line(r, text);
	if (taken == TAKEN_WRONG || taken == TAKEN_NOT_ASCII)
		skip_line(r, line->number, text, taken);
	return taken != TAKEN_NO_MEMORY;
}

static int read_list(struct list_reading *r, struct lines *lines, char *error)
{
	enum lines_result result;
	struct line line;

	while ((result = lines_next(lines, &line, error)) == LINES_LINE) {
		if (!read_list_line(r, &line)) {
			snprintf(error, RULE_LIST_ERROR_MAX, "%.512s: out of memory", r->path);
			return -1;
		}
	}
	if (result == LINES_END && rule_list_seal(r->out->list) < 0) {
		snprintf(error, RULE_LIST_ERROR_MAX, "%.512s: out of memory", r->path);
		return -1;
	}
	return result == LINES_END ? 0 : -1;
}

int rule_list_read(
	const char *path, bool names, struct rule_list_file *out, char error[RULE_LIST_ERROR_MAX])
{
	struct list_reading r = {.path = path, .names = names, .out = out};
	struct lines *lines = lines_open(path, false, error);
	int result;

	if (lines == NULL)
		return -1;
	*out = (struct rule_list_file){.list = rule_list_new()};
	if (out->list == NULL) {
		snprintf(error, RULE_LIST_ERROR_MAX, "%.512s: out of memory", path);
		lines_close(lines);
		return -1;
	}
	result = read_list(&r, lines, error);
	lines_close(lines);
	if (result < 0) {
		rule_list_release(out->list);
		out->list = NULL;
	}
	return result;
}
