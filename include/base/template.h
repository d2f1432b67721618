/* template: a text with places that values are put in, in a few of mustache's words. Pure; no
 * lock. */
#ifndef BASE_TEMPLATE_H
#define BASE_TEMPLATE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/writing.h"

/* A value by its name. NULL and "" are no value. */
struct template_field {
	const char *name;
	const char *value;
};

/* Writes `text`, in which
 *	{{name}}		is the value, escaped for HTML
 *	{{&name}}		the value as it is
 *	{{#name}}...{{/name}}	is there only where it has a value
 *	{{^name}}...{{/name}}	is there only where it has none
 * A line of nothing but one of the last three marks is left out. `fields` end with a name that is
 * NULL. False when the text names something else, or a part of it has no end: then what is written
 * is not whole. */
bool template_put(const char *text, const struct template_field *fields, FILE *out);

/* The same into memory: `out` has the text, which is to be freed, or none where this is false. */
bool template_write(const char *text, const struct template_field *fields, struct writing *out);

/* Writes `text` so that HTML has it as text, also within the quotes of an attribute. */
void template_put_html(const char *text, FILE *out);

#endif
