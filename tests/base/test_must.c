#include "base/must.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void a_promise_that_holds_costs_nothing(void **state)
{
	int looked = 0;
	must(++looked == 1);
	assert_int_equal(looked, 1);
}

static void a_broken_promise_ends_the_program_with_70_and_says_which(void **state)
{
	int ends[2], status;
	char text[512] = "";
	assert_int_equal(pipe(ends), 0);
	const pid_t child = fork();
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		must(1 + 1 == 3);
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(read(ends[0], text, sizeof(text) - 1) > 0);
	close(ends[0]);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 70);
	assert_non_null(strstr(text, "1 + 1 == 3"));
	assert_non_null(strstr(text, "test_must.c"));
}

static void glitches_are_counted(void **state)
{
	static const char why[] = "odd";
	const char *last = "unset";
	assert_int_equal(glitch_count(&last), 0);
	assert_null(last);
	glitch("other");
	glitch(why);
	assert_int_equal(glitch_count(&last), 2);
	assert_ptr_equal(last, why);
	assert_int_equal(glitch_count(NULL), 2);
}

static void the_owner_of_a_member_is_found(void **state)
{
	struct owner {
		int first, second;
	} owner = { 1, 2 };
	assert_ptr_equal(container_of(&owner.second, struct owner, second), &owner);
	assert_int_equal(ARRAY_LEN(((int[]){ 1, 2, 3 })), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_promise_that_holds_costs_nothing),
		cmocka_unit_test(a_broken_promise_ends_the_program_with_70_and_says_which),
		cmocka_unit_test(glitches_are_counted),
		cmocka_unit_test(the_owner_of_a_member_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
