/*
 * Nobody says which protocol he speaks but by his first byte, so that is read first, and decides
 * whose row of the table has the word from then on.
 */
#include "proxy/handshake.h"

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

static bool ask_client(struct handshake *h)
{
	h->reason = END_NOTHING_ASKED;
	if (!dialect_receive_more(h, false))
		return false;
	h->reason = END_CLIENT_LEFT;
	h->dialect = find_dialect(*buffer_head(h->in));
	if (h->dialect == NULL)
		return dialect_fail(h, END_MALFORMED);
	return h->dialect->ask(h);
}

/* What was left unread of a client that failed may hold a password. */
bool handshake_run(struct handshake *h)
{
	bool asked = ask_client(h);

	if (!asked)
		buffer_consume_secret(h->in, buffer_readable(h->in));
	return asked;
}
