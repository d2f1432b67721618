/* programs: what can stand on the command lines of the programs, from the tables that they read
 * them with, for the shells' completion. */
#ifndef DOCS_PROGRAMS_H
#define DOCS_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>

enum value_kind {
	VALUE_NONE, /* the flag has none */
	VALUE_WORDS,
	VALUE_FILE,
	VALUE_FOLDER,
	VALUE_OTHER, /* nobody can guess it */
};

struct program_flag {
	char letter; /* or 0 */
	char name[64];
	const char *value; /* what the help calls it; NULL: it has none */
	enum value_kind kind;
	char words[256]; /* of VALUE_WORDS, with blanks between them */
	char help[512]; /* a sentence without its period */
};

struct program_command {
	const char *word;
	const char *help;
};

/* What may stand at one place of a command. */
struct program_place {
	char before[64]; /* the command, and what has to stand between */
	size_t count; /* of words in front of the place */
	bool any; /* the rest of them may be anything */
	char words[2048]; /* with blanks between them */
};

struct program {
	const char *name;
	struct program_flag *flags;
	size_t flag_count;
	bool takes_files; /* behind the flags */
	struct program_command *commands; /* none: it takes flags only, and files perhaps */
	size_t command_count;
	struct program_place *places;
	size_t place_count;
};

/* They live as long as this one. They end it where memory is out. */
const struct program *program_socks5d(void);
const struct program *program_monitor_client(void);
const struct program *program_socks5d_auth(void);

#endif
