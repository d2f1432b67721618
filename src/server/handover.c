/*
 * Sockets come from a service manager for two reasons, and their names tell which. Those of a
 * .socket unit are its own: the name says for which front they are, and their places become the
 * values of that front's settings, over whatever file and flags say. Those that an earlier instance
 * gave it to keep are ours: they have a name made of the front and the place as it is configured,
 * so that only who still wants that place finds them, and no list of what was kept is needed. The
 * file of a unix socket is part of its name by device and inode, since another one may have taken
 * its place meanwhile.
 *
 * What the manager keeps listens as long as it has it, and takes clients in that nobody will ever
 * accept. So what is not wanted any more is shut down first, which holds for all who have it open.
 */
#include "server/handover.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "net/socket.h"

#define KEPT "kept-" /* what the names of ours begin with */

static const struct door_row {
	const char *name; /* of a descriptor that is for it */
	const char *setting; /* that says where it is */
	enum inherited_kind kind;
} rows[FRONTS] = {
	[FRONT_PROXY] = {"socks", "listen", INHERITED_TCP},
	[FRONT_MONITOR] = {"monitor", "monitor_listen", INHERITED_TCP},
	[FRONT_MONITOR_SOCKET] = {"monitor_socket", "monitor_socket", INHERITED_LOCAL},
	[FRONT_WEB] = {"web", "web_listen", INHERITED_TCP},
};

/* ---- names ---- */

static bool is_kept(const struct inherited *i)
{
	return strncmp(i->name, KEPT, strlen(KEPT)) == 0;
}

/* Any other name, or none, is the proxy's. */
static enum front front_of(const struct inherited *i)
{
	for (enum front f = 0; f < FRONTS; f++) {
		if (strcmp(i->name, rows[f].name) == 0)
			return f;
	}
	return FRONT_PROXY;
}

/* Colons stand between names, and so in none. */
static void name_place(enum front front, const struct addr *place, char out[LISTENER_NAME_MAX])
{
	char text[ADDR_TEXT_MAX];

	snprintf(out, LISTENER_NAME_MAX, KEPT "%s-%s", rows[front].name, addr_format(place, text));
	for (char *colon = out; (colon = strchr(colon, ':')) != NULL;)
		*colon = '_';
}

static void name_file(enum front front, const struct local_file *f, char out[LISTENER_NAME_MAX])
{
	snprintf(out, LISTENER_NAME_MAX, KEPT "%s-%jx-%jx", rows[front].name, (uintmax_t)f->device,
		(uintmax_t)f->inode);
}

/* ---- taking in ---- */

static int refuse_item(
	const struct inherited *i, const char *expected, char error[CONFIG_ERROR_MAX])
{
	snprintf(error, CONFIG_ERROR_MAX,
		"descriptor %d, %s, comes from the service manager and is not %s: see the .socket "
		"unit",
		i->fd, i->name[0] != '\0' ? i->name : "without a name", expected);
	return -1;
}

static int check_item(const struct inherited *i, enum front front, char error[CONFIG_ERROR_MAX])
{
	if (rows[front].kind != i->kind)
		return refuse_item(i,
			rows[front].kind == INHERITED_TCP
				? "a TCP socket that listens (ListenStream=, Accept=no)"
				: "a unix stream socket that listens",
			error);
	if (i->kind == INHERITED_LOCAL && i->path[0] != '/')
		return refuse_item(i, "one with a path", error);
	return 0;
}

/* Puts the place behind those that the setting has already. */
static int add_place(struct handover *h, enum front front, const char *text)
{
	char *before = h->texts[front];

	if (asprintf(&h->texts[front], "%s%s%s", before != NULL ? before : "",
		    before != NULL ? ", " : "", text) < 0) {
		h->texts[front] = before;
		return -1;
	}
	free(before);
	return 0;
}

static int give_place(struct handover *h, const struct inherited *i, enum front front, char *error)
{
	char text[ADDR_TEXT_MAX];

	if (check_item(i, front, error) < 0)
		return -1;
	if (add_place(h, front,
		    i->kind == INHERITED_LOCAL ? i->path : addr_format(&i->bound, text)) == 0)
		return 0;
	snprintf(error, CONFIG_ERROR_MAX, "out of memory");
	return -1;
}

static void put_places(struct handover *h)
{
	for (enum front f = 0; f < FRONTS; f++) {
		if (h->texts[f] != NULL)
			h->given[h->given_count++] = (struct config_override){
				.setting = settings_find(rows[f].setting), .value = h->texts[f]};
	}
}

int handover_take(struct handover *h, const struct notify *notify, char error[CONFIG_ERROR_MAX])
{
	*h = (struct handover){.notify = notify};
	h->count = inherited_take(h->items);
	for (size_t i = 0; i < h->count; i++) {
		if (!is_kept(&h->items[i]) &&
			give_place(h, &h->items[i], front_of(&h->items[i]), error) < 0)
			return -1;
	}
	put_places(h);
	return 0;
}

void handover_free(struct handover *h)
{
	for (size_t i = 0; i < h->count; i++)
		socket_close(h->items[i].fd);
	for (enum front f = 0; f < FRONTS; f++)
		free(h->texts[f]);
	*h = (struct handover){.notify = NULL};
}

/* ---- claiming ---- */

static struct listeners *new_set(int backlog)
{
	struct listeners *l = calloc(1, sizeof(*l));

	if (l != NULL) {
		l->are_handed = true;
		l->backlog = backlog;
	}
	return l;
}

/* The one that is to be at `place`, and is. */
static struct inherited *find_at(
	struct handover *h, enum front front, const struct addr *place, const char *name)
{
	for (size_t i = 0; i < h->count; i++) {
		struct inherited *item = &h->items[i];

		if (item->fd < 0 || item->kind != INHERITED_TCP)
			continue;
		if (is_kept(item) ? strcmp(item->name, name) == 0 &&
					addr_same_host(&item->bound, place)
				  : front_of(item) == front && addr_equal(&item->bound, place))
			return item;
	}
	return NULL;
}

static void claim(struct listeners *l, struct inherited *from)
{
	struct listener *item = &l->items[l->count++];

	item->fd = from->fd;
	item->bound = from->bound;
	item->is_for_both = from->is_for_both;
	item->is_lent = !is_kept(from);
	if (!item->is_lent)
		strcpy(item->kept_as, from->name);
	from->fd = -1;
}

struct listeners *handover_claim(
	struct handover *h, enum front front, const struct listen_list *list, int backlog)
{
	struct listeners *l = new_set(backlog);

	for (size_t i = 0; l != NULL && i < list->count; i++) {
		char name[LISTENER_NAME_MAX];
		struct inherited *found;

		name_place(front, &list->addrs[i], name);
		found = find_at(h, front, &list->addrs[i], name);
		if (found == NULL)
			continue;
		l->items[l->count].wanted = list->addrs[i];
		claim(l, found);
		if (!l->items[l->count - 1].is_lent)
			socket_listen_again(l->items[l->count - 1].fd, backlog);
	}
	return l;
}

/* What stands at the path now; a socket that is lent is known by its path alone. */
static struct local_file file_at(const char *path)
{
	struct local_file file = {.path = ""};
	struct stat st;

	if (!local_path_fits(path) || lstat(path, &st) < 0)
		return file;
	strcpy(file.path, path);
	file.device = st.st_dev;
	file.inode = st.st_ino;
	return file;
}

struct listeners *handover_claim_local(struct handover *h, enum front front, const char *path)
{
	struct listeners *l = new_set(0);
	struct local_file file = file_at(path);
	char name[LISTENER_NAME_MAX];

	name_file(front, &file, name);
	for (size_t i = 0; l != NULL && file.path[0] != '\0' && i < h->count; i++) {
		struct inherited *item = &h->items[i];

		if (item->fd < 0 || item->kind != INHERITED_LOCAL ||
			strcmp(item->path, path) != 0 ||
			(is_kept(item) && strcmp(item->name, name) != 0))
			continue;
		l->items[0].file = file;
		claim(l, item);
		break;
	}
	return l;
}

/* ---- what the manager has ---- */

static void drop(const struct handover *h, int fd, const char *name)
{
	socket_shutdown(fd);
	notify_drop(h->notify, name);
}

void handover_drop_rest(struct handover *h)
{
	for (size_t i = 0; i < h->count; i++) {
		struct inherited *item = &h->items[i];

		if (item->fd < 0)
			continue;
		if (is_kept(item))
			drop(h, item->fd, item->name);
		socket_close(item->fd);
		item->fd = -1;
	}
}

void handover_keep(const struct handover *h, enum front front, struct listener *item)
{
	if (h == NULL || h->notify->fd < 0 || item->is_lent || item->kept_as[0] != '\0')
		return;
	if (item->file.path[0] != '\0')
		name_file(front, &item->file, item->kept_as);
	else
		name_place(front, &item->wanted, item->kept_as);
	notify_store(h->notify, item->kept_as, item->fd);
}

void handover_forget(const struct handover *h, struct listener *item)
{
	if (h == NULL || item->fd < 0 || item->kept_as[0] == '\0')
		return;
	drop(h, item->fd, item->kept_as);
	item->kept_as[0] = '\0';
}
