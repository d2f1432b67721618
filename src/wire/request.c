/*
 * Between the codecs and everything behind them: each protocol has its own way to write a host and
 * a command down, and each ends in these structs, so that nothing further on knows which it was.
 */
#include "wire/request.h"

#include <stdio.h>
#include <string.h>

#include "base/digits.h"
#include "base/escape.h"
#include "base/parse.h"

struct destination destination_of_addr(const struct addr *addr)
{
	return (struct destination){
		.kind = DESTINATION_ADDR, .port = addr_port(addr), .addr = *addr};
}

struct destination destination_of_name(const char *name, size_t len, uint16_t port)
{
	struct addr literal;

	if (addr_parse(name, len, &literal)) {
		addr_set_port(&literal, port);
		return destination_of_addr(&literal);
	}
	return (struct destination){
		.kind = DESTINATION_NAME, .port = port, .name_len = (uint8_t)len, .name = name};
}

bool destination_equal(const struct destination *a, const struct destination *b)
{
	if (a->kind != b->kind || a->port != b->port)
		return false;
	if (a->kind == DESTINATION_NAME)
		return a->name_len == b->name_len && memcmp(a->name, b->name, a->name_len) == 0;
	return a->kind == DESTINATION_NONE || addr_equal(&a->addr, &b->addr);
}

/* Does the last label begin like a number and hold nothing else, in decimal or behind 0x? */
static bool ends_in_number(const char *name, size_t len)
{
	static const char hexadecimal[] = "0123456789abcdefABCDEF";
	const char *end, *label;
	bool is_hex;

	if (len > 0 && name[len - 1] == '.')
		len--;
	end = name + len;
	label = memrchr(name, '.', len);
	label = label == NULL ? name : label + 1;
	is_hex = end - label >= 2 && label[0] == '0' && (label[1] == 'x' || label[1] == 'X');
	if (is_hex)
		label += 2;
	else if (label == end)
		return false;
	while (label < end && memchr(hexadecimal, *label, is_hex ? sizeof(hexadecimal) - 1 : 10))
		label++;
	return label == end;
}

bool destination_is_sane(const struct destination *d)
{
	if (d->kind != DESTINATION_NAME)
		return d->kind == DESTINATION_ADDR;
	for (size_t i = 0; i < d->name_len; i++) {
		unsigned char c = (unsigned char)d->name[i];

		/* A backslash quotes what is behind it for the resolver: to the rules it would be
		 * another name. */
		if (c <= ' ' || c == 0x7f || c == '\\')
			return false;
	}
	return d->name_len > 0 && !ends_in_number(d->name, d->name_len);
}

const char *destination_format(const struct destination *d, char *out, size_t size)
{
	char *end;

	if (d->kind != DESTINATION_NAME)
		return addr_format(&d->addr, out); /* "-" for none */
	escape_name(d->name, d->name_len, out, size - strlen(":65535"));
	end = out + strlen(out);
	*end++ = ':';
	*digits_put(end, d->port) = '\0';
	return out;
}

bool destination_parse(const char *text, char name[DESTINATION_NAME_MAX], struct destination *out)
{
	const char *colon = strrchr(text, ':');
	char host[4 * DESTINATION_NAME_MAX + 1];
	struct addr addr;
	bool has_port;
	int64_t port;
	size_t len;

	if (addr_parse_port(text, strlen(text), &addr, &has_port)) {
		*out = destination_of_addr(&addr);
		return has_port;
	}
	len = colon == NULL ? 0 : (size_t)(colon - text);
	if (len == 0 || len >= sizeof(host) || !parse_number(colon + 1, &port) || port > UINT16_MAX)
		return false;
	len = escape_decode(text, len, host);
	if (len > DESTINATION_NAME_MAX)
		return false;
	memcpy(name, host, len);
	*out = (struct destination){.kind = DESTINATION_NAME,
		.port = (uint16_t)port,
		.name_len = (uint8_t)len,
		.name = name};
	return true;
}

void request_set(struct request *r, enum request_command command, const struct destination *dst)
{
	r->command = command;
	r->dst = *dst;
	if (dst->kind == DESTINATION_NAME)
		r->dst.name = memcpy(r->name, dst->name, dst->name_len);
}

static const char *const command_words[] = {[REQUEST_CONNECT] = "CONNECT",
	[REQUEST_BIND] = "BIND",
	[REQUEST_UDP_ASSOCIATE] = "UDP_ASSOCIATE"};

const char *request_command_word(const struct request *r, char out[16])
{
	if (r->command != REQUEST_NONE && r->command != REQUEST_UNKNOWN)
		return command_words[r->command];
	snprintf(out, 16, "CMD-%u", r->code);
	return out;
}

enum request_command request_command_parse(const char *word)
{
	for (enum request_command i = REQUEST_CONNECT; i <= REQUEST_UDP_ASSOCIATE; i++) {
		if (strcmp(word, command_words[i]) == 0)
			return i;
	}
	return REQUEST_UNKNOWN;
}
