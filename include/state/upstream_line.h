/* upstream_line: what the setting upstream says of one NAME: the servers by which others are
 * reached, as it was written. A value, which may hold passwords; no lock. */
#ifndef STATE_UPSTREAM_LINE_H
#define STATE_UPSTREAM_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "state/setting_types.h"
#include "state/text_lines.h"

#define UPSTREAM_NAME_MAX 32 /* bytes */
#define UPSTREAM_URLS_MAX 8 /* of a name */
#define UPSTREAM_FIELD_MAX 255 /* bytes of a host, a user, a password or a path */

/* In rules, for going straight. */
#define UPSTREAM_DIRECT "direct"

enum upstream_kind {
	UPSTREAM_SOCKS5,
	UPSTREAM_SOCKS4A,
	UPSTREAM_HTTP,
	UPSTREAM_KINDS,
};

struct upstream_url {
	enum upstream_kind kind;
	uint16_t port;
	char host[UPSTREAM_FIELD_MAX + 1]; /* a name, or an address without brackets */
	bool has_user, has_password; /* in the URL */
	size_t user_len, password_len; /* either may hold any bytes */
	char user[UPSTREAM_FIELD_MAX + 1];
	char password[UPSTREAM_FIELD_MAX + 1];
	char password_file[UPSTREAM_FIELD_MAX + 1]; /* "": none */
};

struct upstream_line {
	char name[UPSTREAM_NAME_MAX + 1];
	size_t count;
	struct upstream_url urls[UPSTREAM_URLS_MAX];
};

/* Can an upstream be called so? Not as something else in a rule is. */
bool upstream_name_is_legal(const char *name, size_t len);

/* Reads "NAME URL[, URL]", each URL with " password_file=PATH" behind it perhaps. False with `why`,
 * in which no login is. */
bool upstream_line_parse(
	const char *text, size_t len, struct upstream_line *out, char why[SETTING_ERROR_MAX]);

/* The name that a line begins with which is right. Returns `out`. */
const char *upstream_line_name(const char *text, char out[UPSTREAM_NAME_MAX + 1]);

/* The one of such lines that begins with this name; NULL: none does. */
const struct text_line *upstream_line_find(const struct text_lines *lines, const char *name);

/* The password, or name and password, of a URL whose password_file says so. False with `why`. */
bool upstream_url_read_password(struct upstream_url *url, char why[SETTING_ERROR_MAX])
	__attribute__((warn_unused_result));

/* Writes the URL without its login, of which *** is left if `hints` that there is one. */
void upstream_url_put(const struct upstream_url *url, bool hints, FILE *out);

/* Writes the line likewise, with hints. */
void upstream_line_put(const struct upstream_line *line, FILE *out);

/* Writes any text, which may be wrong in any way, without what may be a login in it. */
void upstream_line_mask(const char *text, FILE *out);

#endif
