/*
 * Writes what users read about settings and commands from the tables that the program reads them
 * with: conf/socks5d.conf as a whole, and of the others the part between two lines that mark it.
 * Run it at the top of the repository; with --check it only compares.
 *
 * Each document is a function from its old text to its new one; what is on the disk is only read
 * and written in update().
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "completions.h"
#include "monitor/commands.h"
#include "must.h"
#include "programs.h"
#include "server/call_filter.h"
#include "state/end_reason.h"
#include "state/settings.h"
#include "web/metric_families.h"

#define WIDTH 78
#define MARK_MAX 32

/* ---- text ---- */

/* Does a sentence end with this word, when another one follows? */
static bool ends_sentence(const char *word, size_t len, const char *next)
{
	return len > 1 && word[len - 1] == '.' && *next != '\0';
}

/* Writes one word of running text; `first` of its line. */
typedef void put_word_function(FILE *out, const char *word, size_t len, bool first);

struct wrap {
	const char *prefix; /* in front of every line */
	bool sentence_a_line;
	put_word_function *put_word;
};

/* Breaks `text` between words into lines of at most WIDTH columns. */
static void put_wrapped(FILE *out, const struct wrap *wrap, const char *text)
{
	size_t column = 0;

	while (*text != '\0') {
		size_t len = strcspn(text, " ");
		const char *next = text + len + strspn(text + len, " ");
		bool first = column == 0;

		if (!first && column + 1 + len > WIDTH) {
			fputc('\n', out);
			first = true;
		}
		column = first ? strlen(wrap->prefix) + len : column + 1 + len;
		fputs(first ? wrap->prefix : " ", out);
		wrap->put_word(out, text, len, first);
		if (wrap->sentence_a_line && ends_sentence(text, len, next)) {
			fputc('\n', out);
			column = 0;
		}
		text = next;
	}
	fputc('\n', out);
}

/* What is legal, without the units of times, which each document explains once. To be freed. */
static char *legal_in_short(const struct setting *s)
{
	char *legal = must(setting_legal(s));

	if (s->type == &setting_duration)
		legal[strcspn(legal, "(")] = '\0';
	for (size_t len = strlen(legal); len > 0 && legal[len - 1] == ' '; len--)
		legal[len - 1] = '\0';
	return legal;
}

/* "Legal: a number from 1 to 100." */
static void put_legal(FILE *out, const struct wrap *wrap, const struct setting *s)
{
	char *legal = legal_in_short(s), *text;

	if (asprintf(&text, "Legal: %s.", legal) < 0)
		must(NULL);
	put_wrapped(out, wrap, text);
	free(text);
	free(legal);
}

/* "Default: any. A list. Changes take effect on reload." */
static void put_traits(FILE *out, const struct wrap *wrap, const struct setting *s)
{
	char *text;

	if (asprintf(&text, "Default: %s. %sChanges take effect %s.",
		    s->initial[0] != '\0' ? s->initial : "empty",
		    s->type->is_list ? "A list. " : "",
		    !s->reloadable        ? "at the next start"
			    : s->is_files ? "on reload, and not by CONFIG"
					  : "on reload") < 0)
		must(NULL);
	put_wrapped(out, wrap, text);
	free(text);
}

/* ---- conf/socks5d.conf ---- */

static const char conf_header[] =
	"# socks5d.conf - all settings of socks5d, each with its default.\n"
	"#\n"
	"# As it stands this file changes nothing: take the # off a line to set it.\n"
	"#\n"
	"#   name = value      one setting a line; \"value\" where it has # or ; in it\n"
	"#   # or ;            begins a comment, on a line of its own or behind a blank\n"
	"#   lists             values separated by commas or blanks, or the line repeated\n"
	"#   times             500ms, 30s, 5m, 2h, 1d; without a unit: seconds\n"
	"#\n"
	"# Flags on the command line win over this file: max_sessions is also\n"
	"# --max-sessions, and max-sessions may be written here, too.\n"
	"# socks5d -n -c FILE checks a file. SIGHUP makes a running socks5d read it\n"
	"# again; when anything is wrong in it, nothing changes and the log says why.\n"
	"#\n"
	"# Made by `make docs` from src/state/settings.c.\n";

static void put_plain(FILE *out, const char *word, size_t len, bool first)
{
	(void)first;
	fwrite(word, 1, len, out);
}

static void put_conf_setting(FILE *out, const struct setting *s)
{
	static const struct wrap comment = {.prefix = "# ", .put_word = put_plain};

	fputc('\n', out);
	put_wrapped(out, &comment, s->help);
	put_legal(out, &comment, s);
	put_traits(out, &comment, s);
	fprintf(out, "#%s =%s%s\n", s->name, s->initial[0] != '\0' ? " " : "", s->initial);
}

static void put_conf(FILE *out)
{
	fputs(conf_header, out);
	for (size_t i = 0; i < SETTINGS_COUNT; i++)
		put_conf_setting(out, &settings_table[i]);
}

/* ---- the manual, in mdoc(7) ---- */

/* A dot or quote at the front of a line would be a request; a hyphen that begins a word is a
 * flag's, which must not become a typographic one. */
static void put_roff(FILE *out, const char *word, size_t len, bool first)
{
	if (first && (word[0] == '.' || word[0] == '\''))
		fputs("\\&", out);
	for (size_t i = 0; i < len; i++) {
		if (word[i] == '\\')
			fputs("\\e", out);
		else if (i == 0 && word[i] == '-')
			fputs("\\-", out);
		else
			fputc(word[i], out);
	}
}

static void put_manual_setting(FILE *out, const struct setting *s)
{
	static const struct wrap roff = {
		.prefix = "", .sentence_a_line = true, .put_word = put_roff};
	char flag[64];

	fprintf(out, ".It Cm %s No = Ar %s\n", s->name, s->value_name);
	fputs("As a flag:\n", out);
	if (s->flag != 0)
		fprintf(out, ".Fl %c\nor\n", s->flag);
	fprintf(out, ".Fl %s Ar %s .\n", setting_flag(s, flag) + 1, s->value_name);
	put_wrapped(out, &roff, s->help);
	put_legal(out, &roff, s);
	put_traits(out, &roff, s);
}

static void put_manual(FILE *out)
{
	fputs(".Bl -tag -width Ds\n", out);
	for (size_t i = 0; i < SETTINGS_COUNT; i++)
		put_manual_setting(out, &settings_table[i]);
	fputs(".El\n", out);
}

/* ---- the system calls that are denied, in src/socks5d.8 ---- */

static void put_call_group(FILE *out, const struct call_filter_group *g)
{
	static const struct wrap lines = {.prefix = "", .put_word = put_plain};
	char words[1024] = "", *text;

	for (size_t i = 0; g->calls[i] != NULL; i++) {
		strncat(words, i > 0 ? ", " : "", sizeof(words) - strlen(words) - 1);
		strncat(words, g->calls[i], sizeof(words) - strlen(words) - 1);
	}
	fprintf(out, ".It %s\n", g->name);
	if (asprintf(&text, "%c%s: %s.", toupper((unsigned char)g->why[0]), g->why + 1, words) < 0)
		must(NULL);
	put_wrapped(out, &lines, text);
	free(text);
}

static void put_call_groups(FILE *out)
{
	fputs(".Bl -tag -width Ds\n", out);
	for (const struct call_filter_group *g = call_filter_groups; g->name != NULL; g++)
		put_call_group(out, g);
	fputs(".El\n", out);
}

/* ---- the manual of the web's front: what is told to Prometheus ---- */

/* "Counter, in bytes; by direction." */
static void put_metric_traits(FILE *out, const struct metric *m)
{
	const char *type = metric_type_word(m->type), *separator = "; by ";

	fprintf(out, "%c%s", type[0] - 'a' + 'A', type + 1);
	if (m->unit != NULL)
		fprintf(out, ", in %s", m->unit);
	for (size_t i = 0; i < METRIC_LABELS_MAX && m->labels[i] != NULL; i++, separator = " and ")
		fprintf(out, "%s%s", separator, m->labels[i]);
	fputs(".\n", out);
}

static void put_metrics(FILE *out)
{
	static const struct wrap roff = {
		.prefix = "", .sentence_a_line = true, .put_word = put_roff};

	fputs(".Bl -tag -width Ds\n", out);
	for (size_t i = 0; i < metric_families_count; i++) {
		const struct metric *m = &metric_families[i].metric;

		fprintf(out, ".It Cm %s\n", m->name);
		put_metric_traits(out, m);
		put_wrapped(out, &roff, m->help);
	}
	fputs(".El\n", out);
}

/* ---- documents on the disk ---- */

struct document {
	const char *path;
	const char *part; /* what stands between the lines with BEGIN and END of it; NULL: all */
	void (*put)(FILE *out);
	/* or, of one of the programs: */
	const struct program *(*program)(void);
	void (*put_program)(FILE *out, const struct program *p);
};

static const struct document documents[] = {
	{.path = "conf/socks5d.conf", .put = put_conf},
	{.path = "src/socks5d.8", .part = "SETTINGS", .put = put_manual},
	{.path = "src/socks5d.8", .part = "CALLS", .put = put_call_groups},
	{.path = "src/socks5d-web.7", .part = "METRICS", .put = put_metrics},
	{.path = "conf/completions/socks5d.bash",
		.program = program_socks5d,
		.put_program = completions_put_bash},
	{.path = "conf/completions/socks5d.zsh",
		.program = program_socks5d,
		.put_program = completions_put_zsh},
	{.path = "conf/completions/socks5d.fish",
		.program = program_socks5d,
		.put_program = completions_put_fish},
	{.path = "conf/completions/monitor_client.bash",
		.program = program_monitor_client,
		.put_program = completions_put_bash},
	{.path = "conf/completions/monitor_client.zsh",
		.program = program_monitor_client,
		.put_program = completions_put_zsh},
	{.path = "conf/completions/monitor_client.fish",
		.program = program_monitor_client,
		.put_program = completions_put_fish},
	{.path = "conf/completions/socks5d_auth.bash",
		.program = program_socks5d_auth,
		.put_program = completions_put_bash},
	{.path = "conf/completions/socks5d_auth.zsh",
		.program = program_socks5d_auth,
		.put_program = completions_put_zsh},
	{.path = "conf/completions/socks5d_auth.fish",
		.program = program_socks5d_auth,
		.put_program = completions_put_fish},
};

/* The file's text, to be freed; empty when there is no such file. */
static char *read_text(const char *path)
{
	FILE *in = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	if (in == NULL && errno == ENOENT)
		return must(strdup(""));
	must(in);
	if (getdelim(&text, &size, '\0', in) < 0) {
		free(text);
		text = must(strdup(""));
	}
	fclose(in);
	return text;
}

static int write_text(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");
	bool failed = out == NULL || fputs(text, out) < 0;

	if (out != NULL && fclose(out) != 0)
		failed = true;
	if (failed)
		perror(path);
	return failed ? 1 : 0;
}

/* What follows the line with `mark`; NULL when there is none. */
static const char *behind_line(const char *text, const char *mark)
{
	const char *at = strstr(text, mark);
	const char *end = at == NULL ? NULL : strchr(at, '\n');

	return end == NULL ? NULL : end + 1;
}

/* The beginning of the line with `mark`; NULL when there is none. */
static const char *line_of(const char *text, const char *mark)
{
	const char *at = strstr(text, mark);

	while (at != NULL && at > text && at[-1] != '\n')
		at--;
	return at;
}

/* The text as it should be, to be freed; NULL when the marks are missing. */
static char *renew(const struct document *d, const char *old)
{
	const char *head_end = old, *tail = "";
	char *text = NULL, begin[MARK_MAX], end[MARK_MAX];
	size_t size = 0;
	FILE *out;

	if (d->part != NULL) {
		snprintf(begin, sizeof(begin), "BEGIN %s", d->part);
		snprintf(end, sizeof(end), "END %s", d->part);
		head_end = behind_line(old, begin);
		tail = line_of(head_end == NULL ? "" : head_end, end);
	}
	if (head_end == NULL || tail == NULL)
		return NULL;
	out = must(open_memstream(&text, &size));
	fwrite(old, 1, (size_t)(head_end - old), out);
	if (d->program != NULL)
		d->put_program(out, d->program());
	else
		d->put(out);
	fputs(tail, out);
	fclose(out);
	return must(text);
}

/* Compares or rewrites one document; 0 when it is as it should be then. */
static int update(const struct document *d, bool check)
{
	char *old = read_text(d->path);
	char *new = renew(d, old);
	int status = 0;

	if (new == NULL) {
		fprintf(stderr, "%s: the lines BEGIN %s and END %s are missing\n", d->path, d->part,
			d->part);
		status = 1;
	} else if (strcmp(old, new) != 0) {
		if (check)
			fprintf(stderr, "%s is out of date: run make docs\n", d->path);
		status = check ? 1 : write_text(d->path, new);
	}
	free(old);
	free(new);
	return status;
}

/* ---- the reasons for the end of a session, which the manual explains by hand ---- */

static int check_reasons(const char *path)
{
	char *text = read_text(path);
	char item[64];
	int status = 0;

	for (enum end_reason r = 0; r < END_REASONS; r++) {
		snprintf(item, sizeof(item), "\n.It Cm %s\n", end_reason_word(r));
		if (strstr(text, item) != NULL)
			continue;
		fprintf(stderr, "%s does not explain the reason %s\n", path, end_reason_word(r));
		status = 1;
	}
	free(text);
	return status;
}

/* ---- the monitor's commands, likewise ---- */

static int check_commands(const char *path)
{
	char *text = read_text(path);
	char item[64];
	int status = 0;

	for (size_t i = 0; i < commands_count; i++) {
		const char *word = commands_table[i].word;

		snprintf(item, sizeof(item), "\n.It Ic %s%s", word,
			commands_table[i].parameters[0] != '\0' ? " " : "\n");
		if (strstr(text, item) != NULL)
			continue;
		fprintf(stderr, "%s does not explain the command %s\n", path, word);
		status = 1;
	}
	free(text);
	return status;
}

/* ---- the table itself ---- */

static const char *problem_of(const struct setting *s)
{
	size_t len = s->help == NULL ? 0 : strlen(s->help);

	if (len == 0)
		return "it has no help text";
	if (s->help[len - 1] != '.')
		return "its help text does not end with a period";
	if (s->value_name == NULL || s->value_name[0] == '\0')
		return "it has no value_name";
	if (s->initial == NULL)
		return "it has no default";
	return NULL;
}

static int check_table(void)
{
	int status = 0;

	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		const char *problem = problem_of(&settings_table[i]);

		if (problem == NULL)
			continue;
		fprintf(stderr, "src/state/settings.c: %s: %s\n", settings_table[i].name, problem);
		status = 1;
	}
	return status;
}

int main(int argc, char **argv)
{
	bool check = argc == 2 && strcmp(argv[1], "--check") == 0;
	int status;

	if (argc > 1 && !check) {
		fputs("usage: gendoc [--check]\n", stderr);
		return 2;
	}
	status = check_table();
	if (status != 0)
		return status;
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
		status |= update(&documents[i], check);
	return status | check_reasons("src/socks5d.8") | check_commands("src/socks5d-monitor.7");
}
