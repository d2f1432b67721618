/* setup_page: the page that tells people how to use the proxy. Pure; no lock. */
#ifndef PROXY_SETUP_PAGE_H
#define PROXY_SETUP_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "state/allowance.h"

/* Of the programs and systems that the page speaks of, in this order: the one list, with the id of
 * each part. */
/* clang-format off */
#define SETUP_SECTION_LIST(X) \
	X(FIREFOX, "firefox") \
	X(WINDOWS, "windows") \
	X(MACOS, "macos") \
	X(IPHONE, "iphone") \
	X(ANDROID, "android") \
	X(CHROME, "chrome") \
	X(LINUX, "linux") \
	X(CURL, "curl") \
	X(SSH, "ssh") \
	X(GIT, "git") \
	X(APT, "apt")

enum setup_section {
#define SETUP_SECTION(name, id) SETUP_##name,
	SETUP_SECTION_LIST(SETUP_SECTION)
#undef SETUP_SECTION
	SETUP_SECTIONS,
};
/* clang-format on */

enum setup_login {
	SETUP_LOGIN_NONE,
	SETUP_LOGIN_OPTIONAL,
	SETUP_LOGIN_REQUIRED,
};

struct setup_page {
	const char *host; /* as in a URL: an IPv6 address in its brackets */
	uint16_t port;
	bool is_loopback; /* nobody else reaches it by that */
	bool has_socks5, has_socks4; /* doors beside that for HTTP */
	enum setup_login login;
	const char *client; /* whose browser it is, as text */
	enum setup_section first; /* opened and put in front; SETUP_SECTIONS: none */
	const struct allowance_view *limits; /* what holds for the client; NULL: nothing */
};

/* The section for who calls himself so in User-Agent; SETUP_SECTIONS: for nobody of them. */
enum setup_section setup_page_guess(const char *user_agent, size_t len);

/* Writes the page. False without memory. */
bool setup_page_put(const struct setup_page *page, FILE *out);

#define SETUP_POLICY_MAX 320

/* The Content-Security-Policy that lets the page have its style and nothing else. */
const char *setup_page_policy(char out[SETUP_POLICY_MAX]);

#endif
