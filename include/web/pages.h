/* pages: the files that the web's front serves as they are, which the build takes from
 * src/web/pages. Constant; no lock. */
#ifndef WEB_PAGES_H
#define WEB_PAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/http_fields.h"

#define PAGES_ETAG_MAX 40

/* Who gets it. */
enum page_who {
	PAGE_FOR_ALL, /* style and script of the login, say */
	PAGE_FOR_USERS, /* whoever is logged in */
	PAGE_FOR_ADMINS,
};

/* A file without places that values are put in. A row of the table in pages.c. */
struct page {
	const char *path; /* of the URL */
	const char *type; /* Content-Type */
	enum page_who who;
	const char *text;
	const char *end; /* behind its last byte */
};

/* The page of that path; NULL when there is none. */
const struct page *pages_find(const struct http_slice *path);

/* The login's page, as a string for template_put(). */
extern const char pages_login[];

/* What changes with its content, quotes included. Returns `out`. */
const char *pages_etag(const struct page *p, char out[PAGES_ETAG_MAX]);

#endif
