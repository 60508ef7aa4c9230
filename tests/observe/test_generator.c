/* What the machine does to the generator, read from this machine's own /proc. */
#include "observe/generator.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void descriptors_are_counted(void **state)
{
	int fds[5];
	struct generator_watch w;
	generator_watch_init(&w);
	const uint32_t before = generator_watch_take(&w, 0).descriptors;
	assert_true(before >= 3);
	for (int i = 0; i < 5; i++)
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(generator_watch_take(&w, 0).descriptors, before + 5);
	for (int i = 0; i < 5; i++)
		close(fds[i]);
	assert_int_equal(generator_watch_take(&w, 0).descriptors, before);
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
	const double steal = generator_watch_take(&w, 0).steal;
	assert_true(steal >= 0 && steal <= 0.26);
	/* A counter that went back tells nothing. */
	w.before.total += 1000000;
	assert_true(isnan(generator_watch_take(&w, 0).steal));
	generator_watch_finish(&w);
}

static void ports_are_an_upper_estimate(void **state)
{
	const struct str four = STR("sockets: used 9\nTCP: inuse 1200 orphan 0 tw 300 alloc 9 mem 1\n");
	const struct str six = STR("TCP6: inuse 50\n");
	assert_int_equal(generator_ports(four, six, 0, 1000), 1550);
	assert_int_equal(generator_ports(four, (struct str){ 0 }, 0, 1000), 1500);
	assert_int_equal(generator_ports(four, six, 700, 1000), 1000); /* no more sockets than descriptors */
	assert_int_equal(generator_ports(four, six, 700, 20), 720);    /* the others in TIME_WAIT are not ours */
	assert_int_equal(generator_ports(six, six, 0, 1000), 0);
	assert_int_equal(generator_ports(STR("TCP: inuse 99999999999 tw 99999999999\n"), six, 0, UINT64_MAX),
	                 UINT32_MAX);
}

static void what_was_opened_is_forgotten_after_a_minute(void **state)
{
	struct generator_watch w;
	generator_watch_init(&w);
	generator_watch_take(&w, 500);
	for (int i = 1; i < GENERATOR_WAIT_SECONDS; i++) {
		uint64_t sum = 0;
		generator_watch_take(&w, 1);
		for (size_t k = 0; k < GENERATOR_WAIT_SECONDS; k++)
			sum += w.opened[k];
		assert_int_equal(sum, 500 + i);
	}
	generator_watch_take(&w, 0);
	for (size_t k = 0; k < GENERATOR_WAIT_SECONDS; k++)
		assert_in_range(w.opened[k], 0, 1);
	generator_watch_finish(&w);
}

static void a_connection_takes_a_port(void **state)
{
	struct generator_watch w;
	generator_watch_init(&w);
	assert_in_range(w.port_range, 1, 65536);
	const int fd = socket(AF_INET, SOCK_STREAM, 0), listener = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	assert_int_equal(bind(listener, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, len), 0);
	assert_true(generator_watch_take(&w, 0).ports >= 1);
	close(fd);
	close(listener);
	generator_watch_finish(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(descriptors_are_counted),
		cmocka_unit_test(steal_is_a_share_of_what_passed),
		cmocka_unit_test(ports_are_an_upper_estimate),
		cmocka_unit_test(what_was_opened_is_forgotten_after_a_minute),
		cmocka_unit_test(a_connection_takes_a_port),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
