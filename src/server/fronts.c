/*
 * All that is particular to one front is in its row of a table; whoever accepts there brings his
 * functions. The start is a change like any other, from nothing.
 *
 * What is new is opened before anything that is old is closed, so that a change which cannot be is
 * refused with all as it was, and nobody is turned away while it is made. The descriptors for both
 * at once are borrowed from the spare of the budget. A socket whose address stays is taken over,
 * with whoever waits in its backlog.
 */
#include "server/fronts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "net/local.h"

#define WEB_PORT 8081

static const struct front_row {
	const char *listening; /* what the log says */
	const char *name; /* of the first setting */
	bool is_local; /* a unix socket */
	size_t path; /* its setting */
	size_t listen, port; /* else: where, and on which port unless that says one */
	uint16_t fixed_port; /* where that is no setting; 0: it is one */
	size_t clients; /* descriptors that whoever accepts there needs for them */
	size_t most_clients; /* setting, where that says how many; 0: none does */
	size_t backlog; /* setting */
	int fixed_backlog; /* where it is none; 0: it is */
} rows[FRONTS] = {
	[FRONT_PROXY] = {.listening = "listening",
		.name = "listen",
		.listen = offsetof(struct settings, listen),
		.port = offsetof(struct settings, port),
		.backlog = offsetof(struct settings, backlog)},
	[FRONT_MONITOR] = {.listening = "monitor listening",
		.name = "monitor_listen",
		.listen = offsetof(struct settings, monitor_listen),
		.port = offsetof(struct settings, monitor_port),
		.fixed_backlog = 64},
	[FRONT_MONITOR_SOCKET] = {.listening = "monitor listening",
		.name = "monitor_socket",
		.is_local = true,
		.path = offsetof(struct settings, monitor_socket),
		.clients = FRONTS_SOCKET_CLIENTS + 1,
		.fixed_backlog = 64},
	[FRONT_WEB] = {.listening = "web listening",
		.name = "web_listen",
		.listen = offsetof(struct settings, web_listen),
		.fixed_port = WEB_PORT,
		.most_clients = offsetof(struct settings, max_web_clients),
		.fixed_backlog = 64},
};

static const char *path_of(const struct settings *s, enum front front)
{
	return *(char *const *)(const void *)((const char *)s + rows[front].path);
}

static const struct listen_list *list_of(const struct settings *s, enum front front)
{
	return (const void *)((const char *)s + rows[front].listen);
}

static int64_t number_of(const struct settings *s, size_t setting)
{
	return *(const int64_t *)(const void *)((const char *)s + setting);
}

static uint16_t port_of(const struct settings *s, enum front front)
{
	return rows[front].fixed_port != 0 ? rows[front].fixed_port
					   : (uint16_t)number_of(s, rows[front].port);
}

/* Descriptors for those who come, for one who is turned away, and that their loop is woken by. */
static size_t clients_of(const struct settings *s, enum front front)
{
	return rows[front].most_clients == 0 ? rows[front].clients
					     : (size_t)number_of(s, rows[front].most_clients) + 2;
}

struct listen_list fronts_places(const struct settings *s, enum front front)
{
	struct listen_list list = {.count = 0};

	if (rows[front].is_local)
		return list;
	list = *list_of(s, front);
	for (size_t i = 0; i < list.count; i++) {
		if (!list.has_port[i])
			addr_set_port(&list.addrs[i], port_of(s, front));
	}
	return list;
}

void fronts_plan_own(struct config *c)
{
	c->own_count = 0;
	for (enum front i = 0; i < FRONTS; i++) {
		struct listen_list places = fronts_places(&c->settings, i);

		for (size_t k = 0; k < places.count; k++)
			c->own[c->own_count++] = places.addrs[k];
	}
}

static int backlog_of(const struct settings *s, enum front front)
{
	return rows[front].fixed_backlog != 0 ? rows[front].fixed_backlog
					      : (int)number_of(s, rows[front].backlog);
}

static size_t count_new(const struct settings *s, enum front front, const struct listeners *old)
{
	struct listen_list places;

	if (rows[front].is_local)
		return listeners_count_new_local(path_of(s, front), old);
	places = fronts_places(s, front);
	return listeners_count_new(&places, old);
}

/* Of so many new sockets, and of their clients, for whom `kept` are there. */
static size_t descriptors_of(
	const struct settings *s, enum front front, size_t sockets, size_t kept)
{
	return sockets + (sockets > 0 ? clients_of(s, front) - kept : 0);
}

size_t fronts_descriptors(const struct settings *s)
{
	size_t count = 0;

	for (enum front i = 0; i < FRONTS; i++)
		count += descriptors_of(s, i, count_new(s, i, NULL), 0);
	return count;
}

int fronts_check(const struct settings *s, char error[CONFIG_ERROR_MAX])
{
	for (enum front i = 0; i < FRONTS; i++) {
		const char *path = rows[i].is_local ? path_of(s, i) : "";
		int result = *path != '\0' ? local_check(path) : 0;

		if (result == 0)
			continue;
		snprintf(error, CONFIG_ERROR_MAX, "cannot listen at %s: %s", path,
			local_explain(result));
		return -1;
	}
	return 0;
}

/* ---- what cannot be listened on beside each other ---- */

static bool clash(const struct addr *a, const struct addr *b)
{
	return a->sa.sa_family == b->sa.sa_family && addr_port(a) == addr_port(b) &&
		addr_port(a) != 0 &&
		(addr_is_unspecified(a) || addr_is_unspecified(b) || addr_equal(a, b));
}

/* The first of the `count` places that clashes with `a`; NULL: none. */
static const struct addr *find_clash(
	const struct listen_list *places, size_t count, const struct addr *a)
{
	for (size_t i = 0; i < count; i++) {
		if (clash(&places->addrs[i], a))
			return &places->addrs[i];
	}
	return NULL;
}

/* With those of the fronts before this one, and those before it of its own. */
static int check_place(const struct listen_list places[FRONTS], enum front front, size_t at,
	char error[CONFIG_ERROR_MAX])
{
	const struct addr *a = &places[front].addrs[at], *other;
	char text[ADDR_TEXT_MAX], other_text[ADDR_TEXT_MAX];

	for (enum front i = 0; i <= front; i++) {
		other = find_clash(&places[i], i == front ? at : places[i].count, a);
		if (other == NULL)
			continue;
		snprintf(error, CONFIG_ERROR_MAX,
			"%s: \"%s\": %s has %s already, and each port of an address can be "
			"listened on once",
			rows[front].name, addr_format(a, text), rows[i].name,
			addr_format(other, other_text));
		return -1;
	}
	return 0;
}

int fronts_check_places(const struct settings *s, char error[CONFIG_ERROR_MAX])
{
	struct listen_list places[FRONTS];

	for (enum front i = 0; i < FRONTS; i++) {
		places[i] = fronts_places(s, i);
		for (size_t k = 0; k < places[i].count; k++) {
			if (check_place(places, i, k, error) < 0)
				return -1;
		}
	}
	return 0;
}

/* Sockets change hands between fronts never, so what one has until now another cannot take. */
static int check_taken(const struct fronts *f, enum front front, const struct settings *s,
	char error[CONFIG_ERROR_MAX])
{
	struct listen_list places = fronts_places(s, front);
	char text[ADDR_TEXT_MAX];

	for (enum front i = 0; i < FRONTS; i++) {
		const struct listeners *now = f->at[i].now;

		for (size_t k = 0; i != front && now != NULL && k < now->count; k++) {
			if (find_clash(&places, places.count, &now->items[k].bound) == NULL)
				continue;
			snprintf(error, CONFIG_ERROR_MAX,
				"%s: %s is what %s of this very server has until now: change that "
				"first",
				rows[front].name, addr_format(&now->items[k].bound, text),
				rows[i].name);
			return -1;
		}
	}
	return 0;
}

/* ---- opening ---- */

/* What there is to be taken over; NULL: nothing. */
static const struct listeners *before(const struct fronts *f, enum front front)
{
	return f->at[front].now != NULL ? f->at[front].now : f->at[front].handed;
}

static void close_next(struct fronts *f)
{
	for (enum front i = 0; i < FRONTS; i++) {
		if (f->at[i].next != NULL)
			listeners_leave_out(f->at[i].next, before(f, i));
		listeners_close(f->at[i].next);
		f->at[i].next = NULL;
	}
}

static struct listeners *open_front(const struct fronts *f, enum front front,
	const struct settings *s, char error[CONFIG_ERROR_MAX])
{
	const struct listeners *now = before(f, front);
	int backlog = backlog_of(s, front);
	struct listen_list places;

	if (rows[front].is_local)
		return listeners_open_local(path_of(s, front), backlog, now, error);
	places = fronts_places(s, front);
	return listeners_open(&places, backlog, now, error);
}

static int open_next(struct fronts *f, struct config *c, char error[CONFIG_ERROR_MAX])
{
	c->own_count = 0;
	c->monitor_at = (struct addr){.sa.sa_family = AF_UNSPEC};
	for (enum front i = 0; i < FRONTS; i++) {
		if (check_taken(f, i, &c->settings, error) == 0)
			f->at[i].next = open_front(f, i, &c->settings, error);
		if (f->at[i].next == NULL) {
			close_next(f);
			return -1;
		}
		f->at[i].clients = clients_of(&c->settings, i);
		listeners_add_own(f->at[i].next, c);
	}
	if (f->at[FRONT_MONITOR].next->count > 0)
		c->monitor_at = f->at[FRONT_MONITOR].next->items[0].bound;
	return 0;
}

static struct listeners *claim_front(struct handover *h, enum front front, const struct settings *s)
{
	struct listen_list places = fronts_places(s, front);

	return rows[front].is_local ? handover_claim_local(h, front, path_of(s, front))
				    : handover_claim(h, front, &places, backlog_of(s, front));
}

/* For all fronts, before one is opened: what nobody wants may be in the way. -1 without memory. */
static int claim_handed(struct fronts *f, const struct settings *s)
{
	if (f->handover == NULL)
		return 0;
	for (enum front i = 0; i < FRONTS; i++) {
		f->at[i].handed = claim_front(f->handover, i, s);
		if (f->at[i].handed == NULL)
			return -1;
	}
	handover_drop_rest(f->handover);
	return 0;
}

/* Those of them stay open that were taken over. */
static void release_handed(struct fronts *f)
{
	for (enum front i = 0; i < FRONTS; i++) {
		if (f->at[i].handed != NULL)
			listeners_leave_out(f->at[i].handed, f->at[i].next);
		listeners_close(f->at[i].handed);
		f->at[i].handed = NULL;
	}
}

int fronts_open(struct fronts *f, struct fdbudget *budget, size_t reserved,
	struct handover *handover, struct config *c, char error[CONFIG_ERROR_MAX])
{
	int result = -1;

	f->budget = budget;
	f->reserved = reserved;
	f->handover = handover;
	if (claim_handed(f, &c->settings) < 0)
		snprintf(error, CONFIG_ERROR_MAX, "out of memory");
	else
		result = open_next(f, c, error);
	release_handed(f);
	return result;
}

void fronts_set_acceptor(struct fronts *f, enum front front, const struct acceptor *acceptor)
{
	f->at[front].acceptor = *acceptor;
}

static int expect_next(struct fronts *f, char error[CONFIG_ERROR_MAX])
{
	for (enum front i = 0; i < FRONTS; i++) {
		const struct acceptor *a = &f->at[i].acceptor;

		if (a->expect == NULL || a->expect(a->context, f->at[i].next) == 0)
			continue;
		snprintf(error, CONFIG_ERROR_MAX, "cannot wait for clients: %s", strerror(errno));
		return -1;
	}
	return 0;
}

/* ---- going over ---- */

static bool is_same(const struct listeners *a, const struct listeners *b)
{
	if (a == NULL || a->count != b->count)
		return false;
	for (size_t i = 0; i < b->count; i++) {
		if (!listeners_have(a, b->items[i].fd))
			return false;
	}
	return true;
}

/* What is new outlives us, where somebody keeps it, and what is gone does not. */
static void hand_over(
	const struct fronts *f, enum front front, struct listeners *old, struct listeners *next)
{
	for (size_t i = 0; i < next->count; i++)
		handover_keep(f->handover, front, &next->items[i]);
	for (size_t i = 0; old != NULL && i < old->count; i++)
		handover_forget(f->handover, &old->items[i]);
}

static void go_over(struct fronts *f, enum front front)
{
	const struct acceptor *a = &f->at[front].acceptor;
	struct listeners *old = f->at[front].now, *next = f->at[front].next;

	f->at[front].next = NULL;
	if (is_same(old, next)) {
		listeners_leave_out(next, old);
		listeners_close(next);
		return;
	}
	listeners_begin(next);
	a->listen_on(a->context, next);
	f->at[front].now = next;
	if (old != NULL)
		listeners_leave_out(old, next);
	hand_over(f, front, old, next);
	listeners_close(old);
}

/* Keeps of the spare what the present sockets need beyond what was reserved at start. */
static void settle_borrowed(struct fronts *f)
{
	size_t held = f->borrowed + f->borrowed_for_change, count = 0;

	for (enum front i = 0; i < FRONTS; i++) {
		if (f->at[i].now->count > 0)
			f->at[i].kept = f->at[i].clients;
		count += f->at[i].now->count + f->at[i].kept;
	}
	f->borrowed = count > f->reserved ? count - f->reserved : 0;
	f->borrowed_for_change = 0;
	fdbudget_return(f->budget, held - f->borrowed);
}

void fronts_commit(struct fronts *f, bool logs_new)
{
	for (enum front i = 0; i < FRONTS; i++) {
		if (logs_new)
			listeners_log(f->at[i].next, f->at[i].now, rows[i].listening);
		go_over(f, i);
	}
	settle_borrowed(f);
}

void fronts_log(const struct fronts *f)
{
	for (enum front i = 0; i < FRONTS; i++)
		listeners_log(f->at[i].now, NULL, rows[i].listening);
}

int fronts_begin(struct fronts *f, char error[CONFIG_ERROR_MAX])
{
	if (expect_next(f, error) < 0)
		return -1;
	fronts_commit(f, true);
	return 0;
}

/* ---- a change ---- */

static int borrow_descriptors(
	struct fronts *f, const struct settings *new, char error[CONFIG_ERROR_MAX])
{
	size_t count = 0;

	for (enum front i = 0; i < FRONTS; i++)
		count += descriptors_of(new, i, count_new(new, i, f->at[i].now), f->at[i].kept);
	if (!fdbudget_borrow(f->budget, count)) {
		snprintf(error, CONFIG_ERROR_MAX,
			"no descriptors to spare for new listeners (limit on open files): try "
			"again later");
		return -1;
	}
	f->borrowed_for_change = count;
	return 0;
}

int fronts_prepare(struct fronts *f, struct config *new, char error[CONFIG_ERROR_MAX])
{
	if (fronts_check_places(&new->settings, error) < 0 ||
		borrow_descriptors(f, &new->settings, error) < 0)
		return -1;
	if (open_next(f, new, error) == 0 && expect_next(f, error) == 0)
		return 0;
	fronts_undo(f);
	return -1;
}

void fronts_undo(struct fronts *f)
{
	close_next(f);
	fdbudget_return(f->budget, f->borrowed_for_change);
	f->borrowed_for_change = 0;
}

/* ---- the end ---- */

const struct listeners *fronts_listeners(const struct fronts *f, enum front front)
{
	return f->at[front].now;
}

void fronts_close(struct fronts *f, enum front front)
{
	listeners_close(f->at[front].now);
	f->at[front].now = NULL;
}

void fronts_close_all(struct fronts *f)
{
	close_next(f);
	for (enum front i = 0; i < FRONTS; i++)
		fronts_close(f, i);
}
