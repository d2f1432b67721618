/*
 * Who types the proxy's address into a browser asks for a page of ours, in the form in which
 * servers are asked. There is none.
 */
#include "proxy/own_pages.h"

#include "wire/http_write.h"

bool own_pages_are_meant(const struct handshake *h, const struct http_request *r)
{
	(void)h;
	return r->form == HTTP_ORIGIN_FORM || r->form == HTTP_ASTERISK_FORM;
}

bool own_pages_answer(struct handshake *h, const struct http_request *r)
{
	char answer[512];
	struct http_writer w = {answer, answer + sizeof(answer), false};

	http_put_page(&w, 404, "",
		"This port is a proxy, and has no pages of its own. To use it, enter its address "
		"as\nthe HTTP proxy or as the SOCKS5 proxy of your program.\n",
		http_equals(&r->method, "HEAD"));
	return dialect_refuse(h, END_OWN_PAGE, answer, (size_t)(w.at - answer));
}
