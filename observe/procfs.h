/* procfs.h: reads the texts of /proc that samplers need. Bytes in, figures out: no files here.
 *
 * tick  the unit of CPU time in /proc: 1/sysconf(_SC_CLK_TCK) s, 10 ms
 *
 * Formats: proc(5). Every function is false on anything that is not what it should be and then sets nothing.
 * Pure. Threads: [any]. */
#ifndef WEIR_OBSERVE_PROCFS_H
#define WEIR_OBSERVE_PROCFS_H

#include "base/str.h"

/* The first line of /proc/stat, in ticks of all CPUs together. Guest time is in user already. */
struct procfs_cpu {
	uint64_t busy;  /* user, nice, system, irq, softirq */
	uint64_t steal; /* another guest had the core */
	uint64_t total; /* these, idle and iowait */
	uint64_t cores; /* that have a line of their own */
};
bool procfs_parse_stat(struct str text, struct procfs_cpu *ret);

/* /proc/PID/stat. The name of the program may hold anything, also ") (": what counts is behind the last ')'. */
struct procfs_process {
	uint64_t pid;
	char state;   /* 'Z': it has ended */
	uint64_t cpu; /* ticks in user and kernel mode, all threads */
	uint64_t threads;
	uint64_t started; /* ticks since boot: another process with the same number has another */
};
bool procfs_parse_process(struct str text, struct procfs_process *ret);

/* A "Key:   123 kB" line of /proc/meminfo or /proc/PID/status, in bytes. */
bool procfs_parse_bytes(struct str text, const char *key, uint64_t *ret_bytes);

/* A figure of a protocol in /proc/net/sockstat or sockstat6, as "TCP: inuse 6 orphan 0 tw 4433 alloc 6 mem 115". */
bool procfs_parse_sockstat(struct str text, const char *protocol, const char *name, uint64_t *ret);

/* A number alone, with blanks and a newline around: a PID file. 1..2^22. */
bool procfs_parse_pid(struct str text, uint64_t *ret_pid);

/* The inodes of the sockets that listen on <port> in /proc/net/tcp or tcp6, at most <room>. Lines that are not as they
 * should be are passed over. Returns how many. */
size_t procfs_parse_listeners(struct str text, uint16_t port, uint64_t *ret_inodes, size_t room);

/* "socket:[12345]", what a link in /proc/PID/fd says. */
bool procfs_parse_socket(struct str link, uint64_t *ret_inode);

#endif
