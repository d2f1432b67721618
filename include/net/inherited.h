/* inherited: the sockets that were open when the process began, by the protocol of socket
 * activation (sd_listen_fds(3)). No state. */
#ifndef NET_INHERITED_H
#define NET_INHERITED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "net/local.h"

#define INHERITED_NAME_MAX 256 /* its NUL included */
#define INHERITED_MOST 64 /* more are closed */

enum inherited_kind {
	INHERITED_OTHER, /* nothing that clients could be accepted at */
	INHERITED_TCP,
	INHERITED_LOCAL, /* a unix stream socket */
};

struct inherited {
	int fd;
	char name[INHERITED_NAME_MAX]; /* "": none */
	enum inherited_kind kind;
	struct addr bound; /* of INHERITED_TCP */
	bool is_for_both; /* its address is [::], and it serves IPv4 as well */
	char path[LOCAL_PATH_MAX]; /* of INHERITED_LOCAL; "": it has none */
};

/* Takes them in, from the environment, which says nothing of them afterwards; how many there are.
 * As with all descriptors they are non-blocking and close-on-exec from then on, and those of TCP
 * have the options of socket_listen(). Before there are threads. */
size_t inherited_take(struct inherited out[INHERITED_MOST]);

#endif
