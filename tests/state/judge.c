/*
 * Judges what it reads, a line a command: "new" begins with the defaults, "set NAME VALUE" sets a
 * setting, "add NAME VALUE" adds a line to it, "ask ..." prints the verdict (judge.h). What is
 * refused is answered by "error: why".
 */
#include "judge.h"

static struct judge judge;
static bool is_compiled;

static void take_value_line(char *text, bool adds)
{
	char *value = strchr(text, ' ');

	if (value == NULL)
		return;
	*value++ = '\0';
	is_compiled = false;
	if (!judge_set(&judge, text, value, adds))
		printf("error: %s\n", judge.error);
}

static void answer(const char *request)
{
	struct verdict verdict;

	if (!is_compiled && !judge_compile(&judge)) {
		printf("error: %s\n", judge.error);
		return;
	}
	is_compiled = true;
	printf("%s\n", judge_ask(&judge, request, &verdict));
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;

	if (judge_begin(&judge) < 0)
		return 1;
	while (getline(&line, &size, stdin) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(line, "new") == 0) {
			judge_end(&judge);
			is_compiled = false;
			if (judge_begin(&judge) < 0)
				return 1;
		} else if (strncmp(line, "ask ", 4) == 0) {
			answer(line + 4);
		} else if (strlen(line) > 4) {
			take_value_line(line + 4, strncmp(line, "add", 3) == 0);
		}
	}
	free(line);
	judge_end(&judge);
	return 0;
}
