#include "demo/listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"

#define BACKLOG 4096

/* Cuts "HOST:PORT" at its last colon; the brackets of an IPv6 address go. */
static int split(const char *address, char host[LISTEN_ADDRESS_BYTES], char port[8], struct err *err)
{
	const char *colon = strrchr(address, ':');
	struct str h = colon ? (struct str){ address, (size_t)(colon - address) } : STR("127.0.0.1");
	const struct str p = str_from(colon ? colon + 1 : address);
	uint64_t number;
	if (!str_to_u64(p, &number) || number > 65535)
		return err_set(err, ERR_USAGE, "'%s' is not [HOST:]PORT with a port from 0 to 65535", address);
	if (h.len >= 2 && h.p[0] == '[' && h.p[h.len - 1] == ']')
		h = (struct str){ h.p + 1, h.len - 2 };
	if (h.len == 0 || h.len >= LISTEN_ADDRESS_BYTES)
		return err_set(err, ERR_USAGE, "'%s' is not [HOST:]PORT", address);
	snprintf(host, LISTEN_ADDRESS_BYTES, "%.*s", STR_ARG(h));
	snprintf(port, 8, "%u", (unsigned)number);
	return 0;
}

static int open_one(const struct addrinfo *a, const char *address, struct err *err)
{
	const int on = 1;
	const int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
	if (fd < 0)
		return err_set_errno(err, errno, "open a socket for '%s'", address);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
		err_set_errno(err, errno, "listen on '%s'", address);
		close(fd);
		return -1;
	}
	return fd;
}

static int describe(int fd, int *ret_port, char ret_text[LISTEN_ADDRESS_BYTES], struct err *err)
{
	struct sockaddr_storage bound;
	socklen_t len = sizeof(bound);
	char host[96], port[8];
	if (getsockname(fd, (struct sockaddr *)&bound, &len) < 0)
		return err_set_errno(err, errno, "read the socket's own address");
	const int code = getnameinfo((struct sockaddr *)&bound, len, host, sizeof(host), port, sizeof(port),
	                             NI_NUMERICHOST | NI_NUMERICSERV);
	uint64_t number;
	if (code != 0 || !str_to_u64(str_from(port), &number))
		return err_set(err, ERR_IO, "read the socket's own address: %s", gai_strerror(code));
	*ret_port = (int)number;
	snprintf(ret_text, LISTEN_ADDRESS_BYTES, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
	return 0;
}

int listen_open(const char *address, int *ret_port, char ret_text[LISTEN_ADDRESS_BYTES], struct err *err)
{
	char host[LISTEN_ADDRESS_BYTES], port[8];
	const struct addrinfo wanted = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
	struct addrinfo *found = NULL;
	if (split(address, host, port, err) < 0)
		return -1;
	const int code = getaddrinfo(host, port, &wanted, &found);
	if (code != 0)
		return err_set(err, ERR_IO, "look up '%s': %s", host, gai_strerror(code));
	int fd = open_one(found, address, err);
	freeaddrinfo(found);
	if (fd >= 0 && describe(fd, ret_port, ret_text, err) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}
