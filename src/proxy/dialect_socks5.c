/*
 * One function for each step of RFC 1928, called in the RFC's order by ask_socks5(): the METHODs
 * are negotiated, who chose RFC 1929's logs in, the request is read. Whether login comes before no
 * login where both would do is a matter of the setting auth.
 */
#include "proxy/dialect_socks5.h"

#include "state/admission.h"
#include "wire/socks5.h"

static bool begins_socks5(uint8_t first)
{
	return first == SOCKS5_VERSION;
}

/* ---- greeting: METHOD negotiation (RFC 1928 section 3) ---- */

static int parse_greeting(const uint8_t *p, size_t n, void *out)
{
	return socks5_parse_greeting(p, n, out);
}

static enum socks5_method choose_method(
	const struct handshake *h, const struct socks5_greeting *greeting)
{
	if (greeting->offers_password && admission_login_wanted(h->config, users_count(h->users)))
		return SOCKS5_PASSWORD;
	if (greeting->offers_no_login && dialect_take_anonymous(h) == END_REASONS)
		return SOCKS5_NO_LOGIN;
	return greeting->offers_password && admission_login_possible(h->config) ? SOCKS5_PASSWORD
										: SOCKS5_NO_METHOD;
}

static bool negotiate_method(struct handshake *h, enum socks5_method *method)
{
	struct socks5_greeting greeting;
	uint8_t message[2];
	int len = dialect_receive(h, parse_greeting, &greeting);

	if (len == SOCKS5_MORE)
		return false;
	if (len == SOCKS5_MALFORMED)
		return dialect_fail(h, END_MALFORMED);
	buffer_consume(h->in, (size_t)len);
	*method = choose_method(h, &greeting);
	socks5_format_method(message, *method);
	if (*method == SOCKS5_NO_METHOD)
		return dialect_refuse(h, END_NO_METHOD, message, sizeof(message));
	return dialect_send(h, message, sizeof(message));
}

/* ---- login (RFC 1929) ---- */

static int parse_login(const uint8_t *p, size_t n, void *out)
{
	return socks5_parse_login(p, n, out);
}

static enum end_reason take_login(struct handshake *h, const struct socks5_login *login)
{
	struct login claim = {.name = (const char *)login->name,
		.name_len = login->name_len,
		.password = (const char *)login->password,
		.password_len = login->password_len};

	return dialect_log_in(h, &claim);
}

static bool authenticate(struct handshake *h)
{
	struct socks5_login login;
	enum end_reason failure = END_MALFORMED;
	uint8_t message[2];
	int len;

	dialect_enter(h, PHASE_LOGIN);
	len = dialect_receive(h, parse_login, &login);
	if (len == SOCKS5_MORE)
		return false;
	if (len != SOCKS5_MALFORMED) {
		failure = take_login(h, &login);
		buffer_consume_secret(h->in, (size_t)len);
	}
	socks5_format_login_status(message, failure == END_REASONS);
	if (failure != END_REASONS)
		return dialect_refuse(h, failure, message, sizeof(message));
	return dialect_send(h, message, sizeof(message));
}

/* ---- request (RFC 1928 section 4) ---- */

static int parse_request(const uint8_t *p, size_t n, void *out)
{
	return socks5_parse_request(p, n, out);
}

static enum request_command command_of(uint8_t cmd)
{
	switch ((enum socks5_command)cmd) {
	case SOCKS5_CONNECT:
		return REQUEST_CONNECT;
	case SOCKS5_BIND:
		return REQUEST_BIND;
	case SOCKS5_UDP_ASSOCIATE:
		return REQUEST_UDP_ASSOCIATE;
	}
	return REQUEST_UNKNOWN;
}

static bool read_request(struct handshake *h)
{
	struct socks5_request asked;
	int len;

	dialect_enter(h, PHASE_REQUEST);
	len = dialect_receive(h, parse_request, &asked);
	if (len == SOCKS5_MORE)
		return false;
	if (len == SOCKS5_MALFORMED) {
		(void)dialect_reply(h, END_MALFORMED, NULL);
		return dialect_fail(h, END_MALFORMED);
	}
	h->request.code = asked.command;
	request_set(&h->request, command_of(asked.command), &asked.dst);
	buffer_consume(h->in, (size_t)len);
	return true;
}

static bool ask_socks5(struct handshake *h)
{
	enum socks5_method method = SOCKS5_NO_METHOD;

	return negotiate_method(h, &method) && (method != SOCKS5_PASSWORD || authenticate(h)) &&
		read_request(h);
}

/* ---- reply (RFC 1928 section 6) ---- */

/* What a client can be told while it waits for its reply; all else is a general failure. */
static const uint8_t reps[END_REASONS] = {
	[END_CLIENT_FINISHED] = SOCKS5_TTL_EXPIRED,
	[END_DISABLED] = SOCKS5_NOT_ALLOWED,
	[END_EXPIRED] = SOCKS5_NOT_ALLOWED,
	[END_CLIENT_NOT_ALLOWED_FOR_USER] = SOCKS5_NOT_ALLOWED,
	[END_TOO_MANY_SESSIONS] = SOCKS5_NOT_ALLOWED,
	[END_QUOTA_REACHED] = SOCKS5_NOT_ALLOWED,
	[END_COMMAND_UNSUPPORTED] = SOCKS5_COMMAND_NOT_SUPPORTED,
	[END_ATYP_UNSUPPORTED] = SOCKS5_ATYP_NOT_SUPPORTED,
	[END_TARGET_DENIED] = SOCKS5_NOT_ALLOWED,
	[END_NAME_NOT_FOUND] = SOCKS5_HOST_UNREACHABLE,
	[END_NAME_FAILED] = SOCKS5_HOST_UNREACHABLE,
	[END_CONNECT_REFUSED] = SOCKS5_CONNECTION_REFUSED,
	[END_HOST_UNREACHABLE] = SOCKS5_HOST_UNREACHABLE,
	[END_NETWORK_UNREACHABLE] = SOCKS5_NETWORK_UNREACHABLE,
	[END_CONNECT_TIMEOUT] = SOCKS5_TTL_EXPIRED,
	[END_UPSTREAM_DENIED] = SOCKS5_NOT_ALLOWED,
	[END_BIND_TIMEOUT] = SOCKS5_TTL_EXPIRED,
};

static unsigned code_socks5(const struct handshake *h, enum end_reason failure)
{
	(void)h;
	if (failure == END_REASONS)
		return SOCKS5_SUCCEEDED;
	return reps[failure] != 0 ? reps[failure] : SOCKS5_GENERAL_FAILURE;
}

static bool reply_socks5(struct handshake *h, enum end_reason failure, const struct addr *bound)
{
	uint8_t reply[SOCKS5_REPLY_MAX];

	(void)failure;
	return dialect_send(h, reply, socks5_format_reply(reply, (uint8_t)h->code, bound));
}

const struct dialect dialect_socks5 = {.door = "socks5",
	.protocol = PROTOCOL_SOCKS5,
	.begins_with = begins_socks5,
	.ask = ask_socks5,
	.code = code_socks5,
	.reply = reply_socks5};
