/*
 * A URL is scheme://[user[:password]@]host[:port]. What is behind the @ that is the last one in
 * front of the host is read as it is; of the login %XX is decoded, so that it can hold whatever
 * would end it.
 *
 * Passwords must not get out by what is said of a line that is wrong. So nothing of a line is
 * repeated here but what upstream_line_mask() leaves of it.
 */
#include "state/upstream_line.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/parse.h"
#include "base/percent.h"
#include "state/rule.h"
#include "wire/request.h"

#define BLANKS " \t"
#define PASSWORD_FILE "password_file="
#define SOCKS_PORT 1080
#define HIDDEN "***" /* stands for a login that is not shown */

static const char *const kind_words[UPSTREAM_KINDS] = {
	[UPSTREAM_SOCKS5] = "socks5", [UPSTREAM_SOCKS4A] = "socks4a", [UPSTREAM_HTTP] = "http"};

static bool refuse_url(char *why, const char *problem)
{
	snprintf(why, SETTING_ERROR_MAX, "%s", problem);
	return false;
}

/* ---- names ---- */

static bool is_word(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && strncasecmp(text, word, len) == 0;
}

bool upstream_name_is_legal(const char *name, size_t len)
{
	static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._-";

	if (len == 0 || len > UPSTREAM_NAME_MAX || is_word(name, len, UPSTREAM_DIRECT))
		return false;
	for (enum rule_keyword k = 0; k < RULE_KEYWORDS; k++) {
		if (is_word(name, len, rule_keyword_word(k)))
			return false;
	}
	for (size_t i = 0; i < len; i++) {
		if (name[i] == '\0' || strchr(legal, name[i]) == NULL)
			return false;
	}
	return true;
}

/* ---- logins ---- */

/* Decodes %XX; false for what is none, and for what is too long. */
static bool decode_field(const char *text, size_t len, char *out, size_t *out_len)
{
	int n = percent_decode(text, len, out, UPSTREAM_FIELD_MAX + 1);

	*out_len = n < 0 ? 0 : (size_t)n;
	return n >= 0;
}

/* What a protocol has no way to send. */
static const char *problem_of_login(const struct upstream_url *url)
{
	if (url->kind == UPSTREAM_SOCKS4A && (url->has_password || url->password_file[0] != '\0'))
		return "socks4a has a user and no password: legal is socks4a://USER@HOST:PORT";
	if (url->has_user && url->user_len == 0)
		return "the name in front of the password is missing";
	if (memchr(url->user, '\0', url->user_len) != NULL)
		return "a name holds no NUL";
	if (url->kind == UPSTREAM_HTTP && memchr(url->user, ':', url->user_len) != NULL)
		return "with http a name holds no colon";
	return NULL;
}

static bool read_login(struct upstream_url *url, const char *text, size_t len, char *why)
{
	const char *colon = memchr(text, ':', len);
	size_t user_len = colon == NULL ? len : (size_t)(colon - text);

	url->has_user = true;
	url->has_password = colon != NULL;
	if (len == strlen(HIDDEN) && memcmp(text, HIDDEN, len) == 0)
		return refuse_url(why, HIDDEN " stands where a login is not shown: write it out");
	if (!decode_field(text, user_len, url->user, &url->user_len) ||
		(colon != NULL &&
			!decode_field(
				colon + 1, len - user_len - 1, url->password, &url->password_len)))
		return refuse_url(why,
			"name and password have 255 bytes at most, %XX for those that are special "
			"(%25 is %, %40 is @)");
	return true;
}

/* ---- host and port ---- */

static bool read_port(struct upstream_url *url, const char *text, size_t len)
{
	char digits[8] = "";
	int64_t port = 0;

	if (len == 0) {
		url->port = SOCKS_PORT;
		return url->kind != UPSTREAM_HTTP;
	}
	if (*text != ':' || len - 1 >= sizeof(digits))
		return false;
	memcpy(digits, text + 1, len - 1);
	if (!parse_number(digits, &port) || port < 1 || port > UINT16_MAX)
		return false;
	url->port = (uint16_t)port;
	return true;
}

/* Is it an address, or a name that can be looked up? An IPv6 address stands in brackets. */
static bool is_host(const char *text, size_t len, bool has_brackets)
{
	struct destination dst;
	struct addr addr;

	if (len == 0 || len > DESTINATION_NAME_MAX)
		return false;
	if (addr_parse(text, len, &addr))
		return (addr.sa.sa_family == AF_INET6) == has_brackets &&
			!addr_is_unspecified(&addr);
	dst = destination_of_name(text, len, 1);
	return !has_brackets && strcspn(text, "/?#@[]:%,") >= len && destination_is_sane(&dst);
}

static bool read_host(struct upstream_url *url, const char *text, size_t len, char *why)
{
	bool has_brackets = len > 0 && *text == '[';
	const char *end = memchr(text, has_brackets ? ']' : ':', len);
	size_t host_len = end == NULL ? len : (size_t)(end - text);
	const char *host = text + has_brackets;
	size_t behind = host_len + (has_brackets && end != NULL);

	host_len -= has_brackets;
	if (!is_host(host, host_len, has_brackets))
		return refuse_url(why,
			"behind the // and a login there is a host: a name, an IPv4 address, or an "
			"IPv6 address in brackets");
	memcpy(url->host, host, host_len);
	url->host[host_len] = '\0';
	if (!read_port(url, text + behind, len - behind))
		return refuse_url(why,
			"a port from 1 to 65535 stands behind the host, as in http://proxy:3128 "
			"(1080 where a SOCKS URL has none)");
	return true;
}

/* ---- the URL ---- */

/* Which scheme it begins with, and how long that is; 0: with none that is known. socks5h is what
 * programs call it that leave names to the proxy, as is always done here. */
static size_t read_scheme(const char *text, size_t len, enum upstream_kind *kind)
{
	static const struct {
		const char *scheme;
		enum upstream_kind kind;
	} schemes[] = {{"socks5://", UPSTREAM_SOCKS5}, {"socks5h://", UPSTREAM_SOCKS5},
		{"socks4a://", UPSTREAM_SOCKS4A}, {"http://", UPSTREAM_HTTP}};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t scheme_len = strlen(schemes[i].scheme);

		if (len < scheme_len || strncasecmp(text, schemes[i].scheme, scheme_len) != 0)
			continue;
		*kind = schemes[i].kind;
		return scheme_len;
	}
	return 0;
}

static bool read_url(struct upstream_url *url, const char *text, size_t len, char *why)
{
	size_t scheme = read_scheme(text, len, &url->kind);
	const char *at;

	if (scheme == 0)
		return refuse_url(why,
			"legal are socks5://HOST, socks4a://HOST and http://HOST:PORT, with "
			"USER:PASSWORD@ in front of the host if it wants a login");
	text += scheme;
	len -= scheme;
	at = memrchr(text, '@', len);
	if (at != NULL && !read_login(url, text, (size_t)(at - text), why))
		return false;
	if (at != NULL) {
		len -= (size_t)(at + 1 - text);
		text = at + 1;
	}
	if (len > 0 && text[len - 1] == '/')
		len--;
	return read_host(url, text, len, why);
}

static bool read_password_file(struct upstream_url *url, const char *text, size_t len, char *why)
{
	size_t prefix = strlen(PASSWORD_FILE);

	if (len <= prefix || strncasecmp(text, PASSWORD_FILE, prefix) != 0)
		return refuse_url(
			why, "behind a URL stands a comma and the next, or password_file=PATH");
	if (len - prefix > UPSTREAM_FIELD_MAX)
		return refuse_url(why, "the path of a password_file has 255 bytes at most");
	if (url->has_password)
		return refuse_url(why, "it has a password and a password_file: one is enough");
	memcpy(url->password_file, text + prefix, len - prefix);
	return true;
}

/* ---- the line ---- */

/* Takes the next word up to a blank; false at the end. */
static bool take_word(const char **text, const char *end, const char **word, size_t *len)
{
	*text += strspn(*text, BLANKS);
	if (*text >= end)
		return false;
	*word = *text;
	*len = strcspn(*text, BLANKS);
	if (*len > (size_t)(end - *text))
		*len = (size_t)(end - *text);
	*text += *len;
	return true;
}

/* Reads "URL [password_file=PATH]" up to `end`. */
static bool read_item(struct upstream_url *url, const char *text, const char *end, char *why)
{
	const char *word, *problem;
	size_t len;

	*url = (struct upstream_url){.kind = UPSTREAM_SOCKS5};
	if (!take_word(&text, end, &word, &len))
		return refuse_url(why, "a URL is missing, behind the name or a comma");
	if (!read_url(url, word, len, why))
		return false;
	if (take_word(&text, end, &word, &len) && !read_password_file(url, word, len, why))
		return false;
	if (take_word(&text, end, &word, &len))
		return refuse_url(why, "URLs are separated by commas");
	problem = problem_of_login(url);
	return problem == NULL || refuse_url(why, problem);
}

static bool read_items(struct upstream_line *line, const char *text, const char *end, char *why)
{
	for (;;) {
		const char *comma = memchr(text, ',', (size_t)(end - text));

		if (line->count == UPSTREAM_URLS_MAX)
			return refuse_url(why, "an upstream has 8 URLs at most");
		if (!read_item(&line->urls[line->count++], text, comma == NULL ? end : comma, why))
			return false;
		if (comma == NULL)
			return true;
		text = comma + 1;
	}
}

bool upstream_line_parse(
	const char *text, size_t len, struct upstream_line *out, char why[SETTING_ERROR_MAX])
{
	const char *end = text + len, *name;
	size_t name_len;

	*out = (struct upstream_line){.count = 0};
	if (!take_word(&text, end, &name, &name_len) || !upstream_name_is_legal(name, name_len))
		return refuse_url(why,
			"an upstream begins with its name, 1 to 32 letters, digits, dots, - and _ "
			"(not direct, nor a keyword of rules), and then its URL");
	memcpy(out->name, name, name_len);
	return read_items(out, text, end, why);
}

const char *upstream_line_name(const char *text, char out[UPSTREAM_NAME_MAX + 1])
{
	size_t len = strcspn(text, BLANKS);

	snprintf(out, UPSTREAM_NAME_MAX + 1, "%.*s", (int)len, text);
	return out;
}

const struct text_line *upstream_line_find(const struct text_lines *lines, const char *name)
{
	char other[UPSTREAM_NAME_MAX + 1];

	for (size_t i = 0; i < lines->count; i++) {
		if (strcmp(upstream_line_name(lines->lines[i].text, other), name) == 0)
			return &lines->lines[i];
	}
	return NULL;
}

/* ---- password files ---- */

/* The first line of the file, without its end. -1 with errno. */
static ssize_t read_first_line(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	if (n < 0)
		return -1;
	out[n] = '\0';
	return (ssize_t)strcspn(out, "\r\n");
}

static bool refuse_file(char *why, const struct upstream_url *url, const char *problem)
{
	snprintf(why, SETTING_ERROR_MAX, "password_file: \"%s\": %s", url->password_file, problem);
	return false;
}

/* Of the line of a file. */
static bool take_secret(struct upstream_url *url, const char *line, size_t len, char *why)
{
	const char *colon = url->has_user ? NULL : memchr(line, ':', len);
	const char *password = colon == NULL ? line : colon + 1;
	size_t password_len = len - (size_t)(password - line);
	const char *problem;

	if (len == 0)
		return refuse_file(why, url, "its first line is empty");
	if (!url->has_user && colon == NULL)
		return refuse_file(why, url,
			"legal is NAME:PASSWORD in its first line, or, where the URL has the name, "
			"the password");
	if (password_len > UPSTREAM_FIELD_MAX ||
		(colon != NULL && (size_t)(colon - line) > UPSTREAM_FIELD_MAX))
		return refuse_file(why, url, "name and password have 255 bytes at most");
	if (colon != NULL) {
		url->user_len = (size_t)(colon - line);
		memcpy(url->user, line, url->user_len);
		url->has_user = true;
	}
	memcpy(url->password, password, password_len);
	url->password_len = password_len;
	url->has_password = true;
	problem = problem_of_login(url);
	return problem == NULL || refuse_file(why, url, problem);
}

bool upstream_url_read_password(struct upstream_url *url, char why[SETTING_ERROR_MAX])
{
	char line[2 * UPSTREAM_FIELD_MAX + 8];
	ssize_t len = read_first_line(url->password_file, line, sizeof(line));
	char problem[128];
	bool is_right;

	if (len < 0) {
		snprintf(problem, sizeof(problem), "cannot be read: %s", strerror(errno));
		return refuse_file(why, url, problem);
	}
	is_right = take_secret(url, line, (size_t)len, why);
	explicit_bzero(line, sizeof(line));
	return is_right;
}

/* ---- as text ---- */

void upstream_url_put(const struct upstream_url *url, bool hints, FILE *out)
{
	bool has_brackets = strchr(url->host, ':') != NULL;

	fprintf(out, "%s://%s%s%s%s:%u", kind_words[url->kind],
		hints && url->has_user ? HIDDEN "@" : "", has_brackets ? "[" : "", url->host,
		has_brackets ? "]" : "", url->port);
}

void upstream_line_put(const struct upstream_line *line, FILE *out)
{
	fputs(line->name, out);
	for (size_t i = 0; i < line->count; i++) {
		const struct upstream_url *url = &line->urls[i];

		fputs(i == 0 ? " " : ", ", out);
		upstream_url_put(url, true, out);
		if (url->password_file[0] != '\0')
			fprintf(out, " " PASSWORD_FILE "%s", url->password_file);
	}
}

/* A login ends at the last @ in front of the next URL; where it begins is behind the // or, where
 * that was forgotten, behind the first blank. */
void upstream_line_mask(const char *text, FILE *out)
{
	size_t begin = strcspn(text, BLANKS);

	while (*text != '\0') {
		const char *next = strstr(text, "://");
		size_t len = next == NULL ? strlen(text) : (size_t)(next + 3 - text);
		const char *at = memrchr(text, '@', len);

		begin = begin > len ? len : begin;
		if (at != NULL && (size_t)(at - text) < begin)
			begin = 0;
		if (at != NULL)
			fprintf(out, "%.*s%s" HIDDEN "%.*s", (int)begin, text,
				begin > 0 && text[begin - 1] != '/' ? " " : "",
				(int)(text + len - at), at);
		else
			fprintf(out, "%.*s", (int)len, text);
		text += len;
		begin = 0;
	}
}
