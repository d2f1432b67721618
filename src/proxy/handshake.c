/*
 * Nobody says which protocol he speaks but by his first byte, so that is read first, and decides
 * whose row of the table has the word from then on.
 *
 * What no row begins with is mostly a program that was told of the right port and the wrong kind of
 * proxy. So it is guessed what it speaks, for the log; and a browser, whose user would see nothing
 * but that the connection was closed, is told.
 */
#include "proxy/handshake.h"

#include <stdio.h>
#include <string.h>

#include "proxy/dialect_socks5.h"

static const struct dialect *const dialects[] = {&dialect_socks5};

static const struct dialect *find_dialect(uint8_t first)
{
	for (size_t i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++) {
		if (dialects[i]->begins_with(first))
			return dialects[i];
	}
	return NULL;
}

/* ---- who speaks none of them ---- */

static const char page[] =
	"This port is a SOCKS5 proxy. It is no web server and no HTTP proxy.\n"
	"\n"
	"To use it, enter it as the SOCKS5 proxy (or SOCKS host, version 5) of your\n"
	"program, and not as its HTTP or HTTPS proxy.\n";

/* The body of an answer to HEAD is left out (RFC 9110 section 9.3.2). */
static bool refuse_http(struct handshake *h)
{
	bool head_only = buffer_readable(h->in) > 4 && memcmp(buffer_head(h->in), "HEAD", 4) == 0;
	char answer[512];
	int len = snprintf(answer, sizeof(answer),
		"HTTP/1.1 400 Bad Request\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Length: %zu\r\n"
		"Connection: close\r\n"
		"\r\n"
		"%s",
		strlen(page), head_only ? "" : page);

	return dialect_refuse(h, END_NOT_SOCKS5, answer, (size_t)len);
}

static bool refuse_stranger(struct handshake *h)
{
	do
		h->guess = guess_protocol(buffer_head(h->in), buffer_readable(h->in));
	while (h->guess == GUESS_MORE && dialect_receive_more(h, true));
	if (h->guess == GUESS_MORE)
		return false;
	return h->guess == GUESS_HTTP ? refuse_http(h) : dialect_fail(h, END_NOT_SOCKS5);
}

static bool ask_client(struct handshake *h)
{
	h->reason = END_NOTHING_ASKED;
	if (!dialect_receive_more(h, false))
		return false;
	h->reason = END_CLIENT_LEFT;
	h->dialect = find_dialect(*buffer_head(h->in));
	return h->dialect != NULL ? h->dialect->ask(h) : refuse_stranger(h);
}

/* What was left unread of a client that failed may hold a password. */
bool handshake_run(struct handshake *h)
{
	bool asked = ask_client(h);

	if (!asked)
		buffer_consume_secret(h->in, buffer_readable(h->in));
	return asked;
}
