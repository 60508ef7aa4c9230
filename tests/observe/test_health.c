#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "observe/health.h"

/* A transport that answers what the test says, in the next turn: no sockets. */
struct script {
	struct transport base;
	struct loop *loop;
	struct loop_timer timer;
	struct transfer *under_way;
	const char *steps; /* g: 200, r: 302, b: 503, t: timeout; the last one repeats */
	int asked;
};

struct world {
	struct loop loop;
	struct script script;
	int changes;
	bool complains;
	int asked_at_change;
	char text[512];
};
static struct world world;

static void answer(struct loop_timer *t)
{
	struct script *s = container_of(t, struct script, timer);
	struct transfer *x = s->under_way;
	s->under_way = NULL;
	x->status = 0;
	x->error = NET_NONE;
	x->detail[0] = '\0';
	switch (*s->steps) {
	case 'g':
		x->status = 200;
		break;
	case 'r':
		x->status = 302;
		break;
	case 'b':
		x->status = 503;
		break;
	default:
		x->error = NET_TIMEOUT;
	}
	if (s->steps[1])
		s->steps++;
	s->asked++;
	x->ear->done(x);
}

static int script_attach(struct transport *t, struct transfer *x, struct err *err)
{
	return 0;
}

static void script_detach(struct transport *t, struct transfer *x)
{
	struct script *s = container_of(t, struct script, base);
	loop_timer_stop(s->loop, &s->timer);
	s->under_way = NULL;
}

static void script_start(struct transport *t, struct transfer *x)
{
	struct script *s = container_of(t, struct script, base);
	assert_null(s->under_way); /* one at a time */
	assert_string_equal(x->url, "http://canary/health");
	assert_true(x->timeout >= 500 * MILLISECOND && x->timeout <= 5 * SECOND);
	s->under_way = x;
	loop_timer_start(s->loop, &s->timer, 0, answer);
}

static const struct transport_ops script_ops = { .attach = script_attach,
	                                         .detach = script_detach,
	                                         .start = script_start };

static void on_changed(void *arg, bool complains, const char *text)
{
	assert_ptr_equal(arg, &world);
	world.changes++;
	world.complains = complains;
	world.asked_at_change = world.script.asked;
	snprintf(world.text, sizeof(world.text), "%s", text);
}

static struct health_guard *start(const char *steps, int32_t fails)
{
	static const struct err none;
	struct err err = none;
	world = (struct world){ 0 };
	assert_int_equal(loop_init(&world.loop, &err), 0);
	world.script = (struct script){ .base = { &script_ops }, .loop = &world.loop, .steps = steps };
	const struct health_options options = { "http://canary/health", 1 * MILLISECOND, fails };
	struct health_guard *g = health_guard_create(&world.loop, &world.script.base, &options, on_changed, &world,
	                                             &err);
	assert_non_null(g);
	assert_int_equal(world.changes, 0);
	return g;
}

static void run(struct health_guard *g, int asked)
{
	while (world.script.asked < asked)
		loop_turn(&world.loop, LOOP_WAIT);
}

static void finish(struct health_guard *g)
{
	health_guard_destroy(g);
	loop_finish(&world.loop);
}

static void complains_after_so_many_in_a_row(void **state)
{
	struct health_guard *g = start("gbbgbbb", 3);
	run(g, 6);
	assert_int_equal(world.changes, 0);
	run(g, 7);
	assert_int_equal(world.changes, 1);
	assert_true(world.complains && health_guard_complains(g));
	assert_string_equal(world.text, "http://canary/health answered with status 503, 3 times in a row");
	run(g, 20); /* told once */
	assert_int_equal(world.changes, 1);
	finish(g);
}

static void is_content_again_after_as_many(void **state)
{
	struct health_guard *g = start("ttgtgrg", 2);
	run(g, 2);
	assert_true(world.complains);
	assert_string_equal(world.text, "http://canary/health did not answer (timeout), 2 times in a row");
	run(g, 5);
	assert_int_equal(world.changes, 1);
	run(g, 6);
	assert_int_equal(world.changes, 2);
	assert_false(world.complains || health_guard_complains(g));
	assert_string_equal(world.text, "http://canary/health is healthy again");
	finish(g);
}

static void one_failure_is_enough_when_asked_for(void **state)
{
	struct health_guard *g = start("gb", 1);
	run(g, 2);
	assert_int_equal(world.asked_at_change, 2);
	assert_true(world.complains);
	finish(g);
}

static void may_be_destroyed_under_way(void **state)
{
	struct health_guard *g = start("b", 1);
	loop_turn(&world.loop, LOOP_WAIT);
	finish(g);
	health_guard_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(complains_after_so_many_in_a_row),
		cmocka_unit_test(is_content_again_after_as_many),
		cmocka_unit_test(one_failure_is_enough_when_asked_for),
		cmocka_unit_test(may_be_destroyed_under_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
