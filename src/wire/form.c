/*
 * Nothing here is tolerant: what a browser or a program sends is right, and what is not is somebody
 * who tries. Decoded text never has a NUL in it, so that it is a string for whoever takes it.
 */
#include "wire/form.h"

#include <stdint.h>
#include <string.h>

#include "base/digits.h"

/* ---- pieces ---- */

/* Takes what is in front of the next `separator` off, and that with it; false at the end. */
static bool take_piece(struct http_slice *rest, char separator, struct http_slice *piece)
{
	const char *end;

	if (rest->len == 0)
		return false;
	end = memchr(rest->text, separator, rest->len);
	*piece = (struct http_slice){
		.text = rest->text, .len = end != NULL ? (size_t)(end - rest->text) : rest->len};
	rest->text += piece->len + (end != NULL);
	rest->len -= piece->len + (end != NULL);
	return true;
}

void form_split_target(
	const struct http_slice *target, struct http_slice *path, struct http_slice *query)
{
	*query = *target;
	if (!take_piece(query, '?', path))
		*path = *target;
}

bool form_next(struct http_slice *rest, struct http_slice *name, struct http_slice *value)
{
	if (!take_piece(rest, '&', value))
		return false;
	if (!take_piece(value, '=', name))
		*name = *value; /* empty */
	return true;
}

/* The byte at `s->text[*i]`, which moves behind it; -1 when it is none. */
static int decode_byte(const struct http_slice *s, size_t *i)
{
	char c = s->text[(*i)++];
	int high, low;

	if (c != '%')
		return c == '+' ? ' ' : (unsigned char)c;
	if (s->len - *i < 2)
		return -1;
	high = digits_hex_value(s->text[*i]);
	low = digits_hex_value(s->text[*i + 1]);
	*i += 2;
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

int form_decode(const struct http_slice *s, char *out, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < s->len;) {
		int byte = decode_byte(s, &i);

		if (byte <= 0 || len + 1 >= size)
			return -1;
		out[len++] = (char)byte;
	}
	if (len >= size)
		return -1;
	out[len] = '\0';
	return (int)len;
}

int form_find(const struct http_slice *form, const char *name, char *out, size_t size)
{
	struct http_slice rest = *form, key, value;

	while (form_next(&rest, &key, &value)) {
		if (http_equals(&key, name))
			return form_decode(&value, out, size);
	}
	return -1;
}

int form_find_all(const struct http_slice *form, const char *name, char *memory, size_t size,
	const char *words[], size_t most)
{
	struct http_slice rest = *form, key, value;
	size_t count = 0, used = 0;

	while (form_next(&rest, &key, &value)) {
		int len;

		if (!http_equals(&key, name))
			continue;
		len = count < most ? form_decode(&value, memory + used, size - used) : -1;
		if (len < 0)
			return -1;
		words[count++] = memory + used;
		used += (size_t)len + 1;
	}
	return (int)count;
}

/* ---- cookies ---- */

static bool find_in_cookies(struct http_slice cookies, const char *name, struct http_slice *value)
{
	struct http_slice key;

	while (take_piece(&cookies, ';', value)) {
		while (value->len > 0 && value->text[0] == ' ') {
			value->text++;
			value->len--;
		}
		if (memchr(value->text, '=', value->len) != NULL && take_piece(value, '=', &key) &&
			http_equals(&key, name))
			return true;
	}
	return false;
}

bool form_find_cookie(const struct http_slice *fields, const char *name, struct http_slice *value)
{
	struct http_slice rest = *fields;
	struct http_field field;

	while (http_next_field(&rest, &field)) {
		if (http_is(&field.name, "Cookie") && find_in_cookies(field.value, name, value))
			return true;
	}
	return false;
}

/* ---- words as JSON ---- */

struct reading {
	const char *p, *end;
	char *out, *out_end; /* where the next byte goes, and where no byte may */
};

static void skip_blanks(struct reading *r)
{
	while (r->p < r->end && memchr(" \t\r\n", *r->p, 4) != NULL)
		r->p++;
}

static bool take_byte(struct reading *r, char c)
{
	skip_blanks(r);
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

static bool put_byte(struct reading *r, unsigned byte)
{
	if (byte == 0 || r->out == r->out_end)
		return false;
	*r->out++ = (char)byte;
	return true;
}

static bool put_code_point(struct reading *r, uint32_t c)
{
	if (c < 0x80)
		return put_byte(r, c);
	if (c < 0x800)
		return put_byte(r, 0xc0 | c >> 6) && put_byte(r, 0x80 | (c & 0x3f));
	if (c < 0x10000)
		return put_byte(r, 0xe0 | c >> 12) && put_byte(r, 0x80 | (c >> 6 & 0x3f)) &&
			put_byte(r, 0x80 | (c & 0x3f));
	return put_byte(r, 0xf0 | c >> 18) && put_byte(r, 0x80 | (c >> 12 & 0x3f)) &&
		put_byte(r, 0x80 | (c >> 6 & 0x3f)) && put_byte(r, 0x80 | (c & 0x3f));
}

static bool read_hex(struct reading *r, uint32_t *out)
{
	*out = 0;
	if (r->end - r->p < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		int digit = digits_hex_value(*r->p++);

		if (digit < 0)
			return false;
		*out = *out * 16 + (uint32_t)digit;
	}
	return true;
}

/* Behind \u: one of them, or the two of a surrogate pair. */
static bool read_code_point(struct reading *r)
{
	uint32_t c, low;

	if (!read_hex(r, &c))
		return false;
	if (c < 0xd800 || c > 0xdfff)
		return put_code_point(r, c);
	if (c > 0xdbff || r->end - r->p < 2 || r->p[0] != '\\' || r->p[1] != 'u')
		return false;
	r->p += 2;
	return read_hex(r, &low) && low >= 0xdc00 && low <= 0xdfff &&
		put_code_point(r, 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00));
}

/* Behind a backslash. */
static bool read_escape(struct reading *r)
{
	static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
	const char *letter;

	if (r->p == r->end || *r->p == '\0')
		return false;
	if (*r->p == 'u') {
		r->p++;
		return read_code_point(r);
	}
	letter = strchr(letters, *r->p++);
	return letter != NULL && put_byte(r, (unsigned char)bytes[letter - letters]);
}

/* Behind the first quote, up to the last. */
static bool read_string(struct reading *r)
{
	while (r->p < r->end && *r->p != '"') {
		unsigned char c = (unsigned char)*r->p++;

		if (c == '\\' ? !read_escape(r) : c < 0x20 || !put_byte(r, c))
			return false;
	}
	return take_byte(r, '"');
}

static bool read_number(struct reading *r)
{
	const char *begun = r->p;

	while (r->p < r->end && memchr("0123456789+-.eE", *r->p, 15) != NULL) {
		if (!put_byte(r, (unsigned char)*r->p++))
			return false;
	}
	return r->p > begun;
}

static bool read_word(struct reading *r)
{
	bool is_read = take_byte(r, '"') ? read_string(r) : read_number(r);

	if (!is_read || r->out == r->out_end)
		return false;
	*r->out++ = '\0';
	return true;
}

int form_read_json(
	const struct http_slice *text, char *memory, size_t size, const char *words[], size_t most)
{
	struct reading r = {.p = text->text,
		.end = text->text + text->len,
		.out = memory,
		.out_end = memory + size};
	size_t count = 0;
	bool ends;

	if (!take_byte(&r, '['))
		return -1;
	for (ends = take_byte(&r, ']'); !ends; ends = take_byte(&r, ']')) {
		if (count == most || (count > 0 && !take_byte(&r, ',')))
			return -1;
		words[count++] = r.out;
		if (!read_word(&r))
			return -1;
	}
	skip_blanks(&r);
	return r.p == r.end ? (int)count : -1;
}
