/* status: with what monitor_client ends, as its manual lists it. */
#ifndef CLIENT_STATUS_H
#define CLIENT_STATUS_H

enum client_status {
	CLIENT_OK = 0,
	CLIENT_REFUSED = 1, /* the server said ERR, to the login or to a request */
	CLIENT_USAGE = 2, /* a flag, a file or the terminal is not as it must be */
	CLIENT_BROKEN = 3, /* no connection, or it ended or fell silent */
	CLIENT_INTERRUPTED = 130, /* Ctrl-C; what shells say of SIGINT */
};

#endif
