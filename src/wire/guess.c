/*
 * Each protocol has a function that says whether the bytes are its beginning, are not, or are too
 * few. The first that takes them has them: HTTP comes last, since its methods may have any name,
 * that of the PROXY protocol too.
 */
#include "wire/guess.h"

#include <stdbool.h>
#include <string.h>

#include "wire/proxyproto.h"

/* Of an HTTP request that is taken for one. */
#define METHOD_MAX 24 /* BASELINE-CONTROL has 16 */
#define SCHEME_MAX 16

enum match { NO, MORE, YES };

static enum match match_prefix(const uint8_t *p, size_t n, const char *wanted, size_t len)
{
	if (memcmp(p, wanted, n < len ? n : len) != 0)
		return NO;
	return n < len ? MORE : YES;
}

/* ---- HTTP (RFC 9112 section 3): a method, a blank, and what only a request-target is ---- */

static bool is_upper(uint8_t c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_of_method(uint8_t c)
{
	return is_upper(c) || c == '-';
}

static bool is_of_scheme(uint8_t c)
{
	return is_upper(c) || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
		c == '-' || c == '.';
}

static size_t count_while(bool (*is_of)(uint8_t c), const uint8_t *p, size_t n)
{
	size_t i = 0;

	while (i < n && is_of(p[i]))
		i++;
	return i;
}

/* "http://", as a proxy is asked. */
static enum match match_absolute_form(const uint8_t *p, size_t n)
{
	size_t scheme = count_while(is_of_scheme, p, n);

	if (scheme > SCHEME_MAX)
		return NO;
	if (scheme == n)
		return MORE;
	return scheme == 0 ? NO : match_prefix(p + scheme, n - scheme, "://", 3);
}

static enum match match_http(const uint8_t *p, size_t n)
{
	size_t method = count_while(is_of_method, p, n);

	if (method > METHOD_MAX)
		return NO;
	if (method == n)
		return MORE;
	if (method == 0 || p[method] != ' ')
		return NO;
	if (method == strlen("CONNECT") && memcmp(p, "CONNECT", method) == 0)
		return YES;
	p += method + 1;
	n -= method + 1;
	if (n > 0 && (*p == '/' || *p == '*'))
		return YES;
	return match_absolute_form(p, n);
}

/* ---- the others ---- */

/* A record of the type handshake, of any version since SSL 3.0 (RFC 8446 section 5.1). */
static enum match match_tls(const uint8_t *p, size_t n)
{
	enum match begins = match_prefix(p, n, "\x16\x03", 2);

	if (begins != YES || n < 3)
		return begins == NO ? NO : MORE;
	return p[2] <= 4 ? YES : NO;
}

/* VER of a greeting, which has no more to know it by (RFC 1928 section 3). */
static enum match match_socks5(const uint8_t *p, size_t n)
{
	return match_prefix(p, n, "\x05", 1);
}

/* VN, and CD of CONNECT or BIND. */
static enum match match_socks4(const uint8_t *p, size_t n)
{
	if (n > 0 && p[0] != 4)
		return NO;
	if (n < 2)
		return MORE;
	return p[1] == 1 || p[1] == 2 ? YES : NO;
}

static enum match match_proxy_v1(const uint8_t *p, size_t n)
{
	return match_prefix(p, n, PROXYPROTO_V1_START, PROXYPROTO_V1_START_LEN);
}

static enum match match_proxy_v2(const uint8_t *p, size_t n)
{
	return match_prefix(p, n, PROXYPROTO_V2_START, PROXYPROTO_V2_START_LEN);
}

static const struct {
	enum match (*match)(const uint8_t *p, size_t n);
	const char *word;
} protocols[] = {
	[GUESS_TLS] = {match_tls, "tls"},
	[GUESS_SOCKS5] = {match_socks5, "socks5"},
	[GUESS_SOCKS4] = {match_socks4, "socks4"},
	[GUESS_PROXY_V1] = {match_proxy_v1, "proxy_v1"},
	[GUESS_PROXY_V2] = {match_proxy_v2, "proxy_v2"},
	[GUESS_HTTP] = {match_http, "http"},
};

enum guess guess_protocol(const uint8_t *p, size_t n)
{
	enum guess guess = GUESS_UNKNOWN;

	for (enum guess g = GUESS_TLS; g <= GUESS_HTTP; g++) {
		enum match match = protocols[g].match(p, n);

		if (match == YES)
			return g;
		if (match == MORE)
			guess = GUESS_MORE;
	}
	return guess;
}

const char *guess_word(enum guess guess)
{
	return protocols[guess].word;
}
