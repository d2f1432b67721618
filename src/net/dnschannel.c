/*
 * What c-ares is left to do: to write a question, to send it and match the answer to it, and to
 * parse that. It has one server and one try; who is asked, for how long and how often is decided by
 * whoever opens channels (asking.c), and a channel has a deadline of its own only in name.
 *
 * c-ares 1.18 keeps one source port while a channel has questions, and whoever knows that port can
 * forge answers by guessing 16 bits. So a channel takes 32 questions and no more, and its socket is
 * closed when the last of them is done. TCP is kept apart, since c-ares drops all questions to a
 * server when one connection to it breaks: a truncated answer ends the question, which is then
 * asked in a channel by itself.
 *
 * A channel weighs some 75 kB, for the tables in it, and making one reads /dev/urandom; so a few
 * are used again. Each costs one descriptor: some are set aside for them, so that lookups go on
 * when all spare ones are taken.
 */
#include "net/dnschannel.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "net/socket.h"

#define IDLE_CHANNELS 4
#define TIMEOUT_MS 3600000

/* In the third and fourth byte of a message (RFC 1035 section 4.1.1). */
#define RESPONSE_FLAG 0x80
#define AUTHORITATIVE_FLAG 4
#define TRUNCATED_FLAG 2
#define RECURSION_FLAG 0x80 /* is available */

struct dnschannel {
	struct dnschannels *all;
	ares_channel ares;
	int fd; /* its socket; -1: none yet, or not any more */
	short events; /* that c-ares waits for on it */
	bool over_tcp;
	bool starved; /* no socket could be opened */
	unsigned asked;
	unsigned outstanding; /* whose answers are waited for */
	SLIST_ENTRY(dnschannel) link;
};

struct dnschannels {
	struct fdbudget *budget;
	size_t open; /* beyond DNSCHANNEL_OWN_SOCKETS, each has one of the spare descriptors */
	SLIST_HEAD(dnschannel_list, dnschannel) idle;
	size_t idle_count;
};

/* Lives until c-ares has called back, also when nobody waits for it any more. */
struct dnschannel_question {
	struct dnschannel *channel;
	enum lookup_family family;
	dnschannel_answered *answered; /* NULL: it was forgotten */
	void *arg;
	bool *at_once; /* to be told that it is over before dnschannel_ask() returns */
};

/* ---- descriptors ---- */

static bool take_descriptor(struct dnschannels *all)
{
	if (all->open >= DNSCHANNEL_OWN_SOCKETS && !fdbudget_borrow(all->budget, 1))
		return false;
	all->open++;
	return true;
}

static void give_descriptor(struct dnschannels *all)
{
	if (--all->open >= DNSCHANNEL_OWN_SOCKETS)
		fdbudget_return(all->budget, 1);
}

static ares_socket_t open_socket(int domain, int type, int protocol, void *user)
{
	struct dnschannel *ch = user;

	ch->fd = socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	if (ch->fd < 0)
		ch->starved = true;
	return ch->fd;
}

static void on_socket_state(void *user, ares_socket_t fd, int readable, int writable)
{
	struct dnschannel *ch = user;

	(void)fd;
	ch->events = (short)((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
}

static int close_socket(ares_socket_t fd, void *user)
{
	struct dnschannel *ch = user;

	socket_close(fd);
	ch->fd = -1;
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

static void channel_free(struct dnschannel *ch)
{
	if (ch->ares != NULL)
		ares_destroy(ch->ares);
	free(ch);
}

/* All that c-ares would read from files is given, so that it reads none. It keeps the socket open,
 * since 1.18 takes one that it has closed itself after an answer for a server that is broken. */
static struct dnschannel *channel_new(struct dnschannels *all, bool over_tcp)
{
	struct dnschannel *ch = calloc(1, sizeof(*ch));
	char lookups[] = "b";
	struct in_addr none = {0};
	struct ares_options options = {.flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_STAYOPEN |
			(over_tcp ? ARES_FLAG_USEVC : ARES_FLAG_IGNTC),
		.timeout = TIMEOUT_MS,
		.tries = 1,
		.ndots = 1,
		.servers = &none,
		.nservers = 1,
		.lookups = lookups,
		.sock_state_cb = on_socket_state,
		.sock_state_cb_data = ch};
	int mask = ARES_OPT_SOCK_STATE_CB | ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
		ARES_OPT_NDOTS | ARES_OPT_SERVERS | ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS |
		ARES_OPT_SORTLIST;

	if (ch == NULL)
		return NULL;
	if (ares_init_options(&ch->ares, &options, mask) != ARES_SUCCESS) {
		free(ch);
		return NULL;
	}
	ch->all = all;
	ch->fd = -1;
	ch->over_tcp = over_tcp;
	ares_set_socket_functions(ch->ares, &socket_functions, ch);
	return ch;
}

static bool set_server(struct dnschannel *ch, const struct addr *server)
{
	struct ares_addr_port_node node = {.family = server->sa.sa_family,
		.udp_port = addr_port(server),
		.tcp_port = addr_port(server)};

	if (node.family == AF_INET)
		memcpy(&node.addr.addr4, &server->in.sin_addr, sizeof(node.addr.addr4));
	else
		memcpy(&node.addr.addr6, &server->in6.sin6_addr, sizeof(node.addr.addr6));
	return ares_set_servers_ports(ch->ares, &node) == ARES_SUCCESS;
}

static struct dnschannel *channel_take(struct dnschannels *all, bool over_tcp)
{
	struct dnschannel *ch = SLIST_FIRST(&all->idle);

	if (over_tcp || ch == NULL)
		return channel_new(all, over_tcp);
	SLIST_REMOVE_HEAD(&all->idle, link);
	all->idle_count--;
	return ch;
}

struct dnschannel *dnschannel_open(
	struct dnschannels *all, const struct addr *server, bool over_tcp)
{
	struct dnschannel *ch;

	if (!take_descriptor(all))
		return NULL;
	ch = channel_take(all, over_tcp);
	if (ch != NULL && set_server(ch, server)) {
		ch->asked = 0;
		ch->starved = false;
		return ch;
	}
	if (ch != NULL)
		channel_free(ch);
	give_descriptor(all);
	return NULL;
}

void dnschannel_close(struct dnschannel *ch)
{
	struct dnschannels *all = ch->all;

	ares_cancel(ch->ares);
	(void)ares_set_servers_ports(ch->ares, NULL); /* which closes the socket */
	give_descriptor(all);
	if (ch->over_tcp || all->idle_count == IDLE_CHANNELS) {
		channel_free(ch);
		return;
	}
	SLIST_INSERT_HEAD(&all->idle, ch, link);
	all->idle_count++;
}

struct dnschannels *dnschannels_new(struct fdbudget *budget)
{
	struct dnschannels *all = calloc(1, sizeof(*all));

	if (all != NULL)
		all->budget = budget;
	return all;
}

void dnschannels_free(struct dnschannels *all)
{
	struct dnschannel *ch;

	if (all == NULL)
		return;
	while ((ch = SLIST_FIRST(&all->idle)) != NULL) {
		SLIST_REMOVE_HEAD(&all->idle, link);
		channel_free(ch);
	}
	free(all);
}

bool dnschannel_is_full(const struct dnschannel *ch)
{
	return ch->asked >= (ch->over_tcp ? 1 : DNSCHANNEL_QUESTIONS);
}

bool dnschannel_is_done(const struct dnschannel *ch)
{
	return ch->outstanding == 0;
}

/* ---- answers ---- */

static void add_answer(struct lookup_answer *a, struct addr addr, int ttl, int *shortest)
{
	a->addrs[a->count++] = addr;
	if (ttl < *shortest)
		*shortest = ttl;
}

static int parse_ipv4(const uint8_t *message, int len, struct lookup_answer *a, int *shortest)
{
	struct ares_addrttl found[RESOLVER_MAX_ADDRS];
	int count = RESOLVER_MAX_ADDRS;
	int status = ares_parse_a_reply(message, len, NULL, found, &count);

	for (int i = 0; status == ARES_SUCCESS && i < count; i++)
		add_answer(a, addr_from_ipv4((const uint8_t *)&found[i].ipaddr, 0), found[i].ttl,
			shortest);
	return status;
}

static int parse_ipv6(const uint8_t *message, int len, struct lookup_answer *a, int *shortest)
{
	struct ares_addr6ttl found[RESOLVER_MAX_ADDRS];
	int count = RESOLVER_MAX_ADDRS;
	int status = ares_parse_aaaa_reply(message, len, NULL, found, &count);

	for (int i = 0; status == ARES_SUCCESS && i < count; i++)
		add_answer(a, addr_from_ipv6((const uint8_t *)&found[i].ip6addr, 0), found[i].ttl,
			shortest);
	return status;
}

/* The addresses in a message, in new memory, and the shortest TTL of what led to them. */
static int parse_answer(const struct dnschannel_question *q, const uint8_t *message, int len,
	struct lookup_answer **answer, int64_t *ttl_ms)
{
	struct lookup_answer *a = calloc(1, sizeof(*a));
	int shortest = DNSCHANNEL_LONGEST_TTL_MS / 1000, status;

	if (a == NULL)
		return ARES_ENOMEM;
	a->state = LOOKUP_FOUND;
	status = (q->family == LOOKUP_IPV6 ? parse_ipv6 : parse_ipv4)(message, len, a, &shortest);
	if (status == ARES_SUCCESS && a->count == 0)
		status = ARES_ENODATA;
	*ttl_ms = (int64_t)shortest * 1000;
	if (status == ARES_SUCCESS) {
		*answer = a;
		return status;
	}
	free(a);
	return status;
}

static enum dnschannel_outcome outcome_of(struct dnschannel *ch, int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return DNSCHANNEL_FOUND;
	case ARES_ENOTFOUND:
	case ARES_ENODATA:
		return DNSCHANNEL_NOT_FOUND;
	case ARES_EBADNAME:
		return DNSCHANNEL_NO_NAME;
	case ARES_ECONNREFUSED:
		if (!ch->starved)
			return ch->over_tcp ? DNSCHANNEL_FAILED : DNSCHANNEL_UNREACHABLE;
		ch->starved = false;
		return DNSCHANNEL_STARVED;
	default:
		return DNSCHANNEL_FAILED;
	}
}

/* c-ares cuts what is longer than a datagram may be (RFC 1035 section 4.2.1). */
static bool is_truncated(const struct dnschannel *ch, const uint8_t *message, int len, int status)
{
	return !ch->over_tcp &&
		((message[2] & TRUNCATED_FLAG) != 0 ||
			(len == NS_PACKETSZ && status == ARES_EBADRESP));
}

/* Does it say nothing, though c-ares takes it for no address? That is what a question looks like
 * that somebody sends back, what was cut off over TCP, too, and what a server says of names that
 * are none of its own when it asks no others (RFC 1034 section 4.3.1). */
static bool is_no_answer(const uint8_t *message, int status)
{
	bool is_of_who_knows =
		(message[2] & AUTHORITATIVE_FLAG) != 0 || (message[3] & RECURSION_FLAG) != 0;

	if ((message[2] & RESPONSE_FLAG) == 0)
		return true;
	return status == ARES_ENODATA && ((message[2] & TRUNCATED_FLAG) != 0 || !is_of_who_knows);
}

/* What to make of the message, which c-ares or the parser has judged by `status`. */
static enum dnschannel_outcome judge(
	struct dnschannel *ch, int status, const uint8_t *message, int len)
{
	if (message != NULL && is_truncated(ch, message, len, status))
		return DNSCHANNEL_TRUNCATED;
	if (message != NULL && is_no_answer(message, status))
		return DNSCHANNEL_FAILED;
	return outcome_of(ch, status);
}

static void hand_over(struct dnschannel_question *q, int status, const uint8_t *message, int len)
{
	struct lookup_answer *answer = NULL;
	enum dnschannel_outcome outcome;
	int64_t ttl_ms = 0;

	if (status == ARES_SUCCESS)
		status = parse_answer(q, message, len, &answer, &ttl_ms);
	outcome = judge(q->channel, status, message, len);
	if (outcome != DNSCHANNEL_FOUND) {
		free(answer);
		answer = NULL;
	}
	q->channel->outstanding--;
	q->answered(q->arg, outcome, answer, ttl_ms);
}

static void on_answer(void *arg, int status, int timeouts, unsigned char *message, int len)
{
	struct dnschannel_question *q = arg;

	(void)timeouts;
	if (q->at_once != NULL)
		*q->at_once = true;
	if (q->answered != NULL)
		hand_over(q, status, message, len);
	free(q);
}

struct dnschannel_question *dnschannel_ask(struct dnschannel *ch, const char *name,
	enum lookup_family family, dnschannel_answered *answered, void *arg)
{
	struct dnschannel_question *q = malloc(sizeof(*q));
	bool at_once = false;

	if (q == NULL) {
		answered(arg, DNSCHANNEL_FAILED, NULL, 0);
		return NULL;
	}
	*q = (struct dnschannel_question){.channel = ch,
		.family = family,
		.answered = answered,
		.arg = arg,
		.at_once = &at_once};
	ch->asked++;
	ch->outstanding++;
	ares_query(
		ch->ares, name, ns_c_in, family == LOOKUP_IPV6 ? ns_t_aaaa : ns_t_a, on_answer, q);
	if (at_once)
		return NULL;
	q->at_once = NULL;
	return q;
}

void dnschannel_forget(struct dnschannel_question *q)
{
	q->answered = NULL;
	q->channel->outstanding--;
}

/* ---- events ---- */

struct pollfd dnschannel_poll(const struct dnschannel *ch)
{
	return (struct pollfd){.fd = ch->fd, .events = ch->events};
}

void dnschannel_process(struct dnschannel *ch, short revents)
{
	const short in = POLLIN | POLLERR | POLLHUP, out = POLLOUT | POLLERR | POLLHUP;

	ares_process_fd(ch->ares, revents & in ? ch->fd : ARES_SOCKET_BAD,
		revents & out ? ch->fd : ARES_SOCKET_BAD);
}
