/*
 * The lines of four kinds of files come down to an address and a name each; of several for one
 * address the last counts, since leases are appended. Names are what devices call themselves, so
 * they are kept as they are and made one printable word when they are shown. A file that cannot be
 * read to its end leaves the names as they were.
 */
#include "state/client_names.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/escape.h"
#include "base/hashmap.h"
#include "base/lock.h"

#define BLANKS " \t\r\v\f"
#define KEA_COLUMNS 64 /* that are looked at */

/* ---- lines: what they share ---- */

/* Of "name." the dot at the end means nothing here. */
static bool give_name(struct leased *out, const struct addr *addr, char *name)
{
	size_t len = strlen(name);

	if (len > 0 && name[len - 1] == '.')
		name[len - 1] = '\0';
	if (*name == '\0')
		return false;
	out->addr = *addr;
	out->name = name;
	return true;
}

static bool is_decimal(const char *word)
{
	return *word != '\0' && word[strspn(word, "0123456789")] == '\0';
}

/* ---- hosts and dnsmasq: words ---- */

static bool read_hosts_line(char *line, struct leased *out)
{
	char *rest = NULL, *word, *name;
	struct addr addr;

	line[strcspn(line, "#")] = '\0';
	word = strtok_r(line, BLANKS, &rest);
	name = strtok_r(NULL, BLANKS, &rest);
	return word != NULL && name != NULL && addr_parse(word, strlen(word), &addr) &&
		give_name(out, &addr, name);
}

/* A client that gave no name is called "*". */
static bool read_dnsmasq_line(char *line, struct leased *out)
{
	char *rest = NULL, *words[4];
	struct addr addr;

	for (size_t i = 0; i < 4; i++) {
		words[i] = strtok_r(i == 0 ? line : NULL, BLANKS, &rest);
		if (words[i] == NULL)
			return false;
	}
	return is_decimal(words[0]) && addr_parse(words[2], strlen(words[2]), &addr) &&
		strcmp(words[3], "*") != 0 && give_name(out, &addr, words[3]);
}

/* ---- ISC dhcpd: statements in braces ---- */

/* What follows `statement` and a blank in the line; NULL: it is not there. */
static char *behind_statement(char *line, const char *statement)
{
	char *at = strstr(line, statement);
	size_t len = strlen(statement);

	if (at == NULL || (at > line && strchr(BLANKS "{;", at[-1]) == NULL) || at[len] == '\0' ||
		strchr(BLANKS, at[len]) == NULL)
		return NULL;
	return at + len + strspn(at + len, BLANKS);
}

/* Up to the quote at its end, in which \" is none. dhcpd writes other bytes as \ooo, which stay as
 * they are. */
static char *quoted(char *text)
{
	char *from = text + 1, *to = from;

	if (*text != '"')
		return NULL;
	for (; *from != '\0' && *from != '"'; from++) {
		if (from[0] == '\\' && (from[1] == '"' || from[1] == '\\'))
			from++;
		*to++ = *from;
	}
	if (*from != '"')
		return NULL;
	*to = '\0';
	return text + 1;
}

static bool read_isc_line(struct leases_reader *r, char *line, struct leased *out)
{
	char *addr = behind_statement(line, "lease"), *name, *end;

	if (addr != NULL)
		r->has_addr = addr_parse(addr, strcspn(addr, BLANKS "{"), &r->addr);
	name = behind_statement(line, "client-hostname");
	/* On a line of its own, as dhcpd writes it; within a name it may stand, too. */
	end = line + strspn(line, BLANKS);
	if (*end == '}')
		r->has_addr = false;
	name = name == NULL ? NULL : quoted(name);
	return name != NULL && r->has_addr && give_name(out, &r->addr, name);
}

/* ---- Kea: columns ---- */

/* Cuts off the next column; NULL: there are no more. */
static char *next_column(char **rest)
{
	char *column = strsep(rest, ",");

	if (column != NULL)
		column[strcspn(column, "\r")] = '\0';
	return column;
}

static void find_kea_columns(struct leases_reader *r, char *line)
{
	char *rest = line, *title;

	r->addr_column = r->name_column = KEA_COLUMNS;
	for (size_t i = 0; i < KEA_COLUMNS && (title = next_column(&rest)) != NULL; i++) {
		if (strcmp(title, "address") == 0)
			r->addr_column = i;
		else if (strcmp(title, "hostname") == 0)
			r->name_column = i;
	}
}

static bool read_kea_line(const struct leases_reader *r, char *line, struct leased *out)
{
	char *rest = line, *column, *addr_text = NULL, *name = NULL;
	struct addr addr;

	for (size_t i = 0; i < KEA_COLUMNS && (column = next_column(&rest)) != NULL; i++) {
		if (i == r->addr_column)
			addr_text = column;
		if (i == r->name_column)
			name = column;
	}
	return addr_text != NULL && name != NULL && addr_text != name &&
		addr_parse(addr_text, strlen(addr_text), &addr) && give_name(out, &addr, name);
}

/* ---- which of them it is ---- */

static bool begins_with_word(const char *line, const char *word)
{
	size_t len = strlen(word);

	return strncmp(line, word, len) == 0 &&
		(line[len] == '\0' || strchr(BLANKS "{;", line[len]) != NULL);
}

/* What dhcpd's files begin with. */
static bool is_isc(const char *line)
{
	static const char *const words[] = {"lease", "host", "group", "subgroup", "class",
		"subclass", "failover", "ia-na", "ia-ta", "ia-pd", "server-duid", "default-duid",
		"authoring-byte-order"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (begins_with_word(line, words[i]))
			return true;
	}
	return false;
}

/* "1764201600 aa:bb:cc:dd:ee:ff 192.0.2.1 tv *"; a server of DHCPv6 begins with its own id. */
static bool is_dnsmasq(const char *line)
{
	size_t digits = strspn(line, "0123456789");

	return begins_with_word(line, "duid") ||
		(digits > 0 && line[digits] != '\0' && strchr(BLANKS, line[digits]) != NULL);
}

static enum leases_format format_of(const char *line)
{
	if (strncmp(line, "address,", strlen("address,")) == 0)
		return LEASES_KEA;
	if (is_isc(line))
		return LEASES_ISC;
	return is_dnsmasq(line) ? LEASES_DNSMASQ : LEASES_HOSTS;
}

bool leases_read_line(struct leases_reader *r, char *line, struct leased *out)
{
	char *text = line + strspn(line, BLANKS);

	if (*text == '\0' || *text == '#')
		return false;
	if (r->format == LEASES_UNKNOWN) {
		r->format = format_of(text);
		if (r->format == LEASES_KEA) {
			find_kea_columns(r, text);
			return false;
		}
	}
	switch (r->format) {
	case LEASES_DNSMASQ:
		return read_dnsmasq_line(text, out);
	case LEASES_ISC:
		return read_isc_line(r, text, out);
	case LEASES_KEA:
		return read_kea_line(r, text, out);
	case LEASES_UNKNOWN:
	case LEASES_HOSTS:
		break;
	}
	return read_hosts_line(text, out);
}

/* ---- the names ---- */

/* All bytes are set, so that it can be a key of a map. */
struct host_key {
	uint8_t family;
	uint8_t address[16];
};

struct named {
	struct host_key key;
	uint8_t len;
	char name[];
};

struct client_names {
	struct rwlock lock; /* the map */
	struct hashmap *map; /* NULL: no names */

	/* of the thread that follows */
	char *path; /* NULL: none */
	struct followed file;
	followed_say *say;
};

static struct host_key host_key_of(const struct addr *addr)
{
	struct host_key key = {.family = addr->sa.sa_family == AF_INET ? 4 : 6};

	if (key.family == 4)
		memcpy(key.address, &addr->in.sin_addr, 4);
	else
		memcpy(key.address, &addr->in6.sin6_addr, 16);
	return key;
}

struct client_names *client_names_new(followed_say *say)
{
	struct client_names *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return NULL;
	n->say = say;
	rwlock_init(&n->lock);
	return n;
}

void client_names_free(struct client_names *n)
{
	if (n == NULL)
		return;
	hashmap_free(n->map, free);
	rwlock_destroy(&n->lock);
	free(n->path);
	free(n);
}

static void set_names(struct client_names *n, struct hashmap *map)
{
	struct hashmap *old;

	rwlock_write(&n->lock);
	old = n->map;
	n->map = map;
	rwlock_write_unlock(&n->lock);
	hashmap_free(old, free);
}

/* ---- reading ---- */

struct reading {
	struct leases_reader reader;
	struct hashmap *map;
};

/* -1 without memory. */
static int put_name(struct hashmap *map, const struct leased *leased)
{
	size_t len = strnlen(leased->name, CLIENT_NAME_MAX);
	struct named *named = malloc(sizeof(*named) + len);
	void *old;

	if (named == NULL)
		return -1;
	named->key = host_key_of(&leased->addr);
	named->len = (uint8_t)len;
	memcpy(named->name, leased->name, len);
	free(hashmap_remove(map, &named->key, sizeof(named->key)));
	if (hashmap_count(map) >= CLIENT_NAMES_MOST) {
		free(named);
		return 0;
	}
	if (hashmap_put(map, &named->key, sizeof(named->key), named, &old) == 0)
		return 0;
	free(named);
	return -1;
}

static int take_leases_line(void *arg, char *line)
{
	struct reading *reading = arg;
	struct leased leased;

	return leases_read_line(&reading->reader, line, &leased) ? put_name(reading->map, &leased)
								 : 0;
}

static void read_names(struct client_names *n)
{
	struct reading reading = {.map = hashmap_new(0)};
	char why[LINES_ERROR_MAX];
	bool is_read = false;

	if (reading.map == NULL)
		(void)followed_no_memory(&n->file, why);
	else
		is_read = followed_read(&n->file, take_leases_line, &reading, why) == 0;
	if (is_read)
		set_names(n, reading.map);
	else
		hashmap_free(reading.map, free);
	followed_release(&n->file, is_read ? NULL : why);
}

/* Goes over to another file, or to none. Without memory it is tried again. */
static void change_path(struct client_names *n, const char *path)
{
	free(n->path);
	n->path = *path == '\0' ? NULL : strdup(path);
	set_names(n, NULL);
	n->file = (struct followed){.was_read = false};
	followed_init(&n->file, n->path, n->say);
}

void client_names_follow(struct client_names *n, const char *path)
{
	if (strcmp(n->path == NULL ? "" : n->path, path) != 0)
		change_path(n, path);
	if (n->path != NULL && followed_claim(&n->file, false))
		read_names(n);
}

/* ---- finding ---- */

const char *client_names_find(
	struct client_names *n, const struct addr *addr, char out[CLIENT_NAME_TEXT_MAX])
{
	struct host_key key;
	const struct named *named = NULL;

	*out = '\0';
	if (n == NULL || addr->sa.sa_family == AF_UNSPEC)
		return out;
	key = host_key_of(addr);
	rwlock_read(&n->lock);
	if (n->map != NULL)
		named = hashmap_get(n->map, &key, sizeof(key));
	if (named != NULL)
		escape_word(named->name, named->len, out, CLIENT_NAME_TEXT_MAX);
	rwlock_read_unlock(&n->lock);
	return out;
}
