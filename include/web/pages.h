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

struct page_bytes {
	const char *begin;
	const char *end; /* behind the last one */
};

/* A file without places that values are put in. A row of the table in pages.c. */
struct page {
	const char *path; /* of the URL */
	const char *type; /* Content-Type */
	enum page_who who;
	struct page_bytes plain, packed; /* by gzip */
};

/* The page of that path; NULL when there is none. */
const struct page *pages_find(const struct http_slice *path);

/* Strings for template_put(): the login's page, the frame of all others, and what is in it. */
extern const char pages_login[], pages_layout[], pages_now[], pages_sessions[], pages_users[],
	pages_rules[], pages_log[], pages_settings[], pages_own[];

/* What changes with the bytes, quotes included. Returns `out`. */
const char *pages_etag(const struct page_bytes *bytes, char out[PAGES_ETAG_MAX]);

#endif
