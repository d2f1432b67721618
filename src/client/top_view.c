/*
 * The screen from top to bottom: two lines of totals, a plot for each direction, what is listed and
 * how, the titles, the list, a line about the selected row or in its place what is asked or
 * answered, and the keys. A larger terminal gives more room to plots and list.
 */
#include "client/top_view.h"

#include <curses.h>
#include <langinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/columns.h"
#include "client/plot.h"
#include "client/terminal.h"
#include "client/text.h"

#define LINE_SIZE 4096 /* bytes of a line of the screen, its columns at most 1000 */
#define LABEL 14 /* columns beside a plot */
#define LEAST_PLOT 3
#define MOST_PLOT 8
#define LIST_TOP(plot) (2 + 2 * (plot) + 2)

enum { PAIR_UP = 1, PAIR_DOWN, PAIR_BAD };

static bool has_colour;
static int list_first; /* the first row shown */
static int list_rows;

/* ---- the terminal ---- */

/* https://no-color.org: any value but an empty one. */
static bool colours_are_wanted(void)
{
	const char *no_color = getenv("NO_COLOR");

	return has_colors() && (no_color == NULL || *no_color == '\0');
}

static void open_colours(void)
{
	has_colour = colours_are_wanted() && start_color() == OK;
	if (!has_colour)
		return;
	use_default_colors();
	init_pair(PAIR_UP, COLOR_YELLOW, -1);
	init_pair(PAIR_DOWN, COLOR_GREEN, -1);
	init_pair(PAIR_BAD, COLOR_RED, -1);
}

int top_view_open(void)
{
	if (newterm(NULL, stdout, stdin) == NULL)
		return -1;
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(50);
	open_colours();
	return 0;
}

/* Where there is no other screen to go back to, the shell goes on in the last line. */
void top_view_leave(void)
{
	move(LINES - 1, 0);
	clrtoeol();
	refresh();
	endwin();
}

void top_view_close(void)
{
	SCREEN *screen = set_term(NULL);

	set_term(screen);
	top_view_leave();
	delscreen(screen);
}

void top_view_resize(void)
{
	int lines, columns;

	if (terminal_size(&lines, &columns))
		resizeterm(lines, columns);
}

int top_view_key(void)
{
	return getch();
}

int top_view_page(void)
{
	return list_rows;
}

/* ---- lines ---- */

static attr_t colour(int pair)
{
	return has_colour ? (attr_t)COLOR_PAIR(pair) : 0;
}

/* `text` on `columns` columns from there on. */
static void put_text_at(int line, int column, int columns, const char *text, attr_t attributes)
{
	char fitted[LINE_SIZE];

	attrset((int)attributes);
	mvaddstr(line, column, text_fit(text, columns, fitted, sizeof(fitted)));
	attrset(A_NORMAL);
}

__attribute__((format(printf, 3, 4))) static void append(
	char *out, size_t size, const char *format, ...)
{
	size_t len = strlen(out);
	va_list args;

	va_start(args, format);
	vsnprintf(out + len, size - len, format, args);
	va_end(args);
}

/* "3 at most", if it is known. */
static void append_number(char *out, size_t size, int64_t number, const char *what)
{
	if (number >= 0)
		append(out, size, "%s%lld %s", *out == '\0' ? "" : ", ", (long long)number, what);
}

static void draw_totals(const struct top_totals *t, const char *server)
{
	char left[512], right[128] = "", text[24];

	snprintf(left, sizeof(left), "socks5d at %s", server);
	if (t->uptime >= 0)
		append(left, sizeof(left), ", up %s", text_duration(t->uptime, text));
	if (t->workers_busy >= 0 && t->workers_total >= 0)
		snprintf(right, sizeof(right), "%lld of %lld workers busy",
			(long long)t->workers_busy, (long long)t->workers_total);
	put_text_at(0, 0, COLS, left, A_BOLD);
	if (*right != '\0')
		put_text_at(0, COLS - (int)strlen(right), (int)strlen(right), right, A_BOLD);
	left[0] = '\0';
	append_number(left, sizeof(left), t->current, t->current == 1 ? "session" : "sessions");
	append_number(left, sizeof(left), t->most, "at most");
	append_number(left, sizeof(left), t->sessions, "so far");
	append_number(left, sizeof(left), t->failed, "failed");
	append_number(left, sizeof(left), t->users, t->users == 1 ? "user" : "users");
	put_text_at(1, 0, COLS, left, A_NORMAL);
}

/* ---- plots ---- */

static bool has_blocks(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static const char *cell(int fill)
{
	static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	static const char *const letters[] = {" ", ".", ":", "|"};

	return has_blocks() ? blocks[fill] : letters[fill];
}

static double highest(const struct top_model *m, enum top_direction direction, int columns)
{
	double most = 0;

	for (int age = 0; age < columns; age++) {
		double value = top_model_past(m, direction, age);

		most = value > most ? value : most;
	}
	return most;
}

struct plot {
	enum top_direction direction;
	int line; /* the highest */
	int rows;
	int pair;
	const char *name;
	int64_t total;
	double now;
};

static void draw_labels(const struct plot *p, double ceiling)
{
	char label[64], text[16];

	snprintf(label, sizeof(label), "%-6s%s/s", p->name, text_amount(p->now, text));
	put_text_at(p->line, 0, LABEL, label, A_BOLD);
	snprintf(label, sizeof(label), "total %s", text_amount((double)p->total, text));
	put_text_at(p->line + 1, 0, LABEL, label, A_NORMAL);
	snprintf(label, sizeof(label), "scale %s/s", text_amount(ceiling, text));
	put_text_at(p->line + 2, 0, LABEL, label, A_NORMAL);
}

static void draw_plot(const struct top_model *m, const struct plot *p)
{
	int columns = COLS - LABEL, steps = has_blocks() ? 8 : 3;
	double ceiling = plot_ceiling(highest(m, p->direction, columns));

	draw_labels(p, ceiling);
	attrset((int)colour(p->pair));
	for (int row = 0; row < p->rows; row++) {
		move(p->line + p->rows - 1 - row, LABEL);
		for (int age = columns - 1; age >= 0; age--) {
			double value = top_model_past(m, p->direction, age);

			addstr(cell(plot_fill(value, ceiling, p->rows, row, steps)));
		}
	}
	attrset(A_NORMAL);
}

static int plot_rows(void)
{
	int rows = LEAST_PLOT + (LINES - TOP_VIEW_LINES) / 5;

	return rows > MOST_PLOT ? MOST_PLOT : rows;
}

static void draw_plots(const struct top_model *m)
{
	const struct top_totals *t = top_model_totals(m);
	int rows = plot_rows();
	struct plot up = {TOP_UPWARD, 2, rows, PAIR_UP, "UP", t->sent, t->up};
	struct plot down = {TOP_DOWNWARD, 2 + rows, rows, PAIR_DOWN, "DOWN", t->received, t->down};

	draw_plot(m, &up);
	draw_plot(m, &down);
}

/* ---- the list ---- */

struct place {
	enum top_column column;
	int least; /* columns */
	int most; /* of a text, however long it is */
	int from; /* the width of the terminal from which on it is shown */
	int view; /* the only one that it is for */
};

#define ANY 1000
#define ANY_VIEW (-1)

static const struct place places[] = {
	{TOP_ID, 6, ANY, 0, ANY_VIEW},
	{TOP_TIME, 14, 14, 0, ANY_VIEW},
	{TOP_SITE, 16, ANY, 0, ANY_VIEW},
	{TOP_USER, 10, 32, 0, ANY_VIEW},
	{TOP_UPSTREAM, 8, 32, 0, ANY_VIEW},
	{TOP_URL, 20, ANY, 0, ANY_VIEW},
	{TOP_STATE, 7, ANY, 0, TOP_UPSTREAM_VIEW},
	{TOP_REST, 4, ANY, 0, ANY_VIEW},
	{TOP_ROLE, 5, ANY, 0, ANY_VIEW},
	{TOP_SESSIONS, 8, ANY, 0, ANY_VIEW},
	{TOP_TOTAL, 6, ANY, 0, ANY_VIEW},
	{TOP_REFUSED, 7, ANY, 0, ANY_VIEW},
	{TOP_CLIENT, 15, ANY, 100, TOP_SESSION_VIEW},
	{TOP_CLIENT, 11, ANY, 0, TOP_FAILURE_VIEW},
	{TOP_TARGET, 16, ANY, 0, ANY_VIEW},
	{TOP_REASON, 15, ANY, 0, ANY_VIEW},
	{TOP_RULE, 4, 16, 100, ANY_VIEW},
	{TOP_STATE, 5, ANY, 100, TOP_SESSION_VIEW},
	{TOP_FAILURES, 6, ANY, 0, ANY_VIEW},
	{TOP_FAULT, 10, ANY, 0, ANY_VIEW},
	{TOP_AGE, 6, ANY, 0, ANY_VIEW},
	{TOP_IDLE, 6, ANY, 0, ANY_VIEW},
	{TOP_SENT, 5, ANY, 0, ANY_VIEW},
	{TOP_RECEIVED, 5, ANY, 0, ANY_VIEW},
	{TOP_UP, 6, ANY, 0, ANY_VIEW},
	{TOP_DOWN, 6, ANY, 0, ANY_VIEW},
	{TOP_LASTED, 6, ANY, 0, ANY_VIEW},
	{TOP_LAST, 10, ANY, 100, ANY_VIEW},
	{TOP_LIMITS, 6, ANY, 0, ANY_VIEW},
};
#define PLACES (sizeof(places) / sizeof(places[0]))

static bool is_shown(const struct top_model *m, const struct place *p)
{
	enum top_view view = top_model_view(m);

	return top_model_has(view, p->column) && COLS >= p->from &&
		(p->view == ANY_VIEW || p->view == (int)view);
}

/* What is left over goes to one column of each view. */
static bool is_elastic(const struct top_model *m, const struct place *p)
{
	static const enum top_column elastic[TOP_VIEWS] = {[TOP_SESSION_VIEW] = TOP_TARGET,
		[TOP_USER_VIEW] = TOP_USER,
		[TOP_ACCOUNT_VIEW] = TOP_LIMITS,
		[TOP_SITE_VIEW] = TOP_SITE,
		[TOP_FAILURE_VIEW] = TOP_TARGET,
		[TOP_UPSTREAM_VIEW] = TOP_URL};

	return p->column == elastic[top_model_view(m)];
}

/* "07-15 12:40:39": failures that are kept are of late. */
static const char *without_year(const char *time)
{
	return strlen(time) > strlen("2025-") ? time + strlen("2025-") : time;
}

static const char *cell_text(const struct top_row *row, enum top_column column, char out[24])
{
	int64_t number = row->number[column];

	switch (top_model_columns[column].kind) {
	case TOP_TEXT:
		return column == TOP_TIME ? without_year(row->text[column]) : row->text[column];
	case TOP_SECONDS:
		if (column == TOP_REST && number == 0)
			return "-"; /* it does not rest */
		return text_duration(number, out);
	case TOP_BYTES:
		return text_amount((double)number, out);
	case TOP_NUMBER:
		break;
	}
	snprintf(out, 24, "%lld", (long long)number);
	return out;
}

/* What the longest text in the list takes, and the title. Amounts and durations have an end. */
static int widest_in(const struct top_model *m, const struct place *p)
{
	const struct top_column_info *info = &top_model_columns[p->column];
	int most = text_width(info->title), width;
	char number[24];

	if (info->kind == TOP_BYTES || info->kind == TOP_SECONDS)
		return most;
	for (size_t i = 0; i < top_model_count(m); i++) {
		width = text_width(cell_text(top_model_row(m, i), p->column, number));
		most = width > most ? width : most;
	}
	return most;
}

static struct column share_of(const struct top_model *m, const struct place *p)
{
	bool is_text = top_model_columns[p->column].kind == TOP_TEXT;
	int natural = widest_in(m, p);

	if (natural > p->most)
		natural = p->most;
	if (natural < p->least)
		natural = p->least;
	return (struct column){.natural = natural, .least = is_text ? p->least : natural};
}

/* How wide each of the places is; 0: it is not shown. What is left over is the elastic one's. */
static void share_columns(const struct top_model *m, int widths[PLACES])
{
	struct column shares[PLACES];
	size_t n = 0;
	int spare = COLS + 1;

	for (size_t i = 0; i < PLACES; i++) {
		if (is_shown(m, &places[i]))
			shares[n++] = share_of(m, &places[i]);
	}
	columns_share(shares, n, COLS);
	n = 0;
	for (size_t i = 0; i < PLACES; i++) {
		widths[i] = is_shown(m, &places[i]) ? shares[n++].width : 0;
		spare -= widths[i] > 0 ? widths[i] + 1 : 0;
	}
	for (size_t i = 0; i < PLACES && spare > 0; i++) {
		if (is_elastic(m, &places[i]))
			widths[i] += spare;
	}
}

/* The text of a cell, or the column's title without a row. Numbers stand at the right. */
static void append_cell(char *line, const struct top_row *row, const struct place *p, int columns)
{
	const struct top_column_info *info = &top_model_columns[p->column];
	char number[24], fitted[LINE_SIZE];
	const char *text = row == NULL ? info->title : cell_text(row, p->column, number);

	append(line, LINE_SIZE, "%s", *line == '\0' ? "" : " ");
	if (info->kind == TOP_TEXT)
		append(line, LINE_SIZE, "%s", text_fit(text, columns, fitted, sizeof(fitted)));
	else
		append(line, LINE_SIZE, "%*s", columns, text);
}

static void draw_row(const int widths[PLACES], int line, const struct top_row *row, attr_t how)
{
	char text[LINE_SIZE] = "";

	for (size_t i = 0; i < PLACES; i++) {
		if (widths[i] > 0)
			append_cell(text, row, &places[i], widths[i]);
	}
	put_text_at(line, 0, COLS, text, how);
}

/* Moves the window over the rows so that the selected one is in it. */
static void follow_selection(const struct top_model *m)
{
	int selected = (int)top_model_selected(m), count = (int)top_model_count(m);

	if (list_first > count - list_rows)
		list_first = count - list_rows;
	if (list_first < 0)
		list_first = 0;
	if (selected < list_first)
		list_first = selected;
	if (selected >= list_first + list_rows)
		list_first = selected - list_rows + 1;
}

static const char *const view_titles[TOP_VIEWS] = {[TOP_SESSION_VIEW] = "Sessions",
	[TOP_USER_VIEW] = "Users",
	[TOP_ACCOUNT_VIEW] = "Accounts",
	[TOP_SITE_VIEW] = "Sites",
	[TOP_FAILURE_VIEW] = "Failures",
	[TOP_UPSTREAM_VIEW] = "Upstreams"};

static void draw_summary(const struct top_model *m, int line)
{
	bool descending;
	enum top_column column = top_model_order(m, &descending);
	const char *filter = top_model_filtered_by(m);
	char text[512], rows[64];
	size_t count = top_model_count(m);

	snprintf(rows, sizeof(rows), "%zu", count);
	if (count > (size_t)list_rows)
		snprintf(rows, sizeof(rows), "%d of %zu", list_rows, count);
	snprintf(text, sizeof(text), "%s: %s, by %s, %s first", view_titles[top_model_view(m)],
		rows, top_model_columns[column].title,
		top_model_columns[column].kind == TOP_TEXT ? (descending ? "last" : "first")
							   : (descending ? "largest" : "smallest"));
	if (*filter != '\0')
		append(text, sizeof(text), ", with \"%s\"", filter);
	put_text_at(line, 0, COLS, text, A_BOLD);
}

static void draw_list(const struct top_model *m, const char *lacking)
{
	int top = LIST_TOP(plot_rows()), count = (int)top_model_count(m), widths[PLACES];

	share_columns(m, widths);
	list_rows = LINES - 2 - top;
	follow_selection(m);
	draw_summary(m, top - 2);
	draw_row(widths, top - 1, NULL, A_REVERSE);
	if (count == 0 && *lacking != '\0')
		put_text_at(top, 0, COLS, lacking, A_NORMAL);
	for (int i = 0; i < list_rows && list_first + i < count; i++) {
		int at = list_first + i;

		draw_row(widths, top + i, top_model_row(m, (size_t)at),
			at == (int)top_model_selected(m) ? A_REVERSE : A_NORMAL);
	}
}

/* ---- the keys ---- */

static const char *const keys[][2] = {
	{"Tab", "the next view, as the last line names it"},
	{"u, a, s, f, v", "users, accounts, sites, failures, upstreams, or sessions"},
	{"w", "why, in words: the selected failure, or the user's failures"},
	{"< >, left, right", "sort by the column before or behind"},
	{"r", "sort the other way round"},
	{"/", "only rows in which a text occurs; Escape takes it back"},
	{"arrows, Home, PageUp", "select a row, scroll"},
	{"k, Delete", "end the selected session, or all of the selected user's"},
	{"?, h", "this help; any key leaves it"},
	{"q, Ctrl-C", "quit"},
};

static void draw_help(void)
{
	int top = LIST_TOP(plot_rows()) - 2;
	char text[128];

	put_text_at(top, 0, COLS, "Keys", A_BOLD);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(text, sizeof(text), "%-20s %s", keys[i][0], keys[i][1]);
		put_text_at(top + 1 + (int)i, 0, COLS, text, A_NORMAL);
	}
}

/* ---- a text ---- */

/* How many bytes of `text` go on a line of so many columns, cut between words where it can be. */
static size_t bytes_of_line(const char *text, size_t len, int columns)
{
	size_t fits = 0, word = 0;
	char line[LINE_SIZE];

	for (size_t i = 1; i <= len && i < sizeof(line); i++) {
		snprintf(line, sizeof(line), "%.*s", (int)i, text);
		if (text_width(line) > columns)
			return word > 0 ? word : fits;
		fits = i;
		if (i == len || text[i] == ' ')
			word = i;
	}
	return fits;
}

/* Each of its lines goes on below itself, as far in as it began. */
static void draw_pane(const char *pane)
{
	int line = LIST_TOP(plot_rows()) - 2, last = LINES - 2;

	while (*pane != '\0' && line < last) {
		size_t len = strcspn(pane, "\n"), blanks = strspn(pane, " ");

		for (size_t at = blanks, n; at < len && line < last; at += n) {
			char text[LINE_SIZE];

			at += strspn(pane + at, " ");
			n = bytes_of_line(pane + at, len - at, COLS - (int)blanks);
			snprintf(text, sizeof(text), "%*s%.*s", (int)blanks, "", (int)n, pane + at);
			put_text_at(line++, 0, COLS, text, blanks == 0 ? A_BOLD : A_NORMAL);
		}
		pane += len + (pane[len] == '\n');
	}
}

/* ---- the last two lines ---- */

static void describe_session(const struct top_row *row, char *out, size_t size)
{
	bool has_name = strcmp(row->text[TOP_NAME], "-") != 0;
	bool has_upstream = strcmp(row->text[TOP_UPSTREAM], "-") != 0;

	snprintf(out, size, "%s %s from %s%s%s%s to %s at %s%s%s", row->text[TOP_STATE],
		row->text[TOP_COMMAND], row->text[TOP_CLIENT], has_name ? " (" : "",
		has_name ? row->text[TOP_NAME] : "", has_name ? ")" : "", row->text[TOP_TARGET],
		row->text[TOP_ADDRESS], has_upstream ? " via " : "",
		has_upstream ? row->text[TOP_UPSTREAM] : "");
}

static void describe_upstream(const struct top_row *row, char *out, size_t size)
{
	bool has_failed = strcmp(row->text[TOP_FAULT], "-") != 0;

	snprintf(out, size, "%s: %s %s%s%s", row->text[TOP_UPSTREAM], row->text[TOP_URL],
		row->text[TOP_STATE], has_failed ? ", " : "",
		has_failed ? row->text[TOP_FAULT] : "");
}

/* What has no column in the list, or no room in it, at least on narrow terminals. */
static void describe_selected(const struct top_model *m, char *out, size_t size)
{
	const struct top_row *row;

	*out = '\0';
	if (top_model_count(m) == 0)
		return;
	row = top_model_row(m, top_model_selected(m));
	if (top_model_view(m) == TOP_SESSION_VIEW)
		describe_session(row, out, size);
	else if (top_model_view(m) == TOP_FAILURE_VIEW)
		snprintf(out, size, "%s", row->text[TOP_ADVICE]);
	else if (top_model_view(m) == TOP_UPSTREAM_VIEW)
		describe_upstream(row, out, size);
}

static void draw_note(const struct top_model *m, const struct top_view_texts *texts)
{
	char about[LINE_SIZE];
	bool is_note = *texts->note != '\0';

	if (texts->pane != NULL)
		strcpy(about, "Any key goes back to the list");
	else
		describe_selected(m, about, sizeof(about));
	put_text_at(LINES - 2, 0, COLS, is_note ? texts->note : about,
		(is_note ? A_BOLD : A_NORMAL) | (texts->is_bad ? colour(PAIR_BAD) : 0));
}

static const char *const next_views[TOP_VIEWS] = {[TOP_SESSION_VIEW] = "users",
	[TOP_USER_VIEW] = "accounts",
	[TOP_ACCOUNT_VIEW] = "sites",
	[TOP_SITE_VIEW] = "failures",
	[TOP_FAILURE_VIEW] = "upstreams",
	[TOP_UPSTREAM_VIEW] = "sessions"};

static void draw_keys(const struct top_model *m)
{
	char text[128];

	snprintf(text, sizeof(text),
		"q quit  Tab %s  < > sort  r reverse  / filter  k kill  w why  ? keys",
		next_views[top_model_view(m)]);
	put_text_at(LINES - 1, 0, COLS - 1, text, A_DIM);
}

static void place_cursor(const struct top_view_texts *texts)
{
	int column = text_width(texts->note);

	curs_set(texts->is_typed ? 1 : 0);
	if (texts->is_typed)
		move(LINES - 2, column < COLS ? column : COLS - 1);
}

static void draw_too_small(void)
{
	char text[128];

	snprintf(text, sizeof(text), "too small: %dx%d, needs %dx%d", COLS, LINES, TOP_VIEW_COLUMNS,
		TOP_VIEW_LINES);
	put_text_at(LINES / 2, 0, COLS, text, A_BOLD);
	if (LINES > 1)
		put_text_at(LINES / 2 + 1, 0, COLS, "q quits", A_NORMAL);
}

void top_view_draw(const struct top_model *m, const struct top_view_texts *texts)
{
	erase();
	if (LINES < TOP_VIEW_LINES || COLS < TOP_VIEW_COLUMNS) {
		draw_too_small();
	} else {
		draw_totals(top_model_totals(m), texts->server);
		draw_plots(m);
		if (texts->shows_keys)
			draw_help();
		else if (texts->pane != NULL)
			draw_pane(texts->pane);
		else
			draw_list(m, texts->lacking);
		draw_note(m, texts);
		draw_keys(m);
		place_cursor(texts);
	}
	refresh();
}
