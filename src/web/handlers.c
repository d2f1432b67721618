/*
 * What a path wants is in its row: methods, who may, who answers. In front of all that, and for all
 * of it but healthz, the host is asked for: a page of somebody else's whose name suddenly has our
 * address (DNS rebinding) asks under its own name. Nothing here knows what is shown.
 */
#include "web/handlers.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "state/page_settings.h"
#include "web/api.h"
#include "web/login.h"
#include "web/metrics.h"
#include "web/own.h"
#include "web/pages.h"
#include "web/respond.h"
#include "web/shell.h"
#include "wire/form.h"
#include "wire/http_accept.h"

/* ---- who asks, and for whom ---- */

const struct addr *handlers_from(const struct web_connection *c)
{
	return &c->client.from;
}

/* The last one of a field that is a list, over all fields of that name. */
static bool find_last_member(
	const struct http_slice *fields, const char *name, struct http_slice *out)
{
	struct http_slice rest = *fields, member;
	struct http_field field;
	bool found = false;

	while (http_next_field(&rest, &field)) {
		if (!http_is(&field.name, name))
			continue;
		while (http_next_member(&field.value, &member)) {
			*out = member;
			found = true;
		}
	}
	return found;
}

/* Behind a server that is believed it is whom that has told; the address of that one where it tells
 * none. */
static void find_client(struct web_connection *c, const struct settings *s)
{
	const struct http_slice *fields = &c->request.head.fields;
	struct http_slice value;
	bool has_port;
	struct addr a;

	c->client = c->peer;
	c->is_told = c->is_tls = false;
	if (!network_list_contains(&s->web_trusted, &c->peer.from))
		return;
	c->is_told = find_last_member(fields, "X-Forwarded-For", &value) &&
		(addr_parse(value.text, value.len, &a) ||
			addr_parse_port(value.text, value.len, &a, &has_port));
	if (c->is_told)
		c->client = peer_from_address(c->desk->services->own, &a);
	c->is_tls =
		find_last_member(fields, "X-Forwarded-Proto", &value) && http_is(&value, "https");
}

static bool is_own_host(const struct http_slice *host, const struct settings *s)
{
	struct destination d;
	struct http_slice name;

	if (!http_parse_authority(host, 80, &d))
		return false;
	if (d.kind == DESTINATION_ADDR)
		return true;
	name = (struct http_slice){.text = d.name, .len = d.name_len};
	return http_is(&name, "localhost") ||
		proxy_names_find(&s->web_names, d.name, d.name_len, NULL);
}

static bool find_given_token(const struct web_connection *c, char out[LOGINS_ID_TEXT + 1])
{
	struct http_slice value;

	if (http_find_field(&c->request.head.fields, "X-Token", &value) &&
		value.len == LOGINS_ID_TEXT) {
		memcpy(out, value.text, value.len);
		out[value.len] = '\0';
		return true;
	}
	return form_find(&c->request.body, "token", out, LOGINS_ID_TEXT + 1) == LOGINS_ID_TEXT;
}

bool handlers_is_own(const struct web_connection *c, const char *token)
{
	char given[LOGINS_ID_TEXT + 1];
	struct http_slice site;

	if (http_find_field(&c->request.head.fields, "Sec-Fetch-Site", &site) &&
		http_equals(&site, "same-origin"))
		return true;
	return token != NULL && find_given_token(c, given) && logins_is_token(token, given);
}

/* ---- pages ---- */

static void answer_health(struct web_connection *c)
{
	const char *word = places_health(&c->desk->services->places, false);
	char text[32], *body;
	int len = snprintf(text, sizeof(text), "%s\n", word);

	respond_begin(c, strcmp(word, "ok") == 0 ? 200 : 503);
	body = strdup(text);
	if (body != NULL)
		respond_own(c, "text/plain; charset=utf-8", body, (size_t)len);
}

static bool may_see(const struct web_connection *c, enum page_who who)
{
	const struct login_session *s = c->request.session;

	if (who == PAGE_FOR_ALL)
		return true;
	return s != NULL && (who == PAGE_FOR_USERS || s->role == USER_ROLE_ADMIN);
}

/* Is it among those that the client has (RFC 9110 section 13.1.2)? */
static bool has_etag(const struct http_slice *fields, const char *etag)
{
	struct http_slice rest = *fields, member;
	struct http_field field;

	while (http_next_field(&rest, &field)) {
		if (!http_is(&field.name, "If-None-Match"))
			continue;
		while (http_next_member(&field.value, &member)) {
			if (member.len > 2 && memcmp(member.text, "W/", 2) == 0)
				member = (struct http_slice){member.text + 2, member.len - 2};
			if (http_equals(&member, "*") || http_equals(&member, etag))
				return true;
		}
	}
	return false;
}

/* Browsers keep it, and ask each time whether it is still the same: after an update it is not. */
static void serve_file(struct web_connection *c, const struct page *p)
{
	const struct http_slice *fields = &c->request.head.fields;
	bool is_packed = http_accepts_coding(fields, "gzip");
	const struct page_bytes *bytes = is_packed ? &p->packed : &p->plain;
	char etag[PAGES_ETAG_MAX];
	bool is_known = has_etag(fields, pages_etag(bytes, etag));

	respond_begin(c, is_known ? 304 : 200);
	respond_field(c, "ETag: %s", etag);
	respond_field(
		c, "Cache-Control: %s", p->who == PAGE_FOR_ALL ? "no-cache" : "private, no-cache");
	respond_field(c, "Vary: Accept-Encoding");
	if (is_known)
		return;
	if (is_packed)
		respond_field(c, "Content-Encoding: gzip");
	respond_body(c, p->type, bytes->begin, (size_t)(bytes->end - bytes->begin));
}

/* Who is not logged in does not learn what there is; who is no administrator is shown to his own
 * page from the first one. */
static void refuse_page(struct web_connection *c, bool is_there)
{
	if (c->request.session == NULL)
		respond_redirect(c, "/login");
	else if (!is_there)
		respond_say(c, 404, "There is no such page.\n");
	else if (http_equals(&c->request.path, "/"))
		respond_redirect(c, "/own");
	else
		respond_html(c, 403,
			"<!DOCTYPE html>\n<html lang=\"en\">\n<title>socks5d</title>\n"
			"<link rel=\"stylesheet\" href=\"/base.css\">\n<main>\n"
			"<p>That is for administrators. <a href=\"/own\">Your own page</a></p>\n"
			"</main>\n</html>\n");
}

/* Beside the fields of the page's parts. */
static void show_view(struct web_connection *c, const struct template_field *fields)
{
	struct template_field all[VIEW_PARTS_MAX + 5];
	bool is_done = c->page_status == 200;
	size_t n = 0;

	for (; fields[n].name != NULL; n++)
		all[n] = fields[n];
	all[n++] = (struct template_field){"done", is_done ? c->notice : ""};
	all[n++] = (struct template_field){"problem", is_done ? "" : c->notice};
	all[n++] = (struct template_field){"token", c->request.session->token};
	all[n++] = (struct template_field){"own_name", c->request.session->user};
	all[n] = (struct template_field){NULL, NULL};
	shell_show(c, shell_find(&c->request.path), all);
	if (c->answer.status == 200)
		c->answer.status = c->page_status;
}

void handlers_show_page(struct web_connection *c, unsigned status, const char *notice)
{
	c->page_status = status;
	snprintf(c->notice, sizeof(c->notice), "%s", notice);
	view_begin(c, shell_find(&c->request.path)->parts, show_view);
}

static void answer_page(struct web_connection *c)
{
	const struct shell_page *page = shell_find(&c->request.path);
	const struct page *file = pages_find(&c->request.path);

	if (page != NULL && may_see(c, page->who))
		handlers_show_page(c, 200, "");
	else if (file != NULL && may_see(c, file->who))
		serve_file(c, file);
	else
		refuse_page(c, page != NULL || file != NULL);
}

/* ---- the table ---- */

static const struct route {
	const char *path;
	void (*get)(struct web_connection *c); /* HEAD, too */
	void (*post)(struct web_connection *c);
} routes[] = {
	{"/healthz", answer_health, NULL}, {"/login", login_show, login_enter},
	{"/logout", NULL, login_leave}, {"/metrics", metrics_answer, NULL},
	{"/own", answer_page, own_change_password},
	{"/api/", api_answer, api_answer}, /* and all below */
};

static const struct route any_page = {"", answer_page, NULL};

static const struct route *find_route(const struct http_slice *path)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		const struct route *r = &routes[i];
		size_t len = strlen(r->path);

		if (http_equals(path, r->path) ||
			(r->path[len - 1] == '/' && path->len > len &&
				memcmp(path->text, r->path, len) == 0))
			return r;
	}
	return &any_page;
}

static void refuse_method(struct web_connection *c, const struct route *r)
{
	static const char *const allowed[] = {"GET, HEAD", "POST", "GET, HEAD, POST"};

	respond_say(c, 405, "This path does not take that method.\n");
	respond_field(c, "Allow: %s", allowed[r->post == NULL ? 0 : r->get == NULL ? 1 : 2]);
}

static void answer_by_route(struct web_connection *c, const struct route *r)
{
	const struct http_slice *method = &c->request.head.method;
	bool is_get = http_equals(method, "GET") || http_equals(method, "HEAD");

	if (is_get && r->get != NULL)
		r->get(c);
	else if (http_equals(method, "POST") && r->post != NULL)
		r->post(c);
	else
		refuse_method(c, r);
}

/* By its cookie. What is asked by itself, again and again, is no act of a person. */
static void find_session(struct web_connection *c, const struct route *r)
{
	struct http_slice cookie;

	c->request.session = NULL;
	if (!form_find_cookie(&c->request.head.fields, WEB_COOKIE, &cookie))
		return;
	c->request.session =
		logins_find(&c->desk->logins, c->desk->services->users, &cookie, handlers_from(c));
	if (c->request.session != NULL &&
		((r->get != api_answer && r->get != metrics_answer) ||
			http_equals(&c->request.head.method, "POST") ||
			http_find_field(&c->request.head.fields, "X-Act", &cookie)))
		logins_note_act(c->request.session);
}

void handlers_answer(struct web_connection *c)
{
	struct config *config = config_get(c->desk->services->config);
	const struct http_request *head = &c->request.head;
	const struct route *r;
	bool is_own;

	find_client(c, &config->settings);
	form_split_target(&head->path, &c->request.path, &c->request.query);
	r = find_route(&c->request.path);
	is_own = is_own_host(&head->host, &config->settings);
	config_release(config);
	if (head->form != HTTP_ORIGIN_FORM) {
		respond_say(c, 400, "This is no proxy: ask for a path.\n");
	} else if (r->get == answer_health) {
		answer_by_route(c, r);
	} else if (!is_own) {
		respond_say(c, 421,
			"This server is not asked for by that name: an administrator can add it "
			"to web_names.\n");
	} else {
		find_session(c, r);
		answer_by_route(c, r);
	}
}
