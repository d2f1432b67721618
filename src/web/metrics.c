/*
 * Whoever scrapes is mostly a program on this host or of a network that metrics_from names, and has
 * no password. Everybody else is an administrator: the figures tell as much as STATS does.
 *
 * A request that somebody has passed on is its sender's, and an address that nobody vouches for is
 * not to open the door: a web server in front is on this host, too.
 */
#include "web/metrics.h"

#include "web/gather.h"
#include "web/handlers.h"
#include "web/login.h"
#include "web/metric_families.h"
#include "web/respond.h"
#include "wire/http_accept.h"

/* ---- the answer ---- */

/* The text format, which people read as well, unless OpenMetrics is what the client likes better.
 */
static enum exposition choose_syntax(const struct web_connection *c)
{
	static const struct http_media open = {"application", "openmetrics-text", "1.0.0"},
				       text = {"text", "plain", "0.0.4"};
	const struct http_slice *fields = &c->request.head.fields;

	return http_accept_quality(fields, &open) > http_accept_quality(fields, &text)
		? EXPOSITION_OPENMETRICS
		: EXPOSITION_TEXT;
}

static void answer_gathered_metrics(struct web_connection *c)
{
	size_t len;
	char *text = gather_take_text(c, &len);

	if (text == NULL) {
		respond_say(c, 503, "Out of memory.\n");
		return;
	}
	respond_begin(c, 200);
	respond_field(c, "Vary: Accept");
	respond_own(c, exposition_type(choose_syntax(c)), text, len);
}

static void tell_metrics(struct web_connection *c)
{
	reply_reset(&c->order.reply);
	metric_families_begin(c->desk->services, choose_syntax(c), &c->order.reply);
	if (gather_reply(c, answer_gathered_metrics))
		answer_gathered_metrics(c);
}

/* ---- who asks ---- */

static bool was_passed_on(const struct web_connection *c)
{
	static const char *const signs[] = {"X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"};
	struct http_slice value;

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		if (http_find_field(&c->request.head.fields, signs[i], &value))
			return true;
	}
	return false;
}

static bool needs_no_login(const struct web_connection *c)
{
	struct config *config = config_get(c->desk->services->config);
	bool is_exempt = exempt_has(&config->settings.metrics_from, handlers_from(c)) &&
		(c->is_told || !was_passed_on(c));

	config_release(config);
	return is_exempt;
}

static void refuse(struct web_connection *c, unsigned status, const char *text)
{
	respond_say(c, status, text);
	if (status == 401)
		respond_field(c, "WWW-Authenticate: Basic realm=\"socks5d\"");
}

static void go_on_with_login(struct web_connection *c)
{
	struct user_info info;

	order_wipe(&c->order);
	login_note(c);
	if (c->login == LOGIN_HELD_OFF)
		refuse(c, 429, "Too many failed logins.\n");
	else if (c->login == LOGIN_NO_MEMORY)
		refuse(c, 503, "Out of memory: the password could not be checked.\n");
	else if (login_is_unchecked(c->login))
		refuse(c, 503, "The password cannot be checked now.\n");
	else if (c->login != LOGIN_OK)
		refuse(c, 401, "Name or password is wrong.\n");
	else if (!users_get(c->desk->services->users, c->user, &info) ||
		info.role != USER_ROLE_ADMIN)
		refuse(c, 403, "That is for administrators.\n");
	else
		tell_metrics(c);
}

static void ask_who_it_is(struct web_connection *c)
{
	const struct login_session *s = c->request.session;
	struct http_slice value;

	if (http_find_field(&c->request.head.fields, "Authorization", &value)) {
		if (login_take_basic(c, &value))
			login_check(c, go_on_with_login);
		else
			refuse(c, 401, "Name or password is wrong.\n");
	} else if (s == NULL) {
		refuse(c, 401, "Log in first, or ask from where metrics_from allows it.\n");
	} else if (s->role != USER_ROLE_ADMIN) {
		refuse(c, 403, "That is for administrators.\n");
	} else {
		tell_metrics(c);
	}
}

void metrics_answer(struct web_connection *c)
{
	if (needs_no_login(c))
		tell_metrics(c);
	else
		ask_who_it_is(c);
}
