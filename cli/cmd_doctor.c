#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/must.h"
#include "base/units.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "net/loop.h" /* for the version of libev */
#include "observe/doctor.h"
#include "store/store.h"

#define ALARMS 500
#define ALARMS_EVERY MILLISECOND
#define QUIET SECOND /* over which the processors are looked at */
#define SELF_TEST_EACH (450 * MILLISECOND)
#define PROGRAM_LIMIT (5 * SECOND)
#define STORE_SLOW (500 * MILLISECOND)

struct doctor_flags {
	struct common_options common;
};

static const struct option options[] = {
	COMMON_OPTIONS(struct doctor_flags),
	{ .type = OPTION_END },
};

/* --- what needs time --- */

static void sleep_until(struct mono at)
{
	const struct timespec t = { at.ns / SECOND, at.ns % SECOND };
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

static void find_failure(struct doctor *d, const char *name, const char *why, const struct err *err)
{
	doctor_find(d, FINDING_FAIL, name, why, "the sentence names what the system refused", "%s", err->text);
}

static void look_at_times(struct doctor *d, const struct machine_facts *m)
{
	struct cpu_ticks before, after;
	struct clock_facts clock;
	struct lateness lateness;
	struct err err;
	const struct mono begin = mono_now();
	const bool known = machine_read_ticks(&before);
	if (lateness_measure(ALARMS, ALARMS_EVERY, &lateness, &err) < 0)
		find_failure(d, "timers", "requests are sent by timers", &err);
	else
		doctor_judge_lateness(d, &lateness);
	sleep_until(mono_after(begin, QUIET));
	if (known && machine_read_ticks(&after))
		doctor_judge_quiet(d, &before, &after);
	clock_measure(&clock);
	doctor_judge_clock(d, m, &clock);
}

static void look_at_loopback(struct doctor *d)
{
	struct loopback_facts facts;
	struct err err;
	if (loopback_measure(SELF_TEST_EACH, &facts, &err) < 0)
		find_failure(d, "self-test", "weir has to be able to ask a server of its own", &err);
	else
		doctor_judge_loopback(d, &facts);
}

/* --- the store --- */

/* A run of nothing into a store of its own beside the real one: the same folder, disk and library. */
static int write_scratch(const char *folder, dur_ns *ret_took, struct err *err)
{
	static const char *const tails[] = { "", "-wal", "-shm", "-journal" };
	struct run_record r;
	int result = -1;
	char *path = xasprintf("%s/doctor-%ld.db", folder, (long)getpid());
	struct store *s = store_open(path, err);
	if (s) {
		run_record_init(&r);
		r.started_at = wall_now();
		r.name = xstrdup("doctor");
		r.manifest = json_object();
		id_make(r.started_at, r.id);
		const struct mono begin = mono_now();
		result = store_run_put(s, &r, err);
		*ret_took = mono_since(mono_now(), begin);
		run_record_finish(&r);
	}
	store_close(s);
	for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
		char *file = xasprintf("%s%s", path, tails[i]);
		unlink(file);
		free(file);
	}
	free(path);
	return result;
}

/* Where the store's file lies, or would: folders that are not there yet are not made, so the nearest one above them.
 * Given: free. */
static char *nearest_folder(const char *path)
{
	struct stat st;
	char *folder = xstrdup(path);
	do {
		char *slash = strrchr(folder, '/');
		if (!slash) {
			free(folder);
			return xstrdup(".");
		}
		slash[slash == folder ? 1 : 0] = '\0';
	} while (stat(folder, &st) != 0 && errno == ENOENT && strcmp(folder, "/") != 0);
	return folder;
}

static int try_store(const char *path, dur_ns *ret_took, struct err *err)
{
	struct stat st;
	char *folder = nearest_folder(path);
	int result = 0;
	if (stat(path, &st) == 0) {
		struct store *s = store_open(path, err);
		result = s ? 0 : -1;
		store_close(s);
		if (s && access(path, W_OK) != 0)
			result = err_set_errno(err, errno, "store '%s'", path);
	}
	if (result == 0)
		result = write_scratch(folder, ret_took, err);
	free(folder);
	return result;
}

static void look_at_store(struct doctor *d, const char *named)
{
	static const char why[] = "runs, baselines, rollouts and leases are kept in it";
	static const char advice[] = "name a file on a local disk that can be written with --store";
	char text[DURATION_TEXT_BYTES];
	struct err err;
	dur_ns took = 0;
	char *path = named ? xstrdup(named) : store_default_path(&err);
	if (!path || try_store(path, &took, &err) < 0)
		doctor_find(d, FINDING_FAIL, "store", why, advice, "%.250s", err.text);
	else
		doctor_find(d, took > STORE_SLOW ? FINDING_WARN : FINDING_OK, "store", why, advice,
		            "%.150s opens; a run is durable in %s", path, duration_format(took, text));
	free(path);
}

/* --- programs and libraries --- */

/* The first bytes of what <pid> writes until it ends, at most PROGRAM_LIMIT. */
static void read_some(int fd, char *text, size_t size)
{
	size_t len = 0;
	const struct mono until = mono_after(mono_now(), PROGRAM_LIMIT);
	while (len < size - 1) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		const dur_ns left = mono_since(until, mono_now());
		if (left <= 0 || poll(&p, 1, (int)(left / MILLISECOND) + 1) <= 0)
			break;
		const ssize_t n = read(fd, text + len, size - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	text[len] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

/* The first line of `<program> -v`. False: it is not there. */
static bool ask_version(const char *program, char *text, size_t size)
{
	int ends[2], status = 0;
	pid_t pid;
	char *const argv[] = { (char *)(uintptr_t)program, "-v", NULL };
	posix_spawn_file_actions_t actions;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	const bool started = posix_spawnp(&pid, program, &actions, NULL, argv, environ) == 0;
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (started) {
		read_some(ends[0], text, size);
		kill(pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	close(ends[0]);
	return started && text[0];
}

static void look_at_haproxy(struct doctor *d)
{
	static const char why[] = "weir canary moves traffic with it; weir load does not need it";
	static const char advice[] = "apt install haproxy, or name the program in WEIR_HAPROXY";
	const char *named = getenv("WEIR_HAPROXY");
	const char *const places[] = { named && named[0] ? named : "haproxy", "/usr/sbin/haproxy",
		                       "/usr/local/sbin/haproxy" };
	char text[128];
	for (size_t i = 0; i < (named && named[0] ? 1 : ARRAY_LEN(places)); i++)
		if (ask_version(places[i], text, sizeof(text))) {
			doctor_find(d, FINDING_OK, "haproxy", why, advice, "%s", text);
			return;
		}
	doctor_find(d, FINDING_WARN, "haproxy", why, advice, "no program '%s' was found", places[0]);
}

static void look_at_libraries(struct doctor *d)
{
	const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);
	doctor_find(d, FINDING_OK, "libraries", "they are named in every record, for they change what is measured",
	            "update the system", "weir %s, libcurl %s (%s), libev %d.%d, sqlite %s", WEIR_VERSION,
	            curl->version, curl->ssl_version ? curl->ssl_version : "no TLS", ev_version_major(),
	            ev_version_minor(), sqlite3_libversion());
}

/* --- the result --- */

static json_t *encode(const struct doctor *d)
{
	json_t *findings = json_array();
	for (size_t i = 0; i < d->count; i++) {
		const struct finding *f = &d->findings[i];
		json_array_append_new(findings, json_pack("{s:s, s:s, s:s, s:s, s:s*}", "name", f->name, "state",
		                                          finding_state_text(f->state), "found", f->found, "why",
		                                          f->why, "advice", f->state == FINDING_OK ? NULL : f->advice));
	}
	return json_pack("{s:s, s:s, s:o}", "schema", "weir.doctor.v1", "state", finding_state_text(doctor_state(d)),
	                 "findings", findings);
}

#define NAME_COLUMNS 17

/* "ok    store       what was found", wrapped behind the names; only the first word has its colour. */
static void write_finding(const struct finding *f, enum tone tone, const struct report_style *style, struct buf *out)
{
	struct buf text;
	char name[64];
	const char *word = finding_state_text(f->state);
	buf_init(&text, REPORT_BYTES_MAX);
	snprintf(name, sizeof(name), "%-5s %s", word, f->name);
	style_pair(style, &text, NAME_COLUMNS, name, "%s", f->found);
	buf_add(out, STR("  "));
	style_add(style, out, tone, word, 0);
	buf_add(out, str_from_at(buf_str(&text), 2 + strlen(word)));
	buf_finish(&text);
	if (f->state == FINDING_OK)
		return;
	style_say(style, out, NAME_COLUMNS + 3, "Why it matters: %s.", f->why);
	style_say(style, out, NAME_COLUMNS + 3, "What to do: %s.", f->advice);
}

static void write_text(const struct doctor *d, const struct report_style *style, struct buf *out)
{
	static const enum tone tones[] = { TONE_GOOD, TONE_WARN, TONE_BAD };
	static const char *const verdicts[] = { "this machine can measure", "this machine can measure, within limits",
		                                "this machine cannot be trusted with a measurement as it is" };
	for (size_t i = 0; i < d->count; i++)
		write_finding(&d->findings[i], tones[d->findings[i].state], style, out);
	buf_add_char(out, '\n');
	const enum finding_state state = doctor_state(d);
	static const char *const words[] = { "ABLE", "ABLE", "NOT ABLE" };
	style_verdict(style, out, tones[state], words[state], "%s.", verdicts[state]);
}

static int print_text(const struct invocation *in, const struct doctor *d)
{
	const struct report_style style = terminal_style(in->terminal);
	struct buf text;
	buf_init(&text, REPORT_BYTES_MAX);
	write_text(d, &style, &text);
	const int status = print_result(buf_str(&text));
	buf_finish(&text);
	return status;
}

static int doctor(const struct invocation *in)
{
	const struct doctor_flags *f = in->options;
	struct doctor d = { .count = 0 };
	struct machine_facts machine;
	if (!f->common.quiet)
		fputs("looking at this machine for two seconds\n", stderr);
	machine_read(&machine);
	doctor_judge_machine(&d, &machine);
	look_at_times(&d, &machine);
	look_at_loopback(&d);
	look_at_store(&d, f->common.store);
	look_at_haproxy(&d);
	look_at_libraries(&d);
	const int printed = f->common.json ? print_json(encode(&d)) : print_text(in, &d);
	return doctor_state(&d) == FINDING_FAIL ? EXIT_ENVIRONMENT : printed;
}

const struct command cmd_doctor = {
	.noun = "doctor",
	.verb = "",
	.arguments = "",
	.summary = "is this machine able to measure?",
	.details =
		"  weir doctor\n"
		"  weir doctor --json | jq '.findings[] | select(.state != \"ok\")'\n"
		"\n"
		"Takes two seconds and sends requests to a server of its own on 127.0.0.1 only. Exit status: 0 able, perhaps\n"
		"within limits that are named; 3 not able.",
	.options = options,
	.options_bytes = sizeof(struct doctor_flags),
	.main = doctor,
};
