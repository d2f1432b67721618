/*
 * A guest is a user with a random name and password and an end, of whom it is kept that he is one.
 */
#include "monitor/guest_commands.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "base/parse.h"
#include "monitor/limits_changes.h"
#include "state/admission.h"

#define GUEST_HOURS 24
#define GUEST_HOURS_MOST (24 * 366)

/* Letters and digits that nobody takes for others. */
static void make_up(char *out, size_t len)
{
	static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";

	for (size_t i = 0; i < len; i++)
		out[i] = letters[randombytes_uniform(sizeof(letters) - 1)];
	out[len] = '\0';
}

/* What the guest's line of the users file says. False, and `r` says why. */
static bool read_guest(const struct monitor_request *q, struct limits *out, struct reply *r)
{
	unsigned legal = LIMITS_SAYABLE & ~LIMIT_BIT(LIMIT_EXPIRES);
	char why[LIMITS_ERROR_MAX];
	int64_t hours = GUEST_HOURS;

	if (q->count > 0 &&
		(!parse_number(q->parameters[0], &hours) || hours < 1 ||
			hours > GUEST_HOURS_MOST)) {
		reply_error(r, "\"%s\": the hours are a number from 1 to %d", q->parameters[0],
			GUEST_HOURS_MOST);
		return false;
	}
	if (!limits_parse(q->count > 1 ? q->parameters[1] : "", legal, out, why)) {
		reply_error(r, "%s", why);
		return false;
	}
	out->said[LIMIT_EXPIRES] = out->said[LIMIT_GUEST] = LIMIT_SAID;
	out->is_guest = true;
	/* What is written has no seconds. */
	out->expires = ((int64_t)time(NULL) + hours * 3600 + 59) / 60 * 60;
	return true;
}

void guest_command_prepare(struct monitor_request *q, struct reply *r)
{
	struct hashing_wait wait = {.line = HASHING_ADMINS, .deadline = CLOCK_NEVER};
	struct limits limits;

	if (!read_guest(q, &limits, r))
		return;
	strcpy(q->made_name, "guest-");
	make_up(q->made_name + 6, 5);
	make_up(q->made_password, 12);
	if (hashing_make(q->services->hashing, &wait, q->made_password, q->hash) < 0)
		reply_error(r, "The password cannot be hashed: %s", strerror(errno));
}

/* Where clients reach the proxy, as far as that is known: the first address that is listened on, or
 * for all of them the first that this host has. */
static void find_door(struct services *v, char out[ADDR_TEXT_MAX])
{
	struct config *c = config_get(v->config);
	struct addr door = c->own[0], own;
	char all[512], text[ADDR_TEXT_MAX];
	uint16_t port = addr_port(&door);

	config_release(c);
	if (addr_is_unspecified(&door)) {
		own_format(v->own, all, sizeof(all));
		for (char *rest = all, *word; (word = strsep(&rest, " ")) != NULL;) {
			if (addr_parse(word, strlen(word), &own) && !addr_is_loopback(&own)) {
				door = own;
				break;
			}
		}
		addr_set_port(&door, port);
	}
	strcpy(out, addr_format(&door, text));
}

/* Where a login is not looked at. */
static void warn_of_guest(struct services *v, struct reply *r)
{
	struct config *c = config_get(v->config);

	if (!admission_login_checked(c))
		reply_add(r,
			"text:auth = none: this guest is served as Anonymous, and nothing that is said "
			"of guests or users holds; auth = optional lets guests log in\n");
	config_release(c);
}

static void tell_guest(
	const struct monitor_request *q, const struct limits *limits, struct reply *r)
{
	char until[CALENDAR_END_MAX], door[ADDR_TEXT_MAX], term[USER_TERM_MAX], *colon;

	find_door(q->services, door);
	calendar_format_end(limits->expires, until);
	reply_add(r, "OK Guest %s until %s%s\n", q->made_name, until,
		limits_users_term(q->services, q->made_name, term));
	reply_add(r, "name:%s password:%s expires:%s proxy:%s\n", q->made_name, q->made_password,
		until, door);
	reply_add(r, "text:curl --proxy socks5h://%s:%s@%s https://example.org/\n", q->made_name,
		q->made_password, door);
	colon = strrchr(door, ':');
	if (colon == NULL)
		return;
	*colon = '\0';
	reply_add(r,
		"text:browsers (by an extension such as FoxyProxy, since none logs in to SOCKS by "
		"itself): type SOCKS5, host %s, port %s, user %s, password %s, DNS through the "
		"proxy\n",
		door, colon + 1, q->made_name, q->made_password);
}

void guest_command_guest(const struct monitor_request *q, struct reply *r)
{
	struct user_credentials c = {.name = q->made_name, .password = q->made_password};
	char error[USERS_ERROR_MAX] = "Out of memory", *text;
	struct limits limits;
	bool added;

	if (!read_guest(q, &limits, r))
		return;
	text = limits_format(&limits);
	added = text != NULL &&
		users_add_limited(q->services->users, c.name, q->hash, text, error) == 0;
	free(text);
	if (!added) {
		reply_error(r, "%s", error);
		return;
	}
	users_remember(q->services->users, &c, q->hash);
	limits_take_in(q);
	tell_guest(q, &limits, r);
	warn_of_guest(q->services, r);
}

static void add_guest(struct reply *r, const char *name, const struct limits *own, size_t sessions)
{
	char until[CALENDAR_END_MAX] = "-";
	bool has_end = limits_have(own, LIMIT_EXPIRES);

	if (has_end)
		calendar_format_end(own->expires, until);
	limits_add_word(r, "name", name);
	reply_add(r, " expires:%s state:%s sessions:%zu\n", until,
		limits_have(own, LIMIT_DISABLED) && own->is_disabled ? "disabled"
			: has_end && time(NULL) >= own->expires      ? "expired"
								     : "open",
		sessions);
}

/* There are as many as somebody has made by hand. */
void guest_command_guests(const struct monitor_request *q, struct reply *r)
{
	struct users *u = q->services->users;
	size_t count = 0;
	const char **names = users_names(u, &count);

	if (names == NULL) {
		reply_error(r, "Out of memory");
		return;
	}
	reply_add(r, "OK\n");
	for (size_t i = 0; i < count; i++) {
		struct limits own;
		struct user_info info;

		if (users_own_limits(u, names[i], &own) && limits_have(&own, LIMIT_GUEST) &&
			own.is_guest && users_get(u, names[i], &info))
			add_guest(r, names[i], &own, info.figures.sessions);
	}
	free(names);
}
