/*
 * What is written is short and its room is known beforehand, so nothing is checked but at the end:
 * who has written looks once at whether it all fitted.
 */
#include "wire/http_write.h"

#include <string.h>

#include "base/digits.h"

void http_put(struct http_writer *w, const char *bytes, size_t len)
{
	if (len > (size_t)(w->end - w->at)) {
		w->is_full = true;
		return;
	}
	if (len > 0)
		memmove(w->at, bytes, len);
	w->at += len;
}

void http_put_slice(struct http_writer *w, const struct http_slice *s)
{
	http_put(w, s->text, s->len);
}

void http_put_text(struct http_writer *w, const char *text)
{
	http_put(w, text, strlen(text));
}

void http_put_number(struct http_writer *w, int64_t number)
{
	char digits[DIGITS_MAX];

	http_put(w, digits, (size_t)(digits_put(digits, number) - digits));
}

void http_put_field(struct http_writer *w, const struct http_field *field)
{
	char *tail;

	http_put_slice(w, &field->name);
	tail = w->at;
	http_put_slice(w, &field->tail);
	for (char *c = tail; c < w->at; c++) {
		if (*c == '\r' || *c == '\n')
			*c = ' ';
	}
	http_put_text(w, "\r\n");
}

static const struct {
	unsigned status;
	const char *phrase;
} phrases[] = {
	{200, "OK"},
	{303, "See Other"},
	{304, "Not Modified"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{407, "Proxy Authentication Required"},
	{408, "Request Timeout"},
	{411, "Length Required"},
	{413, "Content Too Large"},
	{415, "Unsupported Media Type"},
	{421, "Misdirected Request"},
	{429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{502, "Bad Gateway"},
	{503, "Service Unavailable"},
	{504, "Gateway Timeout"},
	{505, "HTTP Version Not Supported"},
};

const char *http_reason_phrase(unsigned status)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
		if (phrases[i].status == status)
			return phrases[i].phrase;
	}
	return "";
}

void http_put_status(struct http_writer *w, unsigned status)
{
	http_put_text(w, "HTTP/1.1 ");
	http_put_number(w, status);
	http_put_text(w, " ");
	http_put_text(w, http_reason_phrase(status));
	http_put_text(w, "\r\nConnection: close\r\n");
}

void http_put_page(
	struct http_writer *w, unsigned status, const char *fields, const char *text, bool is_head)
{
	http_put_status(w, status);
	http_put_text(w, fields);
	http_put_text(w,
		"Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n"
		"Content-Length: ");
	http_put_number(w, (int64_t)strlen(text));
	http_put_text(w, "\r\n\r\n");
	if (!is_head)
		http_put_text(w, text);
}
