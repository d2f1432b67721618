/* expectation: what the rules are to say of one request. A value; no lock. */
#ifndef STATE_EXPECTATION_H
#define STATE_EXPECTATION_H

#include <stdbool.h>
#include <stdio.h>

#include "state/question.h"
#include "state/setting_types.h"

struct expectation {
	bool allows; /* else it denies */
	struct question question;
	struct setting_place place;
};

/* Writes it as it would be read (expectation_types.h). */
void expectation_put(const struct expectation *e, FILE *out);

#endif
