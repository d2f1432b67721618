/*
 * What is behind the last @ is the host, so that a password may hold any byte as %XX. What is shown
 * of a login is the user, and *** for the password, which is refused where it is read again.
 */
#include "state/shared_setting.h"

#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "base/addr.h"
#include "base/digits.h"
#include "base/parse.h"

#define SCHEME "redis://"
#define UNIX_SCHEME "unix:"
#define HIDDEN "***"
#define REDIS_PORT 6379

static bool refuse_place(char *why, const char *problem)
{
	snprintf(why, SETTING_ERROR_MAX, "%s", problem);
	return false;
}

/* A field of a login, with %XX for what is special; false for what is none, or has a NUL. */
static bool decode(const char *text, size_t len, char out[SHARED_FIELD_MAX + 1])
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int c = (unsigned char)text[i];

		if (c == '%') {
			int high = i + 2 < len ? digits_hex_value(text[i + 1]) : -1;
			int low = i + 2 < len ? digits_hex_value(text[i + 2]) : -1;

			c = high < 0 || low < 0 ? 0 : high << 4 | low;
			i += 2;
		}
		if (c == 0 || n == SHARED_FIELD_MAX)
			return false;
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return true;
}

static bool read_login(struct shared_place *p, const char *text, size_t len, char *why)
{
	const char *colon = memchr(text, ':', len);
	size_t user_len = colon == NULL ? 0 : (size_t)(colon - text);

	if (colon == NULL)
		return refuse_place(why, "in front of the @ stands USER:PASSWORD, or :PASSWORD");
	text = colon + 1;
	len -= user_len + 1;
	if (len == strlen(HIDDEN) && memcmp(text, HIDDEN, len) == 0)
		return refuse_place(
			why, HIDDEN " stands where a password is not shown: write it out");
	if (!decode(colon - user_len, user_len, p->user) || !decode(text, len, p->password))
		return refuse_place(why,
			"user and password have 255 bytes at most, %XX for those that are special "
			"(%25 is %, %40 is @, %2F is /)");
	return true;
}

static bool read_number(const char *text, size_t len, int64_t most, int64_t *out)
{
	char digits[8] = "";

	if (len == 0 || len >= sizeof(digits))
		return false;
	memcpy(digits, text, len);
	return parse_number(digits, out) && *out <= most;
}

static bool read_database(struct shared_place *p, const char *text, char *why)
{
	int64_t number;

	if (!read_number(text, strlen(text), SHARED_DATABASES - 1, &number))
		return refuse_place(why, "the database is a number from 0 to 16383");
	p->database = (unsigned)number;
	return true;
}

static bool read_port(struct shared_place *p, const char *text, size_t len)
{
	int64_t port = REDIS_PORT;

	if (len > 0 && (*text != ':' || !read_number(text + 1, len - 1, UINT16_MAX, &port)))
		return false;
	p->port = (uint16_t)port;
	return port > 0;
}

/* An IPv6 address stands in brackets. */
static bool read_host(struct shared_place *p, const char *text, size_t len, char *why)
{
	bool has_brackets = len > 0 && *text == '[';
	const char *end = memchr(text, has_brackets ? ']' : ':', len);
	size_t host_len = end == NULL ? len : (size_t)(end - text) - has_brackets;
	size_t behind = host_len + 2 * (size_t)has_brackets;
	const char *host = text + has_brackets;
	struct addr a;
	bool is_v6 = addr_parse(host, host_len, &a) && a.sa.sa_family == AF_INET6;

	if (host_len == 0 || host_len > SHARED_FIELD_MAX || is_v6 != has_brackets ||
		(has_brackets && end == NULL) || strcspn(host, " ?#@,") < host_len)
		return refuse_place(why,
			"behind the // and a login there is a host: a name, an IPv4 address, or an "
			"IPv6 address in brackets");
	memcpy(p->host, host, host_len);
	return read_port(p, text + behind, len - behind) ||
		refuse_place(why, "behind the host stands :PORT, from 1 to 65535, or nothing");
}

static bool read_url(struct shared_place *p, const char *text, char *why)
{
	const char *at = strrchr(text, '@');
	size_t len;

	if (at != NULL && !read_login(p, text, (size_t)(at - text), why))
		return false;
	if (at != NULL)
		text = at + 1;
	len = strcspn(text, "/");
	if (!read_host(p, text, len, why))
		return false;
	return text[len] == '\0' || text[len + 1] == '\0' || read_database(p, text + len + 1, why);
}

static bool read_path(struct shared_place *p, const char *text, char *why)
{
	const char *query = strstr(text, "?db=");
	size_t len = query == NULL ? strlen(text) : (size_t)(query - text);

	if (len == 0 || *text != '/' || len >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return refuse_place(why,
			"behind unix: stands a path that begins with / and has at most 107 bytes");
	memcpy(p->path, text, len);
	return query == NULL || read_database(p, query + strlen("?db="), why);
}

static bool read_place(struct shared_place *p, const char *text, char *why)
{
	if (strncasecmp(text, SCHEME, strlen(SCHEME)) == 0)
		return read_url(p, text + strlen(SCHEME), why);
	if (strncasecmp(text, UNIX_SCHEME, strlen(UNIX_SCHEME)) == 0)
		return read_path(p, text + strlen(UNIX_SCHEME), why);
	return text[strspn(text, " \t")] == '\0';
}

static bool read_shared(const struct setting *setting, void *value, const struct setting_input *in,
	char why[SETTING_ERROR_MAX])
{
	struct shared_place p = {.database = 0};
	bool is_right = read_place(&p, in->text, why);

	(void)setting;
	if (is_right && p.password[0] != '\0' && in->place.file == NULL)
		is_right = refuse_place(why,
			"outside of a file others would see the password (ps shows the command "
			"line): use shared_password_file");
	if (is_right)
		*(struct shared_place *)value = p;
	explicit_bzero(&p, sizeof(p));
	return is_right;
}

bool shared_place_is_set(const struct shared_place *p)
{
	return p->host[0] != '\0' || p->path[0] != '\0';
}

bool shared_place_is_local(const struct shared_place *p)
{
	struct addr a;

	if (p->path[0] != '\0' || strcasecmp(p->host, "localhost") == 0)
		return true;
	return addr_parse(p->host, strlen(p->host), &a) && addr_is_loopback(&a);
}

static void put_escaped(const char *text, FILE *out)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c > ' ' && c < 0x7f && strchr("%@:/", c) == NULL)
			fputc(c, out);
		else
			fprintf(out, "%%%02X", c);
	}
}

/* The host and what is behind it, or the path. */
static const char *format_target(const struct shared_place *p, char out[SHARED_TEXT_MAX])
{
	bool is_v6 = strchr(p->host, ':') != NULL;

	if (p->path[0] != '\0')
		snprintf(out, SHARED_TEXT_MAX, "%s?db=%u", p->path, p->database);
	else
		snprintf(out, SHARED_TEXT_MAX, "%s%s%s:%u/%u", is_v6 ? "[" : "", p->host,
			is_v6 ? "]" : "", p->port, p->database);
	return out;
}

const char *shared_place_format(const struct shared_place *p, char out[SHARED_TEXT_MAX])
{
	char target[SHARED_TEXT_MAX];

	if (!shared_place_is_set(p))
		out[0] = '\0';
	else
		snprintf(out, SHARED_TEXT_MAX, "%s%.*s", p->path[0] != '\0' ? UNIX_SCHEME : SCHEME,
			(int)(SHARED_TEXT_MAX - sizeof(SCHEME)), format_target(p, target));
	return out;
}

static void write_shared(const struct setting *setting, const void *value, FILE *out)
{
	const struct shared_place *p = value;
	char target[SHARED_TEXT_MAX];

	(void)setting;
	if (!shared_place_is_set(p))
		return;
	fputs(p->path[0] != '\0' ? UNIX_SCHEME : SCHEME, out);
	if (p->password[0] != '\0') {
		put_escaped(p->user, out);
		fputs(":" HIDDEN "@", out);
	}
	fputs(format_target(p, target), out);
}

static bool equal_shared(const void *a, const void *b)
{
	const struct shared_place *p = a, *q = b;

	return p->port == q->port && p->database == q->database && strcmp(p->host, q->host) == 0 &&
		strcmp(p->path, q->path) == 0 && strcmp(p->user, q->user) == 0 &&
		strcmp(p->password, q->password) == 0;
}

static void put_legal_shared(const struct setting *setting, FILE *out)
{
	(void)setting;
	fputs("redis://HOST:PORT/DB with USER:PASSWORD@ in front of the host if it wants a login, "
	      "unix:PATH, or nothing",
		out);
}

/* Whatever is in front of the last @, and behind the scheme, may be a login. */
static void mask_shared(const char *text, FILE *out)
{
	const char *at = strrchr(text, '@');

	if (at == NULL)
		fputs(text, out);
	else
		fprintf(out, "%s%s", HIDDEN, at);
}

const struct setting_type setting_shared = {
	.size = sizeof(struct shared_place),
	.parse = read_shared,
	.format = write_shared,
	.equal = equal_shared,
	.legal = put_legal_shared,
	.mask = mask_shared,
};
