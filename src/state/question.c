/*
 * A table has the keys. A value stands behind = up to the next blank, or in double quotes, which
 * none of the values themselves can hold. What is named as a target is read as a client's request
 * would be: an address that is written as a name is an address.
 */
#include "state/question.h"

#include <string.h>
#include <time.h>

#include "base/parse.h"
#include "state/rule_time.h"
#include "state/rules.h"

/* A piece of the text. */
struct piece {
	const char *text;
	size_t len;
};

static bool piece_is(const struct piece *p, const char *word)
{
	return p->len == strlen(word) && memcmp(p->text, word, p->len) == 0;
}

/* `wrong` ends in "; ", unless it is "" because what is legal tells it. */
static bool refuse_piece(char *why, const struct piece *p, const char *wrong, const char *legal)
{
	snprintf(why, QUESTION_ERROR_MAX, "\"%.*s\": %slegal is %s",
		(int)(p->len < 300 ? p->len : 300), p->text, wrong, legal);
	return false;
}

/* ---- values: each returns what is wrong with one, as refuse_piece() has it, or NULL ---- */

static const char *read_from(struct question *q, const struct piece *value)
{
	return addr_parse(value->text, value->len, &q->client) ? NULL : "";
}

static const char *read_user(struct question *q, const struct piece *value)
{
	if (piece_is(value, "anonymous"))
		return NULL;
	if (users_name_problem(value->text, value->len) != NULL)
		return "";
	memcpy(q->user, value->text, value->len);
	q->user[value->len] = '\0';
	q->user_len = value->len;
	return NULL;
}

/* "HOST:PORT" in front of its last colon and behind it. */
static bool split_port(const struct piece *value, struct piece *host, uint16_t *port)
{
	const char *colon = memrchr(value->text, ':', value->len);
	char digits[8];
	int64_t number;
	size_t len;

	if (colon == NULL)
		return false;
	len = value->len - (size_t)(colon + 1 - value->text);
	if (len >= sizeof(digits))
		return false;
	memcpy(digits, colon + 1, len);
	digits[len] = '\0';
	if (!parse_number(digits, &number) || number > UINT16_MAX)
		return false;
	*host = (struct piece){.text = value->text, .len = (size_t)(colon - value->text)};
	*port = (uint16_t)number;
	return true;
}

/* An IPv6 address in front of a port has brackets. */
static bool read_address(struct question *q, const struct piece *host)
{
	if (memchr(host->text, ':', host->len) != NULL && host->text[0] != '[')
		return false;
	if (!addr_parse(host->text, host->len, &q->addr))
		return false;
	addr_set_port(&q->addr, q->port);
	return true;
}

static bool read_name(struct question *q, const struct piece *name)
{
	struct destination dst;

	if (name->len == 0 || name->len > DESTINATION_NAME_MAX)
		return false;
	memcpy(q->name, name->text, name->len);
	q->name[name->len] = '\0';
	q->name_len = name->len;
	dst = question_destination(q);
	return dst.kind == DESTINATION_NAME && destination_is_sane(&dst) &&
		strpbrk(q->name, ":[]/\\") == NULL;
}

static bool is_ascii(const struct piece *p)
{
	for (size_t i = 0; i < p->len; i++) {
		if ((unsigned char)p->text[i] >= 0x80)
			return false;
	}
	return true;
}

static const char *read_host(struct question *q, const struct piece *host)
{
	if (!is_ascii(host))
		return "a name that is not ASCII is to be written in its xn-- form; ";
	if (read_address(q, host) || read_name(q, host))
		return NULL;
	if (host->len > 0 && host->text[0] != '[' && addr_parse(host->text, host->len, &q->addr))
		return "an IPv6 address stands in brackets; ";
	return "this is no address, and no name, which does not end in a number and has no blanks, "
	       "colons, slashes or brackets; ";
}

/* "HOST:PORT" or "NAME@ADDR:PORT". */
static const char *read_to(struct question *q, const struct piece *value)
{
	struct piece host, name;
	const char *at, *wrong;

	q->has_target = true;
	if (!split_port(value, &host, &q->port))
		return "a port from 0 to 65535 is missing at its end; ";
	at = memchr(host.text, '@', host.len);
	if (at == NULL)
		return read_host(q, &host);
	name = (struct piece){.text = host.text, .len = (size_t)(at - host.text)};
	host.len -= name.len + 1;
	host.text = at + 1;
	wrong = read_host(q, &name);
	if (wrong != NULL)
		return wrong;
	if (q->name_len == 0)
		return "before @ comes a name; ";
	return read_address(q, &host) ? NULL : "behind @ comes an address; ";
}

static const char *const command_words[] = {
	[REQUEST_CONNECT] = "connect", [REQUEST_BIND] = "bind", [REQUEST_UDP_ASSOCIATE] = "udp"};

const char *question_command_word(enum request_command command)
{
	return command_words[command];
}

static const char *read_command(struct question *q, const struct piece *value)
{
	for (enum request_command i = REQUEST_CONNECT; i <= REQUEST_UDP_ASSOCIATE; i++) {
		if (piece_is(value, command_words[i])) {
			q->command = i;
			return NULL;
		}
	}
	return "";
}

/* As the beginning of a time that rules would hold in until the end of that day. */
static const char *read_time(struct question *q, const struct piece *value)
{
	char text[32];
	struct rule_time t;

	if (value->len > 15 || memchr(value->text, '-', value->len) != NULL)
		return "";
	snprintf(text, sizeof(text), "%.*s-24:00", (int)value->len, value->text);
	if (!rule_time_parse(text, strlen(text), &t) || __builtin_popcount(t.days) != 1 ||
		t.from >= 24 * 60)
		return "";
	q->has_time = true;
	q->day = __builtin_ctz(t.days);
	q->minute = t.from;
	return NULL;
}

/* ---- keys ---- */

#define LEGAL_KEYS "from=ADDR [user=NAME] to=HOST:PORT [command=udp] [time=\"tue 09:30\"]"

static const struct question_key {
	const char *word;
	const char *(*read)(struct question *q, const struct piece *value);
	const char *legal;
} question_keys[] = {
	{"from", read_from, "from= and the client's address"},
	{"user", read_user, "user= and a user's name, or anonymous"},
	{"to", read_to, "to=HOST:PORT or to=NAME@ADDRESS:PORT"},
	{"command", read_command, "command=connect, command=bind or command=udp"},
	{"time", read_time, "a day of the week and a time, as in time=\"tue 09:30\""},
};

#define QUESTION_KEYS (sizeof(question_keys) / sizeof(question_keys[0]))

static const struct question_key *find_key(const struct piece *word)
{
	for (size_t i = 0; i < QUESTION_KEYS; i++) {
		if (piece_is(word, question_keys[i].word))
			return &question_keys[i];
	}
	return NULL;
}

static void skip_blanks(struct piece *rest)
{
	while (rest->len > 0 && (*rest->text == ' ' || *rest->text == '\t')) {
		rest->text++;
		rest->len--;
	}
}

static void skip_bytes(struct piece *rest, size_t n)
{
	rest->text += n;
	rest->len -= n;
}

/* Up to a blank. */
static struct piece take_word(const struct piece *rest)
{
	size_t len = 0;

	while (len < rest->len && rest->text[len] != ' ' && rest->text[len] != '\t')
		len++;
	return (struct piece){.text = rest->text, .len = len};
}

/* The value that `rest` begins with, which is skipped to the blank behind it. What is wrong with
 * its quotes is returned as by those who read values. */
static const char *take_value(struct piece *rest, struct piece *value)
{
	const char *end;
	size_t behind;

	if (rest->len == 0 || *rest->text != '"') {
		*value = take_word(rest);
		skip_bytes(rest, value->len);
		return NULL;
	}
	end = memchr(rest->text + 1, '"', rest->len - 1);
	if (end == NULL) {
		skip_bytes(rest, rest->len);
		return "a double quote is missing; ";
	}
	*value = (struct piece){.text = rest->text + 1, .len = (size_t)(end - rest->text) - 1};
	skip_bytes(rest, value->len + 2);
	behind = take_word(rest).len;
	skip_bytes(rest, behind);
	return behind == 0 ? NULL : "a blank is missing behind the double quote; ";
}

/* KEY=VALUE. `*seen`: bits of the keys that were there. */
static bool take_pair(struct piece *rest, struct question *q, unsigned *seen, char *why)
{
	struct piece word = take_word(rest), key = word, value;
	const char *sign = memchr(word.text, '=', word.len);
	const struct question_key *k;
	const char *wrong;
	unsigned bit;

	key.len = sign == NULL ? word.len : (size_t)(sign - word.text);
	k = find_key(&key);
	if (sign == NULL || k == NULL)
		return refuse_piece(why, &word, "", LEGAL_KEYS);
	bit = 1U << (k - question_keys);
	if ((*seen & bit) != 0)
		return refuse_piece(why, &word, "", "each key once");
	*seen |= bit;
	skip_bytes(rest, key.len + 1);
	wrong = take_value(rest, &value);
	word.len = (size_t)(rest->text - word.text);
	if (wrong == NULL)
		wrong = k->read(q, &value);
	return wrong == NULL || refuse_piece(why, &word, wrong, k->legal);
}

/* Is there all that a question needs? */
static bool is_whole(const struct question *q, char *why)
{
	if (q->client.sa.sa_family == AF_UNSPEC)
		snprintf(why, QUESTION_ERROR_MAX, "from= is missing: legal is " LEGAL_KEYS);
	else if (!q->has_target && q->command == REQUEST_CONNECT)
		snprintf(why, QUESTION_ERROR_MAX, "to= is missing: legal is " LEGAL_KEYS);
	else
		return true;
	return false;
}

bool question_parse(
	const char *text, size_t len, struct question *out, char why[QUESTION_ERROR_MAX])
{
	struct piece rest = {.text = text, .len = len};
	unsigned seen = 0;

	*out = (struct question){.command = REQUEST_CONNECT};
	for (skip_blanks(&rest); rest.len > 0; skip_blanks(&rest)) {
		if (!take_pair(&rest, out, &seen, why))
			return false;
	}
	return is_whole(out, why);
}

/* ---- writing ---- */

static void put_target(const struct question *q, FILE *out)
{
	char text[ADDR_TEXT_MAX];

	if (q->name_len == 0)
		fprintf(out, " to=%s", addr_format(&q->addr, text));
	else if (q->addr.sa.sa_family == AF_UNSPEC)
		fprintf(out, " to=%s:%u", q->name, (unsigned)q->port);
	else
		fprintf(out, " to=%s@%s", q->name, addr_format(&q->addr, text));
}

void question_put(const struct question *q, FILE *out)
{
	static const char days[][4] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
	char text[ADDR_TEXT_MAX];

	fprintf(out, "from=%s", addr_format_host(&q->client, text));
	if (q->user_len > 0)
		fprintf(out, " user=%s", q->user);
	if (q->has_target)
		put_target(q, out);
	if (q->command != REQUEST_CONNECT)
		fprintf(out, " command=%s", question_command_word(q->command));
	if (q->has_time)
		fprintf(out, " time=\"%s %02d:%02d\"", days[q->day], q->minute / 60,
			q->minute % 60);
}

/* ---- as others see it ---- */

struct destination question_destination(const struct question *q)
{
	if (!q->has_target)
		return (struct destination){.kind = DESTINATION_NONE};
	return q->name_len > 0 ? destination_of_name(q->name, q->name_len, q->port)
			       : destination_of_addr(&q->addr);
}

void question_set_subject(
	const struct question *q, struct destination *dst, struct subject *subject)
{
	*dst = question_destination(q);
	*subject = (struct subject){.user = q->user,
		.user_len = q->user_len,
		.client = &q->client,
		.command = q->command,
		.dst = q->has_target ? dst : NULL,
		.addr = q->has_target && q->addr.sa.sa_family != AF_UNSPEC ? &q->addr : NULL};
}

int64_t question_time(const struct question *q, int64_t now)
{
	time_t seconds = (time_t)now;
	struct tm tm;
	int ahead;

	if (!q->has_time || localtime_r(&seconds, &tm) == NULL)
		return now;
	ahead = (q->day - tm.tm_wday + 7) % 7;
	if (ahead == 0 && tm.tm_hour * 60 + tm.tm_min > q->minute)
		ahead = 7;
	tm.tm_mday += ahead;
	tm.tm_hour = q->minute / 60;
	tm.tm_min = q->minute % 60;
	tm.tm_sec = 0;
	tm.tm_isdst = -1;
	seconds = mktime(&tm);
	return seconds == (time_t)-1 ? now : (int64_t)seconds;
}
