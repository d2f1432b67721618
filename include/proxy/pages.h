/* pages: the texts behind what is served to browsers, which the build takes from src/proxy/pages.
 * Constant; no lock. */
#ifndef PROXY_PAGES_H
#define PROXY_PAGES_H

enum page_text {
	PAGE_PAC, /* for template_put(), as the next two */
	PAGE_SETUP,
	PAGE_SECTIONS, /* of that page */
	PAGE_STYLE, /* its CSS */
	PAGE_TEXTS,
};

/* As a string. */
const char *page_text(enum page_text which);

#endif
