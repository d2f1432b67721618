/*
 * The assembler puts the files into the object as they are, so that they can be written, read and
 * checked as what they are. It finds them from the top of the tree, where make runs the compiler.
 */
#include "proxy/pages.h"

#define EMBED(symbol, file)                                                                        \
	__asm__(".pushsection .rodata\n" #symbol ":\n"                                             \
		".incbin \"src/proxy/pages/" file "\"\n"                                           \
		".byte 0\n"                                                                        \
		".popsection\n");                                                                  \
	extern const char(symbol)[]

EMBED(page_pac, "proxy.pac");
EMBED(page_setup, "setup.html");
EMBED(page_sections, "sections.html");
EMBED(page_style, "style.css");

const char *page_text(enum page_text which)
{
	static const char *const texts[PAGE_TEXTS] = {[PAGE_PAC] = page_pac,
		[PAGE_SETUP] = page_setup,
		[PAGE_SECTIONS] = page_sections,
		[PAGE_STYLE] = page_style};

	return texts[which];
}
