/* What the machine does to the generator, read from this machine's own /proc. */
#include "observe/generator.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

static void descriptors_are_counted(void **state)
{
	int fds[5];
	struct generator_watch w;
	generator_watch_init(&w);
	const uint32_t before = generator_watch_take(&w).descriptors;
	assert_true(before >= 3);
	for (int i = 0; i < 5; i++)
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(generator_watch_take(&w).descriptors, before + 5);
	for (int i = 0; i < 5; i++)
		close(fds[i]);
	assert_int_equal(generator_watch_take(&w).descriptors, before);
	generator_watch_finish(&w);
}

static void steal_is_a_share_of_what_passed(void **state)
{
	struct generator_watch w;
	generator_watch_init(&w);
	assert_true(w.known);
	/* As if 100 ticks of all cores had passed, 25 of them another guest's. */
	struct procfs_cpu then = w.before;
	then.total -= 100;
	then.steal -= then.steal >= 25 ? 25 : then.steal;
	w.before = then;
	const double steal = generator_watch_take(&w).steal;
	assert_true(steal >= 0 && steal <= 0.26);
	/* A counter that went back tells nothing. */
	w.before.total += 1000000;
	assert_true(isnan(generator_watch_take(&w).steal));
	generator_watch_finish(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(descriptors_are_counted),
		cmocka_unit_test(steal_is_a_share_of_what_passed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
