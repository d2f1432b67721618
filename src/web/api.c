/*
 * /api/WORD is the monitor's command WORD, from the same table, with the same roles and errors; its
 * answer is the monitor's, as monitor_client --json prints it. What only looks is got, with its
 * parameters as arg=... of the query, in their order; what changes something is posted, with the
 * same in a form or as a JSON array. What only looks is got as comma-separated values, too, at
 * /api/WORD.csv.
 *
 * Who has a cookie has to show that a page of ours asks. Who has a password in each request (Basic)
 * may post JSON only, which no page of somebody else's can have a browser do.
 */
#include "web/api.h"

#include <ctype.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/writing.h"
#include "web/gather.h"
#include "web/handlers.h"
#include "web/login.h"
#include "web/respond.h"
#include "web/watch.h"
#include "wire/csv.h"
#include "wire/form.h"
#include "wire/json.h"

#define WORD_MAX 32
#define JSON_TYPE "application/json"
#define CSV_TYPE "text/csv; charset=utf-8; header=present"
#define CSV_ENDING ".csv" /* of a path whose answer is wanted so */
#define NAME_MAX_BYTES 128 /* of a file that a browser keeps it in */

/* ---- answers ---- */

/* NULL without memory. */
static char *format_answer(const char *request, const struct answer *answer,
	void (*print)(FILE *out, const char *request, const struct answer *answer), size_t *len)
{
	struct writing w;

	if (writing_begin(&w) != NULL)
		print(w.out, request, answer);
	(void)writing_end(&w);
	*len = w.len;
	return w.text;
}

/* "access_log-alice-2026-11-27.csv": what was asked for, of bytes that any system takes. */
static void add_file_name(struct web_connection *c)
{
	const struct monitor_request *q = &c->order.request;
	char name[NAME_MAX_BYTES];
	size_t len = (size_t)snprintf(name, sizeof(name), "%s", q->command->word);

	for (size_t i = 0; i < q->count && len < sizeof(name); i++)
		len += (size_t)snprintf(name + len, sizeof(name) - len, "-%s", q->parameters[i]);
	for (char *p = name; *p != '\0'; p++) {
		if (!isalnum((unsigned char)*p) && strchr("-_.", *p) == NULL)
			*p = '_';
		*p = (char)tolower((unsigned char)*p);
	}
	respond_field(c, "Content-Disposition: attachment; filename=\"%s.csv\"", name);
}

/* The reply to the request in words, which was gathered, with this status where it is a refusal. Is
 * it none? */
static bool answer_with(struct web_connection *c, unsigned status, const char *request)
{
	struct answer answer = {.ok = false};
	bool is_there = gather_take(c, &answer) == 0, ok = answer.ok, as_csv = ok && c->as_csv;
	size_t len;
	char *text = is_there
		? format_answer(request, &answer, as_csv ? csv_print : json_print, &len)
		: NULL;

	answer_free(&answer);
	respond_begin(c, text == NULL ? 503 : ok ? 200 : status);
	if (text != NULL)
		respond_own(c, as_csv ? CSV_TYPE : JSON_TYPE, text, len);
	if (text != NULL && as_csv)
		add_file_name(c);
	order_wipe(&c->order);
	return ok && text != NULL;
}

/* For a reply that is short, and in memory as it is. */
static void answer_at_once(struct web_connection *c, unsigned status)
{
	(void)gather_reply(c, NULL);
	(void)answer_with(c, status, "");
}

static void refuse_request(struct web_connection *c, unsigned status, const char *text)
{
	reply_reset(&c->order.reply);
	reply_error(&c->order.reply, "%s", text);
	answer_at_once(c, status);
}

/* A browser that had a cookie is not to ask for a password by itself. */
static void ask_for_login(struct web_connection *c)
{
	const struct http_slice *fields = &c->request.head.fields;
	struct http_slice value;
	bool is_page = form_find_cookie(fields, WEB_COOKIE, &value) ||
		http_find_field(fields, "Sec-Fetch-Site", &value);

	refuse_request(c, 401, "Log in first");
	respond_field(c, "WWW-Authenticate: %s realm=\"socks5d\"", is_page ? "Session" : "Basic");
}

/* ---- commands ---- */

static void answer_gathered(struct web_connection *c)
{
	char request[sizeof(c->order.request.memory)];

	commands_put_request(&c->order.request, request, sizeof(request));
	if (answer_with(c, c->refusal, request))
		login_keep(c);
}

static void answer_order(struct web_connection *c)
{
	c->refusal = c->order.reply.closes ? 401 : 400;
	if (gather_reply(c, answer_gathered))
		answer_gathered(c);
}

static bool has_type(const struct web_connection *c, const char *type)
{
	struct http_slice value;

	if (!http_find_field(&c->request.head.fields, "Content-Type", &value))
		return false;
	value.len = strcspn(value.text, "; \t\r\n") < value.len ? strcspn(value.text, "; \t\r\n")
								: value.len;
	return http_is(&value, type);
}

/* The parameters, decoded into `memory`; how many, -1 when they are malformed. */
static int read_parameters(const struct web_connection *c, char *memory, size_t size,
	const char *words[COMMANDS_MAX_WORDS])
{
	if (!http_equals(&c->request.head.method, "POST"))
		return form_find_all(
			&c->request.query, "arg", memory, size, words, COMMANDS_MAX_WORDS);
	if (!has_type(c, JSON_TYPE))
		return form_find_all(
			&c->request.body, "arg", memory, size, words, COMMANDS_MAX_WORDS);
	return c->request.body.len == 0
		? 0
		: form_read_json(&c->request.body, memory, size, words, COMMANDS_MAX_WORDS);
}

/* The command that the path names; "" when it names none. */
static void read_word(struct web_connection *c, char word[WORD_MAX])
{
	size_t prefix = strlen("/api/"), len = c->request.path.len - prefix;
	size_t ending = strlen(CSV_ENDING);
	const char *text = c->request.path.text + prefix;

	c->as_csv = len > ending && memcmp(text + len - ending, CSV_ENDING, ending) == 0;
	if (c->as_csv)
		len -= ending;
	word[0] = '\0';
	if (len >= WORD_MAX || strspn(text, "abcdefghijklmnopqrstuvwxyz_") < len)
		return;
	for (size_t i = 0; i < len; i++)
		word[i] = text[i] == '_' ? '_' : (char)(text[i] - 'a' + 'A');
	word[len] = '\0';
}

/* By which method the command is to be asked for. */
static const char *method_of(const struct monitor_request *q)
{
	return commands_changes(q) ? "POST" : "GET";
}

static bool is_asked_rightly(const struct web_connection *c)
{
	bool is_post = http_equals(&c->request.head.method, "POST");

	return is_post == commands_changes(&c->order.request);
}

static void give_command(struct web_connection *c)
{
	struct monitor_request *q = &c->order.request;

	c->resume = answer_order;
	if (!commands_may(q, c->user)) {
		refuse_request(c, 403, "That is for administrators");
		return;
	}
	order_give(&c->order);
	if (!c->order.is_away)
		answer_order(c);
}

/* What WATCH has told since the cursor that is in the query. */
static void give_watch(struct web_connection *c)
{
	char after[WATCH_CURSOR_MAX];
	bool is_post = http_equals(&c->request.head.method, "POST");

	if (is_post || !commands_may(&c->order.request, c->user)) {
		refuse_request(c, is_post ? 405 : 403,
			is_post ? "That only looks: GET it" : "That is for administrators");
		if (is_post)
			respond_field(c, "Allow: GET");
		return;
	}
	if (form_find(&c->request.query, "after", after, sizeof(after)) < 0)
		after[0] = '\0';
	watch_put(c, after);
	answer_order(c);
}

/* For whoever has logged in. */
static void take_command(struct web_connection *c)
{
	const char *words[COMMANDS_MAX_WORDS];
	char memory[MONITOR_LINE_MAX + COMMANDS_MAX_WORDS], word[WORD_MAX];
	struct monitor_request *q = &c->order.request;
	int count = read_parameters(c, memory, sizeof(memory), words);
	bool is_taken;

	read_word(c, word);
	reply_reset(&c->order.reply);
	if (count < 0) {
		refuse_request(c, 400, "Parameters that cannot be read, or too many of them");
		return;
	}
	is_taken = commands_take(word, words, (size_t)count, q, &c->order.reply);
	sodium_memzero(memory, sizeof(memory));
	if (!is_taken) {
		answer_at_once(c, q->command == NULL ? 404 : 400);
	} else if (http_equals(&c->request.path, WATCH_PATH)) {
		give_watch(c);
	} else if (q->command->is_for_consoles) {
		refuse_request(c, 404, "Only a connection to the monitor itself has that command");
	} else if (!is_asked_rightly(c)) {
		refuse_request(c, 405,
			commands_changes(q) ? "That changes something: POST it"
					    : "That only looks: GET it");
		respond_field(c, "Allow: %s", method_of(q));
	} else {
		give_command(c);
	}
}

/* ---- who asks ---- */

static void go_on_with_basic(struct web_connection *c)
{
	order_wipe(&c->order);
	login_note(c);
	if (c->login == LOGIN_OK)
		take_command(c);
	else if (c->login == LOGIN_HELD_OFF)
		refuse_request(c, 429, "Too many failed logins");
	else if (c->login == LOGIN_NO_MEMORY)
		refuse_request(c, 503, "Out of memory: the password could not be checked");
	else if (login_is_unchecked(c->login))
		refuse_request(c, 503, "The password cannot be checked now");
	else
		refuse_request(c, 401, "Invalid credentials");
}

static void log_in_by_basic(struct web_connection *c, const struct http_slice *value)
{
	if (!login_take_basic(c, value))
		refuse_request(c, 401, "Invalid credentials");
	else if (http_equals(&c->request.head.method, "POST") && !has_type(c, JSON_TYPE))
		refuse_request(
			c, 415, "With a password in the request only " JSON_TYPE " is taken");
	else
		login_check(c, go_on_with_basic);
}

/* Who is logged in, and the token that the page's scripts send. */
static void tell_session(struct web_connection *c)
{
	const struct login_session *s = c->request.session;
	char user[4 * USERS_NAME_MAX + 1], text[sizeof(user) + 128];
	struct monitor_line line = {.text = text};
	struct writing w;

	snprintf(text, sizeof(text), "user:%s role:%s token:%s",
		escape_word(s->user, strlen(s->user), user, sizeof(user)),
		s->role == USER_ROLE_ADMIN ? "admin" : "user", s->token);
	line.len = strlen(text);
	if (writing_begin(&w) != NULL)
		json_print_line(w.out, &line);
	respond_begin(c, writing_end(&w) ? 200 : 503);
	if (w.text != NULL)
		respond_own(c, JSON_TYPE, w.text, w.len);
}

static void use_session(struct web_connection *c)
{
	const struct login_session *s = c->request.session;
	bool is_post = http_equals(&c->request.head.method, "POST");

	login_use(c);
	if (is_post && !handlers_is_own(c, s->token))
		refuse_request(c, 403, "That did not come from a page of this server");
	else if (!is_post && http_equals(&c->request.path, "/api/session"))
		tell_session(c);
	else
		take_command(c);
}

void api_answer(struct web_connection *c)
{
	struct http_slice value;

	if (http_find_field(&c->request.head.fields, "Authorization", &value))
		log_in_by_basic(c, &value);
	else if (c->request.session != NULL)
		use_session(c);
	else
		ask_for_login(c);
}
