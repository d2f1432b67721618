/*
 * What may stand at a place of a monitor's command is what monitor_client itself completes there
 * from HELP, which it is asked for here with a HELP made of the same table. Where it would ask the
 * server for names, only those of settings are known.
 */
#include "programs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/completion.h"
#include "client/flags.h"
#include "helper/arguments.h"
#include "monitor/commands.h"
#include "must.h"
#include "state/options.h"
#include "state/rule_places.h"
#include "state/settings.h"

static void append_word(char *words, size_t size, const char *word)
{
	size_t len = strlen(words);

	if (len + strlen(word) + 2 > size)
		must(NULL);
	snprintf(words + len, size - len, "%s%s", len > 0 ? " " : "", word);
}

/* ---- flags ---- */

/* Up to where the first sentence ends. */
static void copy_sentence(char *to, size_t size, const char *text)
{
	const char *end = strstr(text, ". ");
	size_t len = end != NULL ? (size_t)(end - text) : strlen(text);

	if (end == NULL && len > 0 && text[len - 1] == '.')
		len--;
	snprintf(to, size, "%.*s", (int)len, text);
}

static enum value_kind kind_of(const char *value)
{
	if (value == NULL)
		return VALUE_NONE;
	if (strcmp(value, "FILE") == 0 || strcmp(value, "PATH") == 0)
		return VALUE_FILE;
	return strcmp(value, "DIR") == 0 ? VALUE_FOLDER : VALUE_OTHER;
}

/* The words that are legal, whatever else is; "" when there are none. */
static void put_legal_words(const struct setting *s, char *words, size_t size)
{
	*words = '\0';
	for (const struct setting_word *w = s->words; w != NULL && w->word != NULL; w++)
		append_word(words, size, w->word);
	if (s->type != &setting_protected)
		return;
	for (enum rule_place place = 0; place < PLACE_PROTECTED; place++)
		append_word(words, size, rule_place_word(place));
	append_word(words, size, "none");
}

static void take_flag_row(struct program_flag *to, const struct flag *flag)
{
	*to = (struct program_flag){
		.letter = flag_letter(flag), .value = flag->value, .kind = kind_of(flag->value)};
	snprintf(to->name, sizeof(to->name), "--%s", flag->name);
	copy_sentence(to->help, sizeof(to->help), flag->help);
}

static void take_setting_row(struct program_flag *to, const struct setting *s)
{
	*to = (struct program_flag){
		.letter = s->flag, .value = s->value_name, .kind = kind_of(s->value_name)};
	setting_flag(s, to->name);
	copy_sentence(to->help, sizeof(to->help), s->help);
	put_legal_words(s, to->words, sizeof(to->words));
	if (to->words[0] != '\0')
		to->kind = VALUE_WORDS;
}

const struct program *program_socks5d(void)
{
	static struct program_flag flags[OPTIONS_FLAGS + SETTINGS_COUNT];
	static const struct program program = {
		.name = "socks5d", .flags = flags, .flag_count = OPTIONS_FLAGS + SETTINGS_COUNT};

	for (size_t i = 0; i < OPTIONS_FLAGS; i++)
		take_flag_row(&flags[i], &options_flags[i]);
	for (size_t i = 0; i < SETTINGS_COUNT; i++)
		take_setting_row(&flags[OPTIONS_FLAGS + i], &settings_table[i]);
	return &program;
}

/* What stands behind the flags is a socket's path and a command. */
const struct program *program_socks5d_auth(void)
{
	static struct program_flag flags[ARGUMENTS_COUNT];
	static const struct program program = {.name = "socks5d_auth",
		.flags = flags,
		.flag_count = ARGUMENTS_COUNT,
		.takes_files = true};

	for (size_t i = 0; i < ARGUMENTS_COUNT; i++) {
		take_flag_row(&flags[i], &arguments_table[i]);
		if (strcmp(arguments_table[i].name, "log-level") == 0) {
			flags[i].kind = VALUE_WORDS;
			append_word(
				flags[i].words, sizeof(flags[i].words), "error warn info debug");
		}
	}
	return &program;
}

/* ---- the monitor's commands ---- */

static struct answer help_of_commands(void)
{
	struct answer help;
	char *text = NULL;
	size_t size;
	FILE *out = must(open_memstream(&text, &size));

	fputs("OK\n", out);
	for (size_t i = 0; i < commands_count; i++) {
		const struct command *c = &commands_table[i];

		fprintf(out, "%s %s - %s\n", c->word, c->parameters, c->help);
	}
	fputc('\n', out);
	fclose(out);
	if (answer_parse(text, size, &help) < 0)
		must(NULL);
	free(text);
	return help;
}

static struct program_place *add_place(struct program *p, const char *before, size_t count)
{
	struct program_place *place;

	p->places = must(realloc(p->places, (p->place_count + 1) * sizeof(*p->places)));
	place = &p->places[p->place_count++];
	*place = (struct program_place){.count = count};
	snprintf(place->before, sizeof(place->before), "%s", before);
	return place;
}

/* The words that the client completes behind `line`, but for those that a shell takes for something
 * else; settings' names where it asks for them. */
static void put_completed(const struct answer *help, const char *line, char *words, size_t size)
{
	struct completion found = {.count = 0};

	*words = '\0';
	completion_find(&found, help, line, strlen(line));
	for (size_t i = 0; i < found.count; i++) {
		if (strpbrk(found.words[i], "<>*") == NULL)
			append_word(words, size, found.words[i]);
	}
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		if (found.source != NULL && strcmp(found.source, "CONFIG") == 0)
			append_word(words, size, settings_table[i].name);
	}
	completion_free(&found);
}

static void add_places_of(struct program *p, const struct answer *help, const struct command *c)
{
	char line[64], words[sizeof(p->places->words)];
	size_t len = (size_t)snprintf(line, sizeof(line), "%s ", c->word);

	for (size_t place = 1; place <= c->most && len + 2 < sizeof(line); place++) {
		put_completed(help, line, words, sizeof(words));
		if (words[0] != '\0') {
			struct program_place *added = add_place(p, c->word, place);

			added->any = place > 1;
			strcpy(added->words, words);
		}
		strcpy(line + len, "x ");
		len += 2;
	}
}

/* CONFIG NAME and what is legal for it. */
static void add_values_of_settings(struct program *p)
{
	char before[64], words[256];

	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		put_legal_words(&settings_table[i], words, sizeof(words));
		if (words[0] == '\0')
			continue;
		snprintf(before, sizeof(before), "CONFIG %s", settings_table[i].name);
		strcpy(add_place(p, before, 2)->words, words);
	}
}

const struct program *program_monitor_client(void)
{
	static struct program_flag flags[FLAGS_COUNT];
	static struct program program = {
		.name = "monitor_client", .flags = flags, .flag_count = FLAGS_COUNT};
	struct answer help;

	if (program.commands != NULL)
		return &program;
	help = help_of_commands();
	for (size_t i = 0; i < FLAGS_COUNT; i++)
		take_flag_row(&flags[i], &flags_table[i]);
	program.commands = must(calloc(commands_count + 1, sizeof(*program.commands)));
	for (size_t i = 0; i < commands_count; i++) {
		program.commands[program.command_count++] = (struct program_command){
			.word = commands_table[i].word, .help = commands_table[i].help};
		add_places_of(&program, &help, &commands_table[i]);
	}
	program.commands[program.command_count++] =
		(struct program_command){"top", "live view of sessions, users and throughput"};
	add_values_of_settings(&program);
	answer_free(&help);
	return &program;
}
