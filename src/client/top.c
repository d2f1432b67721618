/*
 * One loop waits for keys, the server, signals and the next second. At most one request is under
 * way; a request to end something goes before the next look. So a server that takes its time slows
 * down the numbers and never the keys.
 */
#include "client/top.h"

#include <curses.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"
#include "client/terminfo.h"
#include "client/top_model.h"
#include "client/top_view.h"
#include "client/top_why.h"
#include "net/socket.h"

#define INTERVAL_MS 1000
#define HASTE_MS (INTERVAL_MS / 2) /* a list is due with the look that is nearest */
#define KEY_ESCAPE 27
#define KEY_DELETE 127
#define ORDER_MAX 1200 /* KILL_USER and the longest name, all of it escaped */

enum asked { ASKED_NOTHING, ASKED_PAST, ASKED_STATS, ASKED_LIST, ASKED_KILL, ASKED_WHY };

/* What the keys are for. */
enum mode { MODE_LIST, MODE_FILTER, MODE_QUESTION, MODE_KEYS, MODE_PANE };

/* What the server remembers, the coarser part first. One that knows no TRAFFIC remembers nothing.
 */
static const struct past {
	const char *request;
	int step;
} pasts[] = {{"TRAFFIC 1800 60", 60}, {"TRAFFIC 300 1", 1}};

/* What a list is asked for by, and how often: sites come from a disk. */
static const struct listed {
	const char *request;
	int64_t interval_ms;
} listed[TOP_LISTS] = {[TOP_SESSION_LIST] = {"CONNECTIONS", INTERVAL_MS},
	[TOP_ACCOUNT_LIST] = {"ACCOUNTS", INTERVAL_MS},
	[TOP_SITE_LIST] = {"SITES *", 10 * INTERVAL_MS},
	[TOP_FAILURE_LIST] = {"WHY * 500", INTERVAL_MS},
	[TOP_UPSTREAM_LIST] = {"UPSTREAMS", INTERVAL_MS}};

struct top {
	struct client *client;
	struct top_model *model;
	enum asked asked;
	size_t pasts_asked;
	bool wants_list; /* STATS was answered, what the view lists is next */
	enum top_list asked_list; /* ASKED_LIST: which one */
	int64_t next_list; /* clock.h */
	char lacking[256]; /* why the server does not list it */
	char about[ORDER_MAX]; /* ASKED_WHY: who was asked about */
	bool wants_why;
	char pane[TOP_WHY_MAX]; /* MODE_PANE */
	int64_t next_look; /* clock.h */
	enum mode mode;
	char typed[TOP_FILTER_MAX]; /* MODE_FILTER */
	char order[ORDER_MAX]; /* MODE_QUESTION: the request that a y sends */
	bool is_ordered; /* and y was said */
	char note[512];
	bool note_is_bad;
	bool ended;
	int broken; /* LINK_BROKEN, or 0 */
};

static void show_note(struct top *t, bool is_bad, const char *text)
{
	snprintf(t->note, sizeof(t->note), "%s", text);
	t->note_is_bad = is_bad;
}

/* ---- requests ---- */

static void look_at_once(struct top *t)
{
	t->next_look = t->next_list = 0;
}

static void send_question(struct top *t, enum asked what, const char *request)
{
	t->asked = what;
	t->broken = link_send(t->client->link, request);
}

/* The command and whom it is about. */
static void ask_why(struct top *t)
{
	char request[ORDER_MAX + 16];

	t->wants_why = false;
	snprintf(request, sizeof(request), "WHY %s 10", t->about);
	send_question(t, ASKED_WHY, request);
}

static void ask_next(struct top *t)
{
	if (t->asked != ASKED_NOTHING)
		return;
	if (t->pasts_asked < sizeof(pasts) / sizeof(pasts[0])) {
		send_question(t, ASKED_PAST, pasts[t->pasts_asked++].request);
	} else if (t->is_ordered) {
		t->is_ordered = false;
		send_question(t, ASKED_KILL, t->order);
	} else if (t->wants_why) {
		ask_why(t);
	} else if (t->wants_list) {
		t->wants_list = false;
		t->asked_list = top_model_list(t->model);
		t->next_list = clock_deadline(listed[t->asked_list].interval_ms - HASTE_MS);
		send_question(t, ASKED_LIST, listed[t->asked_list].request);
	} else if (clock_ms() >= t->next_look) {
		t->next_look = clock_deadline(INTERVAL_MS);
		t->wants_list = clock_ms() >= t->next_list;
		send_question(t, ASKED_STATS, "STATS");
	}
}

static void note_reply(struct top *t, const struct answer *reply)
{
	char text[400];

	snprintf(text, sizeof(text), "%.*s", (int)reply->status.len, reply->status.text);
	show_note(t, !reply->ok, text);
}

/* What a server does not list, or does not know, has a line in the list's place. */
static void take_list(struct top *t, const struct answer *reply)
{
	t->lacking[0] = '\0';
	if (reply->ok) {
		if (top_model_take_list(t->model, t->asked_list, reply) < 0)
			show_note(t, true, "out of memory");
		return;
	}
	top_model_drop_list(t->model, t->asked_list);
	snprintf(t->lacking, sizeof(t->lacking), "%.*s", (int)reply->message.len,
		reply->message.text);
}

static void take_figures(struct top *t, enum asked to, const struct answer *reply)
{
	if (to == ASKED_PAST) {
		if (reply->ok)
			top_model_take_traffic(t->model, reply, pasts[t->pasts_asked - 1].step);
		return;
	}
	if (to == ASKED_WHY) {
		top_why_tell_reply(reply, t->about, t->pane);
		t->mode = MODE_PANE;
		return;
	}
	if (to == ASKED_LIST) {
		take_list(t, reply);
		return;
	}
	if (to == ASKED_KILL || !reply->ok)
		note_reply(t, reply);
	if (to == ASKED_KILL)
		look_at_once(t); /* show what became of it */
	else if (reply->ok)
		top_model_take_stats(t->model, reply, clock_ms());
}

/* Nothing asked: the server has nothing to say but that it ends. */
static void receive_unasked(struct top *t)
{
	struct answer reply;
	enum asked to = t->asked;
	int result;

	if (to == ASKED_NOTHING) {
		t->broken = link_check(t->client->link);
		return;
	}
	result = link_receive(t->client->link, &reply);
	if (result < 0)
		t->broken = result;
	if (result <= 0)
		return;
	t->asked = ASKED_NOTHING;
	take_figures(t, to, &reply);
	answer_free(&reply);
}

/* ---- keys ---- */

/* The name as it is behind the \xNN; as it came, should it hold what no request may. */
static void order_kill_user(struct top *t, const char *name)
{
	struct monitor_line text = {.text = name, .len = strlen(name)}, decoded;
	char plain[ORDER_MAX];

	if (text.len >= sizeof(plain))
		return;
	decoded = (struct monitor_line){
		.text = plain, .len = escape_decode(text.text, text.len, plain)};
	if (!monitor_is_printable(&decoded))
		decoded = text;
	snprintf(t->order, sizeof(t->order), "KILL_USER %.*s", (int)decoded.len, decoded.text);
}

static void ask_to_kill(struct top *t)
{
	enum top_view view = top_model_view(t->model);
	const struct top_row *row;
	char question[400];

	if (top_model_count(t->model) == 0 || t->is_ordered || t->asked == ASKED_KILL)
		return;
	if (view >= TOP_SITE_VIEW) {
		show_note(t, false, "Nothing here can be ended: sessions and users can");
		return;
	}
	row = top_model_row(t->model, top_model_selected(t->model));
	if (view != TOP_SESSION_VIEW) {
		order_kill_user(t, row->text[TOP_USER]);
		snprintf(question, sizeof(question), "End all sessions of %.200s? (y/n)",
			row->text[TOP_USER]);
	} else {
		snprintf(t->order, sizeof(t->order), "KILL %lld", (long long)row->number[TOP_ID]);
		snprintf(question, sizeof(question), "End session %lld of %.100s to %.200s? (y/n)",
			(long long)row->number[TOP_ID], row->text[TOP_USER], row->text[TOP_TARGET]);
	}
	t->mode = MODE_QUESTION;
	show_note(t, false, question);
}

static void answer_key(struct top *t, int key)
{
	if (key == KEY_RESIZE)
		return;
	t->mode = MODE_LIST;
	t->is_ordered = key == 'y' || key == 'Y';
	show_note(t, false, "");
}

/* Any key goes back to the list, from the text of a pane likewise. */
static void leave_keys(struct top *t, int key)
{
	if (key != KEY_RESIZE)
		t->mode = MODE_LIST;
}

static void show_typed(struct top *t)
{
	char text[TOP_FILTER_MAX + 16];

	snprintf(text, sizeof(text), "Filter: %s", t->typed);
	show_note(t, false, text);
	top_model_filter(t->model, t->typed);
}

static void stop_typing(struct top *t)
{
	t->mode = MODE_LIST;
	show_note(t, false, "");
}

/* Takes off the last character: all of its bytes. */
static void untype(struct top *t)
{
	size_t len = strlen(t->typed);

	while (len > 0 && ((unsigned char)t->typed[len - 1] & 0xc0) == 0x80)
		len--;
	t->typed[len > 0 ? len - 1 : 0] = '\0';
}

static void filter_key(struct top *t, int key)
{
	size_t len = strlen(t->typed);

	if (key == '\n' || key == '\r' || key == KEY_ENTER) {
		stop_typing(t);
		return;
	}
	if (key == KEY_ESCAPE)
		t->typed[0] = '\0';
	else if (key == KEY_BACKSPACE || key == '\b' || key == KEY_DELETE)
		untype(t);
	else if (key >= ' ' && key < 256 && len + 1 < sizeof(t->typed))
		memcpy(t->typed + len, (char[]){(char)key, '\0'}, 2);
	show_typed(t);
	if (key == KEY_ESCAPE)
		stop_typing(t);
}

static void start_typing(struct top *t)
{
	t->mode = MODE_FILTER;
	snprintf(t->typed, sizeof(t->typed), "%s", top_model_filtered_by(t->model));
	show_typed(t);
}

/* How far a key moves the selection; 0: it is none of those. */
static long distance(int key)
{
	int page = top_view_page() > 1 ? top_view_page() - 1 : 1;

	switch (key) {
	case KEY_UP:
		return -1;
	case KEY_DOWN:
		return 1;
	case KEY_PPAGE:
		return -page;
	case KEY_NPAGE:
		return page;
	case KEY_HOME:
		return -1000000;
	case KEY_END:
		return 1000000;
	default:
		return 0;
	}
}

static void show_view(struct top *t, enum top_view view)
{
	top_model_show(t->model, view);
	t->lacking[0] = '\0';
	look_at_once(t);
}

static void next_view(struct top *t)
{
	show_view(t, (enum top_view)((top_model_view(t->model) + 1) % TOP_VIEWS));
}

/* Each view has a key, which goes back to the sessions, too. False: it is none of those. */
static bool view_key(struct top *t, int key)
{
	static const char keys[] = {[TOP_USER_VIEW - 1] = 'u',
		[TOP_ACCOUNT_VIEW - 1] = 'a',
		[TOP_SITE_VIEW - 1] = 's',
		[TOP_FAILURE_VIEW - 1] = 'f',
		[TOP_UPSTREAM_VIEW - 1] = 'v'};

	for (size_t i = 0; i < sizeof(keys); i++) {
		enum top_view view = (enum top_view)(i + 1);

		if (key != keys[i])
			continue;
		show_view(t, top_model_view(t->model) == view ? TOP_SESSION_VIEW : view);
		return true;
	}
	return false;
}

/* A failure is told by what is there of it; of a session, a user or an account those of the user
 * are asked for. */
static void explain_selected(struct top *t)
{
	enum top_view view = top_model_view(t->model);
	const struct top_row *row;

	if (top_model_count(t->model) == 0)
		return;
	row = top_model_row(t->model, top_model_selected(t->model));
	if (view == TOP_FAILURE_VIEW) {
		top_why_tell_row(row, t->pane);
		t->mode = MODE_PANE;
	} else {
		t->wants_why = top_why_ask_about(view, row, t->about, sizeof(t->about));
	}
}

static void list_key(struct top *t, int key)
{
	if (key != KEY_RESIZE)
		show_note(t, false, "");
	switch (key) {
	case 'q':
	case 'Q':
		t->ended = true;
		break;
	case '\t':
		next_view(t);
		break;
	case 'w':
		explain_selected(t);
		break;
	case '<':
	case KEY_LEFT:
		top_model_sort_beside(t->model, -1);
		break;
	case '>':
	case KEY_RIGHT:
		top_model_sort_beside(t->model, 1);
		break;
	case 'r':
		top_model_reverse(t->model);
		break;
	case '/':
		start_typing(t);
		break;
	case 'k':
	case KEY_DC:
		ask_to_kill(t);
		break;
	case '?':
	case 'h':
		t->mode = MODE_KEYS;
		break;
	case KEY_ESCAPE:
		top_model_filter(t->model, "");
		break;
	default:
		if (!view_key(t, key))
			top_model_move(t->model, distance(key));
		break;
	}
}

static void take_keys(struct top *t)
{
	static void (*const take[])(struct top *, int) = {[MODE_LIST] = list_key,
		[MODE_FILTER] = filter_key,
		[MODE_QUESTION] = answer_key,
		[MODE_KEYS] = leave_keys,
		[MODE_PANE] = leave_keys};
	int key;

	while (!t->ended && (key = top_view_key()) != ERR)
		take[t->mode](t, key);
}

/* ---- the loop ---- */

static void draw(const struct top *t)
{
	struct top_view_texts texts = {.server = link_place(t->client->link),
		.note = t->note,
		.is_typed = t->mode == MODE_FILTER || t->mode == MODE_QUESTION,
		.shows_keys = t->mode == MODE_KEYS,
		.pane = t->mode == MODE_PANE ? t->pane : NULL,
		.lacking = t->lacking,
		.is_bad = t->note_is_bad};

	top_view_draw(t->model, &texts);
}

static void redraw_on_signal(struct top *t)
{
	int number = signals_next(&t->client->signals);

	if (number == SIGWINCH)
		top_view_resize();
	if (number != SIGTSTP)
		return;
	top_view_leave();
	signals_stop_here();
	top_view_resize();
}

static int64_t next_refresh(const struct top *t)
{
	return t->asked == ASKED_NOTHING ? t->next_look : link_deadline(t->client->link);
}

static void wait_for_event(struct top *t)
{
	struct client *c = t->client;
	struct pollfd fds[4] = {{.fd = STDIN_FILENO, .events = POLLIN},
		{.fd = c->signals.ending, .events = POLLIN},
		{.fd = c->signals.screen, .events = POLLIN},
		{.fd = link_fd(c->link), .events = POLLIN}};
	int ready = socket_wait(fds, 4, next_refresh(t));

	if (fds[1].revents != 0 || (fds[0].revents & (POLLHUP | POLLERR)) != 0) {
		signals_forget_interrupt(); /* it was for the view, not for a prompt behind it */
		t->ended = true;
	}
	if (fds[2].revents != 0)
		redraw_on_signal(t);
	if (fds[3].revents != 0 || (ready == 0 && t->asked != ASKED_NOTHING))
		receive_unasked(t);
}

static void run_screen(struct top *t)
{
	draw(t);
	while (!t->ended && t->broken == 0) {
		ask_next(t);
		wait_for_event(t);
		take_keys(t);
		draw(t);
	}
}

/* For a prompt that goes on with the connection. */
static void await_last_reply(struct top *t)
{
	struct answer reply;

	if (t->broken != 0 || t->asked == ASKED_NOTHING)
		return;
	t->broken = link_await(t->client->link, &reply);
	if (t->broken == 0)
		answer_free(&reply);
}

enum client_status top_check(void)
{
	char text[256];
	const char *problem =
		terminfo_problem(TOP_VIEW_LINES, TOP_VIEW_COLUMNS, text, sizeof(text));

	if (problem == NULL)
		return CLIENT_OK;
	client_say("top: %s", problem);
	return CLIENT_USAGE;
}

enum client_status top_run(struct client *c)
{
	struct top t = {.client = c, .model = top_model_new()};

	if (t.model == NULL || top_view_open() < 0) {
		client_say("top: out of memory");
		top_model_free(t.model);
		return CLIENT_BROKEN;
	}
	run_screen(&t);
	top_view_close();
	top_model_free(t.model);
	if (c->flags->action != FLAGS_TOP)
		await_last_reply(&t);
	if (t.broken == 0 || t.broken == LINK_INTERRUPTED)
		return CLIENT_OK;
	return client_complain(c, t.broken);
}
