/*
 * Every answer has the same fields against what others may try with it in a browser. Nothing is
 * stored by anybody, unless the page says so.
 */
#include "web/respond.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/http_write.h"

static const char common_fields[] =
	"Content-Security-Policy: default-src 'self'; base-uri 'none'; form-action 'self'; "
	"frame-ancestors 'none'; object-src 'none'\r\n"
	"Cross-Origin-Opener-Policy: same-origin\r\n"
	"Cross-Origin-Resource-Policy: same-origin\r\n"
	"Referrer-Policy: no-referrer\r\n"
	"X-Content-Type-Options: nosniff\r\n"
	"X-Frame-Options: DENY\r\n";

void respond_drop(struct web_connection *c)
{
	if (c->answer.owned != NULL)
		sodium_memzero(c->answer.owned, c->answer.body_len);
	free(c->answer.owned);
	c->answer = (struct web_answer){.status = 0};
}

void respond_begin(struct web_connection *c, unsigned status)
{
	respond_drop(c);
	c->answer.status = status;
}

void respond_field(struct web_connection *c, const char *format, ...)
{
	struct web_answer *a = &c->answer;
	size_t room = sizeof(a->fields) - a->fields_len;
	va_list ap;
	int len;

	va_start(ap, format);
	len = vsnprintf(a->fields + a->fields_len, room, format, ap);
	va_end(ap);
	if (len < 0 || (size_t)len + 2 >= room) {
		a->fields[a->fields_len] = '\0';
		return;
	}
	a->fields_len += (size_t)len;
	strcpy(a->fields + a->fields_len, "\r\n");
	a->fields_len += 2;
}

void respond_body(struct web_connection *c, const char *type, const char *body, size_t len)
{
	c->answer.type = type;
	c->answer.body = body;
	c->answer.body_len = len;
}

void respond_own(struct web_connection *c, const char *type, char *body, size_t len)
{
	respond_body(c, type, body, len);
	c->answer.owned = body;
}

void respond_say(struct web_connection *c, unsigned status, const char *text)
{
	respond_begin(c, status);
	respond_body(c, "text/plain; charset=utf-8", text, strlen(text));
}

void respond_html(struct web_connection *c, unsigned status, const char *text)
{
	respond_begin(c, status);
	respond_body(c, "text/html; charset=utf-8", text, strlen(text));
}

void respond_redirect(struct web_connection *c, const char *path)
{
	respond_begin(c, 303);
	respond_field(c, "Location: %s", path);
}

static void put_body_fields(struct http_writer *w, const struct web_answer *a)
{
	if (a->type != NULL) {
		http_put_text(w, "Content-Type: ");
		http_put_text(w, a->type);
		http_put_text(w, "\r\n");
	}
	/* RFC 9110 section 8.6: that of 304 would be the page's. */
	if (a->status == 304)
		return;
	http_put_text(w, "Content-Length: ");
	http_put_number(w, (int64_t)a->body_len);
	http_put_text(w, "\r\n");
}

void respond_finish(struct web_connection *c)
{
	struct web_answer *a = &c->answer;
	struct http_writer w = {.at = c->head, .end = c->head + sizeof(c->head)};

	http_put_text(&w, "HTTP/1.1 ");
	http_put_number(&w, a->status);
	http_put_text(&w, " ");
	http_put_text(&w, http_reason_phrase(a->status));
	http_put_text(&w, c->closes ? "\r\nConnection: close\r\n" : "\r\n");
	put_body_fields(&w, a);
	if (strstr(a->fields, "Cache-Control:") == NULL)
		http_put_text(&w, "Cache-Control: no-store\r\n");
	http_put_text(&w, common_fields);
	http_put_text(&w, a->fields);
	http_put_text(&w, "\r\n");
	c->head_len = (size_t)(w.at - c->head);
	c->sent = 0;
}
