/*
 * /api/WORD is the monitor's command WORD, from the same table, with the same roles and errors; its
 * answer is the monitor's, as monitor_client --json prints it. What only looks is got, with its
 * parameters as arg=... of the query, in their order; what changes something is posted, with the
 * same in a form or as a JSON array.
 *
 * Who has a cookie has to show that a page of ours asks. Who has a password in each request (Basic)
 * may post JSON only, which no page of somebody else's can have a browser do.
 */
#include "web/api.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "web/handlers.h"
#include "web/login.h"
#include "web/respond.h"
#include "wire/form.h"
#include "wire/json.h"

#define WORD_MAX 32
#define REPLY_MAX ((size_t)64 << 20) /* bytes of an answer, which is put together in memory */
#define JSON_TYPE "application/json"

/* ---- answers ---- */

/* Fetches all of the reply. NULL without memory, or when it is too long. */
static char *gather_reply(struct reply *r, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);
	const char *bytes;
	size_t n, total = 0;

	if (out == NULL)
		return NULL;
	while (total <= REPLY_MAX && (n = reply_pending(r, &bytes)) > 0) {
		fwrite(bytes, 1, n, out);
		reply_consume(r, n);
		total += n;
	}
	if (fclose(out) == 0 && !r->failed && total <= REPLY_MAX)
		return text;
	free(text);
	return NULL;
}

/* As JSON; NULL without memory. `*ok`: the reply is no refusal. */
static char *format_reply(
	const char *request, const char *text, size_t len, size_t *json_len, bool *ok)
{
	struct answer answer;
	char *json = NULL;
	FILE *out;

	if (answer_parse(text, len, &answer) < 0)
		return NULL;
	*ok = answer.ok;
	out = open_memstream(&json, json_len);
	if (out != NULL)
		json_print(out, request, &answer);
	answer_free(&answer);
	if (out != NULL && fclose(out) == 0)
		return json;
	free(json);
	return NULL;
}

/* The order's reply to the request in words, with this status where it is a refusal. Is it none? */
static bool answer_with(struct web_connection *c, unsigned status, const char *request)
{
	size_t len, json_len;
	char *text = gather_reply(&c->order.reply, &len), *json = NULL;
	bool ok = false;

	if (text != NULL)
		json = format_reply(request, text, len, &json_len, &ok);
	free(text);
	reply_reset(&c->order.reply);
	order_wipe(&c->order);
	respond_begin(c, json == NULL ? 503 : ok ? 200 : status);
	if (json != NULL)
		respond_own(c, JSON_TYPE, json, json_len);
	return ok;
}

static void refuse_request(struct web_connection *c, unsigned status, const char *text)
{
	reply_reset(&c->order.reply);
	reply_error(&c->order.reply, "%s", text);
	(void)answer_with(c, status, "");
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

/* What json_print() wants: the command with the first parameter, which tells whose entries an
 * access log has. */
static void put_request(const struct monitor_request *q, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s", q->command->word, q->count > 0 ? " " : "",
		q->count > 0 ? q->parameters[0] : "");
}

/* Whoever has changed his own password goes on. */
static void keep_session(struct web_connection *c)
{
	struct login_session *s = c->request.session;

	if (s != NULL && s->is_used && strcmp(s->id, c->gave) == 0)
		s->password_mark = c->order.password_mark;
}

static void answer_order(struct web_connection *c)
{
	char request[sizeof(c->order.request.memory)];
	unsigned status = c->order.reply.closes ? 401 : 400;

	put_request(&c->order.request, request, sizeof(request));
	if (answer_with(c, status, request))
		keep_session(c);
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
static void read_word(const struct web_connection *c, char word[WORD_MAX])
{
	size_t prefix = strlen("/api/"), len = c->request.path.len - prefix;
	const char *text = c->request.path.text + prefix;

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
		(void)answer_with(c, q->command == NULL ? 404 : 400, "");
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
	else
		refuse_request(c, 401, "Invalid credentials");
}

static void log_in_by_basic(struct web_connection *c, const struct http_slice *value)
{
	struct http_basic basic;
	bool is_taken = http_parse_basic(value, &basic) &&
		login_take(c, basic.bytes, basic.name_len, basic.bytes + basic.password_at,
			basic.password_len);

	sodium_memzero(&basic, sizeof(basic));
	c->request.session = NULL;
	if (!is_taken)
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
	char user[4 * USERS_NAME_MAX + 1], text[sizeof(user) + 128], *json = NULL;
	struct monitor_line line = {.text = text};
	size_t len = 0;
	FILE *out = open_memstream(&json, &len);

	snprintf(text, sizeof(text), "user:%s role:%s token:%s",
		escape_word(s->user, strlen(s->user), user, sizeof(user)),
		s->role == USER_ROLE_ADMIN ? "admin" : "user", s->token);
	line.len = strlen(text);
	if (out != NULL)
		json_print_line(out, &line);
	if (out != NULL && fclose(out) == 0) {
		respond_begin(c, 200);
		respond_own(c, JSON_TYPE, json, len);
		return;
	}
	free(json);
	respond_begin(c, 503);
}

static void use_session(struct web_connection *c)
{
	const struct login_session *s = c->request.session;
	bool is_post = http_equals(&c->request.head.method, "POST");

	strcpy(c->user, s->user);
	strcpy(c->gave, s->id);
	c->order.password_mark = s->password_mark;
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
