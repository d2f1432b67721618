/*
 * libedit asks us for each character, and that is where everything is waited for: the keyboard, the
 * server, which may go away, and the signals. What ended the waiting is kept in `end`; libedit only
 * learns that there are no more characters, and puts the terminal in order.
 */
#include "client/shell.h"

#include <histedit.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <wchar.h>

#include "base/clock.h"
#include "client/completion.h"
#include "client/history.h"
#include "client/request.h"
#include "client/terminal.h"
#include "client/top.h"
#include "net/socket.h"

#define KEY_CLEAR 3 /* Ctrl-C: the terminal makes a signal of it, which comes back as this */

struct shell {
	struct client *client;
	EditLine *el;
	History *history;
	char *kept_at; /* the file of the history; NULL: none */
	mbstate_t partial; /* a character of which not all bytes came yet */
	int end; /* LINK_BROKEN or LINK_INTERRUPTED; 0: neither */
	bool has_help;
	struct answer help;
};

static struct shell *shell_of(EditLine *el)
{
	struct shell *s = NULL;

	el_get(el, EL_CLIENTDATA, &s);
	return s;
}

static char *prompt(EditLine *el)
{
	static char text[] = "monitor> ";

	(void)el;
	return text;
}

/* ---- characters ---- */

static void handle_screen_signal(struct shell *s)
{
	int number = signals_next(&s->client->signals);

	if (number == SIGWINCH)
		el_resize(s->el);
	if (number != SIGTSTP)
		return;
	el_set(s->el, EL_PREP_TERM, 0);
	signals_stop_here();
	el_set(s->el, EL_PREP_TERM, 1);
	el_set(s->el, EL_REFRESH);
}

static bool has_typed(const struct shell *s)
{
	const LineInfo *line = el_line(s->el);

	return line->lastchar > line->buffer;
}

/* Ctrl-C is for the line while there is one; true when that is to be cleared. */
static bool handle_ending_signal(struct shell *s)
{
	if (signals_next_ending(&s->client->signals) == SIGINT && has_typed(s))
		return true;
	s->end = LINK_INTERRUPTED;
	return false;
}

enum key { KEY_NONE, KEY_TYPED, KEY_CTRL_C };

/* Waits until a byte can be read; KEY_NONE when there is a reason to end. */
static enum key wait_for_key(struct shell *s)
{
	struct client *c = s->client;

	while (s->end == 0) {
		struct pollfd fds[4] = {{.fd = STDIN_FILENO, .events = POLLIN},
			{.fd = c->signals.ending, .events = POLLIN},
			{.fd = c->signals.screen, .events = POLLIN},
			{.fd = link_fd(c->link), .events = POLLIN}};

		socket_wait(fds, 4, CLOCK_NEVER);
		if (fds[1].revents != 0 && handle_ending_signal(s))
			return KEY_CTRL_C;
		if (fds[3].revents != 0)
			s->end = link_check(c->link);
		else if (fds[2].revents != 0)
			handle_screen_signal(s);
		else if (fds[0].revents != 0)
			return KEY_TYPED;
	}
	return KEY_NONE;
}

/* What libedit calls: 1 with a character, 0 at the end of the input, -1 to give up. */
static int next_character(EditLine *el, wchar_t *out)
{
	struct shell *s = shell_of(el);
	enum key key;
	ssize_t n;
	char byte;

	while ((key = wait_for_key(s)) != KEY_NONE) {
		if (key == KEY_CTRL_C) {
			s->partial = (mbstate_t){0};
			*out = KEY_CLEAR;
			return 1;
		}
		n = read(STDIN_FILENO, &byte, 1);
		if (n <= 0)
			return 0;
		switch (mbrtowc(out, &byte, 1, &s->partial)) {
		case (size_t)-2:
			break;
		case (size_t)-1: /* no character: dropped */
			s->partial = (mbstate_t){0};
			break;
		default:
			return 1;
		}
	}
	return -1;
}

/* ---- completion ---- */

static bool ask_quietly(struct shell *s, const char *request, struct answer *reply)
{
	if (s->end == 0)
		s->end = link_ask(s->client->link, request, reply);
	return s->end == 0;
}

static bool know_help(struct shell *s)
{
	if (!s->has_help)
		s->has_help = ask_quietly(s, "HELP", &s->help);
	return s->has_help;
}

/* Lists the words below the line, in columns. */
static void list(const struct completion *c)
{
	size_t widest = 0, a_row, len;
	int lines, columns = 80;

	for (size_t i = 0; i < c->count; i++) {
		len = strlen(c->words[i]);
		widest = len > widest ? len : widest;
	}
	terminal_size(&lines, &columns);
	a_row = (size_t)columns / (widest + 2);
	if (a_row == 0)
		a_row = 1;
	for (size_t i = 0; i < c->count; i++)
		printf("%s%-*s", i % a_row == 0 ? "\n" : "", (int)widest + 2, c->words[i]);
	putchar('\n');
	fflush(stdout);
}

/* Puts what is certain into the line: the one word, or what all have in common. */
static unsigned char insert(struct shell *s, const struct completion *c)
{
	size_t common = completion_common(c);
	char text[COMPLETION_WORD_MAX + 1];
	bool is_whole;

	if (c->count == 0)
		return CC_ERROR;
	if (c->count > 1 && common == c->begun_len) {
		list(c);
		return CC_REDISPLAY;
	}
	/* In the letters of the word itself: names of settings are in lower case. */
	el_deletestr(s->el, (int)c->begun_len);
	is_whole = c->count == 1 && common > 0 && c->words[0][common - 1] != '=';
	snprintf(text, sizeof(text), "%.*s%s", (int)common, c->words[0], is_whole ? " " : "");
	return el_insertstr(s->el, text) < 0 ? CC_ERROR : CC_REFRESH;
}

/* Behind HELP stands what can stand at the beginning, too. */
static const char *after_help(const char *line, const char *end)
{
	static const char word[] = "HELP ";

	return (size_t)(end - line) >= strlen(word) && strncasecmp(line, word, strlen(word)) == 0
		? line + strlen(word)
		: line;
}

static unsigned char complete(EditLine *el, int key)
{
	struct shell *s = shell_of(el);
	const LineInfo *line = el_line(el);
	struct completion c = {.count = 0};
	struct answer more;
	const char *start;
	unsigned char result;

	(void)key;
	if (!know_help(s))
		return CC_EOF;
	start = after_help(line->buffer, line->cursor);
	completion_find(&c, &s->help, start, (size_t)(line->cursor - start));
	if (c.source != NULL && ask_quietly(s, c.source, &more)) {
		completion_add(&c, &more);
		answer_free(&more);
	}
	result = s->end != 0 ? CC_EOF : insert(s, &c);
	completion_free(&c);
	return result;
}

/* ---- lines ---- */

/* Ctrl-C: the line is gone, and there is a fresh one. */
static unsigned char clear_line(EditLine *el, int key)
{
	const LineInfo *line = el_line(el);

	(void)key;
	el_cursor(el, (int)(line->lastchar - line->cursor));
	el_deletestr(el, (int)(line->lastchar - line->buffer));
	return CC_REFRESH;
}

static void remember_line(struct shell *s, const char *line)
{
	HistEvent event;

	if (!request_is_empty(line) && !request_has_password(line))
		history(s->history, &event, H_ENTER, line);
}

static void remember_kept_line(void *context, const char *line)
{
	remember_line(context, line);
}

/* On disk only what was understood: a mistyped ADD_USER has a password in it, too. */
static void keep_line(const struct shell *s, const char *line)
{
	if (s->kept_at != NULL && !request_has_password(line))
		history_add(s->kept_at, line);
}

/* What libedit keeps of a line until the next one is typed over it: as it hands it out, and as it
 * was edited. */
static void wipe_editor(struct shell *s, const char *text)
{
	const LineInfoW *wide = el_wline(s->el);

	explicit_bzero((char *)(uintptr_t)text, strlen(text));
	explicit_bzero((wchar_t *)(uintptr_t)wide->buffer,
		(size_t)(wide->lastchar - wide->buffer) * sizeof(wchar_t));
}

/* Reads a line without its LF; NULL at the end. */
static char *read_shell_line(struct shell *s)
{
	int count;
	const char *text = el_gets(s->el, &count);
	char *line;

	if (text == NULL || count <= 0 || s->end != 0)
		return NULL;
	line = strdup(text);
	if (line != NULL)
		line[strcspn(line, "\n")] = '\0';
	wipe_editor(s, text);
	return line;
}

/* ---- what the server is asked ---- */

/* Cuts `--json` off the end of the line; false when it is not there. No value but a password can be
 * mistaken for it. */
static bool take_json_off(char *line)
{
	static const char word[] = " --json";
	size_t len = strlen(line), end;

	while (len > 0 && line[len - 1] == ' ')
		len--;
	if (request_has_password(line) || len <= strlen(word))
		return false;
	end = len - strlen(word);
	if (memcmp(line + end, word, strlen(word)) != 0)
		return false;
	line[end] = '\0';
	return true;
}

/* With `--json` behind it, in that form this once. */
static enum client_status ask_server(struct shell *s, const char *line)
{
	struct client *c = s->client;
	bool before = c->json;
	char *request = strdup(line);
	enum client_status status;

	if (request == NULL) {
		client_say("out of memory");
		return CLIENT_BROKEN;
	}
	c->json = take_json_off(request) || before;
	status = client_ask(c, request);
	c->json = before;
	if (status <= CLIENT_REFUSED && !c->was_unknown)
		keep_line(s, line);
	explicit_bzero(request, strlen(request));
	free(request);
	return status;
}

/* ---- what the prompt does itself ---- */

static enum client_status leave_prompt(struct shell *s, const char *word)
{
	(void)word;
	return client_ask(s->client, "QUIT");
}

/* The view takes over the connection, and gives it back. */
static enum client_status run_top(struct shell *s, const char *word)
{
	enum client_status status = top_check();

	(void)word;
	if (status != CLIENT_OK)
		return CLIENT_REFUSED;
	return top_run(s->client);
}

static bool is_about(const struct monitor_line *line, const char *command)
{
	struct monitor_line rest = *line, word;

	return monitor_next_word(&rest, &word) && monitor_is_word(&word, command);
}

/* The lines of HELP about one command, or all and what the prompt has beside them. */
static enum client_status show_help(struct shell *s, const char *about)
{
	struct answer one;
	size_t i = 0;

	if (!know_help(s))
		return client_complain(s->client, s->end);
	if (*about == '\0') {
		client_print(s->client, "HELP", &s->help);
		if (!s->client->json)
			puts("At this prompt also: HELP <command>, <COMMAND> --json, top (the live "
			     "view), exit");
		return CLIENT_OK;
	}
	while (i < s->help.count && !is_about(&s->help.lines[i], about))
		i++;
	if (i == s->help.count) {
		client_say("there is no command %s; HELP lists them all", about);
		return CLIENT_REFUSED;
	}
	one = s->help;
	one.lines += i;
	one.count = 1;
	return client_print(s->client, "HELP", &one);
}

struct prompt_command {
	const char *word;
	bool takes_word;
	bool ends;
	enum client_status (*run)(struct shell *s, const char *word);
};

static const struct prompt_command prompt_commands[] = {
	{"?", true, false, show_help},
	{"HELP", true, false, show_help},
	{"exit", false, true, leave_prompt},
	{"top", false, false, run_top},
};

/* The prompt's own command that the line is, and its parameter: at most one word. NULL: it is for
 * the server. */
static const struct prompt_command *find_prompt_command(
	const char *line, char parameter[COMPLETION_WORD_MAX])
{
	struct monitor_line rest = {.text = line, .len = strlen(line)}, word = {.len = 0};

	for (size_t i = 0; i < sizeof(prompt_commands) / sizeof(prompt_commands[0]); i++) {
		const struct prompt_command *c = &prompt_commands[i];

		if (!request_is(line, c->word))
			continue;
		monitor_next_word(&rest, &word);
		word.len = 0;
		if (c->takes_word)
			monitor_next_word(&rest, &word);
		snprintf(parameter, COMPLETION_WORD_MAX, "%.*s", (int)word.len,
			word.len == 0 ? "" : word.text);
		return rest.len == 0 ? c : NULL;
	}
	return NULL;
}

/* False when that was the last one. */
static bool serve_line(struct shell *s, const char *line, enum client_status *status)
{
	char parameter[COMPLETION_WORD_MAX];
	const struct prompt_command *c = find_prompt_command(line, parameter);

	remember_line(s, line);
	if (request_is_empty(line))
		return true;
	if (c != NULL) {
		keep_line(s, line);
		*status = c->run(s, parameter);
	} else {
		*status = ask_server(s, line);
	}
	fflush(stdout);
	/* A password that was mistyped is no reason to leave. */
	return *status <= CLIENT_USAGE && !(c != NULL && c->ends) && !request_is(line, "QUIT");
}

static enum client_status say_goodbye(struct shell *s)
{
	putchar('\n');
	if (s->end != 0)
		return client_complain(s->client, s->end);
	return client_ask(s->client, "QUIT");
}

static enum client_status run_dialogue(struct shell *s)
{
	enum client_status status = CLIENT_OK;
	char *line;
	bool more;

	while ((line = read_shell_line(s)) != NULL) {
		more = serve_line(s, line, &status);
		explicit_bzero(line, strlen(line));
		free(line);
		if (!more)
			return status == CLIENT_REFUSED ? CLIENT_OK : status;
	}
	return say_goodbye(s);
}

static int open_editor(struct shell *s)
{
	HistEvent event;

	s->el = el_init("monitor_client", stdin, stdout, stderr);
	s->history = history_init();
	if (s->el == NULL || s->history == NULL)
		return -1;
	history(s->history, &event, H_SETSIZE, HISTORY_LINES);
	history(s->history, &event, H_SETUNIQUE, 1);
	el_set(s->el, EL_CLIENTDATA, s);
	el_set(s->el, EL_PROMPT, prompt);
	el_set(s->el, EL_EDITOR, "emacs");
	el_set(s->el, EL_HIST, history, s->history);
	el_set(s->el, EL_GETCFN, next_character);
	el_set(s->el, EL_ADDFN, "monitor-complete", "completes a word", complete);
	el_set(s->el, EL_BIND, "^I", "monitor-complete", NULL);
	el_set(s->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
	el_set(s->el, EL_ADDFN, "monitor-clear", "clears the line", clear_line);
	el_set(s->el, EL_BIND, "^C", "monitor-clear", NULL);
	el_source(s->el, NULL);
	s->kept_at = history_path();
	if (s->kept_at != NULL)
		history_read(s->kept_at, remember_kept_line, s);
	return 0;
}

/* What a person reads at the beginning and at the end; a program that reads JSON does not. */
static enum client_status run_for_person(struct shell *s)
{
	bool speaks = !s->client->flags->json;
	enum client_status status;

	if (speaks)
		puts("Type commands and press Enter. Type 'QUIT' to exit.");
	status = run_dialogue(s);
	if (speaks && status == CLIENT_OK)
		puts("Exiting monitor mode.\nDisconnected from monitor server");
	return status;
}

enum client_status shell_run(struct client *c)
{
	struct shell s = {.client = c};
	enum client_status status = CLIENT_BROKEN;

	if (open_editor(&s) < 0)
		client_say("out of memory");
	else
		status = run_for_person(&s);
	if (s.has_help)
		answer_free(&s.help);
	if (s.el != NULL)
		el_end(s.el);
	if (s.history != NULL)
		history_end(s.history);
	free(s.kept_at);
	return status;
}
