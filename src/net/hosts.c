/*
 * Block lists put 100,000 names and more into hosts(5), too many to be read for every lookup. The
 * file is parsed into a map when its stamp has changed, by the one thread that notices first; the
 * others go on with the old map meanwhile.
 */
#include "net/hosts.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hashmap.h"
#include "base/lock.h"
#include "base/parse.h"
#include "base/stamp.h"

#define ADDRS_MAX (LOOKUP_FAMILIES * RESOLVER_MAX_ADDRS)
#define BLANKS " \t\r\n"

struct host {
	size_t count;
	struct addr addrs[]; /* `count` of them, then the name */
};

struct hosts {
	const char *path;
	_Atomic(bool) being_read;
	struct rwlock lock; /* the rest */
	struct stamp stamp;
	struct hashmap *map; /* NULL: nothing was read yet */
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

/* Puts one more address under a name, in the place of the entry that lacks it. What there is no
 * memory for is left out. */
static void add_host_addr(struct hashmap *map, const char *name, const struct addr *addr)
{
	size_t len = strlen(name);
	struct host *old = hashmap_get(map, name, len);
	size_t count = old == NULL ? 0 : old->count;
	struct host *new;
	void *replaced;
	char *key;

	if (count == ADDRS_MAX || len > RESOLVER_NAME_MAX)
		return;
	new = malloc(sizeof(*new) + (count + 1) * sizeof(*addr) + len);
	if (new == NULL)
		return;
	new->count = count + 1;
	if (old != NULL)
		memcpy(new->addrs, old->addrs, count * sizeof(*addr));
	new->addrs[count] = *addr;
	key = (char *)(new->addrs + new->count);
	memcpy(key, name, len);
	if (hashmap_put(map, key, len, new, &replaced) < 0)
		replaced = new;
	free(replaced);
}

/* "ADDRESS NAME NAME... # comment"; a line without an address is skipped. */
static void take_hosts_line(struct hashmap *map, char *line)
{
	char *rest = NULL, *word;
	struct addr addr;

	line[strcspn(line, "#")] = '\0';
	word = strtok_r(line, BLANKS, &rest);
	if (word == NULL || !addr_parse(word, strlen(word), &addr))
		return;
	while ((word = strtok_r(NULL, BLANKS, &rest)) != NULL) {
		parse_to_lower(word);
		add_host_addr(map, word, &addr);
	}
}

/* The names of the file; none when it cannot be read. NULL without memory. */
static struct hashmap *read_hosts(const char *path)
{
	struct hashmap *map = hashmap_new(0);
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	while (map != NULL && file != NULL && getline(&line, &size, file) >= 0)
		take_hosts_line(map, line);
	free(line);
	if (file != NULL)
		fclose(file);
	return map;
}

static void replace_map(struct hosts *h, const struct stamp *now)
{
	struct hashmap *map = read_hosts(h->path), *old;

	if (map == NULL)
		return;
	rwlock_write(&h->lock);
	old = h->map;
	h->map = map;
	h->stamp = *now;
	rwlock_write_unlock(&h->lock);
	hashmap_free(old, free);
}

static void follow_changes(struct hosts *h)
{
	struct stamp now = stamp_of(h->path);
	bool current;

	rwlock_read(&h->lock);
	current = h->map != NULL && stamp_equal(&now, &h->stamp);
	rwlock_read_unlock(&h->lock);
	if (current || atomic_exchange(&h->being_read, true))
		return;
	replace_map(h, &now);
	atomic_store(&h->being_read, false);
}

struct hosts *hosts_new(const char *path)
{
	struct hosts *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->path = path;
	rwlock_init(&h->lock);
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

bool hosts_find(struct hosts *h, const char *name, struct lookup_answer answers[LOOKUP_FAMILIES])
{
	const struct host *host = NULL;

	follow_changes(h);
	rwlock_read(&h->lock);
	if (h->map != NULL)
		host = hashmap_get(h->map, name, strlen(name));
	if (host != NULL)
		sort_by_family(host, answers);
	rwlock_read_unlock(&h->lock);
	return host != NULL;
}
