/* front: the doors that the server is waited at. No state. */
#ifndef SERVER_FRONT_H
#define SERVER_FRONT_H

enum front {
	FRONT_PROXY,
	FRONT_MONITOR,
	FRONT_MONITOR_SOCKET,
	FRONT_WEB,
	FRONTS,
};

#endif
