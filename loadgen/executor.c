#include "loadgen/executor.h"

#include "base/must.h"

static struct executor *(*const kinds[])(const struct executor_plan *, const struct executor_place *) = {
	[EXECUTOR_USERS] = executor_users_create,
	[EXECUTOR_RATE] = executor_rate_create,
	[EXECUTOR_PER_USER] = executor_iterations_create,
	[EXECUTOR_SHARED] = executor_iterations_create,
};

struct executor *executor_create(const struct executor_plan *plan, const struct executor_place *place)
{
	must((size_t)plan->kind < ARRAY_LEN(kinds));
	return kinds[plan->kind](plan, place);
}

uint32_t executor_users_of(uint32_t users, uint32_t worker, uint32_t workers)
{
	return users / workers + (worker < users % workers);
}
