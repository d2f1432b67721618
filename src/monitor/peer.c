/*
 * A user of this host is known by the credentials that the kernel took when it connected. Where the
 * server is in a user namespace of its own (PrivateUsers= of systemd), everybody whom that does not
 * know has the overflow uid, which so is nobody's, even where the server itself runs as that user.
 */
#include "monitor/peer.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/local.h"

#define OVERFLOW_UID 65534
#define ENTRY_MAX 4096 /* bytes of the strings of an entry of the system's users */
#define NAME_MAX_SHOWN 200 /* longer ones are shown as a number */

struct peer peer_from_address(struct own *own, const struct addr *from)
{
	return (struct peer){.from = *from, .client = own_client_of(own, from)};
}

struct peer peer_from_socket(int fd)
{
	static const uint8_t loopback[4] = {127, 0, 0, 1};
	struct addr from = addr_from_ipv4(loopback, 0);
	struct peer p = peer_from_address(NULL, &from);

	p.is_local = true;
	if (!local_peer(fd, &p.uid))
		p.uid = OVERFLOW_UID;
	return p;
}

bool peer_is_one_with(const struct peer *a, const struct peer *b)
{
	if (a->is_local || b->is_local)
		return a->is_local && b->is_local && a->uid == b->uid;
	return network_equal(&a->client, &b->client);
}

const char *peer_format(const struct peer *p, char out[PEER_TEXT_MAX])
{
	if (!p->is_local)
		return addr_port(&p->from) == 0 ? addr_format_host(&p->from, out)
						: addr_format(&p->from, out);
	snprintf(out, PEER_TEXT_MAX, "uid:%u", p->uid);
	return out;
}

bool peer_is_operator(const struct peer *p)
{
	return p->is_local && p->uid != OVERFLOW_UID && (p->uid == 0 || p->uid == geteuid());
}

static void find_name(uid_t uid, char out[USERS_NAME_MAX + 1])
{
	char strings[ENTRY_MAX];
	struct passwd entry, *found = NULL;

	if (getpwuid_r(uid, &entry, strings, sizeof(strings), &found) != 0)
		found = NULL;
	if (found == NULL || strlen(found->pw_name) > NAME_MAX_SHOWN)
		snprintf(out, USERS_NAME_MAX + 1, "uid:%u", uid);
	else
		strcpy(out, found->pw_name);
}

void peer_find_names(struct peer_names *names)
{
	find_name(0, names->root);
	find_name(geteuid(), names->server);
}

const char *peer_name(const struct peer *p, const struct peer_names *names)
{
	return p->uid == 0 ? names->root : names->server;
}
