#include "loadgen/validity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>

#include "base/must.h"

/* A healthy open run; each case changes what it is about. */
static const struct generator_health healthy = {
	.planned = 100000,
	.begun = 100000,
	.open = true,
	.requests = 100000,
	.lag_p99 = 100 * MICROSECOND,
	.service_p50 = 10 * MILLISECOND,
	.cpu = 0.3,
	.cpu_peak = 0.5,
};

static void expect(const struct generator_health *h, enum run_validity validity, size_t reasons, const char *first)
{
	struct run_record r;
	run_record_init(&r);
	r.validity = RUN_NOT_VALID; /* it is set anew */
	validity_judge(h, &r);
	for (size_t i = 0; i < r.reason_count && r.reason_count != reasons; i++)
		print_error("%s\n", r.reasons[i]);
	assert_int_equal(r.validity, validity);
	assert_int_equal(r.reason_count, reasons);
	if (first)
		assert_non_null(strstr(r.reasons[0], first));
	run_record_finish(&r);
}

static void a_healthy_run_is_valid(void **state)
{
	expect(&healthy, RUN_VALID, 0, NULL);
}

static void to_run_out_of_descriptors_is_not_valid(void **state)
{
	struct generator_health h = healthy;
	h.descriptors = 1000;
	expect(&h, RUN_VALID, 0, NULL); /* no limit is known */
	h.descriptor_limit = 20000;
	expect(&h, RUN_VALID, 0, NULL);
	h.descriptors = 19000;
	expect(&h, RUN_VALID, 0, NULL);
	h.descriptors = 20000;
	h.lag_p99 = SECOND;
	expect(&h, RUN_NOT_VALID, 2, "all 20000 descriptors");
}

static void connections_that_we_could_not_make_are_not_valid(void **state)
{
	struct generator_health h = healthy;
	h.local_failures = h.requests / 1000;
	expect(&h, RUN_VALID, 0, NULL);
	h.local_failures++;
	expect(&h, RUN_NOT_VALID, 1, "for want of a local port");
	h.requests = 0;
	expect(&h, RUN_NOT_VALID, 1, "for want of a local port");
}

static void our_own_lateness_is_not_valid(void **state)
{
	struct generator_health h = healthy;
	h.lag_p99 = MILLISECOND;
	expect(&h, RUN_VALID, 0, NULL);
	h.lag_p99 = MILLISECOND + 1;
	expect(&h, RUN_NOT_VALID, 1, "late by itself");
	/* 5 % of what the target takes, where that is more. */
	h.service_p50 = SECOND;
	h.lag_p99 = 50 * MILLISECOND;
	expect(&h, RUN_VALID, 0, NULL);
	h.lag_p99 = 50 * MILLISECOND + 1;
	expect(&h, RUN_NOT_VALID, 1, "late by itself");
	h.open = false; /* closed loads are late, too */
	expect(&h, RUN_NOT_VALID, 1, "late by itself");
	h.requests = 99; /* no 99th percentile */
	expect(&h, RUN_VALID, 0, NULL);
}

static void few_local_ports_are_suspect(void **state)
{
	struct generator_health h = healthy;
	h.ports = 850;
	expect(&h, RUN_VALID, 0, NULL); /* of an unknown number */
	h.port_range = 1000;
	expect(&h, RUN_VALID, 0, NULL);
	h.ports = 851;
	expect(&h, RUN_SUSPECT, 1, "851 of 1000 local ports");
	h.cpu = 0.9;
	expect(&h, RUN_SUSPECT, 2, "core");
}

static void dropped_arrivals_are_not_valid(void **state)
{
	struct generator_health h = healthy;
	h.dropped = 100;
	h.begun -= 100;
	expect(&h, RUN_VALID, 0, NULL);
	h.dropped++;
	h.begun--;
	expect(&h, RUN_NOT_VALID, 1, "dropped");
}

static void a_saturated_generator_is_not_valid(void **state)
{
	struct generator_health h = healthy;
	h.begun = 98999;
	h.cpu_peak = 0.95;
	expect(&h, RUN_NOT_VALID, 1, "the generator was the limit");
	h.begun = 99000;
	expect(&h, RUN_VALID, 0, NULL);
}

static void a_target_that_keeps_all_users_waiting_is_suspect(void **state)
{
	struct generator_health h = healthy;
	h.begun = 98999;
	expect(&h, RUN_SUSPECT, 1, "never began");
	h = healthy;
	h.waited = 1000;
	expect(&h, RUN_VALID, 0, NULL);
	h.waited = 1001;
	expect(&h, RUN_SUSPECT, 1, "waited for a free user");
}

static void a_busy_core_is_suspect(void **state)
{
	struct generator_health h = healthy;
	h.cpu = 0.85;
	expect(&h, RUN_VALID, 0, NULL);
	h.cpu = 0.86;
	expect(&h, RUN_SUSPECT, 1, "86 % of its core");
}

static void a_closed_load_promises_no_rate(void **state)
{
	struct generator_health h = healthy;
	h.open = false;
	h.begun = h.dropped = 10000;
	h.waited = 50000;
	expect(&h, RUN_VALID, 0, NULL);
}

static void a_run_that_planned_nothing_is_not_blamed(void **state)
{
	const struct generator_health nothing = { .open = true };
	expect(&nothing, RUN_VALID, 0, NULL);
}

static void the_worst_comes_first_and_suspect_never_softens_it(void **state)
{
	struct generator_health h = healthy;
	h.begun = 50000;
	h.dropped = 40000;
	h.waited = 30000;
	h.cpu = 0.9;
	expect(&h, RUN_NOT_VALID, 4, "dropped");
	h.lag_p99 = SECOND;
	h.cpu_peak = 1;
	expect(&h, RUN_NOT_VALID, 5, "late by itself");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_healthy_run_is_valid),
		cmocka_unit_test(to_run_out_of_descriptors_is_not_valid),
		cmocka_unit_test(connections_that_we_could_not_make_are_not_valid),
		cmocka_unit_test(our_own_lateness_is_not_valid),
		cmocka_unit_test(few_local_ports_are_suspect),
		cmocka_unit_test(dropped_arrivals_are_not_valid),
		cmocka_unit_test(a_saturated_generator_is_not_valid),
		cmocka_unit_test(a_target_that_keeps_all_users_waiting_is_suspect),
		cmocka_unit_test(a_busy_core_is_suspect),
		cmocka_unit_test(a_closed_load_promises_no_rate),
		cmocka_unit_test(a_run_that_planned_nothing_is_not_blamed),
		cmocka_unit_test(the_worst_comes_first_and_suspect_never_softens_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
