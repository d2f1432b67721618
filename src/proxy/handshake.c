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

#include "proxy/dialect_http.h"
#include "proxy/dialect_socks4.h"
#include "proxy/dialect_socks5.h"
#include "wire/http_write.h"
#include "wire/proxyproto.h"

static const struct dialect *const dialects[] = {&dialect_socks5, &dialect_socks4, &dialect_http};

/* NULL: nobody's, or one that is switched off. */
static const struct dialect *find_dialect(const struct handshake *h, uint8_t first)
{
	for (size_t i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++) {
		if (dialects[i]->begins_with(first))
			return (h->config->settings.protocols & dialects[i]->protocol) != 0
				? dialects[i]
				: NULL;
	}
	return NULL;
}

/* ---- who speaks none of them ---- */

/* The body of an answer to HEAD is left out (RFC 9110 section 9.3.2). */
static bool refuse_http(struct handshake *h, enum end_reason reason)
{
	bool is_head = buffer_readable(h->in) > 4 && memcmp(buffer_head(h->in), "HEAD", 4) == 0;
	int version = (h->config->settings.protocols & PROTOCOL_SOCKS5) != 0 ? 5 : 4;
	char answer[512], page[300];
	struct http_writer w = {answer, answer + sizeof(answer), false};

	snprintf(page, sizeof(page),
		"This port is a SOCKS%d proxy. It is no web server and no HTTP proxy.\n"
		"\n"
		"To use it, enter it as the SOCKS%d proxy (or SOCKS host, version %d) of your\n"
		"program, and not as its HTTP or HTTPS proxy.\n",
		version, version, version);
	http_put_page(&w, 400, "", page, is_head);
	return dialect_refuse(h, reason, answer, (size_t)(w.at - answer));
}

/* Is it what the administrator has switched off? */
static enum end_reason reason_for_stranger(const struct handshake *h)
{
	static const enum protocol protocol_of[] = {[GUESS_SOCKS5] = PROTOCOL_SOCKS5,
		[GUESS_SOCKS4] = PROTOCOL_SOCKS4,
		[GUESS_HTTP] = PROTOCOL_HTTP};

	return (protocol_of[h->guess] & ~h->config->settings.protocols) != 0 ? END_PROTOCOL_OFF
									     : END_UNKNOWN_PROTOCOL;
}

static bool refuse_stranger(struct handshake *h)
{
	enum end_reason reason;

	do
		h->guess = guess_protocol(buffer_head(h->in), buffer_readable(h->in));
	while (h->guess == GUESS_MORE && dialect_receive_more(h, true));
	if (h->guess == GUESS_MORE)
		return false;
	reason = reason_for_stranger(h);
	return h->guess == GUESS_HTTP ? refuse_http(h, reason) : dialect_fail(h, reason);
}

/* A header of the PROXY protocol in text begins with what might be a word of some dialect; from who
 * may not send one it is nobody's. */
static bool begins_as_balancer(struct handshake *h)
{
	size_t n;

	do {
		n = buffer_readable(h->in);
		if (n > PROXYPROTO_V1_START_LEN)
			n = PROXYPROTO_V1_START_LEN;
		if (memcmp(buffer_head(h->in), PROXYPROTO_V1_START, n) != 0)
			return false;
	} while (n < PROXYPROTO_V1_START_LEN && dialect_receive_more(h, true));
	return n == PROXYPROTO_V1_START_LEN;
}

static bool ask_client(struct handshake *h)
{
	h->reason = END_NOTHING_ASKED;
	/* Behind a balancer's header there may be something already. */
	if (buffer_readable(h->in) == 0 && !dialect_receive_more(h, false))
		return false;
	h->reason = END_CLIENT_LEFT;
	if (!begins_as_balancer(h))
		h->dialect = find_dialect(h, *buffer_head(h->in));
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
