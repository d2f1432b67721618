/* pac: the script from which browsers take how they reach a proxy. Pure; no lock. */
#ifndef PROXY_PAC_H
#define PROXY_PAC_H

#include <stdbool.h>
#include <stdio.h>

#include "state/page_settings.h"

struct pac {
	const char *proxy; /* "192.0.2.1:1080", "[2001:db8::1]:1080", "proxy.example.org:1080" */
	bool has_http, has_socks5, has_socks4; /* the proxy's doors: one at least */
	bool wants_login;
	bool falls_back; /* without the proxy, where it cannot be reached */
	const struct word_list *direct; /* a value of pac_direct */
};

/* Writes FindProxyForURL(). False without memory. */
bool pac_put(const struct pac *pac, FILE *out);

#endif
