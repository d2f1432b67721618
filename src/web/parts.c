/*
 * A table for each page. What a form of the page asks for comes in the query, under the names of
 * its fields, so that a page can be kept as a bookmark and its forms need no scripts.
 */
#include "web/parts.h"

#include <stdio.h>
#include <string.h>

/* ---- Now, Sessions, Users ---- */

/* A step of a minute says more in a table than one of a second. */
static bool ask_traffic(const struct web_connection *c, struct view_words *w)
{
	(void)c;
	view_add_word(w, "600");
	view_add_word(w, "60");
	return true;
}

const struct view_part parts_now[] = {
	{.name = "stats", .command = "STATS"},
	{.name = "connections", .command = "CONNECTIONS", .caption = "Sessions"},
	{.name = "traffic",
		.command = "TRAFFIC",
		.caption = "Traffic of the last minutes",
		.ask = ask_traffic},
	{.name = "accounts", .command = "ACCOUNTS", .caption = "Users"},
	{.name = NULL},
};

const struct view_part parts_sessions[] = {
	{.name = "connections", .command = "CONNECTIONS", .caption = "Sessions"},
	{.name = NULL},
};

static bool ask_usage_of_all(const struct web_connection *c, struct view_words *w)
{
	view_add_word(w, "*");
	return view_add_query(c, w, "days", "today");
}

const struct view_part parts_users[] = {
	{.name = "accounts", .command = "ACCOUNTS", .caption = "Users"},
	{.name = "limits", .command = "LIMITS", .caption = "Limits"},
	{.name = "clients", .command = "CLIENTS", .caption = "Clients"},
	{.name = "bans", .command = "BANS", .caption = "Bans"},
	{.name = "guests", .command = "GUESTS", .caption = "Guests"},
	{.name = "usage", .command = "USAGE", .caption = "Used", .ask = ask_usage_of_all},
	{.name = NULL},
};

/* ---- Rules ---- */

static const char *const question_fields[] = {"from", "user", "to", "command", "time"};

/* "from=192.0.2.7 to=www.example.org:443", of the fields that are filled in. */
static bool ask_explanation(const struct web_connection *c, struct view_words *w)
{
	char value[MONITOR_LINE_MAX], question[2 * MONITOR_LINE_MAX] = "";
	size_t len = 0;

	for (size_t i = 0; i < sizeof(question_fields) / sizeof(question_fields[0]); i++) {
		const char *quote = strcmp(question_fields[i], "time") == 0 ? "\"" : "";

		if (*view_query(c, question_fields[i], value) != '\0' && len < sizeof(question))
			len += (size_t)snprintf(question + len, sizeof(question) - len,
				"%s%s=%s%s%s", len > 0 ? " " : "", question_fields[i], quote, value,
				quote);
	}
	view_add_word(w, question);
	return len > 0;
}

static bool ask_why(const struct web_connection *c, struct view_words *w)
{
	return view_add_query(c, w, "why", "*");
}

const struct view_part parts_rules[] = {
	{.name = "rules", .command = "RULES", .caption = "Rules in force, asked from the first on"},
	{.name = "explanation",
		.command = "EXPLAIN",
		.caption = "What would become of it",
		.ask = ask_explanation},
	{.name = "failures", .command = "WHY", .caption = "Newest refusals", .ask = ask_why},
	{.name = "from"},
	{.name = "user"},
	{.name = "to"},
	{.name = "is_bind", .query = "command", .only = "bind"},
	{.name = "is_udp", .query = "command", .only = "udp"},
	{.name = "time"},
	{.name = NULL},
};

/* ---- Log ---- */

static bool ask_entries(const struct web_connection *c, struct view_words *w)
{
	(void)view_add_query(c, w, "who", "*");
	(void)view_add_query(c, w, "day", NULL);
	return true;
}

const struct view_part parts_log[] = {
	{.name = "entries",
		.command = "ACCESS_LOG",
		.caption = "Access log, newest first",
		.is_newest_first = true,
		.ask = ask_entries},
	{.name = "who"},
	{.name = "day"},
	{.name = NULL},
};

/* ---- Settings ---- */

static bool ask_settings(const struct web_connection *c, struct view_words *w)
{
	(void)view_add_query(c, w, "word", NULL);
	return true;
}

const struct view_part parts_settings[] = {
	{.name = "settings", .command = "SETTINGS", .caption = "Settings", .ask = ask_settings},
	{.name = "word"},
	{.name = NULL},
};

/* ---- Own ---- */

static bool ask_of_own(const struct web_connection *c, struct view_words *w)
{
	view_add_word(w, c->user);
	return true;
}

static bool ask_own_usage(const struct web_connection *c, struct view_words *w)
{
	view_add_word(w, c->user);
	return view_add_query(c, w, "days", "month");
}

const struct view_part parts_own[] = {
	{.name = "connections",
		.command = "CONNECTIONS",
		.caption = "Your sessions",
		.ask = ask_of_own},
	{.name = "usage",
		.command = "USAGE",
		.caption = "What you have used",
		.ask = ask_own_usage},
	{.name = "limits", .command = "LIMITS", .caption = "Your limits", .ask = ask_of_own},
	{.name = NULL},
};
