/*
 * A lookup asks for AAAA and A side by side, each with a record of its own in the cache, so that
 * one family can be used while a server sits on the other (RFC 8305 section 3).
 *
 * c-ares channels weigh some 75 kB each, so threads do not own one: a lookup takes one from a small
 * pool of idle ones or makes a new one, and gives it back when its answers are there. All sockets
 * of a channel are opened through the fd lease of the session that uses it.
 *
 * hosts(5) is asked before the servers and, as in glibc, a name that it knows in either family is
 * not asked of the servers at all.
 */
#include "net/resolver.h"

#include <ares.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/parse.h"
#include "base/stamp.h"
#include "net/dnscache.h"
#include "net/hosts.h"
#include "net/socket.h"

#define IDLE_CHANNELS 16
#define FIRST_TIMEOUT_MS 2000 /* doubles with every try */
#define TRIES 4
#define MAX_RESTARTS 8
#define LONGEST_TTL_MS 86400000
#define RESOLV_CONF "/etc/resolv.conf"
#define HOSTS "/etc/hosts"

struct resolver_channel {
	ares_channel ares;
	struct fd_lease *lease; /* of the session that uses the channel now */
	bool starved; /* the lease had no place for the next server's socket */
	unsigned restarts;
	unsigned generation;
	struct resolver_channel *next;
};

struct resolver {
	struct mutex lock; /* all below, but for hosts and cache */
	char *servers;
	char *search;
	int64_t negative_ttl_ms;
	unsigned generation; /* of the options and of resolv.conf */
	struct stamp resolv_conf;
	struct resolver_channel *idle;
	size_t idle_count;

	struct hosts *hosts;
	struct dnscache *cache;
};

static const int socket_families[] = {[LOOKUP_IPV6] = AF_INET6, [LOOKUP_IPV4] = AF_INET};

/* ---- the sockets of a channel ---- */

static ares_socket_t open_socket(int domain, int type, int protocol, void *user)
{
	struct resolver_channel *ch = user;
	int fd;

	if (!fd_lease_take(ch->lease)) {
		ch->starved = true;
		errno = EMFILE;
		return ARES_SOCKET_BAD;
	}
	fd = socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	if (fd < 0) {
		int saved = errno;

		fd_lease_give(ch->lease);
		errno = saved;
	}
	return fd;
}

static int close_socket(ares_socket_t fd, void *user)
{
	struct resolver_channel *ch = user;

	socket_close(fd);
	fd_lease_give(ch->lease);
	return 0;
}

static int connect_socket(
	ares_socket_t fd, const struct sockaddr *sa, ares_socklen_t len, void *user)
{
	(void)user;
	return connect(fd, sa, len);
}

static ares_ssize_t receive_from(ares_socket_t fd, void *bytes, size_t len, int flags,
	struct sockaddr *from, ares_socklen_t *from_len, void *user)
{
	(void)user;
	return recvfrom(fd, bytes, len, flags, from, from_len);
}

static ares_ssize_t send_vector(ares_socket_t fd, const struct iovec *vector, int count, void *user)
{
	struct msghdr message = {
		.msg_iov = (struct iovec *)(uintptr_t)vector, .msg_iovlen = (size_t)count};

	(void)user;
	return sendmsg(fd, &message, MSG_NOSIGNAL);
}

static const struct ares_socket_functions socket_functions = {
	.asocket = open_socket,
	.aclose = close_socket,
	.aconnect = connect_socket,
	.arecvfrom = receive_from,
	.asendv = send_vector,
};

/* ---- channels ---- */

static void channel_free(struct resolver_channel *ch)
{
	if (ch == NULL)
		return;
	ares_destroy(ch->ares);
	free(ch);
}

#define SEARCH_MAX 8

/* The domains of "lan, example.org" as the array of strings that c-ares wants, cut up in `copy`. */
static int split_search(char *copy, char *domains[SEARCH_MAX])
{
	int count = 0;
	char *rest = NULL;

	for (char *word = strtok_r(copy, ", \t", &rest); word != NULL && count < SEARCH_MAX;
		word = strtok_r(NULL, ", \t", &rest))
		domains[count++] = word;
	return count;
}

/* Without blanks, as ares_set_servers_ports_csv() wants it. */
static int set_servers(ares_channel ares, char *servers)
{
	char *to = servers;

	for (const char *from = servers; *from != '\0'; from++) {
		if (*from != ' ' && *from != '\t')
			*to++ = *from;
	}
	*to = '\0';
	return ares_set_servers_ports_csv(ares, servers);
}

/* A new channel; `servers` and `search` are used up. NULL without memory. */
static struct resolver_channel *channel_new(char *servers, char *search, unsigned generation)
{
	struct resolver_channel *ch = calloc(1, sizeof(*ch));
	char *domains[SEARCH_MAX];
	char lookups[] = "b"; /* the servers only; hosts(5) is asked separately */
	struct ares_options options = {.timeout = FIRST_TIMEOUT_MS,
		.tries = TRIES,
		.lookups = lookups,
		.domains = domains};
	int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS;

	if (ch == NULL)
		return NULL;
	options.ndomains = split_search(search, domains);
	if (options.ndomains > 0)
		mask |= ARES_OPT_DOMAINS;
	if (ares_init_options(&ch->ares, &options, mask) != ARES_SUCCESS) {
		free(ch);
		return NULL;
	}
	ch->generation = generation;
	ares_set_socket_functions(ch->ares, &socket_functions, ch);
	if (*servers != '\0' && set_servers(ch->ares, servers) != ARES_SUCCESS) {
		channel_free(ch);
		return NULL;
	}
	return ch;
}

/* Takes the newest idle channel that is up to date; out-of-date ones end up in `*stale`. */
static struct resolver_channel *take_idle_locked(
	struct resolver *r, struct resolver_channel **stale) REQUIRES(&r->lock)
{
	struct resolver_channel *ch = r->idle;

	*stale = NULL;
	if (ch == NULL)
		return NULL;
	if (ch->generation != r->generation) {
		*stale = r->idle;
		r->idle = NULL;
		r->idle_count = 0;
		return NULL;
	}
	r->idle = ch->next;
	r->idle_count--;
	return ch;
}

static void free_list(struct resolver_channel *ch)
{
	while (ch != NULL) {
		struct resolver_channel *next = ch->next;

		channel_free(ch);
		ch = next;
	}
}

static struct resolver_channel *channel_take(struct resolver *r, struct fd_lease *lease)
{
	struct stamp now = stamp_of(RESOLV_CONF);
	struct resolver_channel *ch, *stale;
	char *servers = NULL, *search = NULL;
	unsigned generation;

	mutex_lock(&r->lock);
	if (!stamp_equal(&now, &r->resolv_conf)) {
		r->resolv_conf = now;
		r->generation++;
	}
	generation = r->generation;
	ch = take_idle_locked(r, &stale);
	if (ch == NULL) {
		servers = strdup(r->servers);
		search = strdup(r->search);
	}
	mutex_unlock(&r->lock);
	free_list(stale);
	if (ch == NULL && servers != NULL && search != NULL)
		ch = channel_new(servers, search, generation);
	free(servers);
	free(search);
	if (ch != NULL) {
		ch->lease = lease;
		ch->starved = false;
		ch->restarts = 0;
	}
	return ch;
}

static void channel_give(struct resolver *r, struct resolver_channel *ch)
{
	bool kept = false;

	ares_cancel(ch->ares); /* closes its sockets, while the lease is still there */
	mutex_lock(&r->lock);
	/* One that was restarted has its servers in another order. */
	if (r->idle_count < IDLE_CHANNELS && ch->generation == r->generation && ch->restarts == 0) {
		ch->next = r->idle;
		r->idle = ch;
		r->idle_count++;
		kept = true;
	}
	mutex_unlock(&r->lock);
	if (!kept)
		channel_free(ch);
}

/* ---- the resolver ---- */

/* Replaces the options; the old strings and channels are freed. */
static int set_options(struct resolver *r, const struct resolver_options *o)
{
	char *servers = strdup(o->servers);
	char *search = strdup(o->search);
	struct resolver_channel *stale;

	if (servers == NULL || search == NULL) {
		free(servers);
		free(search);
		return -1;
	}
	mutex_lock(&r->lock);
	char *old_servers = r->servers, *old_search = r->search;
	r->servers = servers;
	r->search = search;
	r->negative_ttl_ms = o->negative_ttl_ms;
	r->generation++;
	stale = r->idle;
	r->idle = NULL;
	r->idle_count = 0;
	mutex_unlock(&r->lock);
	free(old_servers);
	free(old_search);
	free_list(stale);
	return 0;
}

struct resolver *resolver_new(const struct resolver_options *options)
{
	struct resolver *r;

	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		return NULL;
	r = calloc(1, sizeof(*r));
	if (r == NULL) {
		ares_library_cleanup();
		return NULL;
	}
	mutex_init(&r->lock);
	r->hosts = hosts_new(HOSTS, options->say);
	r->cache = dnscache_new(options->cache_records);
	if (r->hosts == NULL || r->cache == NULL || set_options(r, options) < 0) {
		resolver_free(r);
		return NULL;
	}
	return r;
}

int resolver_configure(struct resolver *r, const struct resolver_options *options)
{
	if (set_options(r, options) < 0)
		return -1;
	return dnscache_reset(r->cache, options->cache_records);
}

void resolver_free(struct resolver *r)
{
	if (r == NULL)
		return;
	free_list(r->idle);
	hosts_free(r->hosts);
	dnscache_free(r->cache);
	free(r->servers);
	free(r->search);
	mutex_destroy(&r->lock);
	free(r);
	ares_library_cleanup();
}

void resolver_counts(struct resolver *r, uint64_t *hits, uint64_t *misses)
{
	dnscache_counts(r->cache, hits, misses);
}

bool resolver_servers_valid(const char *servers)
{
	const char *word;
	size_t len;
	struct addr a;
	bool has_port;

	while (parse_next_word(&servers, &word, &len)) {
		if (!addr_parse_port(word, len, &a, &has_port))
			return false;
		/* c-ares 1.18 cannot reach a link-local server. */
		if (memchr(word, '%', len) != NULL)
			return false;
	}
	return true;
}

bool resolver_search_valid(const char *search)
{
	const char *word;
	size_t len, count = 0;

	while (parse_next_word(&search, &word, &len)) {
		if (++count > SEARCH_MAX || len > RESOLVER_NAME_MAX)
			return false;
	}
	return true;
}

/* ---- one lookup ---- */

static bool all_answered(const struct lookup *l)
{
	return l->answers[LOOKUP_IPV6].state != LOOKUP_PENDING &&
		l->answers[LOOKUP_IPV4].state != LOOKUP_PENDING;
}

static void cache_answer(struct lookup *l, enum lookup_family family, int64_t ttl_ms)
{
	const struct lookup_answer *a = &l->answers[family];

	if (a->state == LOOKUP_FAILED || ttl_ms <= 0)
		return;
	if (ttl_ms > LONGEST_TTL_MS)
		ttl_ms = LONGEST_TTL_MS;
	dnscache_store(l->resolver->cache, l->name, family, a, 1, clock_deadline(ttl_ms));
}

static void add_addr(struct lookup_answer *a, struct addr addr)
{
	addr_set_port(&addr, 0);
	if (a->count < RESOLVER_MAX_ADDRS)
		a->addrs[a->count++] = addr;
}

/* Copies the addresses; returns the shortest TTL of the chain in milliseconds. */
static int64_t take_addresses(struct lookup_answer *a, const struct ares_addrinfo *info)
{
	int64_t shortest = LONGEST_TTL_MS / 1000;

	for (const struct ares_addrinfo_cname *c = info->cnames; c != NULL; c = c->next) {
		if (c->ttl < shortest)
			shortest = c->ttl;
	}
	for (const struct ares_addrinfo_node *n = info->nodes; n != NULL; n = n->ai_next) {
		add_addr(a, addr_from_sockaddr(n->ai_addr));
		if (n->ai_ttl < shortest)
			shortest = n->ai_ttl;
	}
	return shortest * 1000;
}

static void take_answer(
	struct lookup *l, enum lookup_family family, int status, struct ares_addrinfo *info)
{
	struct lookup_answer *a = &l->answers[family];
	int64_t ttl_ms = l->ttl_ms;

	if (info != NULL && info->nodes != NULL)
		ttl_ms = take_addresses(a, info);
	if (info != NULL)
		ares_freeaddrinfo(info);
	if (a->count > 0)
		a->state = LOOKUP_FOUND;
	else if (status == ARES_SUCCESS || status == ARES_ENOTFOUND || status == ARES_ENODATA ||
		status == ARES_EBADNAME)
		a->state = LOOKUP_NOT_FOUND;
	else
		a->state = LOOKUP_FAILED;
	cache_answer(l, family, ttl_ms);
}

/* Cancelling is our own doing (lookup_end) and no answer. */
static void on_ipv6(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
	(void)timeouts;
	if (status != ARES_ECANCELLED && status != ARES_EDESTRUCTION)
		take_answer(arg, LOOKUP_IPV6, status, info);
}

static void on_ipv4(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
	(void)timeouts;
	if (status != ARES_ECANCELLED && status != ARES_EDESTRUCTION)
		take_answer(arg, LOOKUP_IPV4, status, info);
}

/* "localhost" and what ends in ".localhost", with or without a dot behind it: no server is to be
 * asked for these (RFC 6761 section 6.3). */
static bool is_localhost(const char *name)
{
	static const char word[] = "localhost";
	size_t len = strlen(name), word_len = sizeof(word) - 1;

	if (len > 0 && name[len - 1] == '.')
		len--;
	if (len < word_len || memcmp(name + len - word_len, word, word_len) != 0)
		return false;
	return len == word_len || name[len - word_len - 1] == '.';
}

static void answer_loopback(struct lookup *l)
{
	static const uint8_t v4[4] = {127, 0, 0, 1}, v6[16] = {[15] = 1};

	l->answers[LOOKUP_IPV4] = (struct lookup_answer){.state = LOOKUP_FOUND};
	add_addr(&l->answers[LOOKUP_IPV4], addr_from_ipv4(v4, 0));
	l->answers[LOOKUP_IPV6] = (struct lookup_answer){.state = LOOKUP_FOUND};
	add_addr(&l->answers[LOOKUP_IPV6], addr_from_ipv6(v6, 0));
}

static void ask_servers(struct lookup *l, enum lookup_family family)
{
	struct ares_addrinfo_hints hints = {.ai_family = socket_families[family],
		.ai_socktype = SOCK_STREAM,
		.ai_flags = ARES_AI_NOSORT};

	ares_getaddrinfo(l->channel->ares, l->name, NULL, &hints,
		family == LOOKUP_IPV6 ? on_ipv6 : on_ipv4, l);
}

static void ask_for_pending(struct lookup *l)
{
	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++) {
		if (l->answers[f].state == LOOKUP_PENDING)
			ask_servers(l, f);
	}
}

static void release_channel(struct lookup *l)
{
	if (l->channel != NULL)
		channel_give(l->resolver, l->channel);
	l->channel = NULL;
}

/* Answers what the cache knows and marks the rest as pending; true when nothing is. */
static bool cache_answers(struct lookup *l)
{
	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++) {
		if (!dnscache_find(l->resolver->cache, l->name, f, &l->answers[f])) {
			l->answers[f].state = LOOKUP_PENDING;
			l->answers[f].count = 0;
		}
	}
	return all_answered(l);
}

static void fail_pending(struct lookup *l)
{
	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++) {
		if (l->answers[f].state == LOOKUP_PENDING)
			l->answers[f].state = LOOKUP_FAILED;
	}
}

void lookup_begin(
	struct lookup *l, struct resolver *r, const char *name, size_t len, struct fd_lease *lease)
{
	l->resolver = r;
	l->channel = NULL;
	*(char *)mempcpy(l->name, name, len) = '\0';
	parse_to_lower(l->name);
	if (hosts_find(r->hosts, l->name, l->answers))
		return;
	if (is_localhost(l->name)) {
		answer_loopback(l);
		return;
	}
	if (cache_answers(l))
		return;
	mutex_lock(&r->lock);
	l->ttl_ms = r->negative_ttl_ms;
	mutex_unlock(&r->lock);
	l->channel = channel_take(r, lease);
	if (l->channel == NULL) {
		fail_pending(l);
		return;
	}
	ask_for_pending(l);
	if (all_answered(l))
		release_channel(l);
}

void lookup_literal(struct lookup *l, const struct addr *addr)
{
	bool v6 = addr->sa.sa_family == AF_INET6;
	struct lookup_answer *answer = &l->answers[v6 ? LOOKUP_IPV6 : LOOKUP_IPV4];

	l->channel = NULL;
	l->answers[LOOKUP_IPV6] = l->answers[LOOKUP_IPV4] =
		(struct lookup_answer){.state = LOOKUP_NOT_FOUND};
	answer->state = LOOKUP_FOUND;
	add_addr(answer, *addr);
}

/* Makes the channel's first server its last. */
static void rotate_servers(ares_channel ares)
{
	struct ares_addr_port_node *first, *last;

	if (ares_get_servers_ports(ares, &first) != ARES_SUCCESS || first == NULL)
		return;
	for (last = first; last->next != NULL; last = last->next)
		;
	last->next = first;
	last = first->next;
	first->next = NULL;
	(void)ares_set_servers_ports(ares, last);
	ares_free_data(last);
}

/* c-ares strikes a server whose socket could not be opened off for the whole query. Instead the
 * query begins anew with that server, in the place of the one that kept silent. */
static void restart_if_starved(struct lookup *l)
{
	struct resolver_channel *ch = l->channel;

	if (!ch->starved || all_answered(l) || ch->restarts == MAX_RESTARTS)
		return;
	ares_cancel(ch->ares);
	ch->starved = false;
	ch->restarts++;
	rotate_servers(ch->ares);
	ask_for_pending(l);
}

size_t lookup_fds(struct lookup *l, struct pollfd *fds)
{
	ares_socket_t socks[ARES_GETSOCK_MAXNUM];
	unsigned bits;
	size_t count = 0;

	if (l->channel == NULL)
		return 0;
	bits = (unsigned)ares_getsock(l->channel->ares, socks, ARES_GETSOCK_MAXNUM);
	for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM && count < RESOLVER_MAX_FDS; i++) {
		/* Not ARES_GETSOCK_WRITABLE: it shifts a signed 1 into the sign bit. */
		short events = (short)((bits & 1U << i ? POLLIN : 0) |
			(bits & 1U << (i + ARES_GETSOCK_MAXNUM) ? POLLOUT : 0));

		if (events != 0)
			fds[count++] = (struct pollfd){.fd = socks[i], .events = events};
	}
	return count;
}

int64_t lookup_deadline(struct lookup *l)
{
	struct timeval tv;

	if (l->channel == NULL || ares_timeout(l->channel->ares, NULL, &tv) == NULL)
		return CLOCK_NEVER;
	return clock_deadline((int64_t)tv.tv_sec * 1000 + (tv.tv_usec + 999) / 1000);
}

void lookup_process(struct lookup *l, const struct pollfd *fds, size_t count)
{
	if (l->channel == NULL)
		return;
	for (size_t i = 0; i < count; i++) {
		const short in = POLLIN | POLLERR | POLLHUP;
		const short out = POLLOUT | POLLERR | POLLHUP;

		if (fds[i].revents != 0)
			ares_process_fd(l->channel->ares,
				fds[i].revents & in ? fds[i].fd : ARES_SOCKET_BAD,
				fds[i].revents & out ? fds[i].fd : ARES_SOCKET_BAD);
	}
	ares_process_fd(l->channel->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	restart_if_starved(l);
	if (all_answered(l))
		release_channel(l);
}

bool lookup_pending(const struct lookup *l)
{
	return l->channel != NULL;
}

/* A family that kept silent while the other one served is taken as absent for a while; else every
 * session to that name would wait for it anew. Not when the client left before it could answer. */
void lookup_end(struct lookup *l, bool sufficed)
{
	if (l->channel == NULL)
		return;
	release_channel(l);
	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++) {
		if (l->answers[f].state != LOOKUP_PENDING)
			continue;
		l->answers[f].state = LOOKUP_NOT_FOUND;
		if (sufficed)
			cache_answer(l, f, l->ttl_ms);
	}
}
