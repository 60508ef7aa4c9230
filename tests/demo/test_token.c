#include "demo/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_token_names_its_user(void **state)
{
	char token[TOKEN_TEXT_BYTES];
	struct str user;
	token_make(STR("ann.o@x-1"), token);
	assert_true(token_check(str_from(token), &user));
	assert_true(str_is(user, "ann.o@x-1"));
}

static void a_changed_token_is_nobodys(void **state)
{
	char token[TOKEN_TEXT_BYTES];
	struct str user = STR("untouched");
	token_make(STR("ann"), token);
	const size_t len = strlen(token);
	for (size_t i = 0; i < len; i++) {
		const char was = token[i];
		token[i] = was == 'b' ? 'c' : 'b';
		assert_false(token_check(str_from(token), &user));
		token[i] = was;
		assert_false(token_check((struct str){ token, i }, &user));
	}
	assert_true(str_is(user, "untouched"));
}

static void users_have_a_plain_short_name(void **state)
{
	char longest[TOKEN_USER_MAX + 1];
	memset(longest, 'x', sizeof(longest));
	assert_true(token_user_valid((struct str){ longest, TOKEN_USER_MAX }));
	assert_false(token_user_valid((struct str){ longest, TOKEN_USER_MAX + 1 }));
	assert_false(token_user_valid(STR("")));
	assert_false(token_user_valid(STR("a:b")));
	assert_false(token_user_valid(STR("a b")));
	assert_false(token_user_valid(STR("a\0b")));
	assert_false(token_user_valid(STR("\xc3\xa9")));
}

static void the_header_says_bearer(void **state)
{
	char token[TOKEN_TEXT_BYTES], header[TOKEN_TEXT_BYTES + 16];
	struct str user;
	token_make(STR("ann"), token);
	snprintf(header, sizeof(header), "bearer  %s", token);
	assert_true(token_check_bearer(str_from(header), &user));
	assert_true(str_is(user, "ann"));
	assert_false(token_check_bearer(str_from(token), &user));
	assert_false(token_check_bearer(STR("Bearer"), &user));
	assert_false(token_check_bearer(STR(""), &user));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_names_its_user),
		cmocka_unit_test(a_changed_token_is_nobodys),
		cmocka_unit_test(users_have_a_plain_short_name),
		cmocka_unit_test(the_header_says_bearer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
