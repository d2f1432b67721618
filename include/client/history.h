/* history: the lines typed at the prompt, kept between runs. Nothing that fails is said: it is a
 * convenience. No lock: one thread's; several processes may add to one file. */
#ifndef CLIENT_HISTORY_H
#define CLIENT_HISTORY_H

#define HISTORY_LINES 500 /* that are read back, the newest */

/* Where they are: monitor_client/history in $XDG_STATE_HOME, or in ~/.local/state. To be freed;
 * NULL where there is no home. */
char *history_path(void);

/* Gives the lines that are kept to `take`, oldest first. */
void history_read(const char *path, void (*take)(void *context, const char *line), void *context);

/* Keeps one more. Makes file and folders, for their owner only. */
void history_add(const char *path, const char *line);

#endif
