/* signals: what the terminal and others tell the process, as descriptors to poll. No lock: at most
 * one struct signals is open in the process, which must have no other threads. */
#ifndef CLIENT_SIGNALS_H
#define CLIENT_SIGNALS_H

#include <stdbool.h>

struct signals {
	int ending; /* readable: INT, TERM, HUP or QUIT came */
	int screen; /* readable: WINCH or TSTP waits for signals_next(); -1: they do as always */
};

/* Keeps the signals from doing what they do by themselves: those that end the process, and with
 * `screen` the other two. -1 with errno. */
int signals_open(struct signals *s, bool screen) __attribute__((warn_unused_result));

/* Lets them do it again, at once where one has come. Also for { -1, -1 }. */
void signals_close(struct signals *s);

/* Takes one of the screen's: SIGWINCH, SIGTSTP, or 0. */
int signals_next(const struct signals *s);

/* Takes one of those that end the process: SIGINT and so on, or 0. */
int signals_next_ending(const struct signals *s);

/* An interrupt that came is forgotten: it was for somebody else. Where signals are kept only. */
void signals_forget_interrupt(void);

/* In a child, before it becomes another program: signals do what they always do. */
void signals_restore(void);

/* Stops the process, as Ctrl-Z does, until it is continued. */
void signals_stop_here(void);

#endif
