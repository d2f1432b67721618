/*
 * Names lie one behind the other in one block: a byte of flags, a length, the text. They are found
 * by a table of open addressing whose places hold the offset and a hash, so that a name which is
 * not there is seldom compared. A name that is looked up has a hash for each of its ends, made from
 * the last byte on in one go, so that "and all below" costs one more look a label and nothing a
 * name of the list. Most names are in none of a hundred short lists: each list has a mark for each
 * hash in it, and so has a name, and where they share none nothing is looked up.
 *
 * Networks lie in order, wider ones before those within. Two of them either are apart or one holds
 * the other, so the last one that begins at or before an address holds it, or one that holds that
 * does: each knows the next wider one.
 */
#include "state/rule_list.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"

#define NONE UINT32_MAX

enum { IS_EXACT = 1, IS_AND_BELOW = 2 };
enum { HEAD = 2 }; /* bytes in front of a name's text: flags, length */

struct slot {
	uint32_t at; /* in the block; 0: free */
	uint32_t hash;
};

struct net4 {
	uint32_t base;
	uint32_t wider; /* the index of the smallest network around; NONE */
	uint8_t prefix;
};

struct net6 {
	uint8_t base[16];
	uint32_t wider;
	uint8_t prefix;
};

struct rule_list {
	_Atomic(unsigned) references;
	uint8_t *block; /* its first byte is of no name */
	size_t block_used, block_size;
	struct slot *slots;
	size_t mask; /* of their number, a power of two */
	uint64_t marks; /* of the hashes of all names */
	size_t names;
	struct net4 *nets4;
	size_t count4, size4;
	struct net6 *nets6;
	size_t count6, size6;
};

struct rule_list *rule_list_new(void)
{
	struct rule_list *list = calloc(1, sizeof(*list));

	if (list == NULL)
		return NULL;
	atomic_init(&list->references, 1);
	list->block_used = 1;
	return list;
}

struct rule_list *rule_list_hold(struct rule_list *list)
{
	atomic_fetch_add(&list->references, 1);
	return list;
}

void rule_list_release(struct rule_list *list)
{
	if (list == NULL || atomic_fetch_sub(&list->references, 1) > 1)
		return;
	free(list->block);
	free(list->slots);
	free(list->nets4);
	free(list->nets6);
	free(list);
}

/* ---- hashes ---- */

#define HASH_BEGIN 2166136261U

/* FNV-1a, from the last byte to the first. */
static uint32_t hash_on(uint32_t hash, char c)
{
	return (hash ^ (uint8_t)c) * 16777619U;
}

static uint32_t hash_of_name(const uint8_t *text, size_t len)
{
	uint32_t hash = HASH_BEGIN;

	while (len > 0)
		hash = hash_on(hash, (char)text[--len]);
	return hash;
}

static uint64_t mark_of(uint32_t hash)
{
	return UINT64_C(1) << ((hash * 0x9e3779b1U) >> 26);
}

static size_t home_of(const struct rule_list *list, uint32_t hash)
{
	return ((hash ^ (hash >> 15)) * 0x9e3779b1U >> 3) & list->mask;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool rule_name_set(struct rule_name *name, const char *text, size_t len)
{
	uint32_t hash = HASH_BEGIN;

	if (len > 0 && text[len - 1] == '.')
		len--;
	if (len == 0 || len > RULE_NAME_MAX)
		return false;
	name->len = len;
	name->count = 0;
	name->marks = 0;
	for (size_t i = len; i-- > 0;) {
		name->text[i] = lower(text[i]);
		hash = hash_on(hash, name->text[i]);
		if (i > 0 && text[i - 1] != '.')
			continue;
		if (name->count > RULE_LABELS_MAX)
			return false;
		name->ends[name->count++] = (struct rule_name_end){.hash = hash, .at = (uint32_t)i};
		name->marks |= mark_of(hash);
	}
	return true;
}

/* Not inline: a worker has room for the name on its stack only where it is asked for. */
__attribute__((noinline)) bool rule_name_looks_public(const char *text, size_t len)
{
	static const char *const endings[] = {"local", "lan", "home", "internal", "intranet",
		"corp", "private", "localdomain", "localhost", "home.arpa"};
	struct rule_name name;

	if (!rule_name_set(&name, text, len) || name.count < 2)
		return false;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		size_t end = strlen(endings[i]);

		if (end < name.len && name.text[name.len - end - 1] == '.' &&
			memcmp(name.text + name.len - end, endings[i], end) == 0)
			return false;
	}
	return true;
}

/* ---- adding ---- */

int rule_list_add_name(struct rule_list *list, const char *name, size_t len, bool and_below)
{
	size_t used = list->block_used + HEAD + len;

	if (used > list->block_size) {
		size_t size = list->block_size == 0 ? 64 : 2 * list->block_size;
		uint8_t *block = realloc(list->block, size < used ? used : size);

		if (block == NULL || used > NONE / 2) {
			list->block = block != NULL ? block : list->block;
			return -1;
		}
		list->block = block;
		list->block_size = size < used ? used : size;
	}
	list->block[list->block_used] = and_below ? IS_AND_BELOW : IS_EXACT;
	list->block[list->block_used + 1] = (uint8_t)len;
	memcpy(list->block + list->block_used + HEAD, name, len);
	list->block_used = used;
	list->names++;
	return 0;
}

static int add_net4(struct rule_list *list, const struct network *network)
{
	struct net4 *nets =
		grow_by_one(list->nets4, list->count4, &list->size4, sizeof(*list->nets4));

	if (nets == NULL)
		return -1;
	list->nets4 = nets;
	nets[list->count4++] = (struct net4){.base = ntohl(network->base.in.sin_addr.s_addr),
		.prefix = (uint8_t)network->prefix};
	return 0;
}

static int add_net6(struct rule_list *list, const struct network *network)
{
	struct net6 *nets =
		grow_by_one(list->nets6, list->count6, &list->size6, sizeof(*list->nets6));

	if (nets == NULL)
		return -1;
	list->nets6 = nets;
	nets[list->count6] = (struct net6){.prefix = (uint8_t)network->prefix};
	memcpy(nets[list->count6++].base, &network->base.in6.sin6_addr, 16);
	return 0;
}

int rule_list_add_network(struct rule_list *list, const struct network *network)
{
	return network->base.sa.sa_family == AF_INET ? add_net4(list, network)
						     : add_net6(list, network);
}

/* ---- sealing ---- */

static const uint8_t *name_at(const struct rule_list *list, uint32_t at)
{
	return list->block + at;
}

/* The place of that name, or the free one where it belongs. */
static struct slot *find_slot(
	const struct rule_list *list, uint32_t hash, const void *text, size_t len)
{
	for (size_t i = home_of(list, hash);; i = (i + 1) & list->mask) {
		struct slot *slot = &list->slots[i];
		const uint8_t *name = name_at(list, slot->at);

		if (slot->at == 0 ||
			(slot->hash == hash && name[1] == len &&
				memcmp(name + HEAD, text, len) == 0))
			return slot;
	}
}

/* At most half of the places are taken. */
static int index_names(struct rule_list *list)
{
	size_t places = 2;

	while (places < 2 * list->names)
		places *= 2;
	list->slots = calloc(places, sizeof(*list->slots));
	if (list->slots == NULL)
		return -1;
	list->mask = places - 1;
	list->names = 0;
	for (size_t at = 1; at < list->block_used;) {
		uint8_t *name = list->block + at;
		uint32_t hash = hash_of_name(name + HEAD, name[1]);
		struct slot *slot = find_slot(list, hash, name + HEAD, name[1]);

		if (slot->at != 0)
			list->block[slot->at] |= name[0];
		else
			*slot = (struct slot){.at = (uint32_t)at, .hash = hash};
		list->names += slot->at == at;
		list->marks |= mark_of(hash);
		at += HEAD + name[1];
	}
	return 0;
}

static int compare_net4(const void *a, const void *b)
{
	const struct net4 *x = a, *y = b;

	if (x->base != y->base)
		return x->base < y->base ? -1 : 1;
	return x->prefix - y->prefix;
}

static int compare_net6(const void *a, const void *b)
{
	const struct net6 *x = a, *y = b;
	int order = memcmp(x->base, y->base, 16);

	return order != 0 ? order : x->prefix - y->prefix;
}

static bool net4_holds(const struct net4 *n, uint32_t a)
{
	return n->prefix == 0 || ((a ^ n->base) >> (32 - n->prefix)) == 0;
}

static bool net6_holds(const struct net6 *n, const uint8_t *a)
{
	unsigned whole = n->prefix / 8, rest = n->prefix % 8;

	return memcmp(a, n->base, whole) == 0 &&
		(rest == 0 || ((a[whole] ^ n->base[whole]) >> (8 - rest)) == 0);
}

static void order_nets4(struct rule_list *list)
{
	size_t kept = 0;

	if (list->count4 > 0)
		qsort(list->nets4, list->count4, sizeof(*list->nets4), compare_net4);
	for (size_t i = 0; i < list->count4; i++) {
		uint32_t wider = kept == 0 ? NONE : (uint32_t)(kept - 1);

		if (kept > 0 && compare_net4(&list->nets4[kept - 1], &list->nets4[i]) == 0)
			continue;
		while (wider != NONE && !net4_holds(&list->nets4[wider], list->nets4[i].base))
			wider = list->nets4[wider].wider;
		list->nets4[kept] = list->nets4[i];
		list->nets4[kept++].wider = wider;
	}
	list->count4 = kept;
}

static void order_nets6(struct rule_list *list)
{
	size_t kept = 0;

	if (list->count6 > 0)
		qsort(list->nets6, list->count6, sizeof(*list->nets6), compare_net6);
	for (size_t i = 0; i < list->count6; i++) {
		uint32_t wider = kept == 0 ? NONE : (uint32_t)(kept - 1);

		if (kept > 0 && compare_net6(&list->nets6[kept - 1], &list->nets6[i]) == 0)
			continue;
		while (wider != NONE && !net6_holds(&list->nets6[wider], list->nets6[i].base))
			wider = list->nets6[wider].wider;
		list->nets6[kept] = list->nets6[i];
		list->nets6[kept++].wider = wider;
	}
	list->count6 = kept;
}

/* Gives back what was room to grow. Where that fails it stays as it is. */
static void *shrink(void *elements, size_t count, size_t *size, size_t of)
{
	void *less = count == 0 ? NULL : reallocarray(elements, count, of);

	if (less == NULL)
		return elements;
	*size = count;
	return less;
}

int rule_list_seal(struct rule_list *list)
{
	if (list->names > 0 && index_names(list) < 0)
		return -1;
	order_nets4(list);
	order_nets6(list);
	if (list->names > 0)
		list->block = shrink(list->block, list->block_used, &list->block_size, 1);
	list->nets4 = shrink(list->nets4, list->count4, &list->size4, sizeof(*list->nets4));
	list->nets6 = shrink(list->nets6, list->count6, &list->size6, sizeof(*list->nets6));
	return 0;
}

/* ---- asking ---- */

size_t rule_list_names(const struct rule_list *list)
{
	return list->names;
}

size_t rule_list_networks(const struct rule_list *list)
{
	return list->count4 + list->count6;
}

static bool nets_are_equal(const struct rule_list *a, const struct rule_list *b)
{
	if (a->count4 != b->count4 || a->count6 != b->count6)
		return false;
	for (size_t i = 0; i < a->count4; i++) {
		if (a->nets4[i].base != b->nets4[i].base ||
			a->nets4[i].prefix != b->nets4[i].prefix)
			return false;
	}
	for (size_t i = 0; i < a->count6; i++) {
		if (memcmp(a->nets6[i].base, b->nets6[i].base, sizeof(a->nets6[i].base)) != 0 ||
			a->nets6[i].prefix != b->nets6[i].prefix)
			return false;
	}
	return true;
}

bool rule_list_equal(const struct rule_list *a, const struct rule_list *b)
{
	if (a->names != b->names || a->block_used != b->block_used)
		return false;
	return (a->names == 0 || memcmp(a->block + 1, b->block + 1, a->block_used - 1) == 0) &&
		nets_are_equal(a, b);
}

bool rule_list_has_name(const struct rule_list *list, const struct rule_name *name)
{
	if ((list->marks & name->marks) == 0)
		return false;
	for (unsigned i = 0; i < name->count; i++) {
		const struct rule_name_end *end = &name->ends[i];
		const struct slot *slot =
			find_slot(list, end->hash, name->text + end->at, name->len - end->at);

		if (slot->at != 0 &&
			(end->at == 0 || (*name_at(list, slot->at) & IS_AND_BELOW) != 0))
			return true;
	}
	return false;
}

static int prefix_of4(const struct rule_list *list, uint32_t a)
{
	size_t low = 0, high = list->count4;
	uint32_t i;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->nets4[middle].base <= a)
			low = middle + 1;
		else
			high = middle;
	}
	for (i = low == 0 ? NONE : (uint32_t)(low - 1); i != NONE; i = list->nets4[i].wider) {
		if (net4_holds(&list->nets4[i], a))
			return list->nets4[i].prefix;
	}
	return -1;
}

static int prefix_of6(const struct rule_list *list, const uint8_t *a)
{
	size_t low = 0, high = list->count6;
	uint32_t i;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(list->nets6[middle].base, a, 16) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (i = low == 0 ? NONE : (uint32_t)(low - 1); i != NONE; i = list->nets6[i].wider) {
		if (net6_holds(&list->nets6[i], a))
			return list->nets6[i].prefix;
	}
	return -1;
}

int rule_list_prefix_of(const struct rule_list *list, const struct addr *a)
{
	if (a->sa.sa_family == AF_INET)
		return prefix_of4(list, ntohl(a->in.sin_addr.s_addr));
	return a->sa.sa_family == AF_INET6 ? prefix_of6(list, a->in6.sin6_addr.s6_addr) : -1;
}
