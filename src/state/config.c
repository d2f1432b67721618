#include "state/config.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"

/* ---- reading ---- */

struct reading {
	FILE *file;
	const char *path;
	int line;
	struct settings *settings;
	bool given[SETTINGS_COUNT]; /* by index in the table: the file has set it */
	char *error;
};

/* Keeps the first complaint. */
static void complain(struct reading *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void complain(struct reading *r, const char *format, ...)
{
	va_list ap;
	int len;

	if (r->error[0] != '\0')
		return;
	len = snprintf(r->error, CONFIG_ERROR_MAX, "%.512s:%d: ", r->path, r->line);
	va_start(ap, format);
	vsnprintf(r->error + len, CONFIG_ERROR_MAX - (size_t)len, format, ap);
	va_end(ap);
}

static bool at_end(FILE *file)
{
	int c = getc(file);

	return c == EOF || ungetc(c, file) == EOF;
}

/* inih would take an indented line for the rest of the one before it. */
static void skip_indentation(char *line)
{
	size_t blanks = strspn(line, " \t");

	memmove(line, line + blanks, strlen(line + blanks) + 1);
}

/* inih's reader: as fgets(3), and keeps count of the lines. */
static char *read_line(char *line, int size, void *user)
{
	struct reading *r = user;

	if (fgets(line, size, r->file) == NULL)
		return NULL;
	r->line++;
	if (strchr(line, '\n') == NULL && !at_end(r->file))
		complain(r,
			"the line is longer than %d bytes (repeat a setting to continue a list)",
			size - 2);
	skip_indentation(line);
	return line;
}

static void take_value(
	struct reading *r, const struct setting *setting, const char *name, const char *value)
{
	bool *given = &r->given[setting - settings_table];
	const struct setting_input in = {.text = value, .adds = *given};
	char why[SETTING_ERROR_MAX];

	if (*given && !setting->type->is_list)
		complain(r, "%s: \"%s\": it was set already further up", name, value);
	else if (!setting_set(setting, r->settings, &in, why))
		complain(r, "%s: %s", name, why);
	*given = true;
}

/* inih's handler: 1 = accepted. */
static int accept_pair(void *user, const char *section, const char *name, const char *value)
{
	struct reading *r = user;
	const struct setting *setting = settings_find(name);

	if (*section != '\0')
		complain(r, "[%s]: there are no sections in this file", section);
	else if (setting == NULL)
		complain(r, "%s: there is no such setting (socks5d --help lists them)", name);
	else
		take_value(r, setting, name, value);
	return r->error[0] == '\0';
}

static int read_file(const char *path, struct settings *s, char *error)
{
	struct reading r = {.path = path, .settings = s, .error = error};
	int status;

	r.file = fopen(path, "re");
	if (r.file == NULL) {
		snprintf(error, CONFIG_ERROR_MAX, "%s: cannot be read: %s", path, strerror(errno));
		return -1;
	}
	errno = 0;
	status = ini_parse_stream(read_line, &r, accept_pair, &r);
	if (ferror(r.file) && error[0] == '\0')
		snprintf(error, CONFIG_ERROR_MAX, "%s: cannot be read: %s", path, strerror(errno));
	fclose(r.file);
	if (error[0] == '\0' && status != 0) {
		r.line = status;
		complain(&r, "this is no line of the form: name = value");
	}
	return error[0] == '\0' ? 0 : -1;
}

static int apply_overrides(const struct config_source *source, struct settings *s, char *error)
{
	bool given[SETTINGS_COUNT] = {false};
	char flag[64], why[SETTING_ERROR_MAX];

	for (size_t i = 0; i < source->count; i++) {
		const struct config_override *o = &source->overrides[i];
		bool *again = &given[o->setting - settings_table];
		const struct setting_input in = {.text = o->value, .adds = *again};

		if (!setting_set(o->setting, s, &in, why)) {
			snprintf(error, CONFIG_ERROR_MAX, "%s: %s", setting_flag(o->setting, flag),
				why);
			return -1;
		}
		*again = true;
	}
	return 0;
}

static void fill_in_port(struct listen_list *list, int64_t port)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!list->has_port[i])
			addr_set_port(&list->addrs[i], (uint16_t)port);
	}
}

struct config *config_read(const struct config_source *source, char error[CONFIG_ERROR_MAX])
{
	struct config *c = calloc(1, sizeof(*c));

	error[0] = '\0';
	if (c == NULL || settings_init(&c->settings) < 0) {
		snprintf(error, CONFIG_ERROR_MAX, "out of memory");
		free(c);
		return NULL;
	}
	atomic_init(&c->references, 1);
	if ((source->path != NULL && read_file(source->path, &c->settings, error) < 0) ||
		apply_overrides(source, &c->settings, error) < 0) {
		config_release(c);
		return NULL;
	}
	config_settle(c);
	return c;
}

void config_settle(struct config *c)
{
	fill_in_port(&c->settings.listen, c->settings.port);
	fill_in_port(&c->settings.monitor_listen, c->settings.monitor_port);
}

struct config *config_clone(const struct config *c)
{
	struct config *copy = calloc(1, sizeof(*copy));

	if (copy == NULL)
		return NULL;
	atomic_init(&copy->references, 1);
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		if (setting_copy(&settings_table[i], &copy->settings, &c->settings) < 0) {
			config_release(copy);
			return NULL;
		}
	}
	memcpy(copy->own, c->own, sizeof(copy->own));
	copy->own_count = c->own_count;
	return copy;
}

void config_release(struct config *c)
{
	if (c == NULL || atomic_fetch_sub(&c->references, 1) > 1)
		return;
	settings_free(&c->settings);
	free(c);
}

/* ---- the store ---- */

struct config_store {
	struct rwlock lock;
	struct config *current;
	struct idle_limits idle_limits; /* atomics, outside the lock */
};

static void follow(struct config_store *store, const struct settings *s)
{
	atomic_store(&store->idle_limits.timeout, s->timeout);
	atomic_store(&store->idle_limits.half_close_timeout, s->half_close_timeout);
	atomic_store(&store->idle_limits.udp_timeout, s->udp_timeout);
}

struct config_store *config_store_new(struct config *first)
{
	struct config_store *store = calloc(1, sizeof(*store));

	if (store == NULL)
		return NULL;
	rwlock_init(&store->lock);
	store->current = first;
	follow(store, &first->settings);
	return store;
}

void config_store_free(struct config_store *store)
{
	if (store == NULL)
		return;
	config_release(store->current);
	rwlock_destroy(&store->lock);
	free(store);
}

const struct idle_limits *config_idle_limits(const struct config_store *store)
{
	return &store->idle_limits;
}

struct config *config_get(struct config_store *store)
{
	struct config *c;

	rwlock_read(&store->lock);
	c = store->current;
	atomic_fetch_add(&c->references, 1);
	rwlock_read_unlock(&store->lock);
	return c;
}

void config_publish(struct config_store *store, struct config *next)
{
	struct config *old;

	rwlock_write(&store->lock);
	old = store->current;
	store->current = next;
	follow(store, &next->settings); /* it may be old, and gone, as soon as the lock is free */
	rwlock_write_unlock(&store->lock);
	config_release(old);
}
