/*
 * Fields are gone through in their order, and each is left out, put in another form, or put to the
 * byte. Those that say where the body ends are never left out because Connection names them:
 * whoever writes the body, which goes on as it came, has to say so.
 */
#include "proxy/http_forward.h"

#include <string.h>

static void put_via(struct http_writer *w, unsigned minor)
{
	http_put_text(w, minor == 0 ? "Via: 1.0 socks5d\r\n" : "Via: 1.1 socks5d\r\n");
}

/* ---- requests ---- */

/* The one protocol that is asked for. Of several, be they in one field or in more (RFC 9110 section
 * 7.8), the server would take one that is not known here: false, as for none. */
static bool find_protocol(const struct http_request *r, struct http_slice *protocol)
{
	struct http_slice rest = r->fields, member;
	struct http_field field;
	size_t count = 0;

	while (http_next_field(&rest, &field)) {
		while (http_is(&field.name, "Upgrade") && http_next_member(&field.value, &member)) {
			*protocol = member;
			count++;
		}
	}
	return count == 1;
}

bool http_forward_upgrades(const struct http_request *r)
{
	const struct http_slice word = {"upgrade", strlen("upgrade")};
	struct http_slice protocol;

	return r->minor > 0 && r->body.framing == HTTP_NO_BODY &&
		http_connection_has(&r->connection, &word) && find_protocol(r, &protocol) &&
		!http_is(&protocol, "h2c");
}

/* The path of a URL may be empty (RFC 9112 section 3.2.1), and means all of the server to OPTIONS
 * (section 3.2.4). */
static void put_path(struct http_writer *w, const struct http_request *r)
{
	if (r->path.len == 0 && http_equals(&r->method, "OPTIONS"))
		http_put_text(w, "*");
	else if (r->path.len == 0 || r->path.text[0] == '?')
		http_put_text(w, "/");
	http_put_slice(w, &r->path);
}

/* Without a colon that has no port behind it. */
static void put_host(struct http_writer *w, const struct http_request *r)
{
	struct http_slice host = r->authority;

	if (host.text[host.len - 1] == ':')
		host.len--;
	http_put_text(w, "Host: ");
	http_put_slice(w, &host);
	http_put_text(w, "\r\n");
}

/* May the request be forwarded so often only? (RFC 9110 section 7.6.2) */
static bool has_bound(const struct http_request *r)
{
	return http_equals(&r->method, "OPTIONS") || http_equals(&r->method, "TRACE");
}

static bool parse_bound(const struct http_field *field, int64_t *most)
{
	return http_is(&field->name, "Max-Forwards") && http_parse_length(&field->value, most);
}

bool http_forward_is_last_hop(const struct http_request *r)
{
	struct http_slice rest = r->fields;
	struct http_field field;
	int64_t most;

	while (has_bound(r) && http_next_field(&rest, &field)) {
		if (parse_bound(&field, &most) && most == 0)
			return true;
	}
	return false;
}

/* One less. */
static bool put_max_forwards(
	struct http_writer *w, const struct http_request *r, const struct http_field *field)
{
	int64_t most;

	if (!has_bound(r) || !parse_bound(field, &most) || most == 0)
		return false;
	http_put_text(w, "Max-Forwards: ");
	http_put_number(w, most - 1);
	http_put_text(w, "\r\n");
	return true;
}

static bool goes_to_server(
	const struct http_request *r, const struct http_field *field, bool upgrades)
{
	const struct http_slice *name = &field->name;

	if (http_is(name, "Host"))
		return false;
	if (http_is(name, "Content-Length") || http_is(name, "Transfer-Encoding"))
		return true;
	if (http_is(name, "Upgrade"))
		return upgrades;
	/* RFC 9110 section 10.1.1: of a client that cannot be told to go on it means nothing. */
	if (http_is(name, "Expect") && r->minor == 0)
		return false;
	return !http_is_hop_by_hop(&r->connection, name);
}

/* What stands behind the method and the target. */
static void put_rest_of_request(struct http_writer *w, const struct http_request *r, bool has_via)
{
	bool upgrades = http_forward_upgrades(r);
	struct http_slice rest = r->fields;
	struct http_field field;

	http_put_text(w, " HTTP/1.1\r\n");
	put_host(w, r);
	while (http_next_field(&rest, &field)) {
		if (goes_to_server(r, &field, upgrades) && !put_max_forwards(w, r, &field))
			http_put_field(w, &field);
	}
	if (has_via)
		put_via(w, r->minor);
	http_put_text(w, upgrades ? "Connection: Upgrade\r\n" : "Connection: close\r\n");
}

void http_forward_request(struct http_writer *w, const struct http_request *r, bool has_via)
{
	http_put_slice(w, &r->method);
	http_put_text(w, " ");
	put_path(w, r);
	put_rest_of_request(w, r, has_via);
	http_put_text(w, "\r\n");
}

void http_forward_absolute(
	struct http_writer *w, const struct http_request *r, bool has_via, const char *login)
{
	http_put_slice(w, &r->method);
	http_put_text(w, " ");
	http_put_slice(w, &r->scheme);
	http_put_text(w, "://");
	http_put_slice(w, &r->authority);
	http_put_slice(w, &r->path);
	put_rest_of_request(w, r, has_via);
	if (*login != '\0') {
		http_put_text(w, "Proxy-Authorization: ");
		http_put_text(w, login);
		http_put_text(w, "\r\n");
	}
	http_put_text(w, "\r\n");
}

/* ---- answers ---- */

static bool has_coding(const struct http_response *r)
{
	return r->body.framing == HTTP_CHUNKED || r->is_coded;
}

/* One length, where it was said more than once, and none beside chunks (RFC 9112 section 6.3). */
static bool put_length(struct http_writer *w, const struct http_response *r,
	const struct http_field *field, bool *has_length)
{
	if (!http_is(&field->name, "Content-Length"))
		return false;
	if (!*has_length && !has_coding(r)) {
		http_put_text(w, "Content-Length: ");
		http_put_number(w, r->body.length);
		http_put_text(w, "\r\n");
	}
	*has_length = true;
	return true;
}

static bool goes_to_client(
	const struct http_response *r, const struct http_field *field, const struct http_hop *hop)
{
	const struct http_slice *name = &field->name;

	if (http_is(name, "Transfer-Encoding") || http_is(name, "Trailer"))
		return !hop->takes_chunks_apart;
	if (http_is(name, "Upgrade"))
		return hop->is_tunnel;
	return !http_is_hop_by_hop(&r->connection, name);
}

static void put_status_line(struct http_writer *w, const struct http_response *r)
{
	http_put_text(w, "HTTP/1.1 ");
	http_put_number(w, r->status);
	http_put_text(w, " ");
	http_put_slice(w, &r->reason);
	http_put_text(w, "\r\n");
}

void http_forward_response(
	struct http_writer *w, const struct http_response *r, const struct http_hop *hop)
{
	struct http_slice rest = r->fields;
	struct http_field field;
	bool has_length = false;

	put_status_line(w, r);
	while (http_next_field(&rest, &field)) {
		if (!put_length(w, r, &field, &has_length) && goes_to_client(r, &field, hop))
			http_put_field(w, &field);
	}
	if (hop->has_via)
		put_via(w, r->minor);
	if (hop->is_tunnel)
		http_put_text(w, "Connection: Upgrade\r\n");
	else if (!http_response_is_interim(r))
		http_put_text(w, "Connection: close\r\n");
	http_put_text(w, "\r\n");
}
