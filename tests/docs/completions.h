/* completions: what the shells read to complete a program's flags, their values and its commands,
 * written from the program's tables. For gendoc. */
#ifndef DOCS_COMPLETIONS_H
#define DOCS_COMPLETIONS_H

#include <stdio.h>

#include "programs.h"

void completions_put_bash(FILE *out, const struct program *p);
void completions_put_zsh(FILE *out, const struct program *p);
void completions_put_fish(FILE *out, const struct program *p);

#endif
