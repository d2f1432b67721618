/*
 * CONNECT leads to a tunnel (RFC 9110 section 9.3.6), as SOCKS does; any other method names a URL,
 * and its request goes on to that server (exchange.h). To rules, limits and logs both are a CONNECT
 * to that host and port. One connection is one request: behind each answer it is closed, so that
 * each request is judged with its own login.
 *
 * The head stays in the buffer that it was read into. Of a tunnel it is taken off once it is
 * understood; of another request it stays for whoever rewrites it, who parses it again: that costs
 * less than to keep what was found.
 *
 * What is refused is told in a page that names the reason and the session, so that an administrator
 * who is asked finds it, and nothing that the client did not know.
 */
#include "proxy/dialect_http.h"

#include <string.h>

#include "base/digits.h"
#include "proxy/http_forward.h"
#include "proxy/own_pages.h"
#include "state/admission.h"
#include "state/rules.h"
#include "wire/http.h"
#include "wire/http_write.h"

#define HTTP_PAGE_MAX 1024

static bool begins_http(uint8_t first)
{
	return (first >= 'A' && first <= 'Z') || (first >= 'a' && first <= 'z');
}

/* ---- pages ---- */

static bool is_to_head(const struct handshake *h)
{
	return buffer_readable(h->in) > 5 && memcmp(buffer_head(h->in), "HEAD ", 5) == 0;
}

/* The only status that wants a field: how to log in (RFC 9110 section 11.7.1). */
static const char *fields_of(unsigned status)
{
	return status == 407 ? "Proxy-Authenticate: Basic realm=\"proxy\", charset=\"UTF-8\"\r\n"
			     : "";
}

/* A page does not tell which names there are, as the log may. */
static enum end_reason told_reason(enum end_reason reason)
{
	return reason == END_WRONG_PASSWORD || reason == END_NO_LOGIN_HELPER ? END_LOGIN_REFUSED
									     : reason;
}

static size_t format_page(const struct handshake *h, char page[HTTP_PAGE_MAX], unsigned status,
	enum end_reason reason, const char *sentence)
{
	char text[HTTP_PAGE_MAX / 2];
	struct http_writer words = {text, text + sizeof(text) - 1, false};
	struct http_writer w = {page, page + HTTP_PAGE_MAX, false};

	http_put_text(&words, sentence);
	http_put_text(&words, "\n\nReason: ");
	http_put_text(&words, end_reason_word(told_reason(reason)));
	http_put_text(&words, ", session ");
	http_put_number(&words, (int64_t)h->id);
	http_put_text(&words, " of this proxy.\n");
	*words.at = '\0';
	http_put_page(&w, status, fields_of(status), text, is_to_head(h));
	return (size_t)(w.at - page);
}

/* Not inline: a session that is served needs no room for pages. */
__attribute__((noinline)) static bool refuse_page(
	struct handshake *h, unsigned status, enum end_reason reason, const char *sentence)
{
	char page[HTTP_PAGE_MAX];

	return dialect_refuse(h, reason, page, format_page(h, page, status, reason, sentence));
}

/* What a client is told of each reason that it can be refused for. */
static const struct {
	unsigned status;
	const char *sentence;
} refusals[END_REASONS] = {
	[END_IDLE] = {504, "The server did not answer in time."},
	[END_HALF_CLOSED_IDLE] = {504, "The server did not answer in time."},
	[END_CLIENT_FINISHED] = {504, "There was no answer in time for who has finished."},
	[END_MALFORMED] = {400, "The request is malformed."},
	[END_NO_METHOD] = {407, "This proxy asks for a user name and a password."},
	[END_WRONG_PASSWORD] = {407, "The user name or the password is wrong."},
	[END_LOGIN_REFUSED] = {407, "The user name or the password is wrong."},
	[END_LOGIN_BUSY] = {503, "Too many log in at once. Try again soon."},
	[END_LOGIN_UNANSWERED] = {503, "The login cannot be checked now. Try again soon."},
	[END_NO_LOGIN_HELPER] = {407, "The user name or the password is wrong."},
	[END_LOGIN_NO_MEMORY] = {503, "The proxy has no memory for this. Try again soon."},
	[END_DISABLED] = {403, "This account is not served now."},
	[END_EXPIRED] = {403, "This account is not served any more."},
	[END_CLIENT_NOT_ALLOWED_FOR_USER] = {403, "This account is not served from here."},
	[END_TOO_MANY_SESSIONS] = {429, "This account has as many connections as it may have."},
	[END_QUOTA_REACHED] = {429, "This account has used up what it may move."},
	[END_SCHEME_UNSUPPORTED] = {501,
		"Only http:// URLs are fetched here. For https:// and "
		"others a program asks for a tunnel with CONNECT."},
	[END_TARGET_DENIED] = {403, "The rules of this proxy do not allow this."},
	[END_NAME_NOT_FOUND] = {502, "There is no host of this name."},
	[END_NAME_FAILED] = {502, "It could not be found out which host has this name."},
	[END_CONNECT_REFUSED] = {502, "The server refused the connection."},
	[END_HOST_UNREACHABLE] = {502, "The server cannot be reached."},
	[END_NETWORK_UNREACHABLE] = {502, "The server's network cannot be reached."},
	[END_CONNECT_TIMEOUT] = {504, "The server could not be reached in time."},
	[END_NO_LOCAL_PORT] = {503, "The proxy has no port left to connect from."},
	[END_CONNECT_FAILED] = {502, "The server could not be connected to."},
	[END_UPSTREAMS_DOWN] = {503, "No proxy by which this goes on works now."},
	[END_UPSTREAM_DENIED] = {403, "The proxy by which this goes on does not allow it."},
	[END_UPSTREAM_FAILED] = {502, "The proxy by which this goes on could not reach it."},
	[END_BAD_ANSWER] = {502, "The server did not answer as HTTP servers do."},
};

static const char *sentence_of(enum end_reason reason)
{
	return refusals[reason].sentence != NULL ? refusals[reason].sentence
						 : "The proxy cannot serve this now.";
}

/* One who is nobody may log in, where that can make a difference: else he would be asked again and
 * again. */
static bool may_log_in_instead(const struct handshake *h, enum end_reason reason)
{
	return reason == END_TARGET_DENIED && h->user_len == 0 &&
		admission_login_checked(h->config) && rules_ask_users(h->config);
}

static unsigned status_of(const struct handshake *h, enum end_reason reason)
{
	if (may_log_in_instead(h, reason))
		return 407;
	return refusals[reason].status != 0 ? refusals[reason].status : 503;
}

/* ---- the head ---- */

/* Other protocols begin with letters, too. They are none's, as those that do not. */
static bool is_stranger(struct handshake *h, int parsed)
{
	enum guess guess = GUESS_MORE;

	if (parsed == HTTP_MORE || parsed == HTTP_BAD_LINE)
		guess = guess_protocol(buffer_head(h->in), buffer_readable(h->in));
	if (guess == GUESS_MORE || guess == GUESS_HTTP)
		return false;
	h->guess = guess;
	h->dialect = NULL;
	return true;
}

/* As http_parse_request(), or HTTP_MORE with `reason`: the client left, was too slow, or speaks
 * something else. */
static int receive_head(struct handshake *h, struct http_request *r)
{
	size_t seen = 0;
	int len;

	for (;;) {
		len = http_parse_request(buffer_head(h->in), buffer_readable(h->in), &seen, r);
		if (is_stranger(h, len)) {
			h->reason = END_UNKNOWN_PROTOCOL;
			return HTTP_MORE;
		}
		if (len == HTTP_MORE && buffer_writable(h->in) <= DIALECT_SPARE)
			return HTTP_TOO_LARGE;
		if (len != HTTP_MORE || !dialect_receive_more(h, true))
			return len;
	}
}

/* ---- login (RFC 7617) ---- */

/* What cannot be read is as wrong as what is not right, and takes the same time. Not inline: a
 * session without a login needs no room for one. */
__attribute__((noinline)) static enum end_reason check_credentials(
	struct handshake *h, const struct http_request *r)
{
	struct http_basic basic;
	struct login claim = {.name = "", .password = ""};
	enum end_reason result;

	if (http_parse_basic(&r->login, &basic) && basic.name_len <= USERS_NAME_MAX &&
		basic.password_len <= USERS_PASSWORD_MAX)
		claim = (struct login){.name = basic.bytes,
			.name_len = basic.name_len,
			.password = basic.bytes + basic.password_at,
			.password_len = basic.password_len};
	result = dialect_log_in(h, &claim);
	explicit_bzero(&basic, sizeof(basic));
	return result;
}

/* Bytes of a field that goes no further, in a buffer that others will use. */
static void erase_credentials(struct handshake *h, const struct http_request *r)
{
	size_t at = (size_t)(r->login.text - (const char *)buffer_head(h->in));

	memset(h->in->memory + h->in->head + at, 'x', r->login.len);
}

/* A name that is right, and may not be used, is asked for again: it may be another's turn. */
static bool is_login_refused(enum end_reason reason)
{
	return reason == END_NO_LOGIN_HELPER || reason == END_DISABLED || reason == END_EXPIRED ||
		reason == END_CLIENT_NOT_ALLOWED_FOR_USER;
}

static bool authenticate_http(struct handshake *h, const struct http_request *r)
{
	enum end_reason refused;

	if (r->has_login) {
		dialect_enter(h, PHASE_LOGIN);
		refused = check_credentials(h, r);
		erase_credentials(h, r);
	} else {
		refused = dialect_take_anonymous(h);
	}
	if (refused == END_REASONS)
		return true;
	return refuse_page(h, is_login_refused(refused) ? 407 : status_of(h, refused), refused,
		sentence_of(refused));
}

/* ---- request ---- */

static bool answer_as_last(struct handshake *h, const struct http_request *r)
{
	bool is_options = http_equals(&r->method, "OPTIONS");

	return refuse_page(h, is_options ? 200 : 405, END_OWN_PAGE, "This is a proxy.");
}

static bool take_http_request(struct handshake *h, const struct http_request *r, size_t len)
{
	h->is_exchange = r->form == HTTP_ABSOLUTE_FORM;
	if (h->is_exchange && !http_is(&r->scheme, "http"))
		return refuse_page(
			h, 501, END_SCHEME_UNSUPPORTED, sentence_of(END_SCHEME_UNSUPPORTED));
	if (h->is_exchange && http_forward_is_last_hop(r))
		return answer_as_last(h, r);
	request_set(&h->request, REQUEST_CONNECT, &r->dst);
	if (!h->is_exchange)
		buffer_consume(h->in, len);
	return true;
}

static bool ask_http(struct handshake *h)
{
	struct http_request r;
	int len;

	dialect_enter(h, PHASE_REQUEST);
	len = receive_head(h, &r);
	if (len == HTTP_MORE)
		return false;
	if (len < 0)
		return refuse_page(h, http_fault_status(len), END_MALFORMED, http_fault_text(len));
	if (own_pages_are_meant(h, &r))
		return own_pages_answer(h, &r);
	return authenticate_http(h, &r) && take_http_request(h, &r, (size_t)len);
}

/* ---- reply ---- */

/* Of an exchange that succeeds it is what its server says. */
static unsigned code_http(const struct handshake *h, enum end_reason failure)
{
	if (failure == END_REASONS)
		return h->is_exchange ? h->code : 200;
	return status_of(h, failure);
}

static bool reply_http(struct handshake *h, enum end_reason failure, const struct addr *bound)
{
	/* No length, and no other field: what follows is the tunnel's. */
	static const char established[] = "HTTP/1.1 200 Connection established\r\n\r\n";
	const char *sentence;

	(void)bound;
	if (failure == END_REASONS)
		return h->is_exchange || dialect_send(h, established, sizeof(established) - 1);
	sentence = h->code == 407 ? "This proxy does not allow this to who has not logged in."
				  : sentence_of(failure);
	(void)refuse_page(h, h->code, failure, sentence);
	return h->answered;
}

const struct dialect dialect_http = {.door = "http",
	.protocol = PROTOCOL_HTTP,
	.begins_with = begins_http,
	.ask = ask_http,
	.code = code_http,
	.reply = reply_http};
