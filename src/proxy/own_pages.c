/*
 * A table of paths, each with the function that writes its page. Pages are put together in memory,
 * head and all, and sent with the handshake's deadline, so one who does not read holds up nothing
 * but his own session.
 *
 * What a page tells as the proxy's address is that by which it was asked for: our own end of the
 * connection, or that of a balancer, by its word; or the name that the browser used where
 * proxy_name has it. Nothing else of Host gets
 * into a page, so nobody can be sent a page with somebody else's address.
 */
#include "proxy/own_pages.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/writing.h"
#include "net/socket.h"
#include "proxy/pac.h"
#include "proxy/services.h"
#include "proxy/setup_page.h"
#include "state/admission.h"
#include "state/ledger_limits.h"
#include "wire/http_write.h"

#define HEAD_MAX 1024

/* By what the client means this proxy. */
struct own_address {
	char host[RULE_NAME_MAX + 1]; /* as in a URL: an IPv6 address in its brackets */
	uint16_t port;
	bool is_loopback;
};

struct own_answer {
	unsigned status;
	const char *type; /* of the body */
	bool is_kept; /* by browsers, for a while */
	const char *fields; /* further lines of the head */
	FILE *out; /* where the body is written */
	char policy[SETUP_POLICY_MAX + 64]; /* room for a field */
};

/* ---- who is meant ---- */

/* Where the client has come to. What a balancer says of that may be no use to anybody. */
static struct addr place_of_ours(const struct handshake *h)
{
	const struct addr *told = &h->reached;

	if (told->sa.sa_family == AF_UNSPEC || addr_is_unspecified(told) ||
		addr_is_loopback(told) || addr_port(told) == 0)
		return socket_local_addr(h->client);
	return *told;
}

static uint16_t port_of_listener(const struct settings *s, size_t i)
{
	return s->listen.has_port[i] ? addr_port(&s->listen.addrs[i]) : (uint16_t)s->port;
}

/* The address of one of this host's interfaces counts where all of a family are listened on. */
static bool is_at_listener(const struct handshake *h, const struct addr *to, size_t i)
{
	const struct settings *s = &h->config->settings;
	const struct addr *listener = &s->listen.addrs[i];

	if (port_of_listener(s, i) != addr_port(to))
		return false;
	if (!addr_is_unspecified(listener))
		return addr_same_host(listener, to);
	return listener->sa.sa_family == to->sa.sa_family && own_has_address(h->services->own, to);
}

static bool is_own_listener(const struct handshake *h, const struct addr *to)
{
	struct addr local = socket_local_addr(h->client);

	if (addr_equal(&local, to) || addr_equal(&h->reached, to))
		return true;
	for (size_t i = 0; i < h->config->settings.listen.count; i++) {
		if (is_at_listener(h, to, i))
			return true;
	}
	return false;
}

/* Other ports of the host that has the name are other servers. */
static bool is_own_port(const struct handshake *h, uint16_t port)
{
	const struct settings *s = &h->config->settings;
	struct addr local = socket_local_addr(h->client), here = place_of_ours(h);
	bool is_own = port == 80 || port == addr_port(&local) || port == addr_port(&here);

	for (size_t i = 0; i < s->listen.count; i++)
		is_own |= port == port_of_listener(s, i);
	return is_own;
}

/* Is the host of a URL or of Host one of proxy_name? `out` as for proxy_names_find(). */
static bool is_own_name(
	const struct handshake *h, const struct destination *d, char out[RULE_NAME_MAX + 1])
{
	char text[ADDR_TEXT_MAX];
	const char *host = d->kind == DESTINATION_ADDR ? addr_format_host(&d->addr, text) : d->name;
	size_t len = d->kind == DESTINATION_ADDR ? strlen(host) : d->name_len;

	return proxy_names_find(&h->config->settings.proxy_name, host, len, out);
}

bool own_pages_are_meant(const struct handshake *h, const struct http_request *r)
{
	if (r->form != HTTP_ABSOLUTE_FORM)
		return r->form == HTTP_ORIGIN_FORM || r->form == HTTP_ASTERISK_FORM;
	if (!http_is(&r->scheme, "http"))
		return false;
	if (r->dst.kind == DESTINATION_ADDR && is_own_listener(h, &r->dst.addr))
		return true;
	return is_own_name(h, &r->dst, NULL) && is_own_port(h, r->dst.port);
}

/* ---- where the proxy is ---- */

/* Where NAT is in front of the host, or of the balancer, this is the side behind it. A scope means
 * nothing to others. */
static void use_place(struct own_address *a, const struct handshake *h)
{
	struct addr here = place_of_ours(h);
	char text[ADDR_TEXT_MAX];

	addr_format_host(&here, text);
	text[strcspn(text, "%")] = '\0';
	snprintf(a->host, sizeof(a->host), here.sa.sa_family == AF_INET6 ? "[%s]" : "%s", text);
	a->port = addr_port(&here);
	a->is_loopback = addr_is_loopback(&here);
}

/* A browser that uses the proxy already asks it for http://NAME/, which names no port of it. Who
 * comes by way of a balancer is told a name in any case, where there is one. */
static void use_name(struct own_address *a, const struct handshake *h, const struct http_request *r)
{
	bool is_absolute = r->form == HTTP_ABSOLUTE_FORM;
	const struct http_slice *authority = is_absolute ? &r->authority : &r->host;
	struct destination d;
	bool is_known = http_parse_authority(authority, is_absolute ? 0 : 80, &d);
	char name[RULE_NAME_MAX + 1];

	if (!is_known || !is_own_name(h, &d, name)) {
		proxy_names_first(&h->config->settings.proxy_name, name);
		if (h->reached.sa.sa_family == AF_UNSPEC || name[0] == '\0')
			return;
	}
	strcpy(a->host, name);
	a->is_loopback = false;
	if (is_known && d.port != 0)
		a->port = d.port;
}

static void find_own_address(
	struct own_address *a, const struct handshake *h, const struct http_request *r)
{
	use_place(a, h);
	use_name(a, h, r);
}

/* A page of another site may give its own name our address and then read ours in the browser of a
 * client (DNS rebinding); that has come to us by that name. Nobody's name is an address, and names
 * that look like those of a network of one's own are nobody else's. */
static bool is_asked_by_stranger(const struct handshake *h, const struct http_request *r)
{
	struct destination d;

	if (r->form == HTTP_ABSOLUTE_FORM || r->host.len == 0)
		return false;
	if (!http_parse_authority(&r->host, 80, &d))
		return true;
	return d.kind == DESTINATION_NAME && !is_own_name(h, &d, NULL) &&
		rule_name_looks_public(d.name, d.name_len);
}

/* ---- pages ---- */

/* Writes the body, and what is particular of its head. False without memory. */
typedef bool put_page_function(
	const struct handshake *h, const struct http_request *r, struct own_answer *a);

static bool has_door(const struct handshake *h, enum protocol protocol)
{
	return (h->config->settings.protocols & protocol) != 0;
}

static enum setup_login login_of(const struct config *c)
{
	if (admission_login_required(c))
		return SETUP_LOGIN_REQUIRED;
	return c->settings.auth == AUTH_OPTIONAL ? SETUP_LOGIN_OPTIONAL : SETUP_LOGIN_NONE;
}

static bool put_nothing_here(
	const struct handshake *h, const struct http_request *r, struct own_answer *a)
{
	(void)h;
	(void)r;
	a->status = 404;
	fputs("There is no such page. This is a proxy: other servers are reached through it by\n"
	      "programs that it is entered in, and it has no pages but its own few.\n",
		a->out);
	return true;
}

static bool put_setup(const struct handshake *h, const struct http_request *r, struct own_answer *a)
{
	struct setup_page page = {.has_socks5 = has_door(h, PROTOCOL_SOCKS5),
		.has_socks4 = has_door(h, PROTOCOL_SOCKS4),
		.login = login_of(h->config)};
	struct http_slice agent = {.text = "", .len = 0};
	struct own_address own = {.host = ""};
	struct allowance_view limits;
	char client[ADDR_TEXT_MAX], policy[SETUP_POLICY_MAX];

	if (h->config->settings.setup_page == 0)
		return put_nothing_here(h, r, a);
	find_own_address(&own, h, r);
	(void)http_find_field(&r->fields, "User-Agent", &agent);
	page.host = own.host;
	page.port = own.port;
	page.is_loopback = own.is_loopback;
	page.client = addr_format_host(h->from, client);
	page.first = setup_page_guess(agent.text, agent.len);
	if (h->client_entry != NULL && !is_asked_by_stranger(h, r)) {
		ledger_show_limits(h->client_entry, (int64_t)time(NULL), &limits);
		page.limits = &limits;
	}
	snprintf(a->policy, sizeof(a->policy),
		"Content-Security-Policy: %s\r\nReferrer-Policy: no-referrer\r\n",
		setup_page_policy(policy));
	a->type = "text/html; charset=utf-8";
	a->fields = a->policy;
	return setup_page_put(&page, a->out);
}

static bool put_pac(const struct handshake *h, const struct http_request *r, struct own_answer *a)
{
	const struct settings *s = &h->config->settings;
	char proxy[sizeof(((struct own_address *)0)->host) + 8];
	struct own_address own = {.host = ""};
	struct pac pac = {.proxy = proxy,
		.has_http = has_door(h, PROTOCOL_HTTP),
		.has_socks5 = has_door(h, PROTOCOL_SOCKS5),
		.has_socks4 = has_door(h, PROTOCOL_SOCKS4),
		.wants_login = admission_login_required(h->config),
		.falls_back = s->pac_fallback == PAC_FALLBACK_DIRECT,
		.direct = &s->pac_direct};

	find_own_address(&own, h, r);
	snprintf(proxy, sizeof(proxy), "%s:%u", own.host, own.port);
	a->type = "application/x-ns-proxy-autoconfig";
	a->is_kept = true;
	return pac_put(&pac, a->out);
}

static bool put_health(
	const struct handshake *h, const struct http_request *r, struct own_answer *a)
{
	const char *word = places_health(&h->services->places, true);

	(void)r;
	if (strcmp(word, "ok") != 0)
		a->status = 503;
	fprintf(a->out, "%s\n", word);
	return true;
}

static bool put_wrong_method(
	const struct handshake *h, const struct http_request *r, struct own_answer *a)
{
	(void)h;
	(void)r;
	a->status = 405;
	a->fields = "Allow: GET, HEAD\r\n";
	fputs("The pages of this proxy can be got (GET, HEAD), and nothing else.\n", a->out);
	return true;
}

static const struct own_page {
	const char *path;
	put_page_function *put;
	enum end_reason reason;
} pages[] = {
	{"/", put_setup, END_OWN_PAGE},
	{"/proxy.pac", put_pac, END_OWN_PAGE},
	{"/wpad.dat", put_pac, END_OWN_PAGE},
	{"/healthz", put_health, END_HEALTH_CHECK},
};

static const struct own_page nothing_here = {"", put_nothing_here, END_OWN_PAGE};

/* The query decides nothing. */
static const struct own_page *find_page(const struct http_request *r)
{
	struct http_slice path = r->path;
	const char *query = path.len > 0 ? memchr(path.text, '?', path.len) : NULL;

	if (query != NULL)
		path.len = (size_t)(query - path.text);
	if (path.len == 0)
		return &pages[0];
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (http_equals(&path, pages[i].path))
			return &pages[i];
	}
	return &nothing_here;
}

/* ---- answers ---- */

/* Of all pages the PAC script alone may be kept, and not for long: it changes with the settings. */
static void put_head(const struct own_answer *a, size_t len, FILE *out)
{
	char head[HEAD_MAX] = "", date[64];
	struct http_writer w = {.at = head, .end = head + sizeof(head)};
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
	http_put_status(&w, a->status);
	http_put_text(&w, date);
	http_put_text(&w, "Content-Type: ");
	http_put_text(&w, a->type);
	http_put_text(&w, "\r\nContent-Length: ");
	http_put_number(&w, (int64_t)len);
	http_put_text(&w,
		a->is_kept ? "\r\nCache-Control: max-age=600\r\n"
			   : "\r\nCache-Control: no-store\r\n");
	http_put_text(&w, "X-Content-Type-Options: nosniff\r\n");
	http_put_text(&w, a->fields);
	http_put_text(&w, "\r\n");
	fwrite(head, 1, (size_t)(w.at - head), out);
}

/* Without memory. */
static bool send_apology(struct handshake *h)
{
	static const char text[] = "HTTP/1.1 503 Service Unavailable\r\n"
				   "Connection: close\r\n"
				   "Content-Length: 0\r\n\r\n";

	return dialect_send(h, text, sizeof(text) - 1);
}

static bool send_page(
	struct handshake *h, const struct http_request *r, put_page_function *put, bool is_head)
{
	struct own_answer a = {.status = 200, .type = "text/plain; charset=utf-8", .fields = ""};
	struct writing body, whole;
	bool is_whole, is_sent;

	a.out = writing_begin(&body);
	is_whole = a.out != NULL && put(h, r, &a);
	is_whole = writing_end(&body) && is_whole;
	if (writing_begin(&whole) != NULL && is_whole) {
		put_head(&a, body.len, whole.out);
		if (!is_head)
			fwrite(body.text, 1, body.len, whole.out);
	}
	is_whole = writing_end(&whole) && is_whole;
	is_sent = is_whole ? dialect_send(h, whole.text, whole.len) : send_apology(h);
	free(whole.text);
	free(body.text);
	return is_sent;
}

bool own_pages_answer(struct handshake *h, const struct http_request *r)
{
	const struct own_page *page = find_page(r);
	bool is_head = http_equals(&r->method, "HEAD");
	bool is_legal = is_head || http_equals(&r->method, "GET") || page == &nothing_here;

	h->reason = END_CLIENT_LEFT;
	h->answered = send_page(h, r, is_legal ? page->put : put_wrong_method, is_head);
	return h->answered ? dialect_fail(h, page->reason) : false;
}
