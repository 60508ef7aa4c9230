#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/fifo.h"

struct world {
	struct loop loop;
	char folder[64], path[128];
	char heard[1 << 16];
	size_t len;
};
static struct world world;

static int setup(void **state)
{
	struct err err;
	memset(&world, 0, sizeof(world));
	strcpy(world.folder, "/tmp/weir-fifo-XXXXXX");
	assert_non_null(mkdtemp(world.folder));
	snprintf(world.path, sizeof(world.path), "%s/pipe", world.folder);
	assert_int_equal(loop_init(&world.loop, &err), 0);
	return 0;
}

static int teardown(void **state)
{
	unlink(world.path);
	rmdir(world.folder);
	loop_finish(&world.loop);
	return 0;
}

static void on_bytes(void *arg, struct str bytes)
{
	assert_ptr_equal(arg, &world);
	assert_true(world.len + bytes.len <= sizeof(world.heard));
	memcpy(world.heard + world.len, bytes.p, bytes.len);
	world.len += bytes.len;
}

static struct fifo *open_reader(struct err *err)
{
	return fifo_open(&world.loop, world.path, on_bytes, &world, err);
}

static void bytes_arrive(void **state)
{
	struct err err;
	struct fifo *f = open_reader(&err);
	const int w = fifo_open_writer(world.path, &err);
	assert_non_null(f);
	assert_int_equal(write(w, "one\ntw", 6), 6);
	while (world.len < 6)
		loop_turn(&world.loop, LOOP_WAIT);
	assert_int_equal(write(w, "o\n", 2), 2);
	fifo_drain(f); /* without the loop */
	assert_memory_equal(world.heard, "one\ntwo\n", 8);
	close(w);
	loop_turn(&world.loop, LOOP_POLL); /* the writer's end is no end */
	const int again = fifo_open_writer(world.path, &err);
	assert_int_equal(write(again, "x", 1), 1);
	while (world.len < 9)
		loop_turn(&world.loop, LOOP_WAIT);
	close(again);
	fifo_close(f);
}

static void old_news_is_thrown_away(void **state)
{
	struct err err;
	const int w = fifo_open_writer(world.path, &err);
	assert_int_equal(write(w, "old", 3), 3);
	struct fifo *f = open_reader(&err);
	assert_int_equal(write(w, "new", 3), 3);
	fifo_drain(f);
	assert_int_equal(world.len, 3);
	assert_memory_equal(world.heard, "new", 3);
	close(w);
	fifo_close(f);
}

static void one_reader_at_a_time(void **state)
{
	struct err err;
	struct fifo *f = open_reader(&err);
	assert_non_null(f);
	assert_null(open_reader(&err));
	assert_int_equal(err.kind, ERR_BUSY);
	fifo_close(f);
	f = open_reader(&err);
	assert_non_null(f);
	fifo_close(f);
}

/* Whole lines, until nobody reads: then the writer is told, and does not wait. */
static void full_pipe_refuses(void **state)
{
	struct err err;
	char line[100];
	long lines = 0;
	memset(line, 'x', sizeof(line));
	const int w = fifo_open_writer(world.path, &err);
	while (write(w, line, sizeof(line)) == (ssize_t)sizeof(line))
		lines++;
	/* A megabyte where the kernel gives it, 64 KiB at least. */
	assert_true(lines * (long)sizeof(line) > 60000);
	close(w);
}

static void something_else_is_in_the_way(void **state)
{
	struct err err;
	fclose(fopen(world.path, "w"));
	assert_null(open_reader(&err));
	assert_int_equal(err.kind, ERR_IO);
	assert_int_equal(fifo_open_writer(world.path, &err), -1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(bytes_arrive),      CASE(old_news_is_thrown_away),      CASE(one_reader_at_a_time),
		CASE(full_pipe_refuses), CASE(something_else_is_in_the_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
