/* One suite for every kind of sampler, over places that answer, refuse, lie and hang. A kind that is added gets rows in
 * <cases>; what it must do is written here only once. Prometheus is played by a scripted peer here; the real one, and a
 * real PostgreSQL, are asked in tests/blackbox/test_observe.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/must.h"
#include "observe/plan.h"
#include "observe/samplers/skeleton.h"
#include "tests/support/peer.h"

#define SECRET "hunter2"

enum place { NOWHERE, CLOSED, SILENT, STATS, PROMETHEUS, NONSENSE, PLACES };
enum outcome { VALUES, NO_VALUES, NO_VALUES_AT_FIRST };

static const struct {
	const char *name, *plan; /* of the plan: %d is the place's port, or this process */
	enum place place;
	enum outcome outcome; /* of the first series */
} cases[] = {
	{ "skeleton", NULL, NOWHERE, VALUES },
	{ "host", "{\"host\": true}", NOWHERE, NO_VALUES_AT_FIRST },
	{ "process", "{\"process\": %d}", NOWHERE, NO_VALUES_AT_FIRST },
	{ "process by port", "{\"process\": {\"listens\": %d}}", STATS, NO_VALUES_AT_FIRST },
	{ "process of a free port", "{\"process\": {\"listens\": %d}}", CLOSED, NO_VALUES },
	{ "process without a file", "{\"process\": {\"pid_file\": \"/proc/self/none\"}}", NOWHERE, NO_VALUES },
	{ "process of a wrong file", "{\"process\": {\"pid_file\": \"/proc/self/status\"}}", NOWHERE, NO_VALUES },
	{ "json", "{\"json\": \"http://u:" SECRET "@127.0.0.1:%d/stats\", \"values\": {\"queue\": \"/queue\"}}", STATS,
	  VALUES },
	{ "json, rate",
	  "{\"json\": \"http://127.0.0.1:%d/\", \"values\": {\"q\": {\"at\": \"/queue\", \"rate\": true}}}", STATS,
	  NO_VALUES_AT_FIRST },
	{ "json, nobody",
	  "{\"json\": \"http://u:" SECRET "@127.0.0.1:%d/?k=" SECRET "\", \"values\": {\"q\": \"/queue\"}}", CLOSED,
	  NO_VALUES },
	{ "json, silence", "{\"json\": \"http://127.0.0.1:%d/\", \"values\": {\"q\": \"/queue\"}}", SILENT, NO_VALUES },
	{ "json, 500", "{\"json\": \"http://127.0.0.1:%d/\", \"values\": {\"q\": \"/queue\"}}", NONSENSE, NO_VALUES },
	{ "prometheus",
	  "{\"prometheus\": \"http://127.0.0.1:%d\", \"queries\": {\"a\": \"up\", \"b\": \"1\"}, \"interval\": \"1h\"}",
	  PROMETHEUS, VALUES },
	{ "prometheus, nobody", "{\"prometheus\": \"http://u:" SECRET "@127.0.0.1:%d/\", \"queries\": {\"a\": \"up\"}}",
	  CLOSED, NO_VALUES },
	{ "prometheus, silence",
	  "{\"prometheus\": \"http://127.0.0.1:%d\", \"queries\": {\"a\": \"up\", \"b\": \"1\"}}", SILENT, NO_VALUES },
	{ "prometheus, nonsense", "{\"prometheus\": \"http://127.0.0.1:%d\", \"queries\": {\"a\": \"up\"}}", NONSENSE,
	  NO_VALUES },
	{ "postgres, nobody", "{\"postgres\": \"postgresql://u:" SECRET "@127.0.0.1:%d/db\"}", CLOSED, NO_VALUES },
	{ "postgres, silence", "{\"postgres\": \"postgresql://u:" SECRET "@127.0.0.1:%d/db\"}", SILENT, NO_VALUES },
	{ "json, secret in the path", "{\"json\": \"http://127.0.0.1:%d/${env.S}/x\", \"values\": {\"q\": \"/queue\"}}",
	  CLOSED, NO_VALUES },
	{ "json, odd password", "{\"json\": \"http://u:${env.ODD}@127.0.0.1:%d/\", \"values\": {\"q\": \"/queue\"}}",
	  CLOSED, NO_VALUES },
	{ "json, odd password in the file",
	  "{\"json\": \"http://u:p/" SECRET "?x@" SECRET "@127.0.0.1:%d/\", \"values\": {\"q\": \"/queue\"}}", CLOSED,
	  NO_VALUES },
	{ "json, all of the environment", "{\"json\": \"${env.URL}\", \"values\": {\"q\": \"/queue\"}}", NOWHERE,
	  NO_VALUES },
	{ "postgres, odd password", "{\"postgres\": \"${env.DB}\"}", NOWHERE, NO_VALUES },
	{ "process of a secret file", "{\"process\": {\"pid_file\": \"/none/${env.S}\"}}", NOWHERE, NO_VALUES },
	{ "postgres, nonsense", "{\"postgres\": \"host=127.0.0.1 port=%d password=" SECRET "\"}", NONSENSE, NO_VALUES },
};

/* --- places ------------------------------------------------------------------------------------------------------ */

static const struct peer_act silent[] = { { .deed = PEER_HANG } };
static const struct peer_act stats[] = { PEER_READ_ONE,
	                                 PEER_SEND("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"queue\": 3}"),
	                                 PEER_AGAIN };
static const struct peer_act nonsense[] = { PEER_READ_ONE,
	                                    PEER_SEND("HTTP/1.1 500 No\r\nContent-Length: 12\r\n\r\n{\"queue\": 3}"),
	                                    PEER_AGAIN };
static char prometheus_answer[512];
static struct peer_act prometheus[] = { PEER_READ_ONE, { .deed = PEER_WRITE }, PEER_AGAIN };

static struct peer *peers[PLACES];

static int open_places(void **state)
{
	static const struct peer_act *const scripts[PLACES] = {
		[SILENT] = silent, [STATS] = stats, [PROMETHEUS] = prometheus, [NONSENSE] = nonsense
	};
	char body[256];
	snprintf(body, sizeof(body),
	         "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":{},"
	         "\"value\":[%lld,\"3\"]}]}}",
	         (long long)(wall_now().ns / SECOND));
	snprintf(prometheus_answer, sizeof(prometheus_answer), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
	         strlen(body), body);
	prometheus[1].bytes = str_from(prometheus_answer);
	for (int i = 0; i < PLACES; i++)
		if (scripts[i])
			peers[i] = peer_start(&scripts[i], 1);
	return 0;
}

static int close_places(void **state)
{
	for (int i = 0; i < PLACES; i++)
		if (peers[i])
			peer_stop(peers[i]);
	return 0;
}

/* Port 1 of the loopback: nobody listens there. */
static int number_of(enum place place)
{
	return place == NOWHERE ? (int)getpid() : place == CLOSED ? 1 : peer_port(peers[place]);
}

/* --- one case ---------------------------------------------------------------------------------------------------- */

struct world {
	const char *name;
	struct loop loop;
	struct transport *transport;
	struct doc doc;
	struct arena arena;
	struct observe_plan plan;
	struct observe_item item; /* of the skeleton */
	struct sampler *sampler;
	bool calling; /* inside sampler_sample */
	int answers;
	int again; /* samples that the answer asks for itself */
	double first;
	bool any;
	struct err err;
};

static void on_answer(void *arg, const double *values, const struct err *err_or_null)
{
	struct world *w = arg;
	assert_false(w->calling);
	w->answers++;
	w->first = values[0];
	w->any = false;
	for (size_t i = 0; i < w->sampler->series_count; i++) {
		assert_true(isfinite(values[i]) || isnan(values[i]));
		w->any = w->any || isfinite(values[i]);
	}
	w->err.kind = ERR_NONE;
	if (err_or_null) {
		w->err = *err_or_null;
		assert_true(w->err.text[0] != '\0');
		assert_null(strstr(w->err.text, SECRET));
	}
	if (w->again-- > 0)
		sampler_sample(w->sampler, on_answer, w);
}

static void ask(struct world *w)
{
	const int before = w->answers;
	w->calling = true;
	sampler_sample(w->sampler, on_answer, w);
	w->calling = false;
	assert_int_equal(w->answers, before);
}

static void ask_and_wait(struct world *w)
{
	const int wanted = w->answers + 1;
	ask(w);
	while (w->answers < wanted)
		loop_turn(&w->loop, LOOP_WAIT);
	assert_int_equal(w->answers, wanted);
}

static const char *get_env(void *arg, const char *name)
{
	static const char *const variables[][2] = {
		{ "S", SECRET },
		{ "ODD", "p/" SECRET "?x@" SECRET },
		{ "URL", "http://u:" SECRET "@127.0.0.1:1/" SECRET },
		{ "DB", "postgresql://u:5432/" SECRET "@" SECRET ".invalid/db?host=" SECRET "part&port=1" },
	};
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		if (strcmp(name, variables[i][0]) == 0)
			return variables[i][1];
	return NULL;
}

static void begin(struct world *w, size_t number)
{
	static const struct observe_inputs inputs = { .get_env = get_env };
	const struct transport_options options = { .kind = TRANSPORT_CURL };
	struct err err;
	char plan[512] = "[";
	*w = (struct world){ .name = cases[number].name };
	assert_int_equal(loop_init(&w->loop, &err), 0);
	w->transport = transport_create(&w->loop, &options, &err);
	assert_non_null(w->transport);
	arena_init(&w->arena);
	if (!cases[number].plan) {
		w->item = (struct observe_item){ .kind = &skeleton_kind, .name = "it", .pid = 10 };
	} else {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(plan + 1, sizeof(plan) - 2, cases[number].plan, number_of(cases[number].place));
#pragma GCC diagnostic pop
		strcat(plan, "]");
		doc_init(&w->doc, "plan", str_from(plan));
		const struct node root = doc_root(&w->doc);
		assert_true(observe_plan_read(&root, &inputs, &w->arena, &w->plan));
		w->item = w->plan.items[0];
	}
	w->sampler = sampler_create(&w->loop, w->transport, &w->item, &err);
	assert_non_null(w->sampler);
}

static void finish(struct world *w)
{
	sampler_destroy(w->sampler);
	transport_destroy(w->transport);
	loop_finish(&w->loop);
	arena_finish(&w->arena);
	doc_finish(&w->doc);
}

/* --- the suite --------------------------------------------------------------------------------------------------- */

static void series_have_names_and_units(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world w;
		begin(&w, i);
		assert_true(w.sampler->series_count >= 1 && w.sampler->series_count <= SAMPLER_SERIES_MAX);
		for (size_t k = 0; k < w.sampler->series_count; k++) {
			assert_int_equal(strncmp(w.sampler->series[k].name, w.item.name, strlen(w.item.name)), 0);
			assert_non_null(w.sampler->series[k].unit);
			for (size_t j = 0; j < k; j++)
				assert_string_not_equal(w.sampler->series[k].name, w.sampler->series[j].name);
		}
		finish(&w);
	}
}

static void answers_once_with_values_or_a_reason(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world w;
		begin(&w, i);
		ask_and_wait(&w);
		if (cases[i].outcome == VALUES && !isfinite(w.first))
			fail_msg("%s: %s", w.name, w.err.text);
		if (cases[i].outcome != VALUES && !isnan(w.first))
			fail_msg("%s: the first answer has a value: %g", w.name, w.first);
		/* Missing without a reason is only what needs a second look. */
		if (cases[i].outcome == NO_VALUES && (w.any || w.err.kind == ERR_NONE))
			fail_msg("%s: values, or no reason", w.name);
		if (cases[i].outcome != NO_VALUES && w.err.kind != ERR_NONE)
			fail_msg("%s: %s", w.name, w.err.text);
		/* No second answer comes by itself. */
		loop_turn(&w.loop, LOOP_POLL);
		assert_int_equal(w.answers, 1);
		finish(&w);
	}
}

/* The clock of CPU time has steps of 10 ms: between two samples at least one of them passes. */
static void wait_a_step(void)
{
	const struct mono since = mono_now();
	while (mono_since(mono_now(), since) < 30 * MILLISECOND)
		;
}

static void goes_on_after_any_answer(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world w;
		/* Those that hang take their whole limit for each. */
		const int more = cases[i].place == SILENT ? 1 : 3;
		begin(&w, i);
		ask_and_wait(&w);
		wait_a_step();
		w.again = more - 1;
		ask(&w);
		while (w.answers < 1 + more)
			loop_turn(&w.loop, LOOP_WAIT);
		wait_a_step();
		ask_and_wait(&w);
		if (cases[i].outcome != NO_VALUES && !isfinite(w.first))
			fail_msg("%s: %s", w.name, w.err.text);
		if (cases[i].outcome == NO_VALUES && w.err.kind == ERR_NONE)
			fail_msg("%s: no reason any more", w.name);
		finish(&w);
	}
}

static void may_be_destroyed_under_way(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world w;
		begin(&w, i);
		ask(&w);
		loop_turn(&w.loop, LOOP_POLL);
		const int answers = w.answers;
		finish(&w);
		assert_int_equal(w.answers, answers);
		begin(&w, i);
		ask(&w);
		finish(&w);
		assert_int_equal(w.answers, 0);
	}
	sampler_destroy(NULL);
}

static void the_reason_says_what_happened(void **state)
{
	static const struct {
		size_t number;
		const char *says;
	} wanted[] = {
		{ 4, "nobody listens on port 1" },
		{ 5, "/proc/self/none" },
		{ 6, "does not hold the number of a process" },
		{ 9, "http://127.0.0.1:1/: " },
		{ 10, "http://127.0.0.1:" },
		{ 11, "status 500" },
		{ 13, "query 'a': http://127.0.0.1:1/: " },
		{ 15, "it has no status" },
		{ 16, "PostgreSQL: connection to server at \"127.0.0.1\", port 1 failed" },
		{ 17, "no answer within 900 ms" },
	};
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		struct world w;
		begin(&w, wanted[i].number);
		ask_and_wait(&w);
		if (!strstr(w.err.text, wanted[i].says))
			fail_msg("%s: \"%s\" does not say \"%s\"", w.name, w.err.text, wanted[i].says);
		finish(&w);
	}
}

static void each_series_has_its_own_reason(void **state)
{
	static const struct observe_value values[] = { { "q", "/queue", "", false },
		                                       { "rate", "/queue", "/s", true },
		                                       { "a", "/a", "", false },
		                                       { "b", "/queue/b", "", false } };
	struct world w;
	begin(&w, 7);
	assert_string_equal(w.name, "json");
	sampler_destroy(w.sampler);
	w.item.values = (struct observe_value *)(uintptr_t)values;
	w.item.value_count = ARRAY_LEN(values);
	w.sampler = sampler_create(&w.loop, w.transport, &w.item, &w.err);
	ask_and_wait(&w);
	assert_true(w.first == 3);
	assert_non_null(strstr(w.err.text, "there is nothing at '/a'"));
	assert_null(sampler_why(w.sampler, 0));
	assert_null(sampler_why(w.sampler, 1)); /* missing, as the first of a rate is */
	assert_non_null(strstr(sampler_why(w.sampler, 2)->text, "there is nothing at '/a'"));
	assert_non_null(strstr(sampler_why(w.sampler, 3)->text, "there is nothing at '/queue/b'"));
	finish(&w);
	begin(&w, 9);
	assert_string_equal(w.name, "json, nobody");
	ask_and_wait(&w);
	assert_string_equal(sampler_why(w.sampler, 0)->text, w.err.text);
	finish(&w);
}

/* --- the processes of a port ------------------------------------------------------------------------------------- */

static int listen_on(uint16_t *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		                 .sin_port = htons(*port),
		                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	const int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

/* It has the sockets, too. */
static pid_t start_worker(void)
{
	const pid_t pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	assert_true(pid > 0);
	return pid;
}

static void end_workers(const pid_t *pids, int count)
{
	for (int i = 0; i < count; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
}

static void begin_port(struct world *w, uint16_t port)
{
	begin(w, 3);
	assert_string_equal(w->name, "process by port");
	w->item.port = port;
}

static void later_processes_of_a_port_count(void **state)
{
	struct world w;
	pid_t workers[2];
	uint16_t port = 0;
	const int fd = listen_on(&port);
	begin_port(&w, port);
	ask_and_wait(&w);
	wait_a_step();
	ask_and_wait(&w);
	assert_true(isfinite(w.first));
	const double memory = w.sampler->values[1], threads = w.sampler->values[2];
	workers[0] = start_worker();
	workers[1] = start_worker();
	ask_and_wait(&w);
	assert_true(isnan(w.first)); /* CPU has no second look yet */
	assert_true(w.sampler->values[1] > memory);
	assert_true(w.sampler->values[2] >= threads + 2);
	wait_a_step();
	ask_and_wait(&w);
	assert_true(isfinite(w.first));
	end_workers(workers, 2);
	ask_and_wait(&w);
	assert_true(isnan(w.first));
	assert_true(w.sampler->values[2] <= threads);
	finish(&w);
	close(fd);
}

static void too_many_of_a_port_are_an_error(void **state)
{
	struct world w;
	pid_t workers[64];
	int fds[65];
	uint16_t port = 0;
	fds[0] = listen_on(&port);
	for (size_t i = 0; i < ARRAY_LEN(workers); i++)
		workers[i] = start_worker();
	begin_port(&w, port);
	ask_and_wait(&w);
	assert_false(w.any);
	assert_non_null(strstr(w.err.text, "more than 64 processes listen on port"));
	end_workers(workers, ARRAY_LEN(workers));
	ask_and_wait(&w);
	assert_true(w.any);
	for (size_t i = 1; i < ARRAY_LEN(fds); i++)
		fds[i] = listen_on(&port);
	ask_and_wait(&w);
	assert_false(w.any);
	assert_non_null(strstr(w.err.text, "more than 64 sockets listen on port"));
	finish(&w);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
}

static void rates_need_two_looks(void **state)
{
	struct counter_rate c = { 0 };
	assert_true(isnan(counter_rate_take(&c, 100, (struct mono){ SECOND })));
	assert_float_equal(counter_rate_take(&c, 150, (struct mono){ 3 * SECOND }), 25, 1e-12);
	assert_true(isnan(counter_rate_take(&c, 10, (struct mono){ 4 * SECOND }))); /* it began anew */
	assert_float_equal(counter_rate_take(&c, 10, (struct mono){ 5 * SECOND }), 0, 0);
	assert_true(isnan(counter_rate_take(&c, NAN, (struct mono){ 6 * SECOND })));
	assert_true(isnan(counter_rate_take(&c, 20, (struct mono){ 7 * SECOND })));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(series_have_names_and_units),
		cmocka_unit_test(answers_once_with_values_or_a_reason),
		cmocka_unit_test(goes_on_after_any_answer),
		cmocka_unit_test(may_be_destroyed_under_way),
		cmocka_unit_test(the_reason_says_what_happened),
		cmocka_unit_test(rates_need_two_looks),
		cmocka_unit_test(each_series_has_its_own_reason),
		cmocka_unit_test(later_processes_of_a_port_count),
		cmocka_unit_test(too_many_of_a_port_are_an_error),
	};
	return cmocka_run_group_tests(tests, open_places, close_places);
}
