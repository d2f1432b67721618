/*
 * The frame is one template, a page's text another one, whose result is put into it. Nothing of
 * what is asked for gets into a page but by template_write(), which escapes it.
 *
 * The monitor tells local times without their zone. A page says how far from UTC they are, now and
 * before each change of the clocks of late, so that its scripts can show the browser's own.
 */
#include "web/shell.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/version.h"
#include "base/writing.h"
#include "base/zone.h"
#include "monitor/alarm_commands.h"
#include "web/parts.h"
#include "web/respond.h"
#include "wire/answer.h"

static const struct shell_page table[] = {
	{"/", "Now", "now", PAGE_FOR_ADMINS, pages_now, parts_now},
	{"/sessions", "Sessions", "sessions", PAGE_FOR_ADMINS, pages_sessions, parts_sessions},
	{"/users", "Users and clients", "users", PAGE_FOR_ADMINS, pages_users, parts_users},
	{"/rules", "Rules", "rules", PAGE_FOR_ADMINS, pages_rules, parts_rules},
	{"/log", "Log", "log", PAGE_FOR_ADMINS, pages_log, parts_log},
	{"/settings", "Settings", "settings", PAGE_FOR_ADMINS, pages_settings, parts_settings},
	{"/own", "Account", "own", PAGE_FOR_USERS, pages_own, parts_own},
};

#define PAGES (sizeof(table) / sizeof(table[0]))

const struct shell_page *shell_find(const struct http_slice *path)
{
	for (size_t i = 0; i < PAGES; i++) {
		if (http_equals(path, table[i].path))
			return &table[i];
	}
	return NULL;
}

const char *shell_host(char out[SHELL_HOST_MAX])
{
	if (gethostname(out, SHELL_HOST_MAX - 1) < 0)
		strcpy(out, "socks5d");
	out[SHELL_HOST_MAX - 1] = '\0';
	return out;
}

/* ---- parts of the frame ---- */

static void put_navigation(FILE *out, const struct shell_page *current, enum user_role role)
{
	for (size_t i = 0; i < PAGES; i++) {
		if (table[i].who == PAGE_FOR_ADMINS && role != USER_ROLE_ADMIN)
			continue;
		fprintf(out, "<li><a href=\"%s\"%s>%s</a></li>\n", table[i].path,
			&table[i] == current ? " aria-current=\"page\"" : "", table[i].title);
	}
}

#define ZONE_DAYS 400 /* back from now: what is shown is no older */
#define ZONE_STEP (6 * 3600) /* no clock is changed twice within */

/* "7200 1774746000:3600": the offset now, and for each change, newest first, when it was and the
 * offset before. */
static void put_zone(FILE *out)
{
	int64_t now = (int64_t)time(NULL);
	long offset = zone_offset(now);

	fprintf(out, "%ld", offset);
	for (int64_t t = now; t > now - (int64_t)ZONE_DAYS * 86400; t -= ZONE_STEP) {
		if (zone_offset(t) == offset)
			continue;
		fprintf(out, " %lld", (long long)zone_find_shift(t, t + ZONE_STEP));
		offset = zone_offset(t);
		fprintf(out, ":%ld", offset);
	}
}

/* The text is what the protocol has, printable, and with its other bytes as \\xNN. */
static void put_alarm(FILE *out, const struct monitor_line *line)
{
	struct monitor_line level, text;
	char copy[MONITOR_LINE_MAX];

	if (!answer_find(line, "level", &level) || !answer_find(line, "text", &text))
		return;
	snprintf(copy, sizeof(copy), "%.*s", (int)text.len, text.text);
	fprintf(out, "<p class=\"is-%.*s\">", (int)level.len, level.text);
	template_put_html(copy, out);
	fputs("</p>", out);
}

/* What ALARMS answers; for others than administrators, nothing. */
static void put_alarms(FILE *out, struct services *v, enum user_role role)
{
	const struct monitor_request q = {.services = v};
	struct reply reply = {.text = NULL};
	struct answer answer = {.bytes = NULL};

	if (role != USER_ROLE_ADMIN)
		return;
	alarm_command_alarms(&q, &reply);
	if (!reply.failed && answer_parse(reply.text, reply.len, &answer) == 0) {
		for (size_t i = 0; i < answer.count; i++)
			put_alarm(out, &answer.lines[i]);
	}
	answer_free(&answer);
	reply_free(&reply);
}

/* ---- the whole ---- */

/* Each is a text of its own, to be freed; false when it is not whole. */
static bool make_navigation(
	struct writing *w, const struct shell_page *p, const struct login_session *s)
{
	if (writing_begin(w) != NULL)
		put_navigation(w->out, p, s->role);
	return writing_end(w);
}

static bool make_alarms(struct writing *w, struct services *v, const struct login_session *s)
{
	if (writing_begin(w) != NULL)
		put_alarms(w->out, v, s->role);
	return writing_end(w);
}

static bool make_zone(struct writing *w)
{
	if (writing_begin(w) != NULL)
		put_zone(w->out);
	return writing_end(w);
}

void shell_show(
	struct web_connection *c, const struct shell_page *p, const struct template_field *fields)
{
	const struct login_session *s = c->request.session;
	struct writing navigation = {0}, zone = {0}, alarms = {0}, content = {0}, whole = {0};
	char host[SHELL_HOST_MAX];

	if (make_navigation(&navigation, p, s) && make_zone(&zone) &&
		make_alarms(&alarms, c->desk->services, s) &&
		template_write(p->text, fields, &content) &&
		template_write(pages_layout,
			(const struct template_field[]){{"title", p->title}, {"name", p->name},
				{"host", shell_host(host)}, {"version", SOCKS5D_VERSION},
				{"user", s->user}, {"token", s->token}, {"zone", zone.text},
				{"navigation", navigation.text}, {"alarms", alarms.text},
				{"admin", s->role == USER_ROLE_ADMIN ? "yes" : ""},
				{"content", content.text}, {NULL, NULL}},
			&whole)) {
		respond_begin(c, 200);
		respond_own(c, "text/html; charset=utf-8", whole.text, whole.len);
	} else {
		respond_say(c, 503, "Out of memory.\n");
	}
	free(navigation.text);
	free(zone.text);
	free(alarms.text);
	free(content.text);
}
