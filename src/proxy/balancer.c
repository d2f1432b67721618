/*
 * The header is asked for, never guessed: who may send one has to, and no one else's is read. So a
 * client cannot say that he is somebody else, and a balancer that has stopped saying it is not
 * taken for its clients.
 *
 * A balancer looks after us by connecting and closing, with a header for itself or without: until
 * there is something to serve nobody is asked whether it may be.
 */
#include "proxy/balancer.h"

#include "state/rule_places.h"
#include "wire/proxyproto.h"

static int parse_header(const uint8_t *p, size_t n, void *out)
{
	return proxyproto_parse(p, n, out);
}

/* It is said what came instead, as far as it can be told by now. */
static bool refuse_beginning(struct handshake *h)
{
	h->guess = guess_protocol(buffer_head(h->in), buffer_readable(h->in));
	return dialect_fail(h, END_BAD_PROXY_HEADER);
}

static bool take_header(struct handshake *h, struct proxyproto_header *header)
{
	int len;

	h->reason = END_NOTHING_ASKED;
	if (!dialect_receive_more(h, false))
		return false;
	h->reason = END_CLIENT_LEFT;
	len = dialect_receive(h, parse_header, header);
	if (len == PROXYPROTO_MORE)
		return false;
	if (len == PROXYPROTO_MALFORMED)
		return refuse_beginning(h);
	buffer_consume(h->in, (size_t)len);
	return true;
}

static bool await_something(struct handshake *h)
{
	h->reason = END_NOTHING_ASKED;
	return buffer_readable(h->in) > 0 || dialect_receive_more(h, true);
}

/* HAProxy does that in version 1, where there is no word for it, by telling its own connection. */
static bool speaks_for_itself(const struct handshake *h, const struct proxyproto_header *header)
{
	return !header->tells || addr_equal(&header->source, h->from);
}

/* What was left unread of a client that failed may hold a password. */
bool balancer_ask(struct handshake *h, struct addr *client)
{
	struct proxyproto_header header;

	if (!take_header(h, &header) || (speaks_for_itself(h, &header) && !await_something(h))) {
		buffer_consume_secret(h->in, buffer_readable(h->in));
		return false;
	}
	*client = *h->from;
	if (!speaks_for_itself(h, &header)) {
		*client = header.source;
		h->reached = header.destination;
	}
	return true;
}

static bool is_elsewhere(struct own *own, const struct addr *a)
{
	unsigned bad = PLACE_BIT(PLACE_LOOPBACK) | PLACE_BIT(PLACE_MULTICAST);

	return (rule_places_of(a) & bad) == 0 && !addr_is_unspecified(a) &&
		!own_has_address(own, a);
}

bool balancer_is_credible(struct own *own, const struct addr *client)
{
	struct addr within;

	return is_elsewhere(own, client) &&
		(!rule_places_ipv4_within(client, &within) || is_elsewhere(own, &within));
}
