/*
 * Block lists put 100,000 names and more into hosts(5), too many to be read for every lookup. The
 * file is parsed into a map when it has changed, by the one thread that notices first; the others
 * go on with the old map meanwhile, and so do all when it cannot be read to its end.
 */
#include "net/hosts.h"

#include <stdlib.h>
#include <string.h>

#include "base/hashmap.h"
#include "base/lock.h"
#include "base/parse.h"

#define ADDRS_MAX (LOOKUP_FAMILIES * RESOLVER_MAX_ADDRS)
#define BLANKS " \t\r\v\f"

struct host {
	size_t count;
	struct addr addrs[]; /* `count` of them, then the name */
};

struct hosts {
	struct followed file;
	struct rwlock lock; /* the rest */
	struct hashmap *map; /* of what could be read last */
};

void hosts_free(struct hosts *h)
{
	if (h == NULL)
		return;
	hashmap_free(h->map, free);
	rwlock_destroy(&h->lock);
	free(h);
}

/* ---- reading ---- */

/* Of a name without its last dot. */
static size_t undotted_len(const char *name)
{
	size_t len = strlen(name);

	return len > 1 && name[len - 1] == '.' ? len - 1 : len;
}

/* Puts one more address under a name, in the place of the entry that lacks it. -1 without memory.
 */
static int add_host_addr(struct hashmap *map, const char *name, const struct addr *addr)
{
	size_t len = undotted_len(name);
	struct host *old = hashmap_get(map, name, len);
	size_t count = old == NULL ? 0 : old->count;
	struct host *new;
	void *replaced;
	char *key;

	if (count == ADDRS_MAX || len > RESOLVER_NAME_MAX)
		return 0;
	new = malloc(sizeof(*new) + (count + 1) * sizeof(*addr) + len);
	if (new == NULL)
		return -1;
	new->count = count + 1;
	if (old != NULL)
		memcpy(new->addrs, old->addrs, count * sizeof(*addr));
	new->addrs[count] = *addr;
	key = (char *)(new->addrs + new->count);
	memcpy(key, name, len);
	if (hashmap_put(map, key, len, new, &replaced) < 0) {
		free(new);
		return -1;
	}
	free(replaced);
	return 0;
}

/* "ADDRESS NAME NAME... # comment"; a line without an address is skipped. -1 without memory. */
static int take_hosts_line(void *map, char *line)
{
	char *rest = NULL, *word;
	struct addr addr;

	line[strcspn(line, "#")] = '\0';
	word = strtok_r(line, BLANKS, &rest);
	if (word == NULL || !addr_parse(word, strlen(word), &addr))
		return 0;
	while ((word = strtok_r(NULL, BLANKS, &rest)) != NULL) {
		parse_to_lower(word);
		if (add_host_addr(map, word, &addr) < 0)
			return -1;
	}
	return 0;
}

/* The names of the file. NULL when they cannot be told, with the reason. */
static struct hashmap *read_hosts(const struct followed *file, char why[LINES_ERROR_MAX])
{
	struct hashmap *map = hashmap_new(0);

	if (map == NULL)
		(void)followed_no_memory(file, why);
	else if (followed_read(file, take_hosts_line, map, why) == 0)
		return map;
	hashmap_free(map, free);
	return NULL;
}

/* By itself, so that its memory is not on the stack of each lookup. */
static __attribute__((noinline)) void replace_map(struct hosts *h)
{
	char why[LINES_ERROR_MAX];
	struct hashmap *new = read_hosts(&h->file, why), *old = NULL;

	if (new != NULL) {
		rwlock_write(&h->lock);
		old = h->map;
		h->map = new;
		rwlock_write_unlock(&h->lock);
	}
	followed_release(&h->file, new == NULL ? why : NULL);
	hashmap_free(old, free);
}

static void follow_changes(struct hosts *h)
{
	if (followed_claim(&h->file, false))
		replace_map(h);
}

struct hosts *hosts_new(const char *path, followed_say *say)
{
	struct hosts *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	rwlock_init(&h->lock);
	followed_init(&h->file, path, say);
	follow_changes(h);
	return h;
}

/* ---- finding ---- */

static void sort_by_family(const struct host *host, struct lookup_answer answers[LOOKUP_FAMILIES])
{
	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++)
		answers[f] = (struct lookup_answer){.state = LOOKUP_NOT_FOUND};
	for (size_t i = 0; i < host->count; i++) {
		bool v4 = host->addrs[i].sa.sa_family == AF_INET;
		struct lookup_answer *a = &answers[v4 ? LOOKUP_IPV4 : LOOKUP_IPV6];

		a->state = LOOKUP_FOUND;
		if (a->count < RESOLVER_MAX_ADDRS)
			a->addrs[a->count++] = host->addrs[i];
	}
}

static const struct host *find_host_locked(const struct hosts *h, const char *name)
{
	return h->map == NULL ? NULL : hashmap_get(h->map, name, undotted_len(name));
}

static bool is_at_this_host(const struct host *host)
{
	for (size_t i = 0; i < host->count; i++) {
		if (addr_is_loopback(&host->addrs[i]) || addr_is_unspecified(&host->addrs[i]))
			return true;
	}
	return false;
}

bool hosts_names_this_host(struct hosts *h, const char *name)
{
	const struct host *host;
	bool is_meant;

	follow_changes(h);
	rwlock_read(&h->lock);
	host = find_host_locked(h, name);
	is_meant = host != NULL && is_at_this_host(host);
	rwlock_read_unlock(&h->lock);
	return is_meant;
}

bool hosts_find(struct hosts *h, const char *name, struct lookup_answer answers[LOOKUP_FAMILIES])
{
	const struct host *host;

	follow_changes(h);
	rwlock_read(&h->lock);
	host = find_host_locked(h, name);
	if (host != NULL)
		sort_by_family(host, answers);
	rwlock_read_unlock(&h->lock);
	return host != NULL;
}
