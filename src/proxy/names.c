/*
 * A name is in one place of a table, with the datagrams that wait for it in their order. Of the
 * addresses that a lookup gives, the one is taken that dial would try first, if it is allowed by
 * the rules, and with a route to it. It is kept when the name is looked up anew, if it is still
 * among the answers: what is spoken over UDP often takes another address for another partner.
 */
#include "proxy/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "net/socket.h"
#include "state/outgoing.h"

#define KNOWN_MS 60000 /* the resolver's cache knows the real time; this spares asking it */
#define UNKNOWN_MS 1000

/* ---- datagrams that wait ---- */

static bool has_waiting_room(const struct names *n, size_t len)
{
	return n->waiting < NAMES_WAITING_MAX && len <= NAMES_WAITING_BYTES - n->waiting_bytes;
}

/* Appends a copy; false when there is no room or memory for it. */
static bool append(struct names *n, struct name *name, uint16_t port, const void *data, size_t len)
{
	struct name_datagram *copy = has_waiting_room(n, len) ? malloc(sizeof(*copy) + len) : NULL;

	if (copy == NULL)
		return false;
	*copy = (struct name_datagram){.port = port, .len = len};
	memcpy(copy->data, data, len);
	if (name->first == NULL)
		name->end = &name->first;
	*name->end = copy;
	name->end = &copy->next;
	n->waiting++;
	n->waiting_bytes += len;
	return true;
}

static struct name_datagram *take_first(struct names *n, struct name *name)
{
	struct name_datagram *d = name->first;

	name->first = d->next;
	n->waiting--;
	n->waiting_bytes -= d->len;
	return d;
}

struct name_datagram *names_take(struct names *n)
{
	for (size_t i = 0; i < NAMES_MAX && n->waiting > 0; i++) {
		struct name *name = &n->all[i];
		struct name_datagram *d;

		if (name->state != NAME_KNOWN || name->first == NULL)
			continue;
		d = take_first(n, name);
		d->name = name;
		return d;
	}
	return NULL;
}

/* ---- what a lookup led to ---- */

/* Is there a way to it? Not asked when there is no descriptor for the moment that it takes. */
static bool has_route(const struct names *n, const struct addr *addr)
{
	struct socket_via via = outgoing_via(n->asker->config, addr->sa.sa_family);
	struct addr local;
	bool routed;

	if (!fd_lease_take(n->asker->lease))
		return true;
	routed = socket_route(addr, &via, &local) == 0;
	fd_lease_give(n->asker->lease);
	return routed;
}

/* Is the address that was known among those that there are now, and allowed? */
static bool may_stay(const struct names *n, const struct name *name, const struct target *t)
{
	struct addr addr = names_address(name, name->port);

	return target_includes(t, &addr) && target_judge(n->asker, &t->dst, &addr, false).allowed;
}

/* Takes the first address that will do. Where none does, any: what is sent to it is dropped for the
 * right reason. When the servers fail, the address stays that was known. */
static void choose_address(struct names *n, struct name *name, struct target *t)
{
	struct addr any = {.sa = {.sa_family = AF_UNSPEC}};

	if (may_stay(n, name, t))
		return;
	while (target_has_next(t)) {
		struct candidate c = target_next(t, false);

		if (c.verdict.allowed && has_route(n, &c.addr)) {
			name->addr = c.addr;
			return;
		}
		if (any.sa.sa_family == AF_UNSPEC)
			any = c.addr;
	}
	if (any.sa.sa_family != AF_UNSPEC || target_failure(t) == END_NAME_NOT_FOUND)
		name->addr = any;
}

/* The lookup is over, and so long what it led to is believed. */
static void know(struct names *n, size_t i, int64_t now)
{
	struct name *name = n->sought[i];
	bool found = name->addr.sa.sa_family != AF_UNSPEC;

	name->state = NAME_KNOWN;
	name->deadline = now + (found ? KNOWN_MS : UNKNOWN_MS);
	n->sought[i] = NULL;
}

static void settle(struct names *n, size_t i, int64_t now)
{
	choose_address(n, n->sought[i], &n->targets[i]);
	target_end(&n->targets[i], n->sought[i]->addr.sa.sa_family != AF_UNSPEC);
	know(n, i, now);
}

/* Is there an answer to go on with? */
static bool is_settled(struct names *n, size_t i, int64_t now)
{
	struct target *t = &n->targets[i];

	return !target_pending(t) || now >= n->sought[i]->deadline || target_due(t) <= now;
}

/* ---- lookups ---- */

static void begin_lookup(struct names *n, size_t i, struct name *name, int64_t now)
{
	struct destination dst = names_destination(name, name->port);

	name->state = NAME_SOUGHT;
	name->deadline = now + n->asker->config->settings.connect_timeout;
	n->sought[i] = name;
	n->fd_counts[i] = 0;
	if (name->goes_straight)
		target_look_up(&n->targets[i], n->asker, &dst);
	else if (!target_begin(&n->targets[i], n->asker, &dst))
		know(n, i, now); /* nothing: names_find() says who is denied */
	if (n->sought[i] == name && is_settled(n, i, now))
		settle(n, i, now);
}

static struct name *next_queued(struct names *n)
{
	struct name *oldest = NULL;

	for (size_t i = 0; i < NAMES_MAX; i++) {
		struct name *name = &n->all[i];

		if (name->state == NAME_QUEUED && (oldest == NULL || name->used < oldest->used))
			oldest = name;
	}
	return oldest;
}

/* Begins as many lookups as may be under way. */
static void begin_lookups(struct names *n, int64_t now)
{
	struct name *name;

	for (size_t i = 0; i < NAMES_LOOKUPS; i++) {
		while (n->sought[i] == NULL && (name = next_queued(n)) != NULL)
			begin_lookup(n, i, name, now);
	}
}

size_t names_fds(struct names *n, struct pollfd *fds)
{
	size_t count = 0;

	for (size_t i = 0; i < NAMES_LOOKUPS; i++) {
		n->fd_counts[i] =
			n->sought[i] == NULL ? 0 : target_fds(&n->targets[i], fds + count);
		count += n->fd_counts[i];
	}
	return count;
}

int64_t names_deadline(struct names *n)
{
	int64_t deadline = CLOCK_NEVER;

	for (size_t i = 0; i < NAMES_LOOKUPS; i++) {
		const struct name *name = n->sought[i];

		if (name == NULL)
			continue;
		deadline = clock_earlier(deadline, name->deadline);
		deadline = clock_earlier(deadline, target_deadline(&n->targets[i]));
		deadline = clock_earlier(deadline, target_due(&n->targets[i]));
	}
	return deadline;
}

void names_process(struct names *n, const struct pollfd *fds, int64_t now)
{
	for (size_t i = 0; i < NAMES_LOOKUPS; fds += n->fd_counts[i++]) {
		if (n->sought[i] == NULL)
			continue;
		target_process(&n->targets[i], fds, n->fd_counts[i]);
		if (is_settled(n, i, now))
			settle(n, i, now);
	}
	begin_lookups(n, now);
}

void names_end(struct names *n)
{
	for (size_t i = 0; i < NAMES_LOOKUPS; i++) {
		if (n->sought[i] != NULL)
			target_end(&n->targets[i], false);
	}
	for (size_t i = 0; i < NAMES_MAX; i++) {
		while (n->all[i].first != NULL)
			free(take_first(n, &n->all[i]));
	}
}

/* ---- names ---- */

static struct name *find_name(struct names *n, const char *text, size_t len)
{
	for (size_t i = 0; i < NAMES_MAX; i++) {
		struct name *name = &n->all[i];

		if (name->state != NAME_FREE && name->len == len &&
			memcmp(name->text, text, len) == 0)
			return name;
	}
	return NULL;
}

/* A place that is free, or known and used longest ago with nothing waiting; NULL: all are busy. */
static struct name *find_name_place(struct names *n)
{
	struct name *place = NULL;

	for (size_t i = 0; i < NAMES_MAX; i++) {
		struct name *name = &n->all[i];

		if (name->state == NAME_FREE)
			return name;
		if (name->state == NAME_KNOWN && name->first == NULL &&
			(place == NULL || name->used < place->used))
			place = name;
	}
	return place;
}

static struct name *add_name(struct names *n, const char *text, size_t len)
{
	struct name *name = find_name_place(n);

	if (name == NULL)
		return NULL;
	name->state = NAME_QUEUED;
	name->number = ++n->uses;
	name->addr.sa.sa_family = AF_UNSPEC;
	name->is_sent_on = name->goes_straight = false;
	name->detour = 0;
	name->len = (uint8_t)len;
	memcpy(name->text, text, len);
	return name;
}

/* By what the rules say of it now. */
static void begin_anew(
	const struct names *n, struct name *name, const struct verdict *verdict, int64_t now)
{
	bool is_new = verdict->is_by_name && !name->is_sent_on;

	name->state = verdict->is_by_name ? NAME_KNOWN : NAME_QUEUED;
	name->is_sent_on = verdict->is_by_name;
	name->goes_straight = false;
	name->detour = 0;
	if (!verdict->is_by_name)
		return;
	name->deadline = now + KNOWN_MS;
	if (is_new)
		target_count_hit(n->asker, verdict);
}

void names_go_straight(struct names *n, const struct name *name)
{
	struct name *own = &n->all[name - n->all];

	own->state = NAME_QUEUED;
	own->is_sent_on = false;
	own->goes_straight = true;
}

uint8_t names_detour(const struct name *name, uint16_t port)
{
	return name->detour_port == port ? name->detour : 0;
}

void names_set_detour(struct names *n, const struct name *name, uint16_t port, uint8_t detour)
{
	struct name *own = &n->all[name - n->all];

	own->detour = detour;
	own->detour_port = port;
}

/* The name of `dst`, to be looked up unless what is known of it is fresh. NULL with the reason. */
static struct name *take_name(
	struct names *n, const struct destination *dst, int64_t now, enum names_outcome *why)
{
	struct name *name = find_name(n, dst->name, dst->name_len);
	struct verdict verdict;

	if (name != NULL && name->state == NAME_KNOWN && now < name->deadline)
		return name;
	*why = NAMES_DENIED;
	verdict = target_judge(n->asker, dst, NULL, false);
	if (!verdict.allowed) {
		target_count_hit(n->asker, &verdict);
		return NULL;
	}
	*why = NAMES_FULL;
	if (name == NULL)
		name = add_name(n, dst->name, dst->name_len);
	else if (name->state != NAME_KNOWN || name->first != NULL)
		return name;
	if (name != NULL)
		begin_anew(n, name, &verdict, now);
	return name;
}

enum names_outcome names_find(struct names *n, const struct destination *dst, const void *data,
	size_t len, int64_t now, const struct name **found)
{
	enum names_outcome why;
	struct name *name = take_name(n, dst, now, &why);

	*found = name;
	if (name == NULL)
		return why;
	name->used = ++n->uses;
	name->port = dst->port;
	if (name->state == NAME_QUEUED)
		begin_lookups(n, now);
	if (name->state == NAME_KNOWN && name->first == NULL)
		return name->is_sent_on ? NAMES_SENT_ON : NAMES_KNOWN;
	return append(n, name, dst->port, data, len) ? NAMES_WAITS : NAMES_FULL;
}

const struct name *names_numbered(const struct names *n, uint64_t number)
{
	for (size_t i = 0; i < NAMES_MAX; i++) {
		if (n->all[i].state == NAME_KNOWN && n->all[i].number == number)
			return &n->all[i];
	}
	return NULL;
}

void names_doubt(struct names *n)
{
	for (size_t i = 0; i < NAMES_MAX; i++) {
		if (n->all[i].state == NAME_KNOWN)
			n->all[i].deadline = 0;
	}
}

struct addr names_address(const struct name *name, uint16_t port)
{
	struct addr a = name->addr;

	addr_set_port(&a, port);
	return a;
}

struct destination names_destination(const struct name *name, uint16_t port)
{
	return (struct destination){
		.kind = DESTINATION_NAME, .port = port, .name_len = name->len, .name = name->text};
}
