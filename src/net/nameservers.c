/*
 * Whom to ask next is decided question by question (asking.c), and c-ares 1.18 takes no other order
 * of servers while a channel is in use; so servers, search list and what resolv.conf(5) says of
 * them are kept here, and c-ares is given one server at a time.
 *
 * A server is called silent only when it has answered nothing at all since it was asked: one that
 * answers others is there, and what it was asked is slow.
 */
#include "net/nameservers.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/parse.h"

#define DNS_PORT 53
#define LOOK_MS 1000
#define DOMAINS_MAX 32 /* further ones of resolv.conf(5) are left out */

struct nameserver {
	struct addr addr;
	int64_t answered; /* when last; 0: never */
	int64_t silent_until;
};

struct nameservers {
	size_t count;
	struct nameserver servers[NAMESERVERS_MAX];
	bool rotate;
	size_t turn;
	int64_t ndots;
	size_t domain_count;
	const char *domains[DOMAINS_MAX]; /* within `text` */
	char text[];
};

/* What resolv.conf(5) says. */
struct resolv_conf {
	size_t server_count;
	struct addr servers[NAMESERVERS_MAX];
	char *search; /* words; NULL: nothing about it */
	int64_t ndots;
	bool rotate;
};

struct nameservers_source {
	_Atomic(int64_t) look_at; /* when resolv.conf(5) is to be looked at */
	_Atomic(unsigned) generation; /* of the lists */
	_Atomic(unsigned) read; /* the one that was read last */
	struct mutex lock; /* the lists */
	char *servers;
	char *search;

	struct followed file;
	struct resolv_conf conf; /* as it was read last; of who has claimed the file */
};

/* ---- resolv.conf(5) ---- */

static bool starts_with(const char *word, size_t len, const char *with)
{
	return len >= strlen(with) && memcmp(word, with, strlen(with)) == 0;
}

static bool is_word(const char *word, size_t len, const char *what)
{
	return len == strlen(what) && memcmp(word, what, len) == 0;
}

/* "ndots:2 rotate"; what else there is does not apply here. */
static void take_options(struct resolv_conf *conf, const char *text)
{
	const char *word;
	size_t len;

	while (parse_next_word(&text, &word, &len)) {
		if (starts_with(word, len, "ndots:"))
			conf->ndots = strtol(word + strlen("ndots:"), NULL, 10);
		else if (is_word(word, len, "rotate"))
			conf->rotate = true;
	}
}

static int take_search(struct resolv_conf *conf, const char *words)
{
	char *copy = strdup(words);

	if (copy == NULL)
		return -1;
	free(conf->search);
	conf->search = copy;
	return 0;
}

/* As in our own list, a port is allowed, and one of a link cannot be asked by c-ares 1.18. */
static void take_server(struct resolv_conf *conf, const char *text)
{
	const char *word;
	size_t len;
	bool has_port;

	if (conf->server_count < NAMESERVERS_MAX && parse_next_word(&text, &word, &len) &&
		memchr(word, '%', len) == NULL &&
		addr_parse_port(word, len, &conf->servers[conf->server_count], &has_port))
		conf->server_count++;
}

/* -1 without memory. */
static int take_conf_line(void *arg, char *line)
{
	struct resolv_conf *conf = arg;
	const char *rest = line, *word;
	size_t len;

	line[strcspn(line, "#;")] = '\0';
	if (!parse_next_word(&rest, &word, &len))
		return 0;
	if (is_word(word, len, "nameserver"))
		take_server(conf, rest);
	else if (is_word(word, len, "options"))
		take_options(conf, rest);
	else if (is_word(word, len, "search") || is_word(word, len, "domain"))
		return take_search(conf, rest);
	return 0;
}

/* As resolv.conf(5) has it where the file says nothing. */
static int add_environment(struct resolv_conf *conf)
{
	const char *domains = getenv("LOCALDOMAIN"), *options = getenv("RES_OPTIONS");
	char host[HOST_NAME_MAX + 1] = "";

	if (domains == NULL && conf->search == NULL && gethostname(host, HOST_NAME_MAX) == 0)
		domains = strchr(host, '.');
	if (options != NULL)
		take_options(conf, options);
	return domains == NULL ? 0 : take_search(conf, domains + strspn(domains, "."));
}

/* Replaces `conf`, which stays as it is on failure, with the reason. */
static int read_conf(
	struct resolv_conf *conf, const struct followed *file, char why[LINES_ERROR_MAX])
{
	struct resolv_conf new = {.ndots = 1};
	int status = followed_read(file, take_conf_line, &new, why);

	if (status == 0 && add_environment(&new) < 0)
		status = followed_no_memory(file, why);
	if (status < 0) {
		free(new.search);
		return -1;
	}
	free(conf->search);
	*conf = new;
	return 0;
}

/* ---- the servers, of both sources ---- */

static void add_server(struct nameservers *n, struct addr addr)
{
	if (addr_port(&addr) == 0)
		addr_set_port(&addr, DNS_PORT);
	if (n->count < NAMESERVERS_MAX)
		n->servers[n->count++].addr = addr;
}

static void add_servers(struct nameservers *n, const char *listed, const struct resolv_conf *conf)
{
	static const uint8_t here[4] = {127, 0, 0, 1};
	const char *word;
	size_t len;
	struct addr addr;
	bool has_port;

	while (parse_next_word(&listed, &word, &len)) {
		if (addr_parse_port(word, len, &addr, &has_port))
			add_server(n, addr);
	}
	if (n->count > 0)
		return;
	for (size_t i = 0; i < conf->server_count; i++)
		add_server(n, conf->servers[i]);
	if (n->count == 0)
		add_server(n, addr_from_ipv4(here, 0));
}

/* Cuts up `n->text`. The root, ".", is no domain to be put behind a name. */
static void add_domains(struct nameservers *n)
{
	char *rest = NULL, *word = strtok_r(n->text, ", \t", &rest);

	for (; word != NULL && n->domain_count < DOMAINS_MAX;
		word = strtok_r(NULL, ", \t", &rest)) {
		if (strcmp(word, ".") != 0)
			n->domains[n->domain_count++] = word;
	}
}

/* From the lists, and what they leave open from `conf`. NULL without memory. */
static struct nameservers *nameservers_new(
	const char *servers, const char *search, const struct resolv_conf *conf)
{
	struct nameservers *n;

	if (search[strspn(search, ", \t")] == '\0' && conf->search != NULL)
		search = conf->search;
	n = calloc(1, sizeof(*n) + strlen(search) + 1);
	if (n == NULL)
		return NULL;
	n->rotate = conf->rotate;
	n->ndots = conf->ndots;
	strcpy(n->text, search);
	add_servers(n, servers, conf);
	add_domains(n);
	return n;
}

void nameservers_free(struct nameservers *n)
{
	free(n);
}

/* ---- where they come from ---- */

struct nameservers_source *nameservers_source_new(const char *path, followed_say *say)
{
	struct nameservers_source *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	mutex_init(&s->lock);
	followed_init(&s->file, path, say);
	s->conf.ndots = 1;
	if (nameservers_source_set(s, "", "") == 0)
		return s;
	nameservers_source_free(s);
	return NULL;
}

void nameservers_source_free(struct nameservers_source *s)
{
	if (s == NULL)
		return;
	free(s->servers);
	free(s->search);
	free(s->conf.search);
	mutex_destroy(&s->lock);
	free(s);
}

int nameservers_source_set(struct nameservers_source *s, const char *servers, const char *search)
{
	char *new_servers = strdup(servers), *new_search = strdup(search);
	char *old_servers, *old_search;

	if (new_servers == NULL || new_search == NULL) {
		free(new_servers);
		free(new_search);
		return -1;
	}
	mutex_lock(&s->lock);
	old_servers = s->servers;
	old_search = s->search;
	s->servers = new_servers;
	s->search = new_search;
	mutex_unlock(&s->lock);
	atomic_fetch_add(&s->generation, 1);
	free(old_servers);
	free(old_search);
	return 0;
}

static struct nameservers *take_lists(struct nameservers_source *s)
{
	struct nameservers *n;

	mutex_lock(&s->lock);
	n = nameservers_new(s->servers, s->search, &s->conf);
	mutex_unlock(&s->lock);
	return n;
}

/* With the file claimed. By itself, so that its memory is not on the stack of each lookup. */
static __attribute__((noinline)) struct nameservers *read_source(struct nameservers_source *s)
{
	unsigned generation = atomic_load(&s->generation);
	char why[LINES_ERROR_MAX];
	bool is_read = read_conf(&s->conf, &s->file, why) == 0;
	bool is_news = is_read || generation != atomic_load(&s->read);
	struct nameservers *n = is_news ? take_lists(s) : NULL;

	if (n != NULL)
		atomic_store(&s->read, generation);
	else if (is_read)
		is_read = followed_no_memory(&s->file, why) == 0;
	followed_release(&s->file, is_read ? NULL : why);
	return n;
}

struct nameservers *nameservers_follow(struct nameservers_source *s)
{
	int64_t now = clock_ms();
	bool lists_changed = atomic_load(&s->generation) != atomic_load(&s->read);

	if (!lists_changed && now < atomic_load(&s->look_at))
		return NULL;
	atomic_store(&s->look_at, now + LOOK_MS);
	return followed_claim(&s->file, lists_changed) ? read_source(s) : NULL;
}

/* ---- servers ---- */

size_t nameservers_count(const struct nameservers *n)
{
	return n->count;
}

const struct addr *nameservers_addr(const struct nameservers *n, size_t i)
{
	return &n->servers[i].addr;
}

size_t nameservers_turn(struct nameservers *n)
{
	return n->rotate ? n->turn++ : 0;
}

size_t nameservers_pick(const struct nameservers *n, uint32_t except, size_t turn, int64_t now)
{
	size_t silent = n->count;

	for (size_t k = 0; k < n->count; k++) {
		size_t i = (turn + k) % n->count;

		if (except >> i & 1)
			continue;
		if (n->servers[i].silent_until <= now)
			return i;
		if (silent == n->count)
			silent = i;
	}
	return silent;
}

void nameservers_note_answer(struct nameservers *n, size_t i, int64_t now)
{
	n->servers[i].answered = now;
	n->servers[i].silent_until = 0;
}

void nameservers_note_silence(struct nameservers *n, size_t i, int64_t asked, int64_t now)
{
	if (n->servers[i].answered < asked)
		n->servers[i].silent_until = now + NAMESERVERS_SILENT_MS;
}

/* ---- names ---- */

static int64_t count_dots(const char *name)
{
	int64_t dots = 0;

	for (; *name != '\0'; name++)
		dots += *name == '.';
	return dots;
}

static bool ends_in_dot(const char *name)
{
	return *name != '\0' && name[strlen(name) - 1] == '.';
}

bool nameservers_name(
	const struct nameservers *n, const char *name, size_t step, char out[NAMESERVERS_NAME_MAX])
{
	size_t domains = ends_in_dot(name) ? 0 : n->domain_count;
	size_t as_it_is = count_dots(name) >= n->ndots ? 0 : domains;

	if (step > domains)
		return false;
	if (step == as_it_is)
		snprintf(out, NAMESERVERS_NAME_MAX, "%s", name);
	else
		snprintf(out, NAMESERVERS_NAME_MAX, "%s.%s", name,
			n->domains[step < as_it_is ? step : step - 1]);
	return true;
}
