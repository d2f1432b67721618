/*
 * The assembler puts the files into the object as they are, as it does those of the proxy's own
 * pages: it finds them from the top of the tree, where make runs the compiler, and what make has
 * packed of them where that has put it.
 */
#include "web/pages.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#ifndef PACKED /* the folder */
#define PACKED "build/pages/"
#endif

#define EMBED(symbol, file)                                                                        \
	__asm__(".pushsection .rodata\n" #symbol ":\n"                                             \
		".incbin \"src/web/pages/" file "\"\n" #symbol "_end:\n" #symbol "_packed:\n"      \
		".incbin \"" PACKED file ".gz\"\n" #symbol "_packed_end:\n"                        \
		".byte 0\n"                                                                        \
		".popsection\n");                                                                  \
	extern const char(symbol)[], symbol##_end[], symbol##_packed[], symbol##_packed_end[]

/* The same where other files have it: as a string. */
#define EMBED_TEXT(symbol, file)                                                                   \
	__asm__(".pushsection .rodata\n.globl " #symbol "\n" #symbol ":\n"                         \
		".incbin \"src/web/pages/" file "\"\n.byte 0\n.popsection\n")

EMBED(web_base, "base.css");
EMBED(web_app, "app.js");
EMBED(web_format, "format.js");
EMBED(web_table, "table.js");
EMBED(web_plot, "plot.js");
EMBED(web_dialog, "dialog.js");
EMBED(web_icon, "icon.svg");
EMBED(web_now, "page_now.js");
EMBED(web_sessions, "page_sessions.js");
EMBED(web_users, "page_users.js");
EMBED(web_account, "account.js");
EMBED(web_rules, "page_rules.js");
EMBED(web_log, "page_log.js");
EMBED(web_settings, "page_settings.js");
EMBED(web_own, "page_own.js");
EMBED(web_facts, "facts.js");

EMBED_TEXT(pages_login, "login.html");
EMBED_TEXT(pages_layout, "layout.html");
EMBED_TEXT(pages_now, "now.html");
EMBED_TEXT(pages_sessions, "sessions.html");
EMBED_TEXT(pages_users, "users.html");
EMBED_TEXT(pages_rules, "rules.html");
EMBED_TEXT(pages_log, "log.html");
EMBED_TEXT(pages_settings, "settings.html");
EMBED_TEXT(pages_own, "own.html");

#define TEXT(symbol)                                                                               \
	.plain = {(symbol), symbol##_end}, .packed = {symbol##_packed, symbol##_packed_end}
#define CSS .type = "text/css; charset=utf-8", .who = PAGE_FOR_ALL
#define SVG .type = "image/svg+xml", .who = PAGE_FOR_ALL
#define ADMINS_JS .type = "text/javascript; charset=utf-8", .who = PAGE_FOR_ADMINS
#define JS .type = "text/javascript; charset=utf-8", .who = PAGE_FOR_USERS

static const struct page table[] = {
	{.path = "/base.css", CSS, TEXT(web_base)},
	{.path = "/icon.svg", SVG, TEXT(web_icon)},
	{.path = "/favicon.ico",
		SVG,
		TEXT(web_icon)}, /* asked for by what is no page, and cannot say */
	{.path = "/app.js", JS, TEXT(web_app)},
	{.path = "/format.js", JS, TEXT(web_format)},
	{.path = "/table.js", JS, TEXT(web_table)},
	{.path = "/plot.js", JS, TEXT(web_plot)},
	{.path = "/dialog.js", JS, TEXT(web_dialog)},
	{.path = "/facts.js", ADMINS_JS, TEXT(web_facts)},
	{.path = "/account.js", ADMINS_JS, TEXT(web_account)},
	{.path = "/page_now.js", ADMINS_JS, TEXT(web_now)},
	{.path = "/page_sessions.js", ADMINS_JS, TEXT(web_sessions)},
	{.path = "/page_users.js", ADMINS_JS, TEXT(web_users)},
	{.path = "/page_rules.js", ADMINS_JS, TEXT(web_rules)},
	{.path = "/page_log.js", ADMINS_JS, TEXT(web_log)},
	{.path = "/page_settings.js", ADMINS_JS, TEXT(web_settings)},
	{.path = "/page_own.js", JS, TEXT(web_own)},
};

const struct page *pages_find(const struct http_slice *path)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (http_equals(path, table[i].path))
			return &table[i];
	}
	return NULL;
}

const char *pages_etag(const struct page_bytes *bytes, char out[PAGES_ETAG_MAX])
{
	unsigned char hash[16];
	char digits[2 * sizeof(hash) + 1];

	crypto_generichash(hash, sizeof(hash), (const unsigned char *)bytes->begin,
		(size_t)(bytes->end - bytes->begin), NULL, 0);
	sodium_bin2hex(digits, sizeof(digits), hash, sizeof(hash));
	snprintf(out, PAGES_ETAG_MAX, "\"%s\"", digits);
	return out;
}
