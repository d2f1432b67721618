/*
 * A form needs a token that no other site knows. Whoever is logged in has one of his session's; who
 * is about to log in has a cookie of random bytes, and the token is its keyed hash, so that nothing
 * is kept of those who only look.
 *
 * Slow hashes are the hasher's, and holding off is as at the monitor, by the address of who has
 * sent the request.
 */
#include "web/login.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/template.h"
#include "web/handlers.h"
#include "web/pages.h"
#include "web/respond.h"
#include "web/shell.h"
#include "wire/form.h"

#define REFUSED_PERIOD_MS 1000 /* of the lines that say so */

/* ---- tokens of who is not logged in ---- */

static void compute_visit_token(
	const struct web_desk *desk, const char *visit, char out[LOGINS_ID_TEXT + 1])
{
	unsigned char hash[LOGINS_ID_SIZE];

	crypto_generichash(hash, sizeof(hash), (const unsigned char *)visit, LOGINS_ID_TEXT,
		desk->key, sizeof(desk->key));
	sodium_bin2hex(out, LOGINS_ID_TEXT + 1, hash, sizeof(hash));
}

static bool find_visit(const struct web_connection *c, char out[LOGINS_ID_TEXT + 1])
{
	struct http_slice cookie;

	if (!form_find_cookie(&c->request.head.fields, WEB_VISIT_COOKIE, &cookie) ||
		cookie.len != LOGINS_ID_TEXT)
		return false;
	memcpy(out, cookie.text, cookie.len);
	out[cookie.len] = '\0';
	return true;
}

/* `age`: seconds; 0: the browser forgets it; -1: when it is closed. */
static void set_cookie(struct web_connection *c, const char *name, const char *value, int age)
{
	char max_age[32] = "";

	if (age >= 0)
		snprintf(max_age, sizeof(max_age), "; Max-Age=%d", age);
	respond_field(c, "Set-Cookie: %s=%s; Path=/; HttpOnly; SameSite=Strict%s%s", name, value,
		c->is_tls ? "; Secure" : "", max_age);
}

/* ---- the page ---- */

static void put_login_page(
	struct web_connection *c, const struct template_field *fields, unsigned status)
{
	struct writing w;

	if (!template_write(pages_login, fields, &w)) {
		respond_say(c, 500, "Out of memory.\n");
		return;
	}
	respond_begin(c, status);
	respond_own(c, "text/html; charset=utf-8", w.text, w.len);
}

static void show(struct web_connection *c, unsigned status, const char *message)
{
	const struct login_session *s = c->request.session;
	char visit[LOGINS_ID_TEXT + 1], token[LOGINS_ID_TEXT + 1];
	bool is_new = s == NULL && !find_visit(c, visit);
	char host[SHELL_HOST_MAX];

	if (is_new)
		logins_make_id(visit);
	if (s == NULL)
		compute_visit_token(c->desk, visit, token);
	put_login_page(c,
		(const struct template_field[]){{"message", message}, {"host", shell_host(host)},
			{"user", s != NULL ? s->user : ""}, {"token", s != NULL ? s->token : token},
			{NULL, NULL}},
		status);
	if (is_new)
		set_cookie(c, WEB_VISIT_COOKIE, visit, -1);
}

void login_show(struct web_connection *c)
{
	show(c, 200, "");
}

/* ---- checking ---- */

bool login_take(struct web_connection *c, const char *name, size_t name_len, const char *password,
	size_t password_len)
{
	char *memory = c->order.request.memory;

	if (name_len == 0 || name_len > USERS_NAME_MAX || password_len > USERS_PASSWORD_MAX ||
		memchr(name, '\0', name_len) != NULL ||
		memchr(password, '\0', password_len) != NULL)
		return false;
	memcpy(c->user, name, name_len);
	c->user[name_len] = '\0';
	c->user_len = name_len;
	memcpy(memory, password, password_len);
	memory[password_len] = '\0';
	return true;
}

bool login_take_basic(struct web_connection *c, const struct http_slice *value)
{
	struct http_basic basic;
	bool is_taken = http_parse_basic(value, &basic) &&
		login_take(c, basic.bytes, basic.name_len, basic.bytes + basic.password_at,
			basic.password_len);

	sodium_memzero(&basic, sizeof(basic));
	c->request.session = NULL;
	return is_taken;
}

static struct login login_of(const struct web_connection *c)
{
	return (struct login){.name = c->user,
		.name_len = c->user_len,
		.password = c->order.request.memory,
		.password_len = strlen(c->order.request.memory),
		.holdoff = c->desk->services->holdoff,
		.from = handlers_from(c)};
}

/* Whom a helper knows may be called otherwise than he calls himself. */
static void take_name(struct web_connection *c, const char *called)
{
	if (c->login != LOGIN_OK || strcmp(c->user, called) == 0)
		return;
	strcpy(c->user, called);
	c->user_len = strlen(called);
	c->order.password_mark = users_password_mark(c->desk->services->users, called);
}

static void check_password(struct errand *e)
{
	struct web_connection *c = connection_of(order_of(e));
	struct login login = login_of(c);
	char called[USERS_NAME_MAX + 1];

	login.called = called;
	c->login = users_login_person(c->desk->services->users, &login);
	take_name(c, called);
}

/* Who is known needs no slow hash and no question, and waits for nobody's. A helper is asked by a
 * thread that hashes do not wait for. */
void login_check(struct web_connection *c, void (*resume)(struct web_connection *c))
{
	struct users *users = c->desk->services->users;
	struct login login = login_of(c);
	struct order_steps steps = {.hash = check_password};
	char called[USERS_NAME_MAX + 1];

	/* Before the password is compared: what changes meanwhile makes it an old one. */
	c->order.password_mark = users_password_mark(users, c->user);
	c->resume = resume;
	login.called = called;
	if (users_knows_person(users, &login)) {
		c->login = LOGIN_OK;
		take_name(c, called);
		resume(c);
		return;
	}
	if (users_ask_helper(users, c->user, c->user_len))
		steps = (struct order_steps){.ask = check_password};
	order_send(&c->order, &steps);
}

static void log_right(const struct web_connection *c)
{
	char text[PEER_TEXT_MAX];
	struct log_line line;
	uint64_t held_back;

	if (!recurring_is_news(
		    &c->desk->recurring, c->user, &c->client.client, clock_ms(), &held_back))
		return;
	log_begin(&line, LOG_INFO, "web login");
	log_text(&line, "client", peer_format(&c->client, text));
	log_text(&line, "user", c->user);
	if (held_back > 0)
		log_number(&line, "others_since_last_line", (int64_t)held_back);
	log_end(&line);
}

static void log_wrong(const struct web_connection *c, uint64_t held_back)
{
	char text[PEER_TEXT_MAX];
	struct log_line line;

	log_begin(&line, LOG_WARN, "web login refused");
	log_text(&line, "client", peer_format(&c->client, text));
	log_number(
		&line, "failures", holdoff_failures(c->desk->services->holdoff, handlers_from(c)));
	if (held_back > 0)
		log_number(&line, "others_since_last_line", (int64_t)held_back);
	log_end(&line);
}

bool login_is_unchecked(enum login_result login)
{
	return login == LOGIN_UNANSWERED || login == LOGIN_TOO_BUSY;
}

void login_note(struct web_connection *c)
{
	uint64_t held_back;

	login_counts_add(&c->desk->services->stats.logins, LOGIN_AT_WEB, c->login);
	if (c->login == LOGIN_OK)
		log_right(c);
	else if (c->login != LOGIN_HELD_OFF && c->login != LOGIN_NO_MEMORY &&
		!login_is_unchecked(c->login) &&
		log_limit_pass(&c->desk->refused_limit, REFUSED_PERIOD_MS, &held_back))
		log_wrong(c, held_back);
}

/* ---- in and out ---- */

static void refuse(struct web_connection *c)
{
	if (c->login == LOGIN_HELD_OFF)
		show(c, 429, "Too many failed logins. Try again later.");
	else if (c->login == LOGIN_NO_MEMORY)
		show(c, 503, "Out of memory: the password could not be checked.");
	else if (login_is_unchecked(c->login))
		show(c, 503, "The password cannot be checked now. Try again soon.");
	else
		show(c, 403, "Name or password is wrong.");
}

static void let_in(struct web_connection *c)
{
	struct login_session *s = c->login == LOGIN_OK
		? logins_begin(&c->desk->logins, c->desk->services->users, c->user,
			  c->order.password_mark)
		: NULL;

	order_wipe(&c->order);
	login_note(c);
	c->request.session = NULL;
	if (s == NULL) {
		refuse(c);
		return;
	}
	respond_redirect(c, s->role == USER_ROLE_ADMIN ? "/" : "/own");
	set_cookie(c, WEB_COOKIE, s->id, -1);
	set_cookie(c, WEB_VISIT_COOKIE, "", 0);
}

static bool take_login_form(struct web_connection *c)
{
	char name[USERS_NAME_MAX + 1], password[USERS_PASSWORD_MAX + 1];
	int name_len = form_find(&c->request.body, "name", name, sizeof(name));
	int password_len = form_find(&c->request.body, "password", password, sizeof(password));
	bool is_taken = name_len > 0 && password_len >= 0 &&
		login_take(c, name, (size_t)name_len, password, (size_t)password_len);

	sodium_memzero(password, sizeof(password));
	return is_taken;
}

void login_enter(struct web_connection *c)
{
	char visit[LOGINS_ID_TEXT + 1], token[LOGINS_ID_TEXT + 1] = "";
	bool has_visit = find_visit(c, visit);

	if (has_visit)
		compute_visit_token(c->desk, visit, token);
	if (!handlers_is_own(c, has_visit ? token : NULL)) {
		show(c, 403, "That did not come from this page, or it was too old. Try again.");
	} else if (!take_login_form(c)) {
		show(c, 400, "A name and a password are needed.");
	} else {
		/* Whoever was logged in by this browser is not any more, however this ends. */
		logins_end(c->request.session);
		c->request.session = NULL;
		login_check(c, let_in);
	}
}

void login_leave(struct web_connection *c)
{
	struct login_session *s = c->request.session;

	if (s != NULL && !handlers_is_own(c, s->token)) {
		respond_say(c, 403, "That did not come from a page of this server.\n");
		return;
	}
	logins_end(s);
	c->request.session = NULL;
	respond_redirect(c, "/login");
	set_cookie(c, WEB_COOKIE, "", 0);
}

/* ---- for others ---- */

void login_use(struct web_connection *c)
{
	const struct login_session *s = c->request.session;

	strcpy(c->user, s->user);
	strcpy(c->gave, s->id);
	c->order.password_mark = s->password_mark;
}

bool login_is_there(const struct web_connection *c)
{
	const struct login_session *s = c->request.session;

	return s != NULL && s->is_used && strcmp(s->id, c->gave) == 0;
}

void login_keep(struct web_connection *c)
{
	struct login_session *s = c->request.session;

	if (!login_is_there(c))
		return;
	s->password_mark = c->order.password_mark;
	s->epoch = users_login_epoch(c->desk->services->users, s->user);
}
