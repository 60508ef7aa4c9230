#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

static char folder[64];

static int make_folder(void **state)
{
	strcpy(folder, "/tmp/weir-file-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char *command = xasprintf("rm -rf '%s'", folder);
	const int r = system(command);
	free(command);
	return r;
}

static const char *in_folder(const char *name)
{
	static char path[200];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static mode_t mode_of(const char *path)
{
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 0777;
}

static void a_file_is_written_and_read_again(void **state)
{
	struct buf b;
	struct err err;
	umask(022);
	assert_int_equal(file_replace(in_folder("f"), STR("one\0two"), false, &err), 0);
	assert_int_equal(mode_of(in_folder("f")), 0644);
	assert_int_equal(file_replace(in_folder("f"), STR("three"), false, &err), 0);
	assert_int_equal(file_replace(in_folder("s"), STR("secret"), true, &err), 0);
	assert_int_equal(mode_of(in_folder("s")), 0600);
	buf_init(&b, 100);
	assert_int_equal(file_read(in_folder("f"), &b, &err), 0);
	assert_string_equal(buf_cstr(&b), "three");
	assert_int_equal(file_read(in_folder("s"), &b, &err), 0);
	assert_string_equal(buf_cstr(&b), "threesecret"); /* it adds */
	buf_finish(&b);
}

static void nothing_is_left_beside_a_file(void **state)
{
	struct err err;
	int files = 0;
	assert_int_equal(file_replace(in_folder("f"), STR("x"), false, &err), 0);
	assert_int_equal(mkdir(in_folder("d"), 0700), 0);
	assert_int_equal(file_replace(in_folder("d"), STR("x"), false, &err), -1); /* a folder is in the way */
	DIR *d = opendir(folder);
	for (struct dirent *e; (e = readdir(d));)
		files += e->d_name[0] != '.';
	closedir(d);
	assert_int_equal(files, 2);
}

static void what_is_no_file_is_not_replaced_by_one(void **state)
{
	struct err err;
	struct stat st;
	struct buf b;
	char got[8] = "";
	assert_int_equal(mkfifo(in_folder("pipe"), 0600), 0);
	const int reader = open(in_folder("pipe"), O_RDONLY | O_NONBLOCK);
	assert_true(reader >= 0);
	assert_int_equal(file_replace(in_folder("pipe"), STR("x"), false, &err), 0);
	assert_int_equal(read(reader, got, sizeof(got)), 1);
	close(reader);
	assert_int_equal(stat(in_folder("pipe"), &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	/* A full disk is an error, and the device is still there. */
	assert_int_equal(file_replace("/dev/full", STR("x"), false, &err), -1);
	assert_non_null(strstr(err.text, "/dev/full"));
	assert_int_equal(stat("/dev/full", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	/* What a link points to is replaced, not the link. */
	assert_int_equal(file_replace(in_folder("f"), STR("old"), false, &err), 0);
	assert_int_equal(symlink("f", in_folder("link")), 0);
	assert_int_equal(file_replace(in_folder("link"), STR("new"), false, &err), 0);
	assert_int_equal(lstat(in_folder("link"), &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	buf_init(&b, 100);
	assert_int_equal(file_read(in_folder("f"), &b, &err), 0);
	assert_string_equal(buf_cstr(&b), "new");
	buf_finish(&b);
}

static void what_cannot_be_read_says_why(void **state)
{
	struct buf b;
	struct err err;
	buf_init(&b, 4);
	assert_int_equal(file_read(in_folder("none"), &b, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_non_null(strstr(err.text, in_folder("none")));
	assert_int_equal(file_read(folder, &b, &err), -1);
	assert_int_equal(err.kind, ERR_IO);
	assert_int_equal(file_replace(in_folder("large"), STR("12345"), false, &err), 0);
	assert_int_equal(file_read(in_folder("large"), &b, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	buf_clear(&b);
	assert_int_equal(file_replace(in_folder("large"), STR("1234"), false, &err), 0);
	assert_int_equal(file_read(in_folder("large"), &b, &err), 0);
	assert_int_equal(file_read(in_folder("none"), &b, NULL), -1);
	buf_finish(&b);
}

static void a_file_needs_a_folder(void **state)
{
	struct err err;
	assert_int_equal(file_replace(in_folder("none/f"), STR("x"), false, &err), -1);
	assert_int_equal(err.kind, ERR_IO);
}

static void folders_are_made_with_their_parents(void **state)
{
	struct err err;
	assert_int_equal(file_make_folder(in_folder("a/b//c/"), &err), 0);
	assert_int_equal(mode_of(in_folder("a")), 0700);
	assert_int_equal(mode_of(in_folder("a/b/c")), 0700);
	assert_int_equal(file_make_folder(in_folder("a/b/c"), &err), 0); /* it is there */
	assert_int_equal(file_make_folder("/", &err), 0);
	assert_int_equal(file_make_folder("", &err), -1);
}

static void a_file_is_no_folder(void **state)
{
	struct err err;
	assert_int_equal(file_replace(in_folder("f"), STR("x"), false, &err), 0);
	assert_int_equal(file_make_folder(in_folder("f"), &err), -1);
	assert_int_equal(err.kind, ERR_IO);
	assert_int_equal(file_make_folder(in_folder("f/g"), &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_is_written_and_read_again, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(what_is_no_file_is_not_replaced_by_one, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(nothing_is_left_beside_a_file, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(what_cannot_be_read_says_why, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_file_needs_a_folder, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(folders_are_made_with_their_parents, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_file_is_no_folder, make_folder, remove_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
