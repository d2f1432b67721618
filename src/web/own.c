/*
 * The old password is checked as at a login, hold-off included: who finds a browser open is not to
 * guess it here. Then the command is the monitor's; that its giver has shown his password is what
 * lets someone without the role give it, about himself. His other logins end by the new password;
 * this one goes on.
 */
#include "web/own.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "web/gather.h"
#include "web/handlers.h"
#include "web/login.h"
#include "web/respond.h"
#include "web/shell.h"
#include "wire/form.h"

/* The page, with what became of it. */
static void tell(struct web_connection *c, unsigned status, const char *text)
{
	order_wipe(&c->order);
	c->order.request.is_proven = false;
	if (!login_is_there(c))
		respond_redirect(c, "/login");
	else
		handlers_show_page(c, status, text);
}

static void tell_outcome(struct web_connection *c)
{
	struct answer answer;
	char text[WEB_NOTICE_MAX];

	if (gather_take(c, &answer) < 0) {
		tell(c, 503, "Out of memory.");
		return;
	}
	if (answer.ok)
		login_keep(c);
	snprintf(text, sizeof(text), "%.*s%s", (int)answer.message.len, answer.message.text,
		answer.ok ? ". Your other logins here have ended." : "");
	tell(c, answer.ok ? 200 : 400, text);
	answer_free(&answer);
}

static void take_reply(struct web_connection *c)
{
	if (gather_reply(c, tell_outcome))
		tell_outcome(c);
}

/* The new one is still in the request, which stays until it is answered. */
static void give_change(struct web_connection *c)
{
	struct monitor_request *q = &c->order.request;
	char password[USERS_PASSWORD_MAX + 1];
	const char *parameters[] = {c->user, password};

	(void)form_find(&c->request.body, "new", password, sizeof(password));
	reply_reset(&c->order.reply);
	q->is_proven = true;
	c->resume = take_reply;
	if (commands_take("SET_PASSWORD", parameters, 2, q, &c->order.reply))
		order_give(&c->order);
	sodium_memzero(password, sizeof(password));
	if (!c->order.is_away)
		take_reply(c);
}

static void go_on_with_old(struct web_connection *c)
{
	login_note(c);
	if (c->login == LOGIN_OK)
		give_change(c);
	else if (c->login == LOGIN_HELD_OFF)
		tell(c, 429, "Too many wrong passwords. Try again later.");
	else if (c->login == LOGIN_NO_MEMORY)
		tell(c, 503, "Out of memory: the password could not be checked.");
	else if (login_is_unchecked(c->login))
		tell(c, 503, "The password cannot be checked now. Try again soon.");
	else
		tell(c, 403, "The old password is wrong.");
}

/* What is wrong with the form; NULL: nothing. */
static const char *check_form(const struct web_connection *c)
{
	char new[USERS_PASSWORD_MAX + 1], again[USERS_PASSWORD_MAX + 1];
	int len = form_find(&c->request.body, "new", new, sizeof(new));
	int again_len = form_find(&c->request.body, "again", again, sizeof(again));
	bool is_same = len == again_len && len >= 0 && memcmp(new, again, (size_t)len) == 0;

	sodium_memzero(new, sizeof(new));
	sodium_memzero(again, sizeof(again));
	if (len < 0 || len > USERS_PASSWORD_MAX)
		return "A password has at most 255 bytes.";
	if (len == 0)
		return "The new password is missing.";
	return is_same ? NULL : "The new password was not the same both times.";
}

/* Puts the old one to where it is checked. */
static bool take_old(struct web_connection *c)
{
	char old[USERS_PASSWORD_MAX + 1];
	int len = form_find(&c->request.body, "old", old, sizeof(old));
	const char *user = c->request.session->user;
	bool is_taken = len > 0 && login_take(c, user, strlen(user), old, (size_t)len);

	sodium_memzero(old, sizeof(old));
	return is_taken;
}

void own_change_password(struct web_connection *c)
{
	const char *problem;

	if (c->request.session == NULL) {
		respond_redirect(c, "/login");
		return;
	}
	login_use(c);
	problem = check_form(c);
	if (!handlers_is_own(c, c->request.session->token))
		tell(c, 403, "That did not come from this page, or it was too old. Try again.");
	else if (problem != NULL)
		tell(c, 400, problem);
	else if (!take_old(c))
		tell(c, 400, "The old password is missing.");
	else
		login_check(c, go_on_with_old);
}
