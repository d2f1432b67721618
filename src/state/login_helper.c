/*
 * Each question has a connection of its own: its end is how the other side learns that nobody waits
 * for the answer any more, and after an answer that came too late there is nothing to tell apart.
 * It costs as much as a few system calls, which are nothing beside what a directory takes.
 *
 * Questions wait for their turn in a queue of their own, of the same kind as that of slow hashes:
 * clients take turns, several who log in with the same name and password share an answer, and who
 * would come too late is refused at once. So a directory that is slow holds up nobody whose
 * password is kept here.
 *
 * When a question is asked is its client's choice, and so how long it is from there to his
 * deadline: that one who came late got no answer says nothing of the other side.
 *
 * What is answered comes from another program, and in the end from whoever may write to a
 * directory: a name is that of no account before it is looked at like one from a users file.
 */
#include "state/login_helper.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "net/local.h"
#include "net/socket.h"
#include "wire/auth_line.h"

#define WRONG_MS 10000 /* that a wrong answer is remembered */
#define CONNECT_MS 1000 /* for a full backlog */
#define FAIR_MS 5000 /* that a question has had before it counts that nobody answered */
#define LOOK_MS 250 /* how often it is looked whether who asks still waits */

_Static_assert(AUTH_LINE_FIELD_MAX == USERS_NAME_MAX, "a name fits");

struct login_helper {
	struct hashing *queue;
	struct login_answers *answers;
	_Atomic(bool) is_stopped;
	_Atomic(int64_t) cache_ms, fair_ms;
	_Atomic(uint64_t) right, wrong, failed, recalled;
	struct mutex lock; /* what follows */
	char *groups; /* NULL: none */
	bool lacks_groups; /* there are more than it can be asked about */
	struct login_helper_trouble trouble; /* `text` "": none */
	struct log_limit log_limit;
	char path[];
};

/* ---- making ---- */

struct login_helper *login_helper_new(const char *path)
{
	struct login_helper *h = calloc(1, sizeof(*h) + strlen(path) + 1);

	if (h == NULL)
		return NULL;
	strcpy(h->path, path);
	mutex_init(&h->lock);
	h->fair_ms = FAIR_MS;
	h->queue = hashing_new(1);
	h->answers = login_answers_new();
	if (h->queue != NULL && h->answers != NULL)
		return h;
	login_helper_free(h);
	return NULL;
}

void login_helper_free(struct login_helper *h)
{
	if (h == NULL)
		return;
	hashing_free(h->queue);
	login_answers_free(h->answers);
	mutex_destroy(&h->lock);
	free(h->groups);
	free(h);
}

const char *login_helper_path(const struct login_helper *h)
{
	return h->path;
}

void login_helper_set(struct login_helper *h, int64_t cache_ms, unsigned most)
{
	int64_t before = atomic_exchange(&h->cache_ms, cache_ms);

	if (cache_ms < before)
		login_answers_forget(h->answers, NULL);
	hashing_set_most(h->queue, most);
}

void login_helper_set_longest(struct login_helper *h, int64_t longest_ms)
{
	atomic_store(&h->fair_ms, clock_earlier(FAIR_MS, longest_ms / 2));
}

int login_helper_set_groups(struct login_helper *h, const char *groups, bool are_all)
{
	char *fresh = *groups == '\0' ? NULL : strdup(groups), *old;
	bool is_same;

	if (fresh == NULL && *groups != '\0')
		return -1;
	mutex_lock(&h->lock);
	old = h->groups;
	is_same = strcmp(old == NULL ? "" : old, groups) == 0 && h->lacks_groups == !are_all;
	h->groups = fresh;
	h->lacks_groups = !are_all;
	mutex_unlock(&h->lock);
	free(old);
	if (!is_same)
		login_answers_forget(h->answers, NULL);
	return 0;
}

bool login_helper_asks_about(struct login_helper *h, const char *group)
{
	bool asks;

	mutex_lock(&h->lock);
	asks = h->groups != NULL && limits_in_group(h->groups, group, strlen(group));
	mutex_unlock(&h->lock);
	return asks;
}

struct hashing *login_helper_queue(struct login_helper *h)
{
	return h->queue;
}

void login_helper_stop(struct login_helper *h)
{
	atomic_store(&h->is_stopped, true);
	hashing_stop(h->queue);
}

/* ---- one question ---- */

bool login_helper_can_ask(
	const char *name, size_t name_len, const char *password, size_t password_len)
{
	return auth_line_can_ask(name, name_len) && auth_line_can_ask(password, password_len);
}

/* On the heap, as workers' stacks are small. The line has a password in it. */
struct exchange {
	struct login_helper *helper;
	const struct hashing_wait *wait;
	int64_t begun;
	int fd;
	size_t len; /* of what is in `line` */
	struct auth_answer answer;
	char groups[AUTH_LINE_GROUPS_MAX + 1]; /* that are asked about */
	char line[AUTH_LINE_MAX];
	char why[LOGIN_HELPER_TEXT_MAX]; /* it failed */
};

static enum helper_verdict fail_silent(struct exchange *x, const char *what, const char *why)
{
	snprintf(x->why, sizeof(x->why), "%s%s", what, why);
	return HELPER_SILENT;
}

/* Nothing came by the deadline. */
static enum helper_verdict run_out(struct exchange *x, const char *what, const char *why)
{
	if (clock_ms() - x->begun < atomic_load(&x->helper->fair_ms))
		return HELPER_TOO_LATE;
	return fail_silent(x, what, why);
}

static bool is_told(const struct exchange *x)
{
	const struct hashing_wait *w = x->wait;

	if (atomic_load(&x->helper->is_stopped))
		return true;
	return w->told != NULL && atomic_load(w->told);
}

/* Waits for what the socket is to be ready for. HELPER_RIGHT when it is. */
static enum helper_verdict await_socket(struct exchange *x, short events)
{
	struct pollfd p = {.fd = x->fd, .events = events};
	const struct hashing_wait *w = x->wait;

	for (;;) {
		int64_t end = w->deadline;

		if (w->patience != NULL && w->patience(w->waiter) <= clock_ms())
			return HELPER_NOT_AWAITED;
		if (is_told(x))
			return HELPER_NOT_AWAITED;
		if (socket_wait(&p, 1, clock_earlier(end, clock_deadline(LOOK_MS))) > 0)
			return HELPER_RIGHT;
		if (end != CLOCK_NEVER && clock_ms() >= end)
			return run_out(x, "it has not answered in time", "");
	}
}

static enum helper_verdict send_question(struct exchange *x)
{
	for (size_t sent = 0; sent < x->len;) {
		ssize_t n = socket_write(x->fd, x->line + sent, x->len - sent);
		enum helper_verdict ready;

		if (n > 0) {
			sent += (size_t)n;
			continue;
		}
		if (errno != EAGAIN)
			return fail_silent(x, "it breaks off: ", strerror(errno));
		ready = await_socket(x, POLLOUT);
		if (ready != HELPER_RIGHT)
			return ready;
	}
	return HELPER_RIGHT;
}

static enum helper_verdict take_verdict(struct exchange *x)
{
	switch (x->answer.verdict) {
	case AUTH_OK:
		return HELPER_RIGHT;
	case AUTH_ERR:
		return HELPER_WRONG;
	case AUTH_BH:
		break;
	}
	if (x->answer.message[0] == '\0')
		return fail_silent(x, "it cannot say", "");
	return fail_silent(x, "it cannot say: ", x->answer.message);
}

/* Into where the question was. */
static enum helper_verdict receive_answer(struct exchange *x)
{
	enum helper_verdict ready;

	for (x->len = 0;;) {
		int used = auth_line_parse_answer(x->line, x->len, &x->answer);
		ssize_t n;

		if (used > 0)
			return take_verdict(x);
		if (used == AUTH_LINE_MALFORMED || x->len == sizeof(x->line))
			return fail_silent(x, "its answer is none", "");
		ready = await_socket(x, POLLIN);
		if (ready != HELPER_RIGHT)
			return ready;
		n = socket_read(x->fd, x->line + x->len, sizeof(x->line) - x->len);
		if (n > 0)
			x->len += (size_t)n;
		else if (n == 0)
			return fail_silent(x, "it closes without an answer", "");
		else if (errno != EAGAIN)
			return fail_silent(x, "it breaks off: ", strerror(errno));
	}
}

const char *login_helper_explain(int error)
{
	switch (error) {
	case ENOENT:
		return "there is no such socket: is socks5d_auth running?";
	case ECONNREFUSED:
		return "nobody serves there: socks5d_auth has ended";
	case EACCES:
		return "the server may not connect to it: its user must be the socket's owner or "
		       "of its group";
	case ETIMEDOUT:
		return "too many wait to connect";
	case EPERM:
		return "the sandbox allows no such socket: that takes a restart";
	default:
		return strerror(error);
	}
}

static enum helper_verdict connect_to(struct login_helper *h, struct exchange *x)
{
	static const char what[] = "it cannot be reached: ";
	int64_t left =
		x->wait->deadline == CLOCK_NEVER ? CONNECT_MS : x->wait->deadline - clock_ms();

	x->fd = local_connect(h->path, left < 1 ? 1 : left < CONNECT_MS ? left : CONNECT_MS);
	if (x->fd >= 0)
		return HELPER_RIGHT;
	if (errno == ETIMEDOUT && left < CONNECT_MS)
		return run_out(x, what, login_helper_explain(ETIMEDOUT));
	return fail_silent(x, what, login_helper_explain(errno));
}

/* False when it cannot be asked about all. */
static bool copy_groups(struct login_helper *h, char out[AUTH_LINE_GROUPS_MAX + 1])
{
	bool are_all;

	mutex_lock(&h->lock);
	snprintf(out, AUTH_LINE_GROUPS_MAX + 1, "%s", h->groups == NULL ? "" : h->groups);
	are_all = !h->lacks_groups;
	mutex_unlock(&h->lock);
	return are_all;
}

static enum helper_verdict exchange_lines(
	struct login_helper *h, const struct helper_question *q, struct exchange *x)
{
	enum helper_verdict v;

	x->begun = clock_ms();
	if (!copy_groups(h, x->groups))
		return fail_silent(
			x, "rules and limits name more groups than it can be asked about", "");
	v = connect_to(h, x);
	if (v != HELPER_RIGHT)
		return v;
	x->len = auth_line_put_question(q->name, q->password, x->groups, x->line, sizeof(x->line));
	v = x->len > 0 ? send_question(x) : fail_silent(x, "it cannot be asked that", "");
	if (v == HELPER_RIGHT)
		v = receive_answer(x);
	socket_close(x->fd);
	return v;
}

static bool asked_about_all_groups(struct login_helper *h, const struct exchange *x)
{
	bool are_same;

	mutex_lock(&h->lock);
	are_same = !h->lacks_groups &&
		strncmp(x->groups, h->groups == NULL ? "" : h->groups, sizeof(x->groups) - 1) == 0;
	mutex_unlock(&h->lock);
	return are_same;
}

/* Where rules name other groups by now, an answer about those that they named says nothing of them:
 * it is asked anew. Each time takes a change by an administrator. */
static enum helper_verdict ask_about_all_groups(
	struct login_helper *h, const struct helper_question *q, struct exchange *x)
{
	enum helper_verdict v;

	do
		v = exchange_lines(h, q, x);
	while (v == HELPER_RIGHT && !asked_about_all_groups(h, x));
	return v;
}

/* ---- what it comes to ---- */

static void name_person(const char *asked, const char *called, struct helper_person *person)
{
	person->is_as_given = *called == '\0';
	snprintf(person->name, sizeof(person->name), "%s", person->is_as_given ? asked : called);
	users_put_lower(person->name, strlen(person->name), person->name);
	if (users_name_problem(person->name, strlen(person->name)) != NULL)
		person->name[0] = '\0';
}

/* Those that can be groups here, each once. False when they do not fit. */
static bool list_groups(const char *groups, struct helper_person *person)
{
	const char *cursor = NULL, *group = NULL;
	size_t len = 0, used = 0;

	person->groups[0] = '\0';
	while (auth_line_next_group(groups, &cursor, &group, &len)) {
		if (limits_group_problem(group, len) != NULL ||
			limits_in_group(person->groups, group, len))
			continue;
		if (used + len + 2 > sizeof(person->groups))
			return false;
		used += (size_t)snprintf(person->groups + used, sizeof(person->groups) - used,
			"%s%.*s", used > 0 ? "," : "", (int)len, group);
	}
	return true;
}

static void log_groups(const char *name)
{
	static struct log_limit limit;
	uint64_t held_back;
	struct log_line line;

	if (!log_limit_pass(&limit, LOG_LIMIT_PERIOD_MS, &held_back))
		return;
	log_begin(&line, LOG_ERROR,
		"a helper lets in somebody in more groups than can be kept: refused");
	log_text(&line, "user", name);
	if (held_back > 0)
		log_number(&line, "others_since_last_line", (int64_t)held_back);
	log_end(&line);
}

/* Who would be in some of his groups only could be let in where a rule keeps out those of another.
 * The helper itself is well. */
static enum helper_verdict take_person(
	const struct helper_question *q, struct exchange *x, struct helper_person *person)
{
	name_person(q->name, x->answer.user, person);
	if (list_groups(x->answer.groups, person) || person->name[0] == '\0')
		return HELPER_RIGHT;
	log_groups(person->name);
	return HELPER_TOO_MANY_GROUPS;
}

static void note_trouble(struct login_helper *h, const char *why)
{
	uint64_t held_back;
	struct log_line line;

	mutex_lock(&h->lock);
	if (h->trouble.failures++ == 0)
		h->trouble.since = (int64_t)time(NULL);
	snprintf(h->trouble.text, sizeof(h->trouble.text), "%s", why);
	mutex_unlock(&h->lock);
	if (!log_limit_pass(&h->log_limit, LOG_LIMIT_PERIOD_MS, &held_back))
		return;
	log_begin(&line, LOG_ERROR, "logins cannot be checked by the helper at auth_socket");
	log_text(&line, "auth_socket", h->path);
	log_text(&line, "error", why);
	if (held_back > 0)
		log_number(&line, "others_since_last_line", (int64_t)held_back);
	log_end(&line);
}

/* Looked at without the lock first: all is well, as a rule. */
static void end_trouble(struct login_helper *h)
{
	bool was;

	mutex_lock(&h->lock);
	was = h->trouble.failures > 0;
	h->trouble = (struct login_helper_trouble){.failures = 0};
	mutex_unlock(&h->lock);
	if (was)
		log_message(LOG_INFO, "the helper at auth_socket answers again");
}

/* Nothing was learned by it. */
static bool is_given_up(enum helper_verdict v)
{
	return v == HELPER_NOT_AWAITED || v == HELPER_TOO_LATE;
}

static void count_verdict(struct login_helper *h, enum helper_verdict v, const char *why)
{
	if (v == HELPER_RIGHT)
		atomic_fetch_add_explicit(&h->right, 1, memory_order_relaxed);
	else if (v == HELPER_WRONG)
		atomic_fetch_add_explicit(&h->wrong, 1, memory_order_relaxed);
	else if (v == HELPER_SILENT || v == HELPER_TOO_MANY_GROUPS)
		atomic_fetch_add_explicit(&h->failed, 1, memory_order_relaxed);
	if (v == HELPER_SILENT)
		note_trouble(h, why);
	else if (!is_given_up(v))
		end_trouble(h);
}

enum helper_verdict login_helper_ask(
	struct login_helper *h, const struct helper_question *q, struct helper_person *person)
{
	struct exchange *x = malloc(sizeof(*x));
	enum helper_verdict v;

	if (x == NULL)
		return HELPER_NO_MEMORY;
	x->helper = h;
	x->wait = q->wait;
	v = ask_about_all_groups(h, q, x);
	if (v == HELPER_RIGHT)
		v = take_person(q, x, person);
	if (!is_given_up(v))
		hashing_note_cost(h->queue, clock_ms() - x->begun);
	count_verdict(h, v, x->why);
	explicit_bzero(x, sizeof(*x));
	free(x);
	return v;
}

/* ---- what is remembered ---- */

enum login_memory login_helper_recall(
	struct login_helper *h, const unsigned char *key, char name[USERS_NAME_MAX + 1])
{
	enum login_memory memory = login_answers_get(h->answers, key, clock_ms(), name);

	if (memory != LOGIN_UNKNOWN)
		atomic_fetch_add_explicit(&h->recalled, 1, memory_order_relaxed);
	return memory;
}

int64_t login_helper_cache(const struct login_helper *h)
{
	return atomic_load_explicit(&h->cache_ms, memory_order_relaxed);
}

uint64_t login_helper_age(struct login_helper *h)
{
	return login_answers_age(h->answers);
}

void login_helper_remember(
	struct login_helper *h, const unsigned char *key, const char *name, uint64_t age)
{
	int64_t keep = name == NULL ? WRONG_MS : login_helper_cache(h);

	if (keep > 0)
		login_answers_put(h->answers, key, name, clock_deadline(keep), age);
}

void login_helper_forget(struct login_helper *h, const char *name)
{
	login_answers_forget(h->answers, name);
}

/* ---- figures ---- */

struct login_helper_figures login_helper_read(struct login_helper *h)
{
	if (h == NULL)
		return (struct login_helper_figures){.right = 0};
	return (struct login_helper_figures){
		.right = atomic_load_explicit(&h->right, memory_order_relaxed),
		.wrong = atomic_load_explicit(&h->wrong, memory_order_relaxed),
		.failed = atomic_load_explicit(&h->failed, memory_order_relaxed),
		.recalled = atomic_load_explicit(&h->recalled, memory_order_relaxed),
		.remembered = login_answers_count(h->answers)};
}

bool login_helper_problem(struct login_helper *h, struct login_helper_trouble *out)
{
	mutex_lock(&h->lock);
	*out = h->trouble;
	mutex_unlock(&h->lock);
	return out->failures > 0;
}

int login_helper_try(const char *path, int64_t *uid)
{
	int fd = local_connect(path, CONNECT_MS);
	uid_t peer;

	if (fd < 0)
		return errno;
	*uid = local_peer(fd, &peer) ? (int64_t)peer : -1;
	socket_close(fd);
	return 0;
}
