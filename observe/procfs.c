#include "observe/procfs.h"

#include "base/must.h"

#define LISTEN STR("0A")
#define PID_MOST (UINT64_C(1) << 22)

/* The next word of <s>; blanks around it are dropped. False: there is none. */
static bool next_word(struct str *s, struct str *ret_word)
{
	*s = str_trim(*s);
	size_t len = 0;
	while (len < s->len && s->p[len] != ' ' && s->p[len] != '\t' && s->p[len] != '\n')
		len++;
	*ret_word = str_first(*s, len);
	*s = str_from_at(*s, len);
	return len > 0;
}

static bool next_number(struct str *s, uint64_t *ret)
{
	struct str word;
	return next_word(s, &word) && str_to_u64(word, ret);
}

static bool skip_words(struct str *s, int count)
{
	struct str word;
	while (count-- > 0)
		if (!next_word(s, &word))
			return false;
	return true;
}

static bool is_core(struct str line)
{
	return str_starts(line, STR("cpu")) && line.len > 3 && line.p[3] >= '0' && line.p[3] <= '9';
}

bool procfs_parse_stat(struct str text, struct procfs_cpu *ret)
{
	enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, FIELDS };
	uint64_t ticks[FIELDS];
	struct procfs_cpu cpu = { 0 };
	struct str line;
	if (!str_cut(&text, '\n', &line) || !str_starts(line, STR("cpu ")))
		return false;
	line = str_from_at(line, 4);
	for (int i = 0; i < FIELDS; i++) {
		if (!next_number(&line, &ticks[i]))
			return false;
		/* No machine has run for that long; a sum that wraps would be a figure. */
		if (ticks[i] > UINT64_MAX / FIELDS)
			return false;
		cpu.total += ticks[i];
	}
	while (str_cut(&text, '\n', &line) && is_core(line))
		cpu.cores++;
	cpu.busy = ticks[USER] + ticks[NICE] + ticks[SYSTEM] + ticks[IRQ] + ticks[SOFTIRQ];
	cpu.steal = ticks[STEAL];
	if (cpu.cores == 0)
		return false;
	*ret = cpu;
	return true;
}

bool procfs_parse_process(struct str text, struct procfs_process *ret)
{
	struct procfs_process p;
	struct str pid = text, rest, state;
	uint64_t user, kernel;
	size_t end = text.len;
	while (end > 0 && text.p[end - 1] != ')')
		end--;
	if (end == 0 || !next_number(&pid, &p.pid))
		return false;
	/* Fields 3 to 22 of proc(5): state, ten of no interest here, utime, stime, four, threads, one, starttime. */
	rest = str_from_at(text, end);
	if (!next_word(&rest, &state) || state.len != 1 || !skip_words(&rest, 10) || !next_number(&rest, &user) ||
	    !next_number(&rest, &kernel) || !skip_words(&rest, 4) || !next_number(&rest, &p.threads) ||
	    !skip_words(&rest, 1) || !next_number(&rest, &p.started))
		return false;
	if (user > UINT64_MAX / 2 || kernel > UINT64_MAX / 2)
		return false;
	p.state = state.p[0];
	p.cpu = user + kernel;
	*ret = p;
	return true;
}

bool procfs_parse_bytes(struct str text, const char *key, uint64_t *ret_bytes)
{
	struct str line, name, unit;
	uint64_t kilobytes;
	while (str_cut(&text, '\n', &line)) {
		if (!str_cut(&line, ':', &name) || !str_is(name, key))
			continue;
		if (!next_number(&line, &kilobytes) || !next_word(&line, &unit) || !str_is(unit, "kB") ||
		    kilobytes > UINT64_MAX / 1024)
			return false;
		*ret_bytes = kilobytes * 1024;
		return true;
	}
	return false;
}

bool procfs_parse_sockstat(struct str text, const char *protocol, const char *name, uint64_t *ret)
{
	struct str line, word;
	uint64_t value;
	while (str_cut(&text, '\n', &line)) {
		if (!str_cut(&line, ':', &word) || !str_is(word, protocol))
			continue;
		while (next_word(&line, &word) && next_number(&line, &value))
			if (str_is(word, name)) {
				*ret = value;
				return true;
			}
		return false;
	}
	return false;
}

bool procfs_parse_pid(struct str text, uint64_t *ret_pid)
{
	uint64_t pid;
	if (!str_to_u64(str_trim(text), &pid) || pid == 0 || pid > PID_MOST)
		return false;
	*ret_pid = pid;
	return true;
}

/* "0100007F:1F90": the port is in hexadecimal behind the last colon. */
static bool has_port(struct str address, uint16_t port)
{
	unsigned value = 0;
	const size_t colon = str_find(address, ':');
	if (colon + 5 != address.len)
		return false;
	for (size_t i = colon + 1; i < address.len; i++) {
		const char c = address.p[i];
		const char *digits = "0123456789ABCDEF", *digit = c ? strchr(digits, c) : NULL;
		if (!digit)
			return false;
		value = value * 16 + (unsigned)(digit - digits);
	}
	return value == port;
}

size_t procfs_parse_listeners(struct str text, uint16_t port, uint64_t *ret_inodes, size_t room)
{
	size_t count = 0;
	struct str line, local, state;
	uint64_t inode;
	while (count < room && str_cut(&text, '\n', &line)) {
		/* sl local remote state queues timer retransmissions uid timeout inode */
		if (!skip_words(&line, 1) || !next_word(&line, &local) || !has_port(local, port) ||
		    !skip_words(&line, 1) || !next_word(&line, &state) || !str_eq(state, LISTEN) ||
		    !skip_words(&line, 5) || !next_number(&line, &inode) || inode == 0)
			continue;
		ret_inodes[count++] = inode;
	}
	return count;
}

bool procfs_parse_socket(struct str link, uint64_t *ret_inode)
{
	if (!str_starts(link, STR("socket:[")) || link.p[link.len - 1] != ']')
		return false;
	return str_to_u64(str_first(str_from_at(link, 8), link.len - 9), ret_inode);
}
