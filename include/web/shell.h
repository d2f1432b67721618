/* shell: the pages for people, each within the same frame of header, navigation and alarms. The
 * web's thread's; no lock. */
#ifndef WEB_SHELL_H
#define WEB_SHELL_H

#include "base/template.h"
#include "web/connection.h"
#include "web/pages.h"
#include "web/view.h"

#define SHELL_HOST_MAX 65

/* A row of the table in shell.c. The navigation has them in its order. */
struct shell_page {
	const char *path; /* of the URL */
	const char *title; /* of the page and in the navigation */
	const char *name; /* its script is /page_NAME.js */
	enum page_who who; /* others get their own page instead */
	const char *text; /* what is within the frame, for template_put() */
	const struct view_part *parts; /* whose answers are in it; NULL: none's */
};

/* The page of that path; NULL when there is none. */
const struct shell_page *shell_find(const struct http_slice *path);

/* Answers with the page; `fields` are those of its text. Somebody is logged in, and may see it. */
void shell_show(
	struct web_connection *c, const struct shell_page *p, const struct template_field *fields);

/* The name of this host. Returns `out`. */
const char *shell_host(char out[SHELL_HOST_MAX]);

#endif
