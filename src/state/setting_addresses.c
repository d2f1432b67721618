/*
 * The types of this host's own places: addresses to listen on, an address of each family, ranges of
 * ports. What a word lacks is said of the part that is wrong.
 */
#include "state/setting_addresses.h"

#include <net/if.h>
#include <string.h>

#include "base/parse.h"

/* ---- addresses to listen on ---- */

/* A link-local address is one on each link, so it means nothing without its interface. */
static bool lacks_interface(const struct addr *a)
{
	return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&a->in6.sin6_addr) &&
		a->in6.sin6_scope_id == 0;
}

/* "[fe80::a%eth0]:80" is wrong by its interface only, or by something else. */
static void blame_interface(const char *word, size_t len, char why[SETTING_ERROR_MAX])
{
	const char *percent = memchr(word, '%', len), *start = *word == '[' ? word + 1 : word;
	struct addr a;
	size_t name;

	if (percent == NULL || !addr_parse(start, (size_t)(percent - start), &a))
		return;
	name = strcspn(percent + 1, "], \t");
	snprintf(why, SETTING_ERROR_MAX, "this host has no network interface %.*s",
		(int)(name < IF_NAMESIZE ? name : IF_NAMESIZE), percent + 1);
}

static bool read_listen_addr(
	const char *word, size_t len, struct addr *out, bool *has_port, char why[SETTING_ERROR_MAX])
{
	if (!addr_parse_port(word, len, out, has_port)) {
		blame_interface(word, len, why);
		return false;
	}
	if (lacks_interface(out))
		snprintf(why, SETTING_ERROR_MAX,
			"a link-local address needs its interface, as in fe80::a%%eth0");
	return !lacks_interface(out);
}

static bool read_addrs(const struct setting *setting, void *value, const struct setting_input *in,
	char why[SETTING_ERROR_MAX])
{
	struct listen_list list = {0};
	const char *text = in->text, *word;
	size_t len;

	if (in->adds)
		list = *(const struct listen_list *)value;
	while (parse_next_word(&text, &word, &len)) {
		if (list.count == (size_t)setting->most ||
			!read_listen_addr(word, len, &list.addrs[list.count],
				&list.has_port[list.count], why))
			return false;
		list.count++;
	}
	if (list.count == 0)
		return false;
	*(struct listen_list *)value = list;
	return true;
}

static void write_addrs(const struct setting *setting, const void *value, FILE *out)
{
	const struct listen_list *list = value;
	char text[ADDR_TEXT_MAX];

	(void)setting;
	for (size_t i = 0; i < list->count; i++)
		fprintf(out, "%s%s", i == 0 ? "" : ", ",
			list->has_port[i] ? addr_format(&list->addrs[i], text)
					  : addr_format_host(&list->addrs[i], text));
}

/* The one at `i`, without a port when none was written. */
static struct addr written_addr(const struct listen_list *list, size_t i)
{
	struct addr a = list->addrs[i];

	if (!list->has_port[i])
		addr_set_port(&a, 0);
	return a;
}

static bool equal_addrs(const void *a, const void *b)
{
	const struct listen_list *l = a, *m = b;

	if (l->count != m->count)
		return false;
	for (size_t i = 0; i < l->count; i++) {
		struct addr one = written_addr(l, i), other = written_addr(m, i);

		if (l->has_port[i] != m->has_port[i] || !addr_equal(&one, &other))
			return false;
	}
	return true;
}

#define LEGAL_ADDRESS "an IPv4 or IPv6 address, with or without a port"

static void put_legal_address(const struct setting *setting, FILE *out)
{
	(void)setting;
	fputs(LEGAL_ADDRESS, out);
}

const struct setting_type setting_address = {
	.size = sizeof(struct listen_list),
	.parse = read_addrs,
	.format = write_addrs,
	.equal = equal_addrs,
	.legal = put_legal_address,
};

static bool read_addr_or_none(const struct setting *setting, void *value,
	const struct setting_input *in, char why[SETTING_ERROR_MAX])
{
	if (in->text[strspn(in->text, " \t")] != '\0')
		return read_addrs(setting, value, in, why);
	((struct listen_list *)value)->count = 0;
	return true;
}

static void put_legal_address_or_none(const struct setting *setting, FILE *out)
{
	(void)setting;
	fputs(LEGAL_ADDRESS ", or nothing", out);
}

const struct setting_type setting_address_or_none = {
	.size = sizeof(struct listen_list),
	.parse = read_addr_or_none,
	.format = write_addrs,
	.equal = equal_addrs,
	.legal = put_legal_address_or_none,
};

static void put_legal_addresses(const struct setting *setting, FILE *out)
{
	fprintf(out, LEGAL_ADDRESS ", at most %lld", (long long)setting->most);
}

const struct setting_type setting_addresses = {
	.size = sizeof(struct listen_list),
	.is_list = true,
	.parse = read_addrs,
	.format = write_addrs,
	.equal = equal_addrs,
	.legal = put_legal_addresses,
};

/* ---- an address of each family ---- */

/* Words, none too, each an address of a family that there is none of yet. */
static bool read_pair(const struct setting *setting, void *value, const struct setting_input *in,
	char why[SETTING_ERROR_MAX])
{
	struct host_pair pair = {.v4 = {.sa = {.sa_family = AF_UNSPEC}}};
	const char *text = in->text, *word;
	size_t len;

	(void)setting;
	(void)why;
	if (in->adds)
		pair = *(const struct host_pair *)value;
	while (parse_next_word(&text, &word, &len)) {
		struct addr a, *place;

		if (!addr_parse(word, len, &a) || addr_is_unspecified(&a))
			return false;
		place = a.sa.sa_family == AF_INET ? &pair.v4 : &pair.v6;
		if (place->sa.sa_family != AF_UNSPEC)
			return false;
		*place = a;
	}
	*(struct host_pair *)value = pair;
	return true;
}

static void write_pair(const struct setting *setting, const void *value, FILE *out)
{
	const struct host_pair *pair = value;
	bool both = pair->v4.sa.sa_family != AF_UNSPEC && pair->v6.sa.sa_family != AF_UNSPEC;
	char text[ADDR_TEXT_MAX];

	(void)setting;
	if (pair->v4.sa.sa_family != AF_UNSPEC)
		fputs(addr_format_host(&pair->v4, text), out);
	fputs(both ? ", " : "", out);
	if (pair->v6.sa.sa_family != AF_UNSPEC)
		fputs(addr_format_host(&pair->v6, text), out);
}

static bool equal_host(const struct addr *a, const struct addr *b)
{
	if (a->sa.sa_family == AF_UNSPEC || b->sa.sa_family == AF_UNSPEC)
		return a->sa.sa_family == b->sa.sa_family;
	return addr_equal(a, b);
}

static bool equal_hosts(const void *a, const void *b)
{
	const struct host_pair *p = a, *q = b;

	return equal_host(&p->v4, &q->v4) && equal_host(&p->v6, &q->v6);
}

static void put_legal_hosts(const struct setting *setting, FILE *out)
{
	(void)setting;
	fputs("an IPv4 address, an IPv6 address, both, or nothing; without ports", out);
}

const struct setting_type setting_hosts = {
	.size = sizeof(struct host_pair),
	.is_list = true,
	.parse = read_pair,
	.format = write_pair,
	.equal = equal_hosts,
	.legal = put_legal_hosts,
};

/* ---- ranges of ports ---- */

static bool read_ports(const struct setting *setting, void *value, const struct setting_input *in,
	char why[SETTING_ERROR_MAX])
{
	(void)setting;
	(void)why;
	return port_range_parse(in->text, value);
}

static void write_ports(const struct setting *setting, const void *value, FILE *out)
{
	char text[16];

	(void)setting;
	fputs(port_range_format(value, text), out);
}

static bool equal_ports(const void *a, const void *b)
{
	const struct port_range *r = a, *s = b;

	return r->first == s->first && r->last == s->last;
}

static void put_legal_ports(const struct setting *setting, FILE *out)
{
	(void)setting;
	fputs("any, a port, or a range of ports such as 40000-40100", out);
}

const struct setting_type setting_ports = {
	.size = sizeof(struct port_range),
	.parse = read_ports,
	.format = write_ports,
	.equal = equal_ports,
	.legal = put_legal_ports,
};
