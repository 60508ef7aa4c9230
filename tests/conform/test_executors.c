/* One suite for every kind of executor, as every kind of load and with 1 to 4 workers. A kind that is added gets rows
 * in <cases>; what it must do is written here only once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/must.h"
#include "loadgen/executor.h"

#define START (5 * SECOND)
#define LENGTH (4 * SECOND)
#define USERS 7
#define WORKERS_MAX 4
#define BEGUN_MAX 4096

struct load {
	const char *name;
	struct executor_plan plan;
};

static const struct load_segment levels[] = {
	{ 0, USERS, SECOND }, { USERS, USERS, SECOND }, { USERS, 2, 0 }, { 2, 2, SECOND }, { 2, USERS, SECOND }
};
static const struct load_segment rates[] = { { 0, 120, SECOND }, { 120, 120, 2 * SECOND }, { 120, 0, SECOND } };

#define CLOSED .segments = levels, .segment_count = 5, .users = USERS, .duration = LENGTH
#define COUNTED .segments = levels, .segment_count = 5, .users = USERS, .duration = LENGTH
#define OPEN .segments = rates, .segment_count = 3, .users = USERS, .duration = LENGTH

static const struct load cases[] = {
	{ "users", { .kind = EXECUTOR_USERS, CLOSED } },
	{ "iterations, of each user", { .kind = EXECUTOR_PER_USER, COUNTED, .iterations = 9 } },
	{ "iterations, shared", { .kind = EXECUTOR_SHARED, COUNTED, .iterations = 50 } },
	{ "iterations, more than there is time for", { .kind = EXECUTOR_SHARED, COUNTED, .iterations = 1000 } },
	{ "rate, even, queue", { .kind = EXECUTOR_RATE, OPEN, .late = LATE_QUEUE } },
	{ "rate, even, drop", { .kind = EXECUTOR_RATE, OPEN, .late = LATE_DROP } },
	{ "rate, poisson, queue", { .kind = EXECUTOR_RATE, OPEN, .late = LATE_QUEUE, .poisson = true } },
	{ "rate, poisson, drop", { .kind = EXECUTOR_RATE, OPEN, .late = LATE_DROP, .poisson = true } },
};

/* What happened in one run of all workers in virtual time. */
struct history {
	struct arrival begun[BEGUN_MAX];
	size_t count;
	struct executor_counts sum;
	uint64_t unserved;
	uint64_t asked; /* calls of next: a kind must not spin */
};

struct busy {
	bool is;
	dur_ns until;
};

/* One worker: each iteration takes between 5 and 165 ms, by its number. */
static dur_ns length_of(const struct arrival *a)
{
	return (5 + (dur_ns)(a->number * 37 % 161)) * MILLISECOND;
}

static bool is_counted(const struct executor_plan *plan)
{
	return plan->kind == EXECUTOR_PER_USER || plan->kind == EXECUTOR_SHARED;
}

static void admit(const struct executor_plan *plan, struct executor *x, dur_ns now, struct busy *busy,
                  struct history *h, uint32_t worker, uint32_t workers, dur_ns *ret_when)
{
	struct arrival a;
	struct mono when = { 0 };
	enum executor_answer answer;
	while ((answer = x->ops->next(x, (struct mono){ now }, &a, &when)) == EXECUTOR_ARRIVAL) {
		h->asked++;
		assert_int_equal(a.user % workers, worker);
		assert_true(a.user < USERS);
		assert_false(busy[a.user].is); /* nobody does two things at once */
		assert_true(a.intended.ns >= START && a.intended.ns <= now);
		assert_true(a.able.ns >= a.intended.ns && a.able.ns <= now);
		busy[a.user] = (struct busy){ true, now + length_of(&a) };
		assert_true(h->count < BEGUN_MAX);
		h->begun[h->count++] = a;
	}
	h->asked++;
	/* Only counted iterations can be done before the end. */
	assert_true(answer == EXECUTOR_DONE || now < START + LENGTH);
	assert_true(answer == EXECUTOR_WAIT || now >= START + LENGTH || is_counted(plan));
	if (answer == EXECUTOR_WAIT)
		assert_true(when.ns > now && when.ns <= START + LENGTH);
	*ret_when = answer == EXECUTOR_WAIT ? when.ns : INT64_MAX;
}

/* The next thing that happens: the executor's own instant or the first end of an iteration. */
static dur_ns next_event(const struct busy *busy, dur_ns when, uint32_t *ret_user)
{
	*ret_user = UINT32_MAX;
	for (uint32_t u = 0; u < USERS; u++)
		if (busy[u].is && busy[u].until < when) {
			when = busy[u].until;
			*ret_user = u;
		}
	return when;
}

/* Closed load: whoever the curve has is at work, at every instant. (That nobody else begins is checked below.) */
static void expect_all_at_work(const struct executor_plan *plan, dur_ns now, const struct busy *busy, uint32_t worker,
                               uint32_t workers)
{
	const struct curve curve = { plan->segments, plan->segment_count };
	if (plan->kind != EXECUTOR_USERS || now < START || now >= START + LENGTH)
		return;
	const double level = curve_value(&curve, now - START);
	for (uint32_t u = worker; u < USERS && (double)u + 1 <= level; u += workers)
		assert_true(busy[u].is);
}

static void run_worker(const struct executor_plan *plan, uint32_t worker, uint32_t workers, uint64_t seed,
                       struct history *h)
{
	const struct executor_place place = { { START }, { START + LENGTH }, worker, workers, seed };
	struct executor *x = executor_create(plan, &place);
	struct busy busy[USERS] = { 0 };
	struct arrival a;
	dur_ns now = 0, when;
	for (;;) {
		uint32_t user;
		admit(plan, x, now, busy, h, worker, workers, &when);
		expect_all_at_work(plan, now, busy, worker, workers);
		if (now >= START + LENGTH)
			break;
		now = next_event(busy, when, &user);
		if (user != UINT32_MAX) {
			busy[user].is = false;
			x->ops->ended(x, user, (struct mono){ now });
		}
	}
	while (x->ops->unserved(x, place.end, &a))
		h->unserved++;
	h->sum.planned += x->counts.planned;
	h->sum.begun += x->counts.begun;
	h->sum.waited += x->counts.waited;
	h->sum.dropped += x->counts.dropped;
	executor_destroy(x);
}

static struct history *run_case(const struct load *c, uint32_t workers, uint64_t seed)
{
	struct history *h = xcalloc(1, sizeof(*h));
	for (uint32_t w = 0; w < workers; w++)
		run_worker(&c->plan, w, workers, seed, h);
	return h;
}

typedef void check(const struct load *c, uint32_t workers, const struct history *h);

static void in_every_case(check *holds)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (uint32_t workers = 1; workers <= WORKERS_MAX; workers++) {
			struct history *h = run_case(&cases[i], workers, 11);
			holds(&cases[i], workers, h);
			free(h);
		}
}

static void check_counts(const struct load *c, uint32_t workers, const struct history *h)
{
	uint64_t waited = 0;
	for (size_t i = 0; i < h->count; i++)
		waited += h->begun[i].waited;
	assert_true(h->count > 20);
	assert_int_equal(h->sum.begun, h->count);
	assert_int_equal(h->sum.waited, waited);
	assert_int_equal(h->sum.planned, h->sum.begun + h->sum.dropped + h->unserved);
}

static void every_planned_arrival_begins_is_dropped_or_is_unserved(void **state)
{
	in_every_case(check_counts);
}

static int by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static void check_numbers(const struct load *c, uint32_t workers, const struct history *h)
{
	uint64_t *numbers = xcalloc(h->count, sizeof(*numbers));
	for (size_t i = 0; i < h->count; i++)
		numbers[i] = h->begun[i].number;
	qsort(numbers, h->count, sizeof(*numbers), by_value);
	for (size_t i = 1; i < h->count; i++)
		assert_true(numbers[i] > numbers[i - 1]);
	free(numbers);
}

static void numbers_are_unique_over_all_workers(void **state)
{
	in_every_case(check_numbers);
}

static void check_quiet(const struct load *c, uint32_t workers, const struct history *h)
{
	/* Per worker: one call per arrival, per end, and per instant that it asked for itself. */
	assert_true(h->asked <= 4 * (h->sum.planned + workers * (USERS + 4)));
}

static void nobody_is_asked_again_without_a_reason(void **state)
{
	in_every_case(check_quiet);
}

static void check_no_planned_arrival_is_lost(const struct load *c, uint32_t workers, const struct history *h)
{
	if (c->plan.kind != EXECUTOR_RATE)
		return;
	struct history *one = run_case(c, 1, 11);
	assert_int_equal(h->sum.planned, one->sum.planned);
	if (!c->plan.poisson)
		assert_int_equal(h->sum.planned, 60 + 240 + 60);
	free(one);
}

static void workers_plan_together_what_one_plans(void **state)
{
	in_every_case(check_no_planned_arrival_is_lost);
}

static void check_users_follow_the_curve(const struct load *c, uint32_t workers, const struct history *h)
{
	const struct curve curve = { c->plan.segments, c->plan.segment_count };
	if (c->plan.kind != EXECUTOR_USERS)
		return;
	for (size_t i = 0; i < h->count; i++) {
		const struct arrival *a = &h->begun[i];
		/* User u runs only while the curve is above u. */
		assert_true(curve_value(&curve, a->intended.ns - START) > (double)a->user + 1 - 1e-5);
	}
}

static void closed_users_begin_only_while_the_curve_has_them(void **state)
{
	in_every_case(check_users_follow_the_curve);
}

static void check_iterations(const struct load *c, uint32_t workers, const struct history *h)
{
	uint64_t of_user[USERS] = { 0 };
	if (!is_counted(&c->plan) || c->plan.iterations == 1000)
		return;
	for (size_t i = 0; i < h->count; i++)
		of_user[h->begun[i].user]++;
	assert_int_equal(h->count, c->plan.kind == EXECUTOR_SHARED ? c->plan.iterations : c->plan.iterations * USERS);
	for (uint32_t u = 0; u < USERS; u++)
		assert_true(c->plan.kind == EXECUTOR_SHARED ? of_user[u] > 0 : of_user[u] == c->plan.iterations);
}

static void counted_iterations_are_all_made_and_no_more(void **state)
{
	in_every_case(check_iterations);
}

static void check_policy(const struct load *c, uint32_t workers, const struct history *h)
{
	const bool drops = c->plan.kind == EXECUTOR_RATE && c->plan.late == LATE_DROP;
	assert_true((h->sum.dropped > 0) == drops);
	if (drops)
		assert_int_equal(h->sum.waited, 0);
	else if (c->plan.kind == EXECUTOR_RATE)
		assert_true(h->sum.waited > 0);
}

static void late_arrivals_wait_or_are_dropped_as_the_plan_says(void **state)
{
	in_every_case(check_policy);
}

static void the_same_seed_gives_the_same_run(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct history *a = run_case(&cases[i], 3, 11), *b = run_case(&cases[i], 3, 11);
		struct history *other = run_case(&cases[i], 3, 12);
		assert_int_equal(a->count, b->count);
		bool differs = a->count != other->count;
		for (size_t k = 0; k < a->count; k++) {
			assert_int_equal(a->begun[k].intended.ns, b->begun[k].intended.ns);
			assert_int_equal(a->begun[k].user, b->begun[k].user);
			differs = differs || a->begun[k].intended.ns != other->begun[k].intended.ns;
		}
		assert_true(differs == cases[i].plan.poisson);
		free(a);
		free(b);
		free(other);
	}
}

static void nothing_begins_before_the_start_or_after_the_end(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct executor_place place = { { START }, { START + LENGTH }, 0, 1, 1 };
		struct executor *x = executor_create(&cases[i].plan, &place);
		struct arrival a;
		struct mono when;
		assert_int_equal(x->ops->next(x, (struct mono){ 0 }, &a, &when), EXECUTOR_WAIT);
		assert_true(when.ns >= START);
		assert_int_equal(x->ops->next(x, place.end, &a, &when), EXECUTOR_DONE);
		assert_int_equal(x->ops->next(x, (struct mono){ place.end.ns + HOUR }, &a, &when), EXECUTOR_DONE);
		executor_destroy(x);
	}
}

static void every_kind_has_a_name(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct executor_place place = { { START }, { START + LENGTH }, 0, 1, 1 };
		struct executor *x = executor_create(&cases[i].plan, &place);
		assert_non_null(x->ops->name);
		assert_memory_equal(cases[i].name, x->ops->name, strlen(x->ops->name));
		executor_destroy(x);
	}
	executor_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_planned_arrival_begins_is_dropped_or_is_unserved),
		cmocka_unit_test(numbers_are_unique_over_all_workers),
		cmocka_unit_test(nobody_is_asked_again_without_a_reason),
		cmocka_unit_test(workers_plan_together_what_one_plans),
		cmocka_unit_test(closed_users_begin_only_while_the_curve_has_them),
		cmocka_unit_test(counted_iterations_are_all_made_and_no_more),
		cmocka_unit_test(late_arrivals_wait_or_are_dropped_as_the_plan_says),
		cmocka_unit_test(the_same_seed_gives_the_same_run),
		cmocka_unit_test(nothing_begins_before_the_start_or_after_the_end),
		cmocka_unit_test(every_kind_has_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
