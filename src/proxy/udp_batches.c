/*
 * What one recvmmsg(2) gave lies in the slots, and the batches refer to it there until they are
 * flushed, before anything else is received.
 *
 * Where a limit holds, what is over the rate waits for its time for up to WAIT_MS; what would have
 * to wait for longer is dropped, which is what those who send datagrams expect of a narrow place.
 */
#include "proxy/udp_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "state/outgoing.h"

#define SLOT_KEPT 4096 /* of each slot, when memory is given back */
#define WAIT_MS 100 /* for a limit */

void udp_drop(struct udp *u, enum datagram_drop why)
{
	u->counts.dropped[why]++;
}

/* ---- the slots ---- */

size_t udp_receive_in_slots(struct udp *u, int fd, struct socket_datagram in[SOCKET_BATCH])
{
	size_t count;

	for (size_t i = 0; i < SOCKET_BATCH; i++) {
		in[i].bytes = u->slots[i];
		in[i].size = UDP_SLOT_SIZE;
	}
	count = socket_receive_batch(fd, in, SOCKET_BATCH);
	for (size_t i = 0; i < count; i++)
		u->slots_are_large |= in[i].len > SLOT_KEPT;
	return count;
}

void udp_give_memory_back(struct udp *u)
{
	for (size_t i = 0; i < SOCKET_BATCH; i++) {
		uintptr_t from =
			((uintptr_t)u->slots[i] + 2 * SLOT_KEPT - 1) & ~(uintptr_t)(SLOT_KEPT - 1);
		uintptr_t to =
			(uintptr_t)(u->slots[i] + UDP_SLOT_SIZE) & ~(uintptr_t)(SLOT_KEPT - 1);

		(void)madvise((void *)from, to - from, MADV_DONTNEED);
	}
	u->slots_are_large = false;
}

/* ---- sending ---- */

static enum datagram_drop drop_of_errno(int error)
{
	return error == EMSGSIZE ? DROP_TOO_LARGE : DROP_UNSENT;
}

/* Sends the batch through `fd` and counts what went. False: nothing will ever go through it again,
 * since it is bound to an interface that is gone, though there may be another one of that name. */
static bool flush(struct udp *u, struct batch *b, int fd, uint64_t *datagrams,
	enum traffic_direction direction)
{
	uint64_t moved = 0;
	bool has_interface = true;

	if (b->count == 0)
		return true;
	socket_send_batch(fd, b->items, b->count);
	for (size_t i = 0; i < b->count; i++) {
		u->batched -= b->items[i].len;
		if (b->items[i].error != 0) {
			udp_drop(u, drop_of_errno(b->items[i].error));
			has_interface &= b->items[i].error != ENODEV;
			continue;
		}
		++*datagrams;
		moved += b->items[i].len;
	}
	b->count = 0;
	traffic_count(u->setup.traffic, direction, moved);
	traffic_active(u->setup.traffic, u->now);
	return has_interface;
}

/* The next datagram opens another one. */
static void drop_outgoing(struct udp *u, enum lookup_family family)
{
	bool is_further = u->outgoing[LOOKUP_IPV4] >= 0 && u->outgoing[LOOKUP_IPV6] >= 0;

	socket_close(u->outgoing[family]);
	u->outgoing[family] = -1;
	if (is_further)
		fd_lease_give(u->setup.asker->lease);
}

/* What leads to an upstream is bound to the interface as well, and so is the connection there,
 * which would only show that when it is spoken on. */
void udp_flush_outgoing(struct udp *u)
{
	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++) {
		if (!flush(u, &u->batches[f], u->outgoing[f], &u->counts.sent, TRAFFIC_SENT))
			drop_outgoing(u, f);
	}
	for (size_t i = 0; i < u->detours.count; i++) {
		struct detour *d = &u->detours.all[i];

		if (!flush(u, &d->batch, d->socket, &u->counts.sent, TRAFFIC_SENT))
			u->has_lost_upstream = true;
	}
}

void udp_flush_back(struct udp *u)
{
	(void)flush(u, &u->back, u->client, &u->counts.received, TRAFFIC_RECEIVED);
}

/* ---- limits ---- */

/* When may it go? 0: now; and < 0 when that is too late to wait for. */
static int64_t time_to_go(struct udp *u, enum traffic_direction direction, size_t len)
{
	struct pace *p = &u->paces[direction];
	const struct queue *w = &u->queues[direction];
	int64_t wait;

	if (!p->is_on)
		return 0;
	wait = pace_admit(p, len, w->bytes, WAIT_MS, u->now);
	if (wait < 0 || (wait == 0 && w->first == NULL))
		return wait;
	return u->now + wait;
}

/* May so much go into a batch? Near the end of a quota they go one by one, so that no batch passes
 * it; the last one goes as a whole. What comes behind that is dropped, and then the association
 * ends. */
static bool take_quota(struct udp *u, size_t len)
{
	size_t all = u->batched + len;

	if (traffic_room(u->setup.traffic, all) != all) {
		udp_flush_outgoing(u);
		udp_flush_back(u);
		if (traffic_room(u->setup.traffic, 1) != 1) {
			udp_drop(u, DROP_RATE);
			return false;
		}
	}
	u->batched += len;
	return true;
}

/* It is too late (`due` < 0), or there is no memory for it to wait in. */
static void give_up(struct udp *u, enum traffic_direction direction, size_t len, int64_t due)
{
	if (due > 0)
		pace_give_back(&u->paces[direction], len, u->now);
	udp_drop(u, DROP_RATE);
}

bool udp_admit(struct udp *u, enum traffic_direction direction, const struct addr *peer,
	const uint8_t *data, size_t len)
{
	int64_t due = time_to_go(u, direction, len);

	if (due == 0)
		return true;
	if (due < 0 || !queue_put(&u->queues[direction], peer, data, len, due))
		give_up(u, direction, len, due);
	return false;
}

void udp_look_at_limits(struct udp *u, bool is_quiet)
{
	for (enum traffic_direction d = 0; d < THROTTLE_DIRECTIONS; d++) {
		(void)pace_look(&u->paces[d], 0);
		if (is_quiet && u->queues[d].first == NULL)
			pace_rest(&u->paces[d]);
	}
}

int64_t udp_limits_deadline(const struct udp *u)
{
	int64_t deadline = CLOCK_NEVER;

	for (enum traffic_direction d = 0; d < THROTTLE_DIRECTIONS; d++) {
		deadline = clock_earlier(deadline, queue_due(&u->queues[d]));
		if (u->paces[d].is_active)
			deadline = clock_earlier(deadline, u->now + UDP_QUIET_MS);
	}
	return deadline;
}

/* ---- what goes now ---- */

void udp_put_outgoing(struct udp *u, const struct addr *to, const uint8_t *data, size_t len)
{
	struct batch *b = &u->batches[outgoing_family_of(to)];

	if (!take_quota(u, len))
		return;
	b->items[b->count].peer = *to;
	b->items[b->count].bytes = (void *)(uintptr_t)data;
	b->items[b->count++].len = len;
	if (b->count == SOCKET_BATCH)
		udp_flush_outgoing(u);
}

static void put_through(struct udp *u, struct detour *d, const struct destination *dst,
	const uint8_t *data, size_t len)
{
	if (!take_quota(u, len))
		return;
	detour_put(d, dst, data, len);
	if (d->batch.count == SOCKET_BATCH)
		udp_flush_outgoing(u);
}

void udp_put_back(struct udp *u, const struct addr *from, const void *data, size_t len)
{
	struct batch *b = &u->back;
	struct socket_datagram *out;

	if (!take_quota(u, len))
		return;
	out = &b->items[b->count];
	out->header = u->headers[b->count];
	out->header_len = socks5_format_header(u->headers[b->count], from);
	out->bytes = (void *)(uintptr_t)data;
	out->len = len;
	if (u->is_connected)
		out->peer.sa.sa_family = AF_UNSPEC;
	else
		out->peer = u->peer;
	b->count++;
}

/* ---- what waits for a limit ---- */

/* In the place of a peer, of what waits to go through one. */
static struct addr place_of_detour(const struct udp *u, const struct detour *d)
{
	struct addr place = {.in = {.sin_family = AF_UNSPEC}};

	place.in.sin_port = (in_port_t)(d - u->detours.all);
	return place;
}

/* A copy waits, its header in front. False without memory. */
static bool queue_through(struct udp *u, const struct detour *d, const struct destination *dst,
	const uint8_t *data, size_t len, int64_t due)
{
	struct addr place = place_of_detour(u, d);
	uint8_t *whole = malloc(SOCKS5_NAMED_HEADER_MAX + len);
	size_t header;
	bool is_put;

	if (whole == NULL)
		return false;
	header = socks5_format_named_header(whole, dst);
	memcpy(whole + header, data, len);
	is_put = queue_put(&u->queues[TRAFFIC_SENT], &place, whole, header + len, due);
	free(whole);
	return is_put;
}

void udp_send_through(struct udp *u, struct detour *d, const struct destination *dst,
	const uint8_t *data, size_t len)
{
	int64_t due = time_to_go(u, TRAFFIC_SENT, len);

	if (due == 0)
		put_through(u, d, dst, data, len);
	else if (due < 0 || !queue_through(u, d, dst, data, len, due))
		give_up(u, TRAFFIC_SENT, len, due);
}

static void send_waiting_datagram(struct udp *u, const struct queued_datagram *d)
{
	struct socks5_datagram inner;

	if (d->peer.sa.sa_family != AF_UNSPEC)
		udp_put_outgoing(u, &d->peer, d->data, d->len);
	else if (socks5_parse_datagram(d->data, d->len, &inner) != SOCKS5_MALFORMED)
		put_through(
			u, &u->detours.all[d->peer.in.sin_port], &inner.dst, inner.data, inner.len);
	udp_flush_outgoing(u);
}

void udp_send_waiting(struct udp *u)
{
	struct queued_datagram *d;

	while ((d = queue_take(&u->queues[TRAFFIC_SENT], u->now)) != NULL) {
		send_waiting_datagram(u, d);
		free(d);
	}
	while ((d = queue_take(&u->queues[TRAFFIC_RECEIVED], u->now)) != NULL) {
		udp_put_back(u, &d->peer, d->data, d->len);
		udp_flush_back(u);
		free(d);
	}
}
