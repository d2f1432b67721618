/* socks: the client's half of a SOCKS5 handshake, just enough to measure with. Any thread. */
#ifndef BENCH_SOCKS_H
#define BENCH_SOCKS_H

#include <netinet/in.h>
#include <stdint.h>

struct socks_login {
	const char *user;
	const char *pass;
};

/*
 * CONNECT to 127.0.0.1:`port` over the connected socket `fd`, one message at a time, as plain
 * clients do. A login of NULL offers "no authentication" only. -1 with errno: EACCES for a refused
 * login, EREMOTEIO for a refused request, EPROTO for anything that is not SOCKS5.
 */
int socks_connect(int fd, uint16_t port, const struct socks_login *login);

/* The same by SOCKS4, which has no login here. */
int socks4_connect(int fd, uint16_t port);

/* UDP ASSOCIATE likewise, without login; where to send to goes to `relay`. */
int socks_associate(int fd, struct sockaddr_in *relay);

#endif
