/*
 * A reply becomes a table of records, whose texts live in one arena that goes with it. The rows of
 * the view are made anew from its table whenever anything changes: filtered, summed up by user
 * where the users of sessions are shown, sorted, and the selection found again.
 */
#include "client/top_model.h"

#include <stdlib.h>
#include <string.h>

#define KEY_MAX 1500 /* the longest user, all of it as \xNN, and more */
#define DATE_LEN 10 /* of "2025-07-15T12:40:39" */
#define HISTORY (TOP_HISTORY_S + TOP_BUCKET_S)

#define S (1U << TOP_SESSION_VIEW)
#define U (1U << TOP_USER_VIEW)
#define A (1U << TOP_ACCOUNT_VIEW)
#define I (1U << TOP_SITE_VIEW)
#define F (1U << TOP_FAILURE_VIEW)
#define P (1U << TOP_UPSTREAM_VIEW)

const struct top_column_info top_model_columns[TOP_COLUMNS] = {
	[TOP_ID] = {"id", "ID", TOP_NUMBER, S},
	[TOP_TIME] = {"time", "TIME", TOP_TEXT, F},
	[TOP_SITE] = {"site", "SITE", TOP_TEXT, I},
	[TOP_USER] = {"user", "USER", TOP_TEXT, S | U | A | F},
	[TOP_ROLE] = {"role", "ROLE", TOP_TEXT, A},
	[TOP_SESSIONS] = {"sessions", "SESSIONS", TOP_NUMBER, U | A | I | P},
	[TOP_CLIENT] = {"client", "CLIENT", TOP_TEXT, S | F},
	[TOP_COMMAND] = {"command", "COMMAND", TOP_TEXT, S},
	[TOP_TARGET] = {"target", "TARGET", TOP_TEXT, S | F},
	[TOP_ADDRESS] = {"address", "ADDRESS", TOP_TEXT, S},
	[TOP_STATE] = {"state", "STATE", TOP_TEXT, S | P},
	[TOP_AGE] = {"age", "AGE", TOP_SECONDS, S | U},
	[TOP_IDLE] = {"idle", "IDLE", TOP_SECONDS, S | U},
	[TOP_SENT] = {"sent", "SENT", TOP_BYTES, S | U | A | I},
	[TOP_RECEIVED] = {"received", "RECVD", TOP_BYTES, S | U | A | I},
	[TOP_UP] = {"sent_rate", "UP/s", TOP_BYTES, S | U},
	[TOP_DOWN] = {"received_rate", "DOWN/s", TOP_BYTES, S | U},
	[TOP_TOTAL] = {"total", "SO FAR", TOP_NUMBER, A | P},
	[TOP_REFUSED] = {"refused", "REFUSED", TOP_NUMBER, I},
	[TOP_LASTED] = {"seconds", "TIME", TOP_SECONDS, I},
	[TOP_LAST] = {"last_seen", "LAST LOGIN", TOP_TEXT, A},
	[TOP_LIMITS] = {"limits", "LIMITS", TOP_TEXT, A},
	[TOP_REASON] = {"reason", "REASON", TOP_TEXT, F},
	[TOP_RULE] = {"rule", "RULE", TOP_TEXT, F},
	[TOP_ERROR] = {"error", "ERROR", TOP_TEXT, 0},
	[TOP_NAME] = {"name", "NAME", TOP_TEXT, 0},
	[TOP_ADVICE] = {"advice", "ADVICE", TOP_TEXT, 0},
	[TOP_UPSTREAM] = {"upstream", "UPSTREAM", TOP_TEXT, P},
	[TOP_URL] = {"url", "URL", TOP_TEXT, P},
	[TOP_REST] = {"rest", "REST", TOP_SECONDS, P},
	[TOP_FAILURES] = {"failures", "FAILED", TOP_NUMBER, P},
	[TOP_FAULT] = {"fault", "LAST FAULT", TOP_TEXT, P},
};

#undef S
#undef U
#undef A
#undef I
#undef F
#undef P

/* What a line of each list has at least, or it is another. */
static const enum top_column needed[TOP_LISTS] = {[TOP_SESSION_LIST] = TOP_ID,
	[TOP_ACCOUNT_LIST] = TOP_USER,
	[TOP_SITE_LIST] = TOP_SITE,
	[TOP_FAILURE_LIST] = TOP_REASON,
	[TOP_UPSTREAM_LIST] = TOP_URL};

static const enum top_list lists_of_views[TOP_VIEWS] = {[TOP_SESSION_VIEW] = TOP_SESSION_LIST,
	[TOP_USER_VIEW] = TOP_SESSION_LIST,
	[TOP_ACCOUNT_VIEW] = TOP_ACCOUNT_LIST,
	[TOP_SITE_VIEW] = TOP_SITE_LIST,
	[TOP_FAILURE_VIEW] = TOP_FAILURE_LIST,
	[TOP_UPSTREAM_VIEW] = TOP_UPSTREAM_LIST};

struct order {
	enum top_column column;
	bool descending;
};

/* Bytes a second, one value a second; the newest is at `count` - 1, modulo HISTORY. */
struct history {
	double rates[2][HISTORY];
	int64_t count;
	int64_t until_ms; /* what is filled so far */
};

/* What the server has listed. */
struct top_table {
	char *arena;
	struct top_row *records;
	size_t count;
};

struct top_model {
	struct top_totals totals;
	int64_t stats_ms; /* when the totals came; 0: not yet */
	struct history history;
	struct top_table tables[TOP_LISTS];
	struct top_row *rows; /* of the view; has room for all of its table */
	size_t row_count;
	enum top_view view;
	struct order orders[TOP_VIEWS];
	char filter[TOP_FILTER_MAX];
	size_t selected;
	char selected_key[KEY_MAX];
};

static const struct top_totals no_totals = {
	-1, -1, -1, -1, -1, -1, -1, -1, .sent = -1, .received = -1, .up = -1, .down = -1};

struct top_model *top_model_new(void)
{
	struct top_model *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->totals = no_totals;
	m->orders[TOP_SESSION_VIEW] = (struct order){TOP_DOWN, true};
	m->orders[TOP_USER_VIEW] = (struct order){TOP_DOWN, true};
	m->orders[TOP_ACCOUNT_VIEW] = (struct order){TOP_RECEIVED, true};
	m->orders[TOP_SITE_VIEW] = (struct order){TOP_RECEIVED, true};
	m->orders[TOP_FAILURE_VIEW] = (struct order){TOP_TIME, true};
	m->orders[TOP_UPSTREAM_VIEW] = (struct order){TOP_UPSTREAM, false};
	return m;
}

static void free_table(struct top_table *t)
{
	free(t->arena);
	free(t->records);
	*t = (struct top_table){.count = 0};
}

void top_model_free(struct top_model *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < TOP_LISTS; i++)
		free_table(&m->tables[i]);
	free(m->rows);
	free(m);
}

/* ---- totals and the past ---- */

struct total {
	const char *name;
	size_t offset;
};

static const struct total total_names[] = {
	{"all time connections", offsetof(struct top_totals, sessions)},
	{"current connections", offsetof(struct top_totals, current)},
	{"max concurrent connections", offsetof(struct top_totals, most)},
	{"sessions failed", offsetof(struct top_totals, failed)},
	{"active users", offsetof(struct top_totals, users)},
	{"server uptime", offsetof(struct top_totals, uptime)},
	{"workers busy", offsetof(struct top_totals, workers_busy)},
	{"workers total", offsetof(struct top_totals, workers_total)},
	{"bytes sent", offsetof(struct top_totals, sent)},
	{"bytes received", offsetof(struct top_totals, received)},
};

/* The digits at the front: "276s" has a unit. */
static int64_t number_at_front(struct monitor_line value)
{
	long long number;
	size_t len = 0;

	while (len < value.len && value.text[len] >= '0' && value.text[len] <= '9')
		len++;
	value.len = len;
	return answer_number(&value, &number) ? number : -1;
}

static void take_total(struct top_totals *totals, const struct answer_field *field)
{
	for (size_t i = 0; i < sizeof(total_names) / sizeof(total_names[0]); i++) {
		if (answer_is(&field->name, total_names[i].name))
			*(int64_t *)(void *)((char *)totals + total_names[i].offset) =
				number_at_front(field->value);
	}
}

static double rate_between(int64_t before, int64_t now, int64_t ms)
{
	if (before < 0 || now < before || ms <= 0)
		return -1;
	return (double)(now - before) * 1000 / (double)ms;
}

static void remember(struct history *h, double up, double down)
{
	h->rates[TOP_UPWARD][h->count % HISTORY] = up;
	h->rates[TOP_DOWNWARD][h->count % HISTORY] = down;
	h->count++;
}

/* Fills the seconds that have passed. One that has only begun is left to the next sample, so that
 * the plot keeps the clock's pace however irregularly replies come. */
static void remember_rates(struct history *h, int64_t now_ms, double up, double down)
{
	int64_t seconds = (now_ms - h->until_ms + 500) / 1000;

	h->until_ms += seconds * 1000;
	for (; seconds > 0; seconds--)
		remember(h, up, down);
}

static double rate_of(const struct monitor_line *line, const char *name, int step)
{
	struct monitor_line value;
	long long bytes;

	if (!answer_find(line, name, &value) || !answer_number(&value, &bytes))
		return -1;
	return (double)bytes / step;
}

/* The second that is `age` seconds before the newest: the last one is at the end of the ring. */
static void put_second(struct history *h, long long age, double up, double down)
{
	int64_t at = h->count - 1 - age;

	if (age < 0 || at < 0)
		return;
	h->rates[TOP_UPWARD][at % HISTORY] = up;
	h->rates[TOP_DOWNWARD][at % HISTORY] = down;
}

/* Room for what is remembered: as many seconds of which nothing is known. */
static void make_past(struct history *h)
{
	while (h->count < TOP_HISTORY_S)
		remember(h, -1, -1);
}

void top_model_take_traffic(struct top_model *m, const struct answer *reply, int step)
{
	if (m->stats_ms != 0)
		return;
	make_past(&m->history);
	for (size_t i = 0; i < reply->count; i++) {
		const struct monitor_line *line = &reply->lines[i];
		struct monitor_line value;
		long long ago;

		/* The step that runs is not complete; its seconds are those that come. */
		if (!answer_find(line, "ago", &value) || !answer_number(&value, &ago) || ago < step)
			continue;
		for (int second = 0; second < step; second++)
			put_second(&m->history, ago - step + second, rate_of(line, "sent", step),
				rate_of(line, "received", step));
	}
}

void top_model_take_stats(struct top_model *m, const struct answer *reply, int64_t now_ms)
{
	struct top_totals before = m->totals;
	struct answer_field field;

	m->totals = no_totals;
	for (size_t i = 0; i < reply->count; i++) {
		if (answer_split(&reply->lines[i], &field))
			take_total(&m->totals, &field);
	}
	m->totals.up = rate_between(before.sent, m->totals.sent, now_ms - m->stats_ms);
	m->totals.down = rate_between(before.received, m->totals.received, now_ms - m->stats_ms);
	if (m->stats_ms == 0)
		m->history.until_ms = now_ms;
	else
		remember_rates(&m->history, now_ms, m->totals.up, m->totals.down);
	m->stats_ms = now_ms;
}

const struct top_totals *top_model_totals(const struct top_model *m)
{
	return &m->totals;
}

/* Buckets begin at whole multiples, so that a value stays in its bucket while time goes on. */
double top_model_past(const struct top_model *m, enum top_direction direction, int age)
{
	const struct history *h = &m->history;
	int64_t first = ((h->count - 1) / TOP_BUCKET_S - age) * TOP_BUCKET_S;
	double sum = 0;
	int known = 0;

	if (h->count == 0 || first < 0 || h->count - first > HISTORY)
		return -1;
	for (int64_t i = first; i < first + TOP_BUCKET_S && i < h->count; i++) {
		double value = h->rates[direction][i % HISTORY];

		sum += value < 0 ? 0 : value;
		known += value >= 0;
	}
	return known == 0 ? -1 : sum / known;
}

/* ---- lists ---- */

/* A user is called by name among the accounts, and a client elsewhere. TOP_COLUMNS: none of ours.
 */
static enum top_column column_of_key(enum top_list list, const struct monitor_line *key)
{
	enum top_column column;

	if (list == TOP_ACCOUNT_LIST && answer_is(key, "name"))
		return TOP_USER;
	for (column = 0; column < TOP_COLUMNS; column++) {
		if (answer_is(key, top_model_columns[column].key))
			break;
	}
	return column;
}

static struct top_row unknown_row(void)
{
	struct top_row row;

	for (size_t i = 0; i < TOP_COLUMNS; i++) {
		row.text[i] = "-";
		row.number[i] = -1;
	}
	return row;
}

static bool is_known(const struct top_row *row, enum top_column column)
{
	return top_model_columns[column].kind == TOP_TEXT ? strcmp(row->text[column], "-") != 0
							  : row->number[column] >= 0;
}

/* Reads a line; its texts go to the arena from `*end` on. False when it is none of that list. */
static bool read_record(
	enum top_list list, const struct monitor_line *line, struct top_row *row, char **end)
{
	struct monitor_line rest = *line;
	struct answer_field field;
	long long number;

	*row = unknown_row();
	while (answer_next_field(&rest, &field)) {
		enum top_column column = column_of_key(list, &field.name);

		if (column == TOP_COLUMNS)
			continue;
		if (top_model_columns[column].kind != TOP_TEXT) {
			row->number[column] = answer_number(&field.value, &number) ? number : -1;
			continue;
		}
		row->text[column] = *end;
		memcpy(*end, field.value.text, field.value.len);
		if (column == TOP_TIME && field.value.len > DATE_LEN)
			(*end)[DATE_LEN] = ' '; /* in the place of the T */
		*end += field.value.len;
		*(*end)++ = '\0';
	}
	return is_known(row, needed[list]);
}

static void arrange(struct top_model *m);

/* A text takes no more room than it does in its line, where a blank or the end follows. */
static size_t arena_size(const struct answer *reply)
{
	size_t size = 1;

	for (size_t i = 0; i < reply->count; i++)
		size += reply->lines[i].len + 1;
	return size;
}

/* The rows have room for every table, so that views can change without memory. */
static int make_room_for_rows(struct top_model *m, enum top_list changed, size_t count)
{
	struct top_row *rows;

	for (size_t i = 0; i < TOP_LISTS; i++) {
		if (i != changed && m->tables[i].count > count)
			count = m->tables[i].count;
	}
	rows = calloc(count + 1, sizeof(*rows));
	if (rows == NULL)
		return -1;
	free(m->rows);
	m->rows = rows;
	m->row_count = 0;
	return 0;
}

static void read_table(enum top_list list, const struct answer *reply, struct top_table *out)
{
	char *end = out->arena;

	for (size_t i = 0; i < reply->count; i++) {
		struct top_row *record = &out->records[out->count];

		if (!read_record(list, &reply->lines[i], record, &end))
			continue;
		if (list != TOP_SESSION_LIST)
			record->number[TOP_ID] = (int64_t)out->count;
		out->count++;
	}
}

int top_model_take_list(struct top_model *m, enum top_list list, const struct answer *reply)
{
	struct top_table table = {.arena = malloc(arena_size(reply)),
		.records = calloc(reply->count + 1, sizeof(*table.records))};

	if (table.arena == NULL || table.records == NULL ||
		make_room_for_rows(m, list, reply->count) < 0) {
		free_table(&table);
		return -1;
	}
	read_table(list, reply, &table);
	free_table(&m->tables[list]);
	m->tables[list] = table;
	arrange(m);
	return 0;
}

void top_model_drop_list(struct top_model *m, enum top_list list)
{
	m->row_count = 0;
	free_table(&m->tables[list]);
	arrange(m);
}

/* ---- rows ---- */

static bool passes(const struct top_model *m, const struct top_row *row)
{
	if (m->filter[0] == '\0')
		return true;
	for (size_t i = 0; i < TOP_COLUMNS; i++) {
		if (strcasestr(row->text[i], m->filter) != NULL)
			return true;
	}
	return false;
}

static int compare_numbers(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int by_user(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;

	return strcmp(x->text[TOP_USER], y->text[TOP_USER]);
}

static int by_order(const void *a, const void *b, void *context)
{
	const struct top_row *x = a, *y = b;
	const struct order *order = context;
	enum top_column c = order->column;
	int result = top_model_columns[c].kind == TOP_TEXT
		? strcasecmp(x->text[c], y->text[c])
		: compare_numbers(x->number[c], y->number[c]);

	if (order->descending)
		result = -result;
	/* Rows that are equal keep their places from one second to the next. */
	if (result == 0)
		result = compare_numbers(x->number[TOP_ID], y->number[TOP_ID]);
	return result != 0 ? result : by_user(a, b);
}

static int64_t sum(int64_t a, int64_t b)
{
	return a < 0 ? b : a + (b < 0 ? 0 : b);
}

/* Adds a session to what is known of its user: the oldest, and the one that is idle least. */
static void add_session(struct top_row *user, const struct top_row *session)
{
	static const enum top_column sums[] = {TOP_SENT, TOP_RECEIVED, TOP_UP, TOP_DOWN};
	int64_t age = session->number[TOP_AGE], idle = session->number[TOP_IDLE];

	user->number[TOP_SESSIONS]++;
	for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++)
		user->number[sums[i]] = sum(user->number[sums[i]], session->number[sums[i]]);
	if (age > user->number[TOP_AGE])
		user->number[TOP_AGE] = age;
	if (user->number[TOP_IDLE] < 0 || (idle >= 0 && idle < user->number[TOP_IDLE]))
		user->number[TOP_IDLE] = idle;
}

/* Makes the rows, which are sessions, into rows that are users. */
static void sum_up(struct top_model *m)
{
	size_t count = 0;

	qsort(m->rows, m->row_count, sizeof(*m->rows), by_user);
	for (size_t i = 0; i < m->row_count; i++) {
		struct top_row session = m->rows[i];

		if (count == 0 || by_user(&m->rows[count - 1], &session) != 0) {
			m->rows[count] = unknown_row();
			m->rows[count].text[TOP_USER] = session.text[TOP_USER];
			m->rows[count++].number[TOP_SESSIONS] = 0;
		}
		add_session(&m->rows[count - 1], &session);
	}
	m->row_count = count;
}

/* What a row is about, by which it is known again. */
static const char *key_of_row(
	const struct top_model *m, const struct top_row *row, char out[KEY_MAX])
{
	static const enum top_column keys[TOP_VIEWS] = {[TOP_USER_VIEW] = TOP_USER,
		[TOP_ACCOUNT_VIEW] = TOP_USER,
		[TOP_SITE_VIEW] = TOP_SITE};

	if (m->view == TOP_SESSION_VIEW)
		snprintf(out, KEY_MAX, "%lld", (long long)row->number[TOP_ID]);
	else if (m->view == TOP_FAILURE_VIEW)
		snprintf(out, KEY_MAX, "%s %s %s", row->text[TOP_TIME], row->text[TOP_CLIENT],
			row->text[TOP_TARGET]);
	else if (m->view == TOP_UPSTREAM_VIEW)
		snprintf(out, KEY_MAX, "%s %s", row->text[TOP_UPSTREAM], row->text[TOP_URL]);
	else
		snprintf(out, KEY_MAX, "%s", row->text[keys[m->view]]);
	return out;
}

static bool is_selected(const struct top_model *m, size_t i)
{
	char key[KEY_MAX];

	return strcmp(key_of_row(m, &m->rows[i], key), m->selected_key) == 0;
}

static void select_row(struct top_model *m, size_t i)
{
	m->selected = i;
	key_of_row(m, &m->rows[i], m->selected_key);
}

/* What was selected, wherever it is now; what took its place, when it is gone. Of several that are
 * alike the one that was is. */
static void find_selected(struct top_model *m)
{
	if (m->selected < m->row_count && is_selected(m, m->selected))
		return;
	for (size_t i = 0; i < m->row_count; i++) {
		if (is_selected(m, i)) {
			m->selected = i;
			return;
		}
	}
	if (m->selected >= m->row_count)
		m->selected = m->row_count == 0 ? 0 : m->row_count - 1;
	if (m->row_count > 0)
		select_row(m, m->selected);
}

static void arrange(struct top_model *m)
{
	const struct top_table *t = &m->tables[top_model_list(m)];

	m->row_count = 0;
	for (size_t i = 0; i < t->count; i++) {
		if (passes(m, &t->records[i]))
			m->rows[m->row_count++] = t->records[i];
	}
	if (m->view == TOP_USER_VIEW)
		sum_up(m);
	if (m->row_count > 0)
		qsort_r(m->rows, m->row_count, sizeof(*m->rows), by_order, &m->orders[m->view]);
	find_selected(m);
}

size_t top_model_count(const struct top_model *m)
{
	return m->row_count;
}

const struct top_row *top_model_row(const struct top_model *m, size_t i)
{
	return &m->rows[i];
}

/* ---- what the user asks for ---- */

enum top_view top_model_view(const struct top_model *m)
{
	return m->view;
}

enum top_list top_model_list(const struct top_model *m)
{
	return lists_of_views[m->view];
}

bool top_model_has(enum top_view view, enum top_column column)
{
	return (top_model_columns[column].views >> view & 1) != 0;
}

void top_model_show(struct top_model *m, enum top_view view)
{
	m->view = view;
	m->selected = 0;
	m->selected_key[0] = '\0';
	arrange(m);
}

void top_model_sort_beside(struct top_model *m, int step)
{
	struct order *order = &m->orders[m->view];
	int column = (int)order->column;

	do
		column = (column + step + TOP_COLUMNS) % TOP_COLUMNS;
	while (!top_model_has(m->view, (enum top_column)column));
	order->column = (enum top_column)column;
	order->descending = top_model_columns[column].kind != TOP_TEXT;
	arrange(m);
}

void top_model_reverse(struct top_model *m)
{
	m->orders[m->view].descending = !m->orders[m->view].descending;
	arrange(m);
}

enum top_column top_model_order(const struct top_model *m, bool *descending)
{
	*descending = m->orders[m->view].descending;
	return m->orders[m->view].column;
}

void top_model_filter(struct top_model *m, const char *text)
{
	snprintf(m->filter, sizeof(m->filter), "%s", text);
	arrange(m);
}

const char *top_model_filtered_by(const struct top_model *m)
{
	return m->filter;
}

size_t top_model_selected(const struct top_model *m)
{
	return m->selected;
}

void top_model_move(struct top_model *m, long rows)
{
	long last = (long)m->row_count - 1, to = (long)m->selected + rows;

	if (m->row_count == 0)
		return;
	if (to > last)
		to = last;
	select_row(m, to < 0 ? 0 : (size_t)to);
}
