/*
 * A lookup asks for AAAA and A side by side, each with a record of its own in the cache, so that
 * one family can be used while a server sits on the other (RFC 8305 section 3). What neither cache
 * nor hosts(5) knows is a question (questions.c), which is asked once for all lookups that wait for
 * it. They wait at an eventfd, and only then does a lookup hold a descriptor; the cache is asked
 * without a thread and without a system call.
 *
 * hosts(5) is asked before the servers and, as in glibc, a name that it knows in either family is
 * not asked of the servers at all.
 */
#include "net/resolver.h"

#include <ares.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "net/dnscache.h"
#include "net/dnschannel.h"
#include "net/hosts.h"
#include "net/nameservers.h"
#include "net/socket.h"

#define HOSTS "/etc/hosts"
#define STACK_SIZE (256 * 1024)

_Static_assert(RESOLVER_DESCRIPTORS == 5 + DNSCHANNEL_OWN_SOCKETS, "as its parts need");

struct resolver {
	struct hosts *hosts;
	struct dnscache *cache;
	struct nameservers_source *source;
	struct questions *questions;

	pthread_t thread;
	bool is_started; /* whoever starts and frees it */
	_Atomic(bool) is_stopping;
};

/* ---- the thread ---- */

static void *attend_questions(void *arg)
{
	struct resolver *r = arg;

	pthread_setname_np(pthread_self(), "resolver");
	while (!atomic_load(&r->is_stopping))
		questions_attend(r->questions);
	return NULL;
}

/* With a stack of `STACK_SIZE` and no signals, which it inherits. An errno value. */
static int create_thread(struct resolver *r)
{
	pthread_attr_t attr;
	sigset_t all, before;
	int error = pthread_attr_init(&attr);

	if (error != 0)
		return error;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_attr_setstacksize(&attr, STACK_SIZE);
	if (error == 0)
		error = pthread_create(&r->thread, &attr, attend_questions, r);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return error;
}

int resolver_start(struct resolver *r)
{
	int error = create_thread(r);

	r->is_started = error == 0;
	errno = error;
	return error == 0 ? 0 : -1;
}

static void stop_thread(struct resolver *r)
{
	if (!r->is_started)
		return;
	atomic_store(&r->is_stopping, true);
	questions_rouse(r->questions);
	pthread_join(r->thread, NULL);
}

/* ---- the resolver ---- */

static int make_parts(struct resolver *r, const struct resolver_options *o, struct fdbudget *budget)
{
	r->hosts = hosts_new(HOSTS, o->say);
	r->cache = dnscache_new(o->cache_records);
	r->source = nameservers_source_new(RESOLVER_CONF, o->say);
	if (r->hosts == NULL || r->cache == NULL || r->source == NULL ||
		nameservers_source_set(r->source, o->servers, o->search) < 0)
		return -1;
	r->questions = questions_new(r->source, r->cache, budget, o->negative_ttl_ms);
	return r->questions == NULL ? -1 : 0;
}

struct resolver *resolver_new(const struct resolver_options *options, struct fdbudget *budget)
{
	struct resolver *r;
	int saved;

	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		return NULL;
	r = calloc(1, sizeof(*r));
	if (r == NULL) {
		ares_library_cleanup();
		return NULL;
	}
	if (make_parts(r, options, budget) == 0)
		return r;
	saved = errno;
	resolver_free(r);
	errno = saved;
	return NULL;
}

int resolver_configure(struct resolver *r, const struct resolver_options *o)
{
	if (nameservers_source_set(r->source, o->servers, o->search) < 0)
		return -1;
	questions_set(r->questions, o->negative_ttl_ms);
	return dnscache_reset(r->cache, o->cache_records);
}

void resolver_free(struct resolver *r)
{
	if (r == NULL)
		return;
	stop_thread(r);
	questions_free(r->questions);
	nameservers_source_free(r->source);
	hosts_free(r->hosts);
	dnscache_free(r->cache);
	free(r);
	ares_library_cleanup();
}

void resolver_counts(struct resolver *r, uint64_t *hits, uint64_t *misses)
{
	dnscache_counts(r->cache, hits, misses);
}

size_t resolver_cached(const struct resolver *r)
{
	return dnscache_count(r->cache);
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
		if (++count > NAMESERVERS_SEARCH_MAX || len > RESOLVER_NAME_MAX)
			return false;
	}
	return true;
}

/* ---- what needs no server ---- */

/* Is `name`, with or without a dot behind it, the domain `word` or within it? */
static bool is_within(const char *name, const char *word)
{
	size_t len = strlen(name), word_len = strlen(word);

	if (len > 0 && name[len - 1] == '.')
		len--;
	if (len < word_len || memcmp(name + len - word_len, word, word_len) != 0)
		return false;
	return len == word_len || name[len - word_len - 1] == '.';
}

static void answer_with(struct lookup_answer *a, struct addr addr)
{
	*a = (struct lookup_answer){.state = LOOKUP_FOUND, .count = 1};
	addr_set_port(&addr, 0);
	a->addrs[0] = addr;
}

static void answer_loopback(struct lookup *l)
{
	static const uint8_t v4[4] = {127, 0, 0, 1}, v6[16] = {[15] = 1};

	answer_with(&l->answers[LOOKUP_IPV4], addr_from_ipv4(v4, 0));
	answer_with(&l->answers[LOOKUP_IPV6], addr_from_ipv6(v6, 0));
}

static void answer_nothing(struct lookup *l)
{
	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++)
		l->answers[f] = (struct lookup_answer){.state = LOOKUP_NOT_FOUND};
}

/* Answers names of which no server is to be asked (RFC 6761 section 6.3, RFC 7686 section 2). */
static bool answer_special(struct lookup *l)
{
	if (is_within(l->name, "localhost"))
		answer_loopback(l);
	else if (is_within(l->name, "onion"))
		answer_nothing(l);
	else
		return false;
	return true;
}

/* Answers what the cache knows and marks the rest as pending; true when nothing is. */
static bool cache_answers(struct lookup *l)
{
	bool all = true;

	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++) {
		if (dnscache_find(l->resolver->cache, l->name, f, &l->answers[f]))
			continue;
		l->answers[f].state = LOOKUP_PENDING;
		l->answers[f].count = 0;
		all = false;
	}
	return all;
}

/* ---- one lookup ---- */

/* Waiting takes one descriptor. `published`: as it was before the cache was asked. */
static void ask_servers(struct lookup *l, uint64_t published)
{
	if (!fd_lease_take(l->lease)) {
		lookup_answers_fail(l->answers);
		return;
	}
	l->deadline = clock_deadline(RESOLVER_LONGEST_MS);
	questions_ask(l->resolver->questions, &l->waiter, l->name, l->answers, published);
	if (!lookup_pending(l))
		fd_lease_give(l->lease);
}

static void copy_name(char out[RESOLVER_NAME_MAX + 1], const char *name, size_t len)
{
	*(char *)mempcpy(out, name, len) = '\0';
	parse_to_lower(out);
}

bool resolver_names_this_host(struct resolver *r, const char *name, size_t len)
{
	char text[RESOLVER_NAME_MAX + 1];

	copy_name(text, name, len);
	return hosts_names_this_host(r->hosts, text);
}

void lookup_begin(
	struct lookup *l, struct resolver *r, const char *name, size_t len, struct fd_lease *lease)
{
	uint64_t published;

	l->resolver = r;
	l->lease = lease;
	l->waiter = (struct waiter){0};
	copy_name(l->name, name, len);
	if (hosts_find(r->hosts, l->name, l->answers) || answer_special(l))
		return;
	published = questions_published(r->questions);
	if (!cache_answers(l))
		ask_servers(l, published);
}

void lookup_literal(struct lookup *l, const struct addr *addr)
{
	bool v6 = addr->sa.sa_family == AF_INET6;

	l->waiter = (struct waiter){0};
	answer_nothing(l);
	answer_with(&l->answers[v6 ? LOOKUP_IPV6 : LOOKUP_IPV4], *addr);
}

size_t lookup_fds(struct lookup *l, struct pollfd *fds)
{
	if (!lookup_pending(l))
		return 0;
	fds[0] = (struct pollfd){.fd = questions_bell_fd(&l->waiter), .events = POLLIN};
	if (!l->waiter.leads)
		return 1;
	fds[1] = l->waiter.answers;
	return 2;
}

int64_t lookup_deadline(struct lookup *l)
{
	if (!lookup_pending(l))
		return CLOCK_NEVER;
	if (!l->waiter.leads)
		return l->deadline;
	return clock_earlier(l->deadline, l->waiter.due);
}

static void give_up(struct lookup *l)
{
	questions_leave(l->resolver->questions, &l->waiter);
	fd_lease_give(l->lease);
}

void lookup_process(struct lookup *l, const struct pollfd *fds, size_t count)
{
	struct waiter *w = &l->waiter;
	bool is_told = count > 0 && fds[0].revents != 0;
	int64_t now;

	if (!lookup_pending(l))
		return;
	now = clock_ms();
	if (w->leads) {
		w->answers.revents = count > 1 ? fds[1].revents : 0;
		if (now >= w->due || w->answers.revents != 0) {
			questions_lead(l->resolver->questions, w);
			is_told = true;
		}
	}
	if (is_told)
		questions_collect(l->resolver->questions, w, l->answers);
	if (!lookup_pending(l)) {
		fd_lease_give(l->lease);
	} else if (now >= l->deadline) {
		give_up(l);
		lookup_answers_fail(l->answers);
	}
}

bool lookup_pending(const struct lookup *l)
{
	return questions_waits(&l->waiter);
}

void lookup_await(struct lookup *l, int64_t deadline)
{
	struct pollfd fds[RESOLVER_MAX_FDS];

	while (lookup_pending(l) && clock_ms() < deadline) {
		size_t count = lookup_fds(l, fds);

		socket_wait(fds, count, clock_earlier(deadline, lookup_deadline(l)));
		lookup_process(l, fds, count);
	}
	lookup_end(l, false);
}

/* A family that kept silent while the other one served is taken as absent for a while; else every
 * session to that name would wait for it anew. Not when the client left before it could answer. */
void lookup_end(struct lookup *l, bool sufficed)
{
	int64_t ttl_ms;

	if (!lookup_pending(l))
		return;
	give_up(l);
	ttl_ms = questions_negative_ttl(l->resolver->questions);
	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++) {
		if (l->answers[f].state != LOOKUP_PENDING)
			continue;
		l->answers[f].state = LOOKUP_NOT_FOUND;
		if (sufficed && ttl_ms > 0)
			dnscache_store(l->resolver->cache, l->name, f, &l->answers[f], 0,
				clock_deadline(ttl_ms));
	}
}
