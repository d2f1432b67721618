/*
 * The assembler puts the files into the object as they are, as it does those of the proxy's own
 * pages: it finds them from the top of the tree, where make runs the compiler.
 */
#include "web/pages.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define EMBED(symbol, file)                                                                        \
	__asm__(".pushsection .rodata\n" #symbol ":\n"                                             \
		".incbin \"src/web/pages/" file "\"\n" #symbol "_end:\n"                           \
		".byte 0\n"                                                                        \
		".popsection\n");                                                                  \
	extern const char(symbol)[], symbol##_end[]

EMBED(web_index, "index.html");
EMBED(web_style, "style.css");

__asm__(".pushsection .rodata\n.globl pages_login\npages_login:\n"
	".incbin \"src/web/pages/login.html\"\n.byte 0\n.popsection\n");

#define TEXT(symbol) .text = (symbol), .end = symbol##_end
#define HTML .type = "text/html; charset=utf-8"
#define CSS .type = "text/css; charset=utf-8"

static const struct page table[] = {
	{.path = "/", HTML, .who = PAGE_FOR_USERS, TEXT(web_index)},
	{.path = "/style.css", CSS, .who = PAGE_FOR_ALL, TEXT(web_style)},
};

const struct page *pages_find(const struct http_slice *path)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (http_equals(path, table[i].path))
			return &table[i];
	}
	return NULL;
}

const char *pages_etag(const struct page *p, char out[PAGES_ETAG_MAX])
{
	unsigned char hash[16];
	char digits[2 * sizeof(hash) + 1];

	crypto_generichash(hash, sizeof(hash), (const unsigned char *)p->text,
		(size_t)(p->end - p->text), NULL, 0);
	sodium_bin2hex(digits, sizeof(digits), hash, sizeof(hash));
	snprintf(out, PAGES_ETAG_MAX, "\"%s\"", digits);
	return out;
}
