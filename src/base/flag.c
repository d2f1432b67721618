/*
 * Flags without a letter have codes that are no printable character, below or above those.
 */
#include "base/flag.h"

#include <string.h>

#define HELP_WIDTH 82

char flag_letter(const struct flag *flag)
{
	return flag->code > ' ' && flag->code < 127 ? (char)flag->code : '\0';
}

void flag_add_options(const struct flag *flags, size_t count, struct option *longs, char *letters)
{
	letters += strlen(letters);
	for (size_t i = 0; i < count; i++) {
		const struct flag *f = &flags[i];

		longs[i] = (struct option){.name = f->name,
			.has_arg = f->value != NULL ? required_argument : no_argument,
			.val = f->code};
		if (flag_letter(f) == '\0')
			continue;
		*letters++ = flag_letter(f);
		if (f->value != NULL)
			*letters++ = ':';
		*letters = '\0';
	}
}

void flag_print_wrapped(FILE *out, const char *text, int indent, int width)
{
	int column = indent;

	while (*text != '\0') {
		int len = (int)strcspn(text, " ");

		if (column > indent && column + 1 + len > width) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		}
		column += fprintf(out, "%s%.*s", column > indent ? " " : "", len, text);
		text += len;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

void flag_print_help(FILE *out, const struct flag *flags, size_t count, int indent)
{
	for (size_t i = 0; i < count; i++) {
		const struct flag *f = &flags[i];
		char letter[] = {'-', flag_letter(f), ',', '\0'};
		int column = fprintf(out, "  %-3s --%s%s%s", letter[1] != '\0' ? letter : "",
			f->name, f->value != NULL ? " " : "", f->value != NULL ? f->value : "");

		if (column + 2 > indent) {
			fputc('\n', out);
			column = 0;
		}
		fprintf(out, "%*s", indent - column, "");
		flag_print_wrapped(out, f->help, indent, HELP_WIDTH);
	}
}
