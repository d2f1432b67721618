#include "web.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "monitor.h"
#include "net.h"

uint16_t web_find_port(struct daemon *d, size_t *from)
{
	return (uint16_t)atoi(strrchr(daemon_wait_log(d, from, "msg=\"web listening\""), ':') + 1);
}

const char *web_ask(uint16_t port, const char *line, const char *fields)
{
	int fd = net_connect("127.0.0.1", port);
	const char *answer;

	monitor_send(fd, line);
	monitor_send(fd, " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n");
	monitor_send(fd, fields);
	monitor_send(fd, "\r\n");
	answer = monitor_read_to_end(fd);
	close(fd);
	return answer;
}
