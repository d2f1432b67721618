/*
 * One message holds all that a client says. There is no login: the USERID in it is what the client
 * claims and nobody has checked, so it is kept for the log and decides nothing, and such a client
 * is served where one that says nothing of itself would be.
 *
 * The request is read to its end before it is refused, so that no byte of it is taken for payload
 * and the refusal is not overtaken by a reset.
 */
#include "proxy/dialect_socks4.h"

#include <string.h>

#include "wire/socks4.h"

static bool begins_socks4(uint8_t first)
{
	return first == SOCKS4_VERSION;
}

static int parse_socks4(const uint8_t *p, size_t n, void *out)
{
	return socks4_parse_request(p, n, out);
}

static enum request_command socks4_command_of(uint8_t cd)
{
	switch ((enum socks4_command)cd) {
	case SOCKS4_CONNECT:
		return REQUEST_CONNECT;
	case SOCKS4_BIND:
		return REQUEST_BIND;
	}
	return REQUEST_UNKNOWN;
}

/* As much as there is room for. */
static void keep_userid(struct handshake *h, const struct socks4_request *asked)
{
	size_t len = asked->userid_len < sizeof(h->user) ? asked->userid_len : sizeof(h->user);

	h->userid_len = (uint8_t)len;
	memcpy(h->user, asked->userid, len);
}

static bool reject(struct handshake *h, enum end_reason reason)
{
	(void)dialect_reply(h, reason, NULL);
	return dialect_fail(h, reason);
}

static bool ask_socks4(struct handshake *h)
{
	struct socks4_request asked;
	enum end_reason refused;
	int len;

	dialect_enter(h, PHASE_REQUEST);
	len = dialect_receive(h, parse_socks4, &asked);
	if (len == SOCKS4_MORE)
		return false;
	if (len == SOCKS4_MALFORMED)
		return reject(h, END_MALFORMED);
	keep_userid(h, &asked);
	refused = dialect_take_anonymous(h);
	if (refused != END_REASONS)
		return reject(h, refused);
	h->request.code = asked.command;
	request_set(&h->request, socks4_command_of(asked.command), &asked.dst);
	buffer_consume(h->in, (size_t)len);
	return true;
}

/* What went wrong has one code. The two others of the protocol are about identd, which is asked
 * nothing. */
static unsigned code_socks4(const struct handshake *h, enum end_reason failure)
{
	(void)h;
	return failure == END_REASONS ? SOCKS4_GRANTED : SOCKS4_REJECTED;
}

static bool reply_socks4(struct handshake *h, enum end_reason failure, const struct addr *bound)
{
	uint8_t reply[SOCKS4_REPLY_SIZE];

	(void)failure;
	socks4_format_reply(reply, (uint8_t)h->code, bound);
	return dialect_send(h, reply, sizeof(reply));
}

const struct dialect dialect_socks4 = {.door = "socks4",
	.protocol = PROTOCOL_SOCKS4,
	.begins_with = begins_socks4,
	.ask = ask_socks4,
	.code = code_socks4,
	.reply = reply_socks4};
