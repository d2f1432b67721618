/* form: what browsers send beside heads: forms (application/x-www-form-urlencoded), queries,
 * cookies (RFC 6265), and lists of words as JSON. Pure; no state, no lock. */
#ifndef WIRE_FORM_H
#define WIRE_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/http_fields.h"

/* Divides "path?query"; the query is empty where there is none. */
void form_split_target(
	const struct http_slice *target, struct http_slice *path, struct http_slice *query);

/* Takes the next "name=value" off a form or query, as it was sent; false at its end. */
bool form_next(struct http_slice *rest, struct http_slice *name, struct http_slice *value);

/* Decodes %XX, and + as a blank, into `out` with a NUL behind. How many bytes; -1 when there is a
 * NUL among them, a % without two digits, or no room. */
int form_decode(const struct http_slice *s, char *out, size_t size);

/* The first value of that name, decoded: its length; -1 when there is none, or it is malformed. */
int form_find(const struct http_slice *form, const char *name, char *out, size_t size);

/* The values of that name in their order, decoded one behind the other into `memory`: how many; -1
 * when one is malformed, or they are more than `most` or do not fit. */
int form_find_all(const struct http_slice *form, const char *name, char *memory, size_t size,
	const char *words[], size_t most);

/* The value of the first cookie of that name, whose name has no special bytes, among those of the
 * fields of a head; false when there is none. */
bool form_find_cookie(const struct http_slice *fields, const char *name, struct http_slice *value);

/* Reads a JSON array of strings, and of numbers, which are taken as they are written, as
 * form_find_all() does. Strings must not have a NUL in them. */
int form_read_json(
	const struct http_slice *text, char *memory, size_t size, const char *words[], size_t most);

#endif
