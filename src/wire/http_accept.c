/*
 * Of the ranges that mean a form the one that says most about it decides: a version more than a
 * subtype, that more than a type, that more than all. Of two that say as much the higher quality
 * counts.
 */
#include "wire/http_accept.h"

#include <string.h>

/* What a range says: how much of the form it names, and the quality. */
struct range {
	int weight; /* 0: it does not mean the form; 1 to 4 */
	int quality;
};

/* Takes what is before the next `mark` off `rest`, without the blanks around it. */
static struct http_slice take_part(struct http_slice *rest, char mark)
{
	const char *at = rest->len == 0 ? NULL : memchr(rest->text, mark, rest->len);
	struct http_slice part = {rest->text, at == NULL ? rest->len : (size_t)(at - rest->text)};
	size_t taken = at == NULL ? rest->len : part.len + 1;

	rest->text += taken;
	rest->len -= taken;
	while (part.len > 0 && (part.text[0] == ' ' || part.text[0] == '\t')) {
		part.text++;
		part.len--;
	}
	while (part.len > 0 && strchr(" \t", part.text[part.len - 1]) != NULL)
		part.len--;
	return part;
}

/* "0.5" in thousandths; false when it is none (RFC 9110 section 12.4.2). */
static bool parse_quality(const struct http_slice *s, int *out)
{
	int value = 0, digits = 0;

	if (s->len == 0 || s->len > 5 || (s->text[0] != '0' && s->text[0] != '1') ||
		(s->len > 1 && s->text[1] != '.'))
		return false;
	for (size_t i = 2; i < s->len; i++, digits++) {
		if (!http_is_digit(s->text[i]))
			return false;
		value = 10 * value + (s->text[i] - '0');
	}
	for (; digits < 3; digits++)
		value *= 10;
	value += s->text[0] == '1' ? HTTP_QUALITY_MAX : 0;
	*out = value;
	return value <= HTTP_QUALITY_MAX;
}

static int weigh_type(struct http_slice range, const struct http_media *media)
{
	struct http_slice type = take_part(&range, '/'), subtype = take_part(&range, '/');

	if (http_is(&type, "*"))
		return http_is(&subtype, "*") ? 1 : 0;
	if (!http_is(&type, media->type))
		return 0;
	if (http_is(&subtype, "*"))
		return 2;
	return http_is(&subtype, media->subtype) ? 3 : 0;
}

static struct http_slice unquote(struct http_slice s)
{
	if (s.len >= 2 && s.text[0] == '"' && s.text[s.len - 1] == '"')
		return (struct http_slice){s.text + 1, s.len - 2};
	return s;
}

/* False when the parameter is malformed. */
static bool take_parameter(
	struct http_slice parameter, const struct http_media *media, struct range *r)
{
	struct http_slice name = take_part(&parameter, '=');
	struct http_slice value = unquote(take_part(&parameter, ';'));

	if (http_is(&name, "q"))
		return parse_quality(&value, &r->quality);
	if (http_is(&name, "version") && r->weight > 0)
		r->weight = media->version != NULL && http_equals(&value, media->version) ? 4 : 0;
	return true;
}

static struct range read_range(struct http_slice member, const struct http_media *media)
{
	struct range r = {.quality = HTTP_QUALITY_MAX};

	r.weight = weigh_type(take_part(&member, ';'), media);
	while (member.len > 0) {
		if (!take_parameter(take_part(&member, ';'), media, &r))
			return (struct range){.weight = 0};
	}
	return r;
}

int http_accept_quality(const struct http_slice *fields, const struct http_media *media)
{
	struct http_slice rest = *fields, member;
	struct range best = {.weight = 0};
	struct http_field field;
	bool is_asked = false;

	while (http_next_field(&rest, &field)) {
		if (!http_is(&field.name, "Accept"))
			continue;
		is_asked = true;
		while (http_next_member(&field.value, &member)) {
			struct range r = read_range(member, media);

			if (r.weight > best.weight ||
				(r.weight == best.weight && r.quality > best.quality))
				best = r;
		}
	}
	if (!is_asked)
		return HTTP_QUALITY_MAX;
	return best.weight == 0 ? 0 : best.quality;
}

/* By the coding's own name, or by *; -1: it says nothing of it. */
static int read_coding(struct http_slice member, const char *coding, bool *is_by_name)
{
	struct http_slice name = take_part(&member, ';'), parameter;
	int quality = HTTP_QUALITY_MAX;

	*is_by_name = http_is(&name, coding);
	if (!*is_by_name && !http_is(&name, "*"))
		return -1;
	while (member.len > 0) {
		parameter = take_part(&member, ';');
		name = take_part(&parameter, '=');
		if (!http_is(&name, "q") || !parse_quality(&parameter, &quality))
			return -1;
	}
	return quality;
}

bool http_accepts_coding(const struct http_slice *fields, const char *coding)
{
	struct http_slice rest = *fields, member;
	bool is_by_name, is_named = false;
	struct http_field field;
	int best = 0;

	while (http_next_field(&rest, &field)) {
		if (!http_is(&field.name, "Accept-Encoding"))
			continue;
		while (http_next_member(&field.value, &member)) {
			int quality = read_coding(member, coding, &is_by_name);

			if (quality >= 0 && (is_by_name || !is_named))
				best = quality;
			is_named = is_named || (quality >= 0 && is_by_name);
		}
	}
	return best > 0;
}
