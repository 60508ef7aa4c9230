/* program.h: a small program for the tests of what measures and judges: two flows, three steps, two checks.
 *
 *     auth   login (check "status 200"), me
 *     shop   login (check "time < 1s")                                                                            */
#ifndef WEIR_TESTS_LOADGEN_PROGRAM_H
#define WEIR_TESTS_LOADGEN_PROGRAM_H

#include "scenarios/program.h"

enum { FLOW_AUTH, FLOW_SHOP };
enum { STEP_AUTH_LOGIN, STEP_AUTH_ME, STEP_SHOP_LOGIN };

static const struct flow test_flows[] = {
	{ .name = "auth", .weight = 1, .first_step = 0, .step_count = 2 },
	{ .name = "shop", .weight = 1, .first_step = 2, .step_count = 1 },
};
static const struct step test_steps[] = {
	{ .name = "login", .flow = FLOW_AUTH, .first_check = 0, .check_count = 1 },
	{ .name = "me", .flow = FLOW_AUTH, .first_check = 1 },
	{ .name = "login", .flow = FLOW_SHOP, .first_check = 1, .check_count = 1 },
};
static const struct check test_checks[] = {
	{ .step = STEP_AUTH_LOGIN, .text = "status 200" },
	{ .step = STEP_SHOP_LOGIN, .text = "time < 1s" },
};
static const struct program test_program = {
	.name = "test",
	.flows = test_flows,
	.flow_count = 2,
	.steps = test_steps,
	.step_count = 3,
	.checks = test_checks,
	.check_count = 2,
};

#endif
