#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

int file_read(const char *path, struct buf *out, struct err *err)
{
	char piece[65536];
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		const int number = errno;
		err_set_errno(err, number, "read '%s'", path);
		if (number == ENOENT && err)
			err->kind = ERR_NOT_FOUND;
		return -1;
	}
	ssize_t n;
	while ((n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err_set_errno(err, errno, "read '%s'", path);
			break;
		}
		if (!buf_add(out, (struct str){ piece, (size_t)n })) {
			err_set(err, ERR_LIMIT, "'%s' is larger than %zu bytes", path, out->limit);
			n = -1;
			break;
		}
	}
	close(fd);
	return n < 0 ? -1 : 0;
}

static int write_all(int fd, struct str text, bool sync)
{
	while (text.len) {
		const ssize_t n = write(fd, text.p, text.len);
		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0)
			text = str_from_at(text, (size_t)n);
	}
	return sync ? fsync(fd) : 0;
}

/* To replace /dev/null by a file of its name would be the end of many a system. */
static int write_in_place(const char *path, struct str text)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);
	int r = fd < 0 ? -1 : write_all(fd, text, false);
	if (fd >= 0 && close(fd) != 0)
		r = -1;
	return r;
}

static int write_beside(const char *path, struct str text, bool secret)
{
	char *beside = xasprintf("%s.%ld.new", path, (long)getpid());
	const int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, secret ? 0600 : 0644);
	int r = fd < 0 ? -1 : write_all(fd, text, true);
	if (fd >= 0 && close(fd) != 0)
		r = -1;
	if (r == 0)
		r = rename(beside, path);
	if (r != 0 && fd >= 0) {
		const int number = errno;
		unlink(beside);
		errno = number;
	}
	free(beside);
	return r;
}

int file_replace(const char *path, struct str text, bool secret, struct err *err)
{
	struct stat st;
	const bool is_there = stat(path, &st) == 0;
	int r;
	if (is_there && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
		r = write_in_place(path, text);
	} else {
		char *behind_links = is_there ? realpath(path, NULL) : NULL;
		r = write_beside(behind_links ? behind_links : path, text, secret);
		free(behind_links);
	}
	return r == 0 ? 0 : err_set_errno(err, errno, "write '%s'", path);
}

/* mkdir that takes a folder that is there already. */
static int make_one(const char *path)
{
	struct stat st;
	if (mkdir(path, 0700) == 0)
		return 0;
	if (errno == EEXIST && stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		errno = ENOTDIR;
	return errno == EEXIST ? 0 : -1;
}

int file_make_folder(const char *path, struct err *err)
{
	char *copy = xstrdup(path);
	int r = 0;
	for (char *p = copy + (*copy != '\0'); r == 0; p++) {
		if (*p != '/' && *p != '\0')
			continue;
		const char end = *p;
		*p = '\0';
		if (make_one(copy) != 0)
			r = err_set_errno(err, errno, "make folder '%s'", copy);
		*p = end;
		if (end == '\0')
			break;
	}
	free(copy);
	return r;
}
