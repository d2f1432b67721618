/*
 * DESIGN
 * One function for each exchange of RFC 1928 and RFC 1929, in their order. Replies are read to the
 * exact byte, so that what follows belongs to the scenario.
 */
#include "socks.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "wire.h"

enum {
	VER = 5,
	METHOD_NONE = 0,
	METHOD_LOGIN = 2,
	LOGIN_VER = 1,
	CMD_CONNECT = 1,
	CMD_UDP_ASSOCIATE = 3,
	ATYP_IPV4 = 1,
	ATYP_IPV6 = 4,
	FIELD_MAX = 255,
};

static int fail(int error)
{
	errno = error;
	return -1;
}

static int negotiate_method(int fd, uint8_t method)
{
	const uint8_t greeting[] = {VER, 1, method};
	uint8_t reply[2];

	if (wire_write(fd, greeting, sizeof(greeting)) < 0 ||
		wire_read(fd, reply, sizeof(reply)) < 0)
		return -1;
	return reply[0] == VER && reply[1] == method ? 0 : fail(EPROTO);
}

static uint8_t *put_field(uint8_t *at, const char *text)
{
	size_t len = strnlen(text, FIELD_MAX);

	*at++ = (uint8_t)len;
	memcpy(at, text, len);
	return at + len;
}

static int log_in(int fd, const struct socks_login *login)
{
	uint8_t message[1 + 2 * (1 + FIELD_MAX)] = {LOGIN_VER};
	uint8_t *end = put_field(put_field(message + 1, login->user), login->pass);
	uint8_t reply[2];

	if (wire_write(fd, message, (size_t)(end - message)) < 0 ||
		wire_read(fd, reply, sizeof(reply)) < 0)
		return -1;
	if (reply[0] != LOGIN_VER)
		return fail(EPROTO);
	return reply[1] == 0 ? 0 : fail(EACCES);
}

static int send_request(int fd, uint8_t command, const struct sockaddr_in *dst)
{
	uint8_t request[10] = {VER, command, 0, ATYP_IPV4};

	memcpy(request + 4, &dst->sin_addr, 4);
	memcpy(request + 8, &dst->sin_port, 2);
	return wire_write(fd, request, sizeof(request));
}

/* BND.ADDR and BND.PORT go to `relay`, unless that is NULL or they are not IPv4. */
static int read_reply(int fd, struct sockaddr_in *relay)
{
	uint8_t head[4];
	uint8_t bound[16 + 2];
	size_t addr_len;

	if (wire_read(fd, head, sizeof(head)) < 0)
		return -1;
	if (head[0] != VER)
		return fail(EPROTO);
	if (head[1] != 0)
		return fail(EREMOTEIO);
	if (head[3] != ATYP_IPV4 && head[3] != ATYP_IPV6)
		return fail(EPROTO);
	addr_len = head[3] == ATYP_IPV4 ? 4 : 16;
	if (wire_read(fd, bound, addr_len + 2) < 0)
		return -1;
	if (relay != NULL && head[3] == ATYP_IPV4) {
		memcpy(&relay->sin_addr, bound, 4);
		memcpy(&relay->sin_port, bound + 4, 2);
	}
	return 0;
}

int socks_connect(int fd, uint16_t port, const struct socks_login *login)
{
	const struct sockaddr_in dst = wire_loopback(port);

	if (negotiate_method(fd, login != NULL ? METHOD_LOGIN : METHOD_NONE) < 0)
		return -1;
	if (login != NULL && log_in(fd, login) < 0)
		return -1;
	if (send_request(fd, CMD_CONNECT, &dst) < 0)
		return -1;
	return read_reply(fd, NULL);
}

/* VN, CD, DSTPORT, DSTIP, and an empty USERID; the reply has as many bytes without that. */
int socks4_connect(int fd, uint16_t port)
{
	const struct sockaddr_in dst = wire_loopback(port);
	uint8_t request[9] = {4, CMD_CONNECT};
	uint8_t reply[8];

	memcpy(request + 2, &dst.sin_port, 2);
	memcpy(request + 4, &dst.sin_addr, 4);
	if (wire_write(fd, request, sizeof(request)) < 0 || wire_read(fd, reply, sizeof(reply)) < 0)
		return -1;
	if (reply[0] != 0)
		return fail(EPROTO);
	return reply[1] == 90 ? 0 : fail(EREMOTEIO);
}

int socks_associate(int fd, struct sockaddr_in *relay)
{
	const struct sockaddr_in nowhere = {.sin_family = AF_INET};

	if (negotiate_method(fd, METHOD_NONE) < 0 ||
		send_request(fd, CMD_UDP_ASSOCIATE, &nowhere) < 0)
		return -1;
	return read_reply(fd, relay);
}
