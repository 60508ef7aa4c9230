#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "canary/drivers/program.h"

struct world {
	struct loop loop;
	struct program program;
	bool ended;
	int status;
	char output[PROGRAM_OUTPUT_BYTES_MAX + 1];
	struct err err;
};
static struct world world;

static int setup(void **state)
{
	memset(&world, 0, sizeof(world));
	assert_int_equal(loop_init(&world.loop, &world.err), 0);
	program_init(&world.program, &world.loop);
	return 0;
}

static int teardown(void **state)
{
	program_finish(&world.program);
	loop_finish(&world.loop);
	return 0;
}

static void on_ended(void *arg, int status, struct str output)
{
	assert_false(world.ended);
	world.ended = true;
	world.status = status;
	memcpy(world.output, output.p ? output.p : "", output.len);
	world.output[output.len] = '\0';
}

static int start(const char *script, int inherit_fd, dur_ns limit)
{
	char text[1024];
	snprintf(text, sizeof(text), "%s", script);
	char *argv[] = { "sh", "-c", text, NULL };
	const struct program_ask ask = { argv, "/tmp", inherit_fd, 9, limit };
	world.ended = false;
	return program_start(&world.program, &ask, on_ended, &world, &world.err);
}

static void run(const char *script)
{
	assert_int_equal(start(script, -1, 10 * SECOND), 0);
	assert_false(world.ended);
	while (!world.ended)
		loop_turn(&world.loop, LOOP_WAIT);
}

static void status_and_output_come_back(void **state)
{
	run("echo one; echo two >&2; exit 7");
	assert_int_equal(world.status, 7);
	assert_string_equal(world.output, "one\ntwo\n");
	run("pwd; kill -9 $$");
	assert_int_equal(world.status, 128 + 9);
	assert_string_equal(world.output, "/tmp\n");
}

static void long_output_is_cut(void **state)
{
	run("i=0; while [ $i -lt 5000 ]; do echo 0123456789; i=$((i+1)); done");
	assert_int_equal(world.status, 0);
	assert_true(strlen(world.output) > 8000 && strlen(world.output) <= PROGRAM_OUTPUT_BYTES_MAX);
}

/* What a daemon leaves running neither holds the answer up nor shares our terminal. */
static void session_is_its_own(void **state)
{
	run("ps -o sid= -p $$ | tr -d ' '; echo $$");
	char *newline = strchr(world.output, '\n');
	assert_non_null(newline);
	assert_int_equal(atol(world.output), atol(newline + 1));
	run("sleep 2 & exit 0");
	assert_int_equal(world.status, 0);
}

static void descriptor_is_inherited(void **state)
{
	int ends[2];
	char byte = 0;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(start("printf x >&9", ends[1], 10 * SECOND), 0);
	while (!world.ended)
		loop_turn(&world.loop, LOOP_WAIT);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(byte, 'x');
	close(ends[0]);
	close(ends[1]);
}

static void too_slow_is_killed(void **state)
{
	assert_int_equal(start("exec sleep 1000", -1, 50 * MILLISECOND), 0);
	while (!world.ended)
		loop_turn(&world.loop, LOOP_WAIT);
	assert_int_equal(world.status, 128 + 9);
}

static void missing_program_is_said(void **state)
{
	char *argv[] = { "no-such-program-here", NULL };
	const struct program_ask ask = { argv, "/tmp", -1, -1, SECOND };
	assert_int_equal(program_start(&world.program, &ask, on_ended, &world, &world.err), -1);
	assert_int_equal(world.err.kind, ERR_NOT_FOUND);
	run("exit 0"); /* and it can be used again */
}

static void finished_under_way_tells_nobody(void **state)
{
	assert_int_equal(start("exec sleep 1000", -1, 10 * SECOND), 0);
	program_finish(&world.program);
	loop_turn(&world.loop, LOOP_POLL);
	assert_false(world.ended);
	program_init(&world.program, &world.loop);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(status_and_output_come_back),     CASE(long_output_is_cut), CASE(session_is_its_own),
		CASE(descriptor_is_inherited),         CASE(too_slow_is_killed), CASE(missing_program_is_said),
		CASE(finished_under_way_tells_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
