/* fixture.h: a store in a private folder for each test, with a lease and the shorthand that the tests share. */
#ifndef WEIR_TESTS_STORE_FIXTURE_H
#define WEIR_TESTS_STORE_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "store/sqlite/tables.h"
#include "tests/record/samples.h"

struct fixture {
	char folder[64], path[80];
	struct store *s;
	struct err err;
};

int fixture_setup(void **state);
int fixture_teardown(void **state);

#define FIXTURE(f) struct fixture *const f = *state

/* <call> succeeds, or the test fails with the error's sentence. */
#define DONE(f, call)                                  \
	do {                                           \
		if ((call) < 0)                        \
			fail_msg("%s", (f)->err.text); \
	} while (0)

/* <call> fails with that kind and a sentence that contains <says>. */
#define REFUSED(f, call, what, says)                                                     \
	do {                                                                             \
		assert_int_equal(call, -1);                                              \
		if ((f)->err.kind != (what) || !strstr((f)->err.text, says))             \
			fail_msg("%s: %s", err_kind_text((f)->err.kind), (f)->err.text); \
	} while (0)

#define RUN_1 "01J0000000000000000000000A"
#define RUN_2 "01J0000000000000000000000B"
#define RUN_3 "01K0000000000000000000000C"

void fixture_put_run(struct fixture *f, const char *id, const char *name, enum run_validity validity, uint64_t seed);
/* Takes (service, production) for <holder> with an hour's lease. */
int64_t fixture_lease(struct fixture *f, const char *service, const char *holder, bool override);
/* Begins a rollout of <service> with that lease. */
void fixture_begin(struct fixture *f, const char *id, const char *service, int64_t token);
/* Runs SQL behind the store's back. */
void fixture_sql(struct fixture *f, const char *sql);
int64_t fixture_count(struct fixture *f, const char *sql);
struct event_record fixture_event(const char *type, int number);

#endif
