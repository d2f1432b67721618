/*
 * A client's entry stays in the table when its last session ends, which costs no lock: it only
 * notes the time. So nobody keeps the idle ones in order. Instead they are in a heap by the time at
 * which each was found to be idle last, which may be old news; what comes to its root is looked at
 * again, and sinks when it has been seen since. What is still at the root then is the one that has
 * been idle for longest, exactly. A session causes at most one such step, so a stream of new
 * addresses costs a few steps each. One that comes while there are too many has two go, so that
 * what sessions of many clients at once have left behind becomes less again.
 */
#include "state/ledger_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void swap_places(struct ledger_entry **a, struct ledger_entry **b)
{
	struct ledger_entry *kept = *a;

	*a = *b;
	*b = kept;
}

static void rise_locked(struct ledger *l, size_t i) REQUIRES(&l->clients_lock)
{
	for (size_t parent; i > 0 && l->heap[i]->rank < l->heap[parent = (i - 1) / 2]->rank;
		i = parent)
		swap_places(&l->heap[i], &l->heap[parent]);
}

/* From the root, with `count` in the heap. */
static void sink_root_locked(struct ledger *l, size_t count) REQUIRES(&l->clients_lock)
{
	for (size_t i = 0, child; (child = 2 * i + 1) < count; i = child) {
		if (child + 1 < count && l->heap[child + 1]->rank < l->heap[child]->rank)
			child++;
		if (l->heap[i]->rank <= l->heap[child]->rank)
			break;
		swap_places(&l->heap[i], &l->heap[child]);
	}
}

/* Where the entry belongs by what is known now. Whoever has a session comes behind all idle ones,
 * until it is his turn to be looked at again. */
static int64_t rank_now(const struct ledger_entry *e, int64_t now)
{
	/* Before `last_seen`, which is written before the session is gone. */
	if (atomic_load(&e->sessions) == 0)
		return GET(&e->last_seen);
	return (now > e->rank ? now : e->rank) + 1;
}

/* Has the client at the root that has been idle for longest; false when all have sessions. */
static bool find_idle_locked(struct ledger *l, int64_t now) REQUIRES(&l->clients_lock)
{
	size_t count = hashmap_count(l->clients);

	for (size_t looked = 0; looked < 2 * count; looked++) {
		struct ledger_entry *root = l->heap[0];
		int64_t rank = rank_now(root, now);

		if (rank == root->rank)
			return true;
		root->rank = rank;
		sink_root_locked(l, count);
	}
	return false;
}

static void evict_root_locked(struct ledger *l) REQUIRES(&l->clients_lock)
{
	struct ledger_entry *root = l->heap[0];
	size_t count;

	atomic_fetch_sub(&l->idle, 1);
	(void)hashmap_remove(l->clients, &root->key, sizeof(root->key));
	count = hashmap_count(l->clients);
	l->heap[0] = l->heap[count];
	sink_root_locked(l, count);
}

size_t ledger_evict_idle_locked(struct ledger *l, struct ledger_entry *gone[LEDGER_GO_AT_ONCE],
	int64_t now) REQUIRES(&l->clients_lock)
{
	size_t count = 0;

	while (count < LEDGER_GO_AT_ONCE && atomic_load(&l->idle) >= l->idle_most &&
		find_idle_locked(l, now)) {
		gone[count++] = l->heap[0];
		evict_root_locked(l);
	}
	return count;
}

int ledger_make_room_locked(struct ledger *l) REQUIRES(&l->clients_lock)
{
	size_t size = l->heap_size == 0 ? 16 : 2 * l->heap_size;
	struct ledger_entry **bigger;

	if (hashmap_reserve(l->clients, 1) < 0)
		return -1;
	if (hashmap_count(l->clients) < l->heap_size)
		return 0;
	bigger = calloc(size, sizeof(struct ledger_entry *));
	if (bigger == NULL)
		return -1;
	if (l->heap != NULL)
		memcpy(bigger, l->heap, l->heap_size * sizeof(struct ledger_entry *));
	free(l->heap);
	l->heap = bigger;
	l->heap_size = size;
	return 0;
}

void ledger_put_client_locked(struct ledger *l, struct ledger_entry *client)
	REQUIRES(&l->clients_lock)
{
	size_t count = hashmap_count(l->clients);
	void *old = NULL;
	int result = hashmap_put(l->clients, &client->key, sizeof(client->key), client, &old);

	assert(result == 0 && old == NULL);
	l->heap[count] = client;
	rise_locked(l, count);
}
