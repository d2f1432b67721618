/*
 * An association at an upstream is a connection and a socket, as one here is for a client: as long
 * as the connection lasts the upstream relays what comes to its port with the header of RFC 1928
 * section 7, and sends back what comes for it.
 *
 * A server is known by how it fares, which is the same in all configurations that name it alike.
 */
#include "proxy/detours.h"

#include <errno.h>

#include "base/clock.h"
#include "proxy/upstream.h"
#include "state/outgoing.h"

#define ANSWER_MAX 512 /* more than an upstream says to UDP ASSOCIATE and a login */

static struct detour *find_open(struct detours *d, const struct upstream_way *way)
{
	for (size_t i = 0; i < d->count; i++) {
		for (size_t k = 0; k < way->count; k++) {
			if (d->all[i].server->fate == way->servers[k]->fate)
				return &d->all[i];
		}
	}
	return NULL;
}

/* The socket to where the upstream takes datagrams; -1 without one. */
static int open_socket(const struct asker *a, const struct addr *relay)
{
	struct socket_via via = outgoing_via(a->config, relay->sa.sa_family);
	int fd = -1;

	if (addr_port(relay) == 0 || !fd_lease_take(a->lease))
		return -1;
	fd = socket_open_datagram_via(relay->sa.sa_family, &via);
	if (fd >= 0 && socket_connect_datagram(fd, relay) == 0)
		return fd;
	socket_close(fd);
	fd_lease_give(a->lease);
	return -1;
}

static void add_detour(struct detours *d, const struct upstream_request *r,
	const struct upstream_way *way, int control, int socket)
{
	struct detour *new = &d->all[d->count++];

	new->server = r->through;
	new->set = upstreams_hold(way->set);
	new->control = control;
	new->socket = socket;
	new->control_events = new->socket_events = 0;
	new->has_names = false;
	new->batch.count = 0;
	upstream_session_begins(new->server);
	if (d->slot != NULL && d->count == 1)
		registry_set_upstream(d->slot, new->server->name);
}

/* Not inline, for the stack's sake. False when there is none to be had. */
__attribute__((noinline)) static bool open_detour(
	struct detours *d, const struct upstream_way *way, bool *goes_straight)
{
	static const struct addr anywhere = {.in = {.sin_family = AF_INET}};
	struct destination dst = destination_of_addr(&anywhere);
	struct watch watch = {.client = d->client};
	uint8_t memory[ANSWER_MAX];
	struct buffer in;
	struct upstream_request r = {.asker = d->asker,
		.command = REQUEST_UDP_ASSOCIATE,
		.dst = &dst,
		.watch = &watch,
		.in = &in,
		.deadline = d->deadline};
	struct addr relay;
	int control, socket;

	buffer_init(&in, memory, sizeof(memory));
	control = upstream_connect(&r, way);
	if (control < 0) {
		*goes_straight = upstream_may_go_straight(&r, way);
		return false;
	}
	relay = upstream_bound(&r);
	socket = open_socket(d->asker, &relay);
	if (socket < 0) {
		socket_close(control);
		fd_lease_give(d->asker->lease);
		return false;
	}
	add_detour(d, &r, way, control, socket);
	return true;
}

/* A turn has many datagrams, each of which may need one. */
static bool has_time_to_open(struct detours *d)
{
	if (d->deadline == 0)
		d->deadline = clock_deadline(d->asker->config->settings.connect_timeout);
	return clock_ms() < d->deadline;
}

struct detour *detours_find(struct detours *d, const struct upstream_way *way, bool *goes_straight)
{
	struct detour *found = find_open(d, way);

	*goes_straight = way->count == 0 && way->goes_straight;
	if (found != NULL)
		return found;
	if (d->count < DETOURS_MAX && way->count > 0 && has_time_to_open(d) &&
		open_detour(d, way, goes_straight))
		return &d->all[d->count - 1];
	return NULL;
}

void detour_put(struct detour *d, const struct destination *dst, const void *data, size_t len)
{
	struct batch *b = &d->batch;
	struct socket_datagram *out = &b->items[b->count];

	out->peer.sa.sa_family = AF_UNSPEC;
	out->header = d->headers[b->count];
	out->header_len = socks5_format_named_header(d->headers[b->count], dst);
	out->bytes = (void *)(uintptr_t)data;
	out->len = len;
	b->count++;
	d->has_names |= dst->kind == DESTINATION_NAME;
}

/* The connection and the socket of each. */
size_t detours_fds(struct detours *d, struct pollfd *fds)
{
	d->polled = d->count;
	for (size_t i = 0; i < d->count; i++) {
		fds[2 * i] = (struct pollfd){.fd = d->all[i].control, .events = POLLIN};
		fds[2 * i + 1] = (struct pollfd){.fd = d->all[i].socket, .events = POLLIN};
	}
	return 2 * d->count;
}

bool detours_process(struct detours *d, const struct pollfd *fds)
{
	short any = 0;

	d->deadline = 0;
	for (size_t i = 0; i < d->polled; i++) {
		d->all[i].control_events = fds[2 * i].revents;
		d->all[i].socket_events = fds[2 * i + 1].revents;
		any |= fds[2 * i].revents | fds[2 * i + 1].revents;
	}
	return any != 0;
}

bool detour_has_ended(const struct detour *d)
{
	char ignored[512];
	ssize_t n;

	if (d->control_events == 0)
		return false;
	n = socket_read(d->control, ignored, sizeof(ignored));
	return n == 0 || (n < 0 && errno != EAGAIN);
}

void detours_end(struct detours *d)
{
	if (d->count > 0 && d->slot != NULL)
		registry_set_upstream(d->slot, NULL);
	for (; d->count > 0; d->count--) {
		struct detour *last = &d->all[d->count - 1];

		socket_close(last->socket);
		socket_close(last->control);
		fd_lease_give(d->asker->lease);
		fd_lease_give(d->asker->lease);
		upstream_session_ends(last->server);
		upstreams_release(last->set);
	}
}
