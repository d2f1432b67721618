/*
 * Each shell gets a script of its own that needs nothing else: no program is run and no server is
 * asked when somebody presses Tab. The scripts for bash and fish go through the command line
 * themselves; zsh does that, given a list of flags.
 */
#include "completions.h"

#include <ctype.h>
#include <string.h>

static void put_title(FILE *out, const char *shell, const struct program *p)
{
	fprintf(out,
		"# Completion of %s in %s. Made by `make docs` from the tables of flags, settings\n"
		"# and commands.\n\n",
		p->name, shell);
}

/* Between single quotes, with a \ in front of what stands in `special`, too. */
static void put_quoted(FILE *out, const char *text, const char *special)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			fputs("'\\''", out);
		else if (strchr(special, *text) != NULL)
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
	}
}

/* ---- pieces that bash and zsh have alike ---- */

#define KIND(kind) (1u << (kind))

/* "-c | --config | --log-file": the flags whose values are of these kinds. False: there are none.
 */
static bool put_flags_of(FILE *out, const struct program *p, unsigned kinds)
{
	bool some = false;

	for (size_t i = 0; i < p->flag_count; i++) {
		const struct program_flag *f = &p->flags[i];

		if ((KIND(f->kind) & kinds) == 0)
			continue;
		fprintf(out, "%s", some ? " | " : "\t");
		if (f->letter != '\0')
			fprintf(out, "-%c | ", f->letter);
		fputs(f->name, out);
		some = true;
	}
	return some;
}

/* "'2 CONFIG auth') legal='auto none' ;;" for each place. */
static void put_places(FILE *out, const struct program *p)
{
	for (size_t i = 0; i < p->place_count; i++) {
		const struct program_place *place = &p->places[i];

		fprintf(out, "\t'%zu %s%s) legal='%s' ;;\n", place->count, place->before,
			place->any ? " '*" : "'", place->words);
	}
}

/* ---- bash ---- */

static void put_bash_values(FILE *out, const struct program *p)
{
	static const struct {
		enum value_kind kind;
		const char *what;
	} rows[] = {{VALUE_FILE,
			    "compopt -o filenames\n\t\tmapfile -t COMPREPLY < <(compgen -f -- "
			    "\"$cur\")\n\t\treturn"},
		{VALUE_FOLDER,
			"compopt -o filenames\n\t\tmapfile -t COMPREPLY < <(compgen -d -- "
			"\"$cur\")\n\t\treturn"},
		{VALUE_OTHER, "return"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (put_flags_of(out, p, KIND(rows[i].kind)))
			fprintf(out, ")\n\t\t%s\n\t\t;;\n", rows[i].what);
	}
	for (size_t i = 0; i < p->flag_count; i++) {
		const struct program_flag *f = &p->flags[i];
		char letter[] = {'-', f->letter, ' ', '|', ' ', '\0'};

		if (f->kind == VALUE_WORDS)
			fprintf(out, "\t%s%s) legal='%s' ;;\n", f->letter != '\0' ? letter : "",
				f->name, f->words);
	}
}

static void put_bash_flags(FILE *out, const struct program *p)
{
	fprintf(out, "_%s_flags='", p->name);
	for (size_t i = 0; i < p->flag_count; i++)
		fprintf(out, "\n\t%s", p->flags[i].name);
	fputs("\n'\n\n", out);
}

static void put_commands_words(FILE *out, const struct program *p)
{
	for (size_t i = 0; i < p->command_count; i++)
		fprintf(out, "%s%s", i > 0 ? " " : "", p->commands[i].word);
}

/* Sets `legal` to what may stand behind the words of `request`, the command first. */
static void put_bash_request(FILE *out, const struct program *p)
{
	fprintf(out,
		"_%s_legal() {\n"
		"\tlocal request=(\"$@\")\n"
		"\t(($# == 0)) || request[0]=${1^^}\n"
		"\tcase \"$# ${request[*]}\" in\n"
		"\t'0 ') legal='",
		p->name);
	put_commands_words(out, p);
	fputs("' ;;\n", out);
	put_places(out, p);
	fputs("\tesac\n}\n\n", out);
	fprintf(out,
		"# What stands behind the flags, in front of the word at the cursor.\n"
		"_%s_request() {\n"
		"\tlocal i\n"
		"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		"\t\tcase ${COMP_WORDS[i]} in\n",
		p->name);
	fputc('\t', out);
	put_flags_of(out, p, ~KIND(VALUE_NONE));
	fputs(")\n\t\t\t((i += 1))\n\t\t\t[[ ${COMP_WORDS[i]} != = ]] || ((i += 1))\n\t\t\t;;\n",
		out);
	fputs("\t\t-*) ;;\n"
	      "\t\t*) break ;;\n"
	      "\t\tesac\n"
	      "\tdone\n"
	      "\t((i >= COMP_CWORD)) || request=(\"${COMP_WORDS[@]:i:COMP_CWORD-i}\")\n"
	      "}\n\n",
		out);
}

void completions_put_bash(FILE *out, const struct program *p)
{
	bool has_commands = p->command_count > 0;

	put_title(out, "bash", p);
	put_bash_flags(out, p);
	if (has_commands)
		put_bash_request(out, p);
	fprintf(out,
		"_%s() {\n"
		"\tlocal cur=$2 flag=$3 legal= request=()\n"
		"\t# bash takes --flag=value for three words.\n"
		"\t[[ $cur != = ]] || cur=\n"
		"\t[[ $flag != = ]] || flag=${COMP_WORDS[COMP_CWORD - 2]}\n"
		"\tCOMPREPLY=()\n",
		p->name);
	if (has_commands)
		fprintf(out,
			"\t_%s_request\n"
			"\t((${#request[@]} == 0)) || flag=\n",
			p->name);
	fputs("\tcase $flag in\n", out);
	put_bash_values(out, p);
	fprintf(out, "\t*) [[ $cur != -* ]] || legal=$_%s_flags ;;\n\tesac\n", p->name);
	if (p->takes_files)
		fputs("\tif [[ -z $legal ]]; then\n"
		      "\t\tcompopt -o filenames\n"
		      "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
		      "\t\treturn\n"
		      "\tfi\n",
			out);
	if (has_commands)
		fprintf(out, "\t[[ $cur == -* ]] || _%s_legal \"${request[@]}\"\n", p->name);
	fputs("\tmapfile -t COMPREPLY < <(compgen -W \"$legal\" -- \"$cur\")\n", out);
	if (has_commands)
		fputs("\t[[ ${COMPREPLY[0]} != *= ]] || compopt -o nospace\n", out);
	fprintf(out, "}\n\ncomplete -F _%s %s\n", p->name, p->name);
}

/* ---- zsh ---- */

static void put_zsh_value(FILE *out, const struct program_flag *f)
{
	if (f->kind == VALUE_NONE)
		return;
	fputc(':', out);
	put_quoted(out, f->value, ":");
	fputc(':', out);
	if (f->kind == VALUE_WORDS)
		fprintf(out, "(%s)", f->words);
	else if (f->kind == VALUE_FILE)
		fputs("_files", out);
	else if (f->kind == VALUE_FOLDER)
		fputs("_files -/", out);
	else
		fputc(' ', out);
}

/* '*'{-l+,--listen=}'[help]:ADDR:(words)': flags may be repeated, and a value may be part of a
 * word. */
static void put_zsh_flag(FILE *out, const struct program_flag *f)
{
	const char *letter_end = f->kind == VALUE_NONE ? "" : "+";
	const char *name_end = f->kind == VALUE_NONE ? "" : "=";

	if (f->letter != '\0')
		fprintf(out, " \\\n\t\t'*'{-%c%s,%s%s}'[", f->letter, letter_end, f->name,
			name_end);
	else
		fprintf(out, " \\\n\t\t'*%s%s[", f->name, name_end);
	put_quoted(out, f->help, "[]");
	fputc(']', out);
	put_zsh_value(out, f);
	fputc('\'', out);
}

static void put_zsh_request(FILE *out, const struct program *p)
{
	fprintf(out,
		"_%s_request() {\n"
		"\tlocal words_before=(${(U)words[1]} ${words[2,CURRENT-1]}) legal=\n"
		"\tlocal -a commands=(\n",
		p->name);
	for (size_t i = 0; i < p->command_count; i++) {
		fprintf(out, "\t\t'%s:", p->commands[i].word);
		put_quoted(out, p->commands[i].help, "");
		fputs("'\n", out);
	}
	fputs("\t)\n"
	      "\tif ((CURRENT == 1)); then\n"
	      "\t\t_describe command commands\n"
	      "\t\treturn\n"
	      "\tfi\n"
	      "\tcase \"$((CURRENT - 1)) $words_before\" in\n",
		out);
	put_places(out, p);
	fputs("\tesac\n"
	      "\tlocal -a plain=(${${=legal}:#*=}) keys=(${(M)${=legal}:#*=})\n"
	      "\tcompadd -a plain\n"
	      "\tcompadd -S '' -a keys\n"
	      "}\n\n",
		out);
}

void completions_put_zsh(FILE *out, const struct program *p)
{
	bool has_commands = p->command_count > 0;

	fprintf(out, "#compdef %s\n", p->name);
	put_title(out, "zsh", p);
	if (has_commands)
		put_zsh_request(out, p);
	fprintf(out, "_%s() {\n\t_arguments -s%s", p->name,
		has_commands || p->takes_files ? " -A '-*'" : "");
	for (size_t i = 0; i < p->flag_count; i++)
		put_zsh_flag(out, &p->flags[i]);
	if (has_commands)
		fprintf(out, " \\\n\t\t'*::command:_%s_request'", p->name);
	if (p->takes_files)
		fputs(" \\\n\t\t'*:file:_files'", out);
	fprintf(out, "\n}\n\n_%s \"$@\"\n", p->name);
}

/* ---- fish ---- */

static void put_fish_flag(FILE *out, const struct program *p, const struct program_flag *f)
{
	fprintf(out, "complete -c %s", p->name);
	if (p->command_count > 0)
		fprintf(out, " -n 'not __%s_request >/dev/null'", p->name);
	if (f->letter != '\0')
		fprintf(out, " -s %c", f->letter);
	fprintf(out, " -l %s", f->name + 2);
	if (f->kind == VALUE_WORDS)
		fprintf(out, " -x -a '%s'", f->words);
	else if (f->kind == VALUE_FILE)
		fputs(" -r -F", out);
	else if (f->kind == VALUE_FOLDER)
		fputs(" -x -a '(__fish_complete_directories)'", out);
	else if (f->kind == VALUE_OTHER)
		fputs(" -x", out);
	fputs(" -d '", out);
	put_quoted(out, f->help, "\\");
	fputs("'\n", out);
}

/* The shell's names for what is in front of the cursor differ from bash's, the way is the same. */
static void put_fish_request(FILE *out, const struct program *p)
{
	fprintf(out,
		"# What stands behind the flags, in front of the word at the cursor; fails where there is\n"
		"# nothing.\n"
		"function __%s_request\n"
		"\tset -l words (commandline -opc)\n"
		"\tset -e words[1]\n"
		"\twhile set -q words[1]\n"
		"\t\tswitch $words[1]\n"
		"\t\t\tcase",
		p->name);
	for (size_t i = 0; i < p->flag_count; i++) {
		const struct program_flag *f = &p->flags[i];

		if (f->kind == VALUE_NONE)
			continue;
		if (f->letter != '\0')
			fprintf(out, " -%c", f->letter);
		fprintf(out, " %s", f->name);
	}
	fputs("\n"
	      "\t\t\t\tset -e words[1]\n"
	      "\t\t\tcase '-*'\n"
	      "\t\t\tcase '*'\n"
	      "\t\t\t\tprintf '%s\\n' (string upper -- $words[1]) $words[2..]\n"
	      "\t\t\t\treturn 0\n"
	      "\t\tend\n"
	      "\t\tset -e words[1]\n"
	      "\tend\n"
	      "\treturn 1\n"
	      "end\n\n",
		out);
	fprintf(out,
		"function __%s_legal\n"
		"\tset -l request (__%s_request)\n"
		"\tset -l legal\n"
		"\tswitch (count $request)\" $request\"\n",
		p->name, p->name);
	for (size_t i = 0; i < p->place_count; i++) {
		const struct program_place *place = &p->places[i];

		fprintf(out, "\t\tcase '%zu %s%s'\n\t\t\tset legal '%s'\n", place->count,
			place->before, place->any ? " *" : "", place->words);
	}
	fputs("\tend\n"
	      "\tstring split -n ' ' -- $legal\n"
	      "end\n\n",
		out);
}

static void put_fish_commands(FILE *out, const struct program *p)
{
	for (size_t i = 0; i < p->command_count; i++) {
		fprintf(out, "complete -c %s -n 'not __%s_request >/dev/null' -a %s -d '", p->name,
			p->name, p->commands[i].word);
		put_quoted(out, p->commands[i].help, "\\");
		fputs("'\n", out);
	}
	fprintf(out, "complete -c %s -n '__%s_request >/dev/null' -a '(__%s_legal)'\n", p->name,
		p->name, p->name);
}

void completions_put_fish(FILE *out, const struct program *p)
{
	put_title(out, "fish", p);
	if (p->command_count > 0)
		put_fish_request(out, p);
	if (!p->takes_files)
		fprintf(out, "complete -c %s -f\n", p->name);
	for (size_t i = 0; i < p->flag_count; i++)
		put_fish_flag(out, p, &p->flags[i]);
	if (p->command_count > 0)
		put_fish_commands(out, p);
}
