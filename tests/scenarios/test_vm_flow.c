/* What a user does beyond one request after the other: blocks, data, cookies, new attempts, redirects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/must.h"
#include "scenarios/vm.h"

#define NOW ((struct wall){ 1767225600123 * MILLISECOND }) /* 2026-01-01T00:00:00.123Z */

#define TEXT(more, steps)                                                                                    \
	"{\"name\":\"n\",\"target\":\"http://h:81/base\"," more "\"flows\":{\"a\":{\"steps\":[" steps "]}}," \
	"\"load\":[{\"executor\":\"constant-users\",\"users\":1,\"for\":\"1s\"}]}"

struct fixture {
	struct program *program;
	struct vm_shared shared;
	struct vm vm;
	struct wall now;
	enum vm_stop stop;
};

/* The only file there is. */
static int read_rows(void *arg, const char *name, struct buf *out, struct err *err)
{
	return buf_add(out, STR("user,key\na,1\nb,2\nc,3\nd,4\ne,5\n")) ? 0 : -1;
}

static struct program *compile(const char *text)
{
	const struct program_inputs in = { .read_file = read_rows };
	struct program *p = NULL;
	struct doc doc;
	struct buf said;
	doc_init(&doc, "text", str_from(text));
	buf_init(&said, 1u << 16);
	if (program_compile(&doc, &in, &p) < 0) {
		diags_write(&doc.diags, &said);
		fail_msg("%s", buf_cstr(&said));
	}
	buf_finish(&said);
	doc_finish(&doc);
	return p;
}

static void begin(struct fixture *f, const char *text)
{
	f->program = compile(text);
	f->now = NOW;
	vm_shared_init(&f->shared, f->program, 0, 1, 99);
	vm_init(&f->vm, &f->shared, 0);
	vm_begin(&f->vm, 0, 0, f->now);
	f->stop = vm_resume(&f->vm, NULL, f->now);
}

static void end(struct fixture *f)
{
	vm_finish(&f->vm);
	vm_shared_finish(&f->shared);
	program_destroy(f->program);
}

static void expect_request(const struct fixture *f, const char *method, const char *path)
{
	assert_int_equal(f->stop, VM_REQUEST);
	if (!str_is(f->vm.request.path, path) || strcmp(f->vm.request.method, method) != 0)
		fail_msg("%s %.*s", f->vm.request.method, STR_ARG(f->vm.request.path));
}

static void header(struct fixture *f, const char *name, const char *value)
{
	vm_header(&f->vm, str_from(name), str_from(value));
}

static void answer(struct fixture *f, int status, const char *body)
{
	const struct vm_reply reply = { .status = status, .response_time = MILLISECOND };
	vm_body(&f->vm, str_from(body));
	f->stop = vm_resume(&f->vm, &reply, f->now);
}

static void break_transport(struct fixture *f)
{
	const struct vm_reply reply = { .transport_failed = true };
	f->stop = vm_resume(&f->vm, &reply, f->now);
}

static void wait_pause(struct fixture *f, dur_ns length)
{
	assert_int_equal(f->stop, VM_PAUSE);
	assert_int_equal(f->vm.pause_ns, length);
	f->now.ns += length;
	f->stop = vm_resume(&f->vm, NULL, f->now);
}

static const char *sent_header(const struct fixture *f, const char *name)
{
	static char text[256];
	for (uint32_t i = 0; i < f->vm.request.header_count; i++) {
		const struct str_pair *h = &f->vm.request.headers[i];
		if (!str_eq_nocase(h->name, str_from(name)))
			continue;
		snprintf(text, sizeof(text), "%.*s", STR_ARG(h->value));
		return text;
	}
	return "(none)";
}

static void blocks_repeat_within_each_other(void **state)
{
	struct fixture f;
	begin(&f,
	      TEXT("", "{\"repeat\":2,\"steps\":[{\"get\":\"/o\"},{\"get\":\"/i\",\"repeat\":3}]},{\"get\":\"/z\"}"));
	for (int round = 0; round < 2; round++) {
		expect_request(&f, "GET", "/base/o");
		answer(&f, 200, "");
		for (int i = 0; i < 3; i++) {
			expect_request(&f, "GET", "/base/i");
			answer(&f, 200, "");
		}
	}
	expect_request(&f, "GET", "/base/z");
	answer(&f, 200, "");
	assert_int_equal(f.stop, VM_ITERATION_END);
	end(&f);
}

static void conditions_choose(void **state)
{
	static const struct {
		const char *role, *path;
	} cases[] = { { "{\"r\":\"admin\"}", "/base/admin/admin" },
		      { "{\"r\":\"guest7\"}", "/base/guest" },
		      { "{\"r\":\"x\"}", "/base/other" },
		      { "{}", "/base/none" } };
	struct fixture f;
	begin(&f, TEXT("", "{\"get\":\"/\",\"extract\":{\"r\":{\"json\":\"$.r\",\"optional\":true}}},"
	                   "{\"get\":\"/admin/${r}\",\"if\":{\"var\":\"r\",\"equals\":\"admin\"}},"
	                   "{\"get\":\"/guest\",\"if\":{\"var\":\"r\",\"matches\":\"^guest[0-9]$\"}},"
	                   "{\"get\":\"/other\",\"if\":{\"var\":\"r\",\"equals\":\"x\"}},"
	                   "{\"get\":\"/none\",\"if\":{\"var\":\"r\",\"exists\":false}}"));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		vm_begin(&f.vm, 0, i, NOW);
		f.stop = vm_resume(&f.vm, NULL, NOW);
		answer(&f, 200, cases[i].role);
		assert_int_equal(f.vm.outcome.failure, VM_PASSED);
		expect_request(&f, "GET", cases[i].path);
		answer(&f, 200, "");
		assert_int_equal(f.stop, VM_ITERATION_END);
	}
	end(&f);
}

static void a_loop_ends_when_its_condition_does(void **state)
{
	static const char *const steps[] = {
		/* a block */
		TEXT("", "{\"get\":\"/page\",\"extract\":{\"next\":{\"json\":\"/next\",\"optional\":true}}},"
		         "{\"if\":{\"var\":\"next\",\"exists\":true},\"repeat\":3,\"steps\":[{\"get\":\"/p/${next}\","
		         "\"extract\":{\"next\":{\"json\":\"/next\",\"optional\":true}}}]},{\"get\":\"/z\"}"),
		/* a request, behind an extraction that is sure */
		TEXT("", "{\"get\":\"/page\",\"extract\":{\"next\":{\"json\":\"/next\"}}},"
		         "{\"if\":{\"var\":\"next\",\"exists\":true},\"repeat\":3,\"get\":\"/p/${next}\","
		         "\"extract\":{\"next\":{\"json\":\"/next\",\"optional\":true}}},{\"get\":\"/z\"}"),
		/* a value of "vars" */
		TEXT("\"vars\":{\"next\":\"x\"},",
		     "{\"get\":\"/page\"},{\"if\":{\"var\":\"next\",\"matches\":\".\"},\"repeat\":3,\"steps\":[{\"steps\":["
		     "{\"get\":\"/p/${next}\",\"extract\":{\"next\":{\"json\":\"/next\",\"optional\":true}}}]}]},{\"get\":\"/z\"}"),
	};
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct fixture f;
		begin(&f, steps[i]);
		answer(&f, 200, "{\"next\":\"x\"}");
		expect_request(&f, "GET", "/base/p/x");
		answer(&f, 200, "{\"next\":2}");
		expect_request(&f, "GET", "/base/p/2");
		answer(&f, 200, "{}");
		expect_request(&f, "GET", "/base/z");
		end(&f);
		begin(&f, steps[i]);
		answer(&f, 200, "{\"next\":\"x\"}");
		for (int round = 0; round < 3; round++) {
			expect_request(&f, "GET", "/base/p/x");
			answer(&f, 200, "{\"next\":\"x\"}");
		}
		expect_request(&f, "GET", "/base/z");
		end(&f);
	}
}

static void a_pace_counts_from_the_beginning_also_when_the_iteration_fails(void **state)
{
	struct fixture f;
	f.program = compile(
		"{\"name\":\"n\",\"target\":\"http://h\",\"flows\":{\"a\":{\"pace\":\"10s\",\"steps\":[{\"get\":\"/\"},"
		"{\"pace\":\"1s\"},{\"get\":\"/2\"}]}},"
		"\"load\":[{\"executor\":\"constant-users\",\"users\":1,\"for\":\"1s\"}]}");
	f.now = NOW;
	vm_shared_init(&f.shared, f.program, 0, 1, 1);
	vm_init(&f.vm, &f.shared, 0);
	vm_begin(&f.vm, 0, 0, f.now);
	f.stop = vm_resume(&f.vm, NULL, f.now);
	f.now.ns += 300 * MILLISECOND;
	answer(&f, 200, "");
	wait_pause(&f, 700 * MILLISECOND);
	expect_request(&f, "GET", "/2");
	f.now.ns += 20 * SECOND; /* too late for any pace */
	answer(&f, 200, "");
	assert_int_equal(f.stop, VM_ITERATION_END);
	vm_begin(&f.vm, 0, 1, f.now);
	f.stop = vm_resume(&f.vm, NULL, f.now);
	break_transport(&f);
	assert_true(f.vm.outcome.ends_iteration);
	wait_pause(&f, 10 * SECOND);
	assert_int_equal(f.stop, VM_ITERATION_END);
	end(&f);
}

static void what_cannot_be_rendered_waits_for_the_pace(void **state)
{
	static const char *const texts[] = {
		"\"vars\":{\"v\":\"\\r\\n\"},\"flows\":{\"a\":{\"pace\":\"2s\",\"steps\":["
		"{\"get\":\"/\",\"headers\":{\"X\":\"${v}\"}}]}}",
		/* too long, before the first step */
		"\"vars\":{\"v\":\"${random.string(1024)}${random.string(1024)}${random.string(1024)}\",\"w\":\"${v}${v}${v}\"},"
		"\"flows\":{\"a\":{\"pace\":\"2s\",\"steps\":[{\"get\":\"/\"}]}}",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct fixture f;
		char *text = xasprintf("{\"name\":\"n\",\"target\":\"http://h\",%s,"
		                       "\"load\":[{\"executor\":\"constant-users\",\"users\":1,\"for\":\"1s\"}]}",
		                       texts[i]);
		begin(&f, text);
		free(text);
		wait_pause(&f, 2 * SECOND);
		assert_int_equal(f.stop, VM_FAILED);
		assert_true(f.vm.iteration_failed && f.vm.problem[0]);
		vm_begin(&f.vm, 0, 1, f.now);
		f.stop = vm_resume(&f.vm, NULL, f.now);
		wait_pause(&f, 2 * SECOND);
		assert_int_equal(f.stop, VM_FAILED);
		end(&f);
	}
}

static void cookies_come_back_and_can_be_turned_off(void **state)
{
	struct fixture f;
	begin(&f,
	      TEXT("",
	           "{\"get\":\"/a\",\"extract\":{\"s\":{\"cookie\":\"sid\"}},\"check\":[{\"cookie\":\"sid\",\"equals\":\"42\"}]},"
	           "{\"get\":\"/b\"},{\"get\":\"/c\",\"cookies\":false},{\"get\":\"/d\",\"headers\":{\"Cookie\":\"own=${s}\"}},"
	           "{\"get\":\"http://other/e\"}"));
	assert_string_equal(sent_header(&f, "Cookie"), "(none)");
	header(&f, "set-cookie", "sid=42; Path=/");
	header(&f, "Set-Cookie", "gone=1; Max-Age=0");
	header(&f, "Set-Cookie", "k=v; Path=/base");
	answer(&f, 200, "");
	assert_int_equal(f.vm.outcome.failure, VM_PASSED);
	assert_string_equal(sent_header(&f, "Cookie"), "k=v; sid=42");
	answer(&f, 200, "");
	assert_string_equal(sent_header(&f, "Cookie"), "(none)");
	header(&f, "Set-Cookie", "sid=other; Path=/");
	answer(&f, 200, "");
	assert_string_equal(sent_header(&f, "Cookie"), "own=42");
	answer(&f, 200, "");
	assert_true(str_is(f.vm.request.url, "http://other/e"));
	assert_string_equal(sent_header(&f, "Cookie"), "(none)");
	answer(&f, 200, "");
	/* The jar is the user's: the next iteration has it. */
	vm_begin(&f.vm, 0, 1, NOW);
	assert_int_equal(vm_resume(&f.vm, NULL, NOW), VM_REQUEST);
	assert_string_equal(sent_header(&f, "Cookie"), "k=v; sid=42");
	end(&f);
}

static void new_attempts_are_made_only_for_what_is_written(void **state)
{
	struct fixture f;
	begin(&f,
	      TEXT("",
	           "{\"post\":\"/\",\"body\":\"${uuid}\",\"retry\":{\"attempts\":3,\"on\":[\"transport\",503],\"delay\":\"2s\"}},"
	           "{\"get\":\"/2\",\"retry\":{\"attempts\":2}}"));
	char body[64];
	snprintf(body, sizeof(body), "%.*s", STR_ARG(f.vm.request.body));
	assert_false(f.vm.request.continues);
	break_transport(&f);
	assert_false(f.vm.outcome.is_final);
	assert_true(f.vm.outcome.retried && f.vm.pause_in_step);
	wait_pause(&f, 2 * SECOND);
	expect_request(&f, "POST", "/base/");
	assert_true(f.vm.request.continues && str_is(f.vm.request.body, body));
	answer(&f, 503, "");
	assert_false(f.vm.outcome.is_final);
	wait_pause(&f, 2 * SECOND);
	answer(&f, 503, "");
	/* The third was the last. */
	assert_true(f.vm.outcome.is_final);
	assert_int_equal(f.vm.outcome.failure, VM_STATUS_FAILED);
	expect_request(&f, "GET", "/base/2");
	assert_false(f.vm.request.continues);
	answer(&f, 599, "");
	expect_request(&f, "GET", "/base/2"); /* no delay: at once */
	assert_true(f.vm.request.continues);
	answer(&f, 404, "");
	assert_true(f.vm.outcome.is_final);
	assert_int_equal(f.stop, VM_ITERATION_END);
	end(&f);
}

static void redirects_are_followed_like_browsers_do(void **state)
{
	struct fixture f;
	begin(&f, TEXT("", "{\"post\":\"/login\",\"json\":{},\"redirects\":3,\"headers\":{\"Authorization\":\"x\"},"
	                   "\"check\":[{\"status\":200},{\"json\":\"/ok\",\"equals\":true}]},{\"get\":\"/n\"}"));
	header(&f, "Set-Cookie", "sid=1; Path=/");
	header(&f, "Location", "home?x=1#top");
	answer(&f, 302, "{\"ok\":false}");
	assert_false(f.vm.outcome.is_final || f.vm.outcome.retried);
	expect_request(&f, "GET", "/base/home?x=1");
	assert_true(f.vm.request.continues && !f.vm.request.has_body);
	assert_string_equal(sent_header(&f, "Cookie"), "sid=1");
	assert_string_equal(sent_header(&f, "Content-Type"), "(none)");
	assert_string_equal(sent_header(&f, "Authorization"), "x");
	header(&f, "location", "https://elsewhere:8/a");
	answer(&f, 307, "");
	assert_true(str_is(f.vm.request.url, "https://elsewhere:8/a"));
	assert_string_equal(sent_header(&f, "Authorization"), "(none)");
	assert_string_equal(sent_header(&f, "Cookie"), "(none)");
	header(&f, "Location", "/b");
	answer(&f, 301, "");
	assert_true(str_is(f.vm.request.url, "https://elsewhere:8/b"));
	header(&f, "Location", "/c");
	answer(&f, 301, "{\"ok\":true}"); /* the fourth is an answer */
	assert_true(f.vm.outcome.is_final);
	assert_string_equal(f.vm.outcome.text, "status 200: got 301");
	assert_int_equal(f.vm.outcome.failed_checks, 1);
	expect_request(&f, "GET", "/base/n");
	header(&f, "Location", "/x");
	answer(&f, 302, "");
	assert_int_equal(f.stop, VM_ITERATION_END);
	end(&f);
}

static const char *digest_user(const struct fixture *f)
{
	return f->vm.request.needs && f->vm.request.needs->user ? f->vm.request.needs->user : "(none)";
}

static void passwords_stay_with_their_host(void **state)
{
	struct fixture f;
	begin(&f,
	      TEXT("\"defaults\":{\"redirects\":3,\"compression\":true,"
	           "\"auth\":{\"kind\":\"digest\",\"user\":\"ann\",\"password\":\"p\"}},",
	           "{\"get\":\"/a\"},{\"get\":\"http://other/b\"},{\"get\":\"http://other/c\",\"auth\":{\"kind\":\"digest\","
	           "\"user\":\"bob\",\"password\":\"q\"}},{\"get\":\"http://h:81/d\"}"));
	assert_string_equal(digest_user(&f), "ann");
	header(&f, "Location", "/base/again");
	answer(&f, 302, "");
	assert_string_equal(digest_user(&f), "ann");
	header(&f, "Location", "http://other/");
	answer(&f, 302, "");
	assert_true(str_is(f.vm.request.url, "http://other/"));
	assert_string_equal(digest_user(&f), "(none)");
	assert_true(f.vm.request.needs->compression);
	answer(&f, 200, "");
	assert_true(str_is(f.vm.request.url, "http://other/b"));
	assert_string_equal(digest_user(&f), "(none)");
	answer(&f, 200, "");
	assert_string_equal(digest_user(&f), "bob");
	answer(&f, 200, "");
	assert_string_equal(digest_user(&f), "ann");
	end(&f);
}

static void a_cookie_of_the_file_follows_redirects(void **state)
{
	struct fixture f;
	begin(&f, TEXT("", "{\"get\":\"/a\",\"redirects\":5,\"headers\":{\"Cookie\":\"own=1\"}}"));
	header(&f, "Set-Cookie", "jar=h; Path=/");
	header(&f, "Location", "/b");
	answer(&f, 302, "");
	assert_string_equal(sent_header(&f, "Cookie"), "own=1");
	header(&f, "Location", "http://other/c");
	answer(&f, 302, "");
	assert_string_equal(sent_header(&f, "Cookie"), "(none)");
	header(&f, "Set-Cookie", "jar=o; Path=/d");
	header(&f, "Location", "/d");
	answer(&f, 302, "");
	assert_string_equal(sent_header(&f, "Cookie"), "jar=o");
	header(&f, "Location", "/e");
	answer(&f, 302, "");
	assert_string_equal(sent_header(&f, "Cookie"), "(none)");
	header(&f, "Location", "http://h:81/f");
	answer(&f, 302, "");
	assert_string_equal(sent_header(&f, "Cookie"), "jar=h");
	end(&f);
}

/* Rows of <pick> that <workers> workers with two users each take in <turns> iterations, in the order of the workers. */
static void take_rows(const char *feed, uint32_t worker, uint32_t workers, int turns, char *taken)
{
	char text[512];
	size_t len = strlen(taken);
	struct vm_shared shared;
	struct vm users[2];
	snprintf(text, sizeof(text), TEXT("\"feeds\":{\"f\":{\"file\":\"f.csv\",%s}},", "{\"get\":\"/${f.user}\"}"),
	         feed);
	struct program *p = compile(text);
	vm_shared_init(&shared, p, worker, workers, 1);
	for (uint32_t u = 0; u < 2; u++)
		vm_init(&users[u], &shared, worker + u * workers);
	for (int i = 0; i < turns; i++) {
		struct vm *vm = &users[i % 2];
		vm_begin(vm, 0, (uint64_t)i, NOW);
		const enum vm_stop stop = vm_resume(vm, NULL, NOW);
		taken[len++] = stop == VM_STOPPED ? '.' : vm->request.path.p[strlen("/base/")];
	}
	taken[len] = '\0';
	for (uint32_t u = 0; u < 2; u++)
		vm_finish(&users[u]);
	vm_shared_finish(&shared);
	program_destroy(p);
}

static void rows_are_split_between_workers_without_a_word(void **state)
{
	static const struct {
		const char *feed;
		uint32_t workers;
		const char *taken;
	} cases[] = {
		{ "\"pick\":\"sequential\"", 1, "abcdeabc" },
		{ "\"pick\":\"sequential\",\"at_end\":\"stop\"", 1, "abcde..." },
		{ "\"pick\":\"unique\"", 2, "ace.....bd......" },
		{ "\"pick\":\"unique\"", 3, "ad......be......c......." },
		{ "\"pick\":\"sequential\"", 2, "acebdacebdacebda" }, /* rows 0, 2, 4, 6 = 1, ... and 1, 3, 5 = 0, ... */
		{ "\"pick\":\"per-user\"", 2, "acacacacbdbdbdbd" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char taken[128] = "";
		for (uint32_t w = 0; w < cases[i].workers; w++)
			take_rows(cases[i].feed, w, cases[i].workers, 8, taken);
		assert_string_equal(taken, cases[i].taken);
	}
}

static void bodies_and_queries_are_encoded_for_their_place(void **state)
{
	struct fixture f;
	begin(&f,
	      TEXT("\"vars\":{\"v\":\"a&b c\"},",
	           "{\"get\":\"/q?x=1\",\"query\":{\"$${k y\":\"${v}\",\"n\":[1,true,19.99]}},"
	           "{\"post\":\"/f\",\"form\":{\"a\":\"x+y=${v}\",\"b\":2}},"
	           "{\"post\":\"/m\",\"multipart\":[{\"name\":\"$${n\\\"\",\"value\":\"${v}\"},{\"name\":\"d\",\"file\":\"f.csv\"}]},"
	           "{\"put\":\"/${now.ms}/${now.iso}\",\"body\":\"${random.choice(only)} ${random.float(2,2)}\"}"));
	expect_request(&f, "GET", "/base/q?x=1&%24%7Bk%20y=a%26b%20c&n=1&n=true&n=19.99");
	answer(&f, 200, "");
	assert_true(str_is(f.vm.request.body, "a=x%2By%3Da%26b%20c&b=2"));
	assert_string_equal(sent_header(&f, "Content-Type"), "application/x-www-form-urlencoded");
	answer(&f, 200, "");
	char boundary[64];
	assert_int_equal(sscanf(sent_header(&f, "Content-Type"), "multipart/form-data; boundary=%63s", boundary), 1);
	char *want = xasprintf(
		"--%s\r\nContent-Disposition: form-data; name=\"${n%%22\"\r\n\r\na&b c\r\n"
		"--%s\r\nContent-Disposition: form-data; name=\"d\"; filename=\"f.csv\"\r\n"
		"Content-Type: application/octet-stream\r\n\r\nuser,key\na,1\nb,2\nc,3\nd,4\ne,5\n\r\n--%s--\r\n",
		boundary, boundary, boundary);
	assert_true(str_is(f.vm.request.body, want));
	free(want);
	answer(&f, 200, "");
	expect_request(&f, "PUT", "/base/1767225600123/2026-01-01T00%3A00%3A00.123Z");
	assert_true(str_is(f.vm.request.body, "only 2.000000"));
	end(&f);
}

#define SOURCES                                                                                                       \
	TEXT("\"vars\":{\"want\":\"12\"},",                                                                           \
	     "{\"get\":\"/\",\"check\":[{\"header\":\"X-A\",\"equals\":\"1\"},{\"header\":\"x-b\",\"exists\":false}," \
	     "{\"regex\":\"n=(\\\\d+)\",\"equals\":\"${want}\"},{\"json\":\"$.l[*].id\",\"equals\":\"${want}\"},"     \
	     "{\"json\":\"/t\",\"contains\":\"el\"},{\"json\":\"/t\",\"matches\":\"^h.*o$\"},"                        \
	     "{\"body\":{\"size\":\"< 60\"}},{\"regex\":\"nowhere\",\"exists\":false}],"                              \
	     "\"extract\":{\"n\":{\"regex\":\"n=(\\\\d+)\"},\"m\":{\"regex\":\"n=(\\\\d+)\",\"group\":0}}},{\"get\":\"/${n}/${m}\"}")

static void sources_are_checked_and_taken(void **state)
{
	struct fixture f;
	begin(&f, SOURCES);
	header(&f, "x-a", "1");
	answer(&f, 200, "{\"t\":\"hello\",\"l\":[{},{\"id\":12},{\"id\":3}],\"x\":\"n=12\"}");
	assert_string_equal(f.vm.outcome.text, "");
	expect_request(&f, "GET", "/base/12/n%3D12");
	vm_begin(&f.vm, 0, 1, NOW);
	f.stop = vm_resume(&f.vm, NULL, NOW);
	header(&f, "X-A", "2");
	header(&f, "X-B", "2");
	answer(&f, 200,
	       "{\"t\":\"hallo!\",\"l\":[{\"id\":13},{\"id\":12}],\"x\":\"n=13 nowhere\",\"y\":\"more than enough of it\"}");
	assert_int_equal(f.vm.outcome.failed_checks, 0xff);
	assert_string_equal(f.vm.outcome.text, "header X-A equals 1: found 2");
	end(&f);
}

static void whole_bodies_are_compared_as_they_arrive(void **state)
{
	static const struct {
		const char *first, *second;
		bool equal;
	} cases[] = { { "whole", " body", true },   { "whole body", "", true }, { "whole", " Body", false },
		      { "whole", " body!", false }, { "", "", false },          { "whole", "", false } };
	struct fixture f;
	begin(&f, TEXT("", "{\"get\":\"/\",\"check\":[{\"body\":{\"equals\":\"whole body\"}}]}"));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		vm_begin(&f.vm, 0, i, NOW);
		f.stop = vm_resume(&f.vm, NULL, NOW);
		vm_body(&f.vm, str_from(cases[i].first));
		answer(&f, 200, cases[i].second);
		assert_int_equal(f.vm.outcome.failure == VM_PASSED, cases[i].equal);
	}
	end(&f);
}

static void what_was_found_is_shown_without_secrets(void **state)
{
	static const struct {
		const char *check, *body, *text;
	} cases[] = {
		{ "{\"json\":\"/data/id\",\"equals\":\"zz\"}", "{\"data\":{\"id\":\"hunter2\"}}",
		  "json /data/id equals zz: found ***" },
		/* This answer itself says what the secret is. */
		{ "{\"json\":\"/data/id\",\"equals\":\"zz\"}", "{\"data\":{\"id\":\"by fresh-1!\"},\"t\":\"fresh-1\"}",
		  "json /data/id equals zz: found by ***!" },
		/* A secret that the cut would run through. */
		{ "{\"json\":\"/data/id\",\"equals\":\"zz\"}",
		  "{\"data\":{\"id\":\"0123456789012345678901234567890123456hunter2 and more\"}}",
		  "json /data/id equals zz: found 0123456789012345678901234567890123456***" },
		{ "{\"json\":\"/token/value\",\"equals\":\"zz\"}", "{\"token\":{\"value\":\"below\"}}",
		  "json /token/value equals ***: found ***" },
		{ "{\"json\":\"/token/value\",\"matches\":\"^zz\"}", "{\"token\":{\"value\":\"below\"}}",
		  "json /token/value matches ***: found ***" },
		{ "{\"header\":\"location\",\"equals\":\"zz\"}", "{}",
		  "header location equals zz: found /cb?code=1&id_token=***" },
		{ "{\"json\":\"/o\",\"matches\":\".*\"}", "{\"o\":{}}", "json /o matches .*: found an object" },
		{ "{\"json\":\"/o\",\"contains\":\"\"}", "{\"o\":[\"\"]}", "json /o contains '': found an array" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fixture f;
		char text[1024];
		snprintf(
			text, sizeof(text),
			TEXT("\"vars\":{\"password\":\"hunter2\"},",
		             "{\"get\":\"/\",\"check\":[%s],\"extract\":{\"my_token\":{\"json\":\"/t\",\"optional\":true},"
		             "\"x\":{\"json\":\"/credentials/0/x\",\"optional\":true}}}"),
			cases[i].check);
		begin(&f, text);
		header(&f, "Location", "/cb?code=1&id_token=abc");
		answer(&f, 200, cases[i].body);
		assert_int_equal(f.vm.outcome.failure, VM_CHECK_FAILED);
		assert_string_equal(f.vm.outcome.text, cases[i].text);
		assert_true(f.program->variables[2].secret); /* below a secret member */
		end(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_repeat_within_each_other),
		cmocka_unit_test(conditions_choose),
		cmocka_unit_test(a_loop_ends_when_its_condition_does),
		cmocka_unit_test(a_pace_counts_from_the_beginning_also_when_the_iteration_fails),
		cmocka_unit_test(what_cannot_be_rendered_waits_for_the_pace),
		cmocka_unit_test(cookies_come_back_and_can_be_turned_off),
		cmocka_unit_test(new_attempts_are_made_only_for_what_is_written),
		cmocka_unit_test(redirects_are_followed_like_browsers_do),
		cmocka_unit_test(passwords_stay_with_their_host),
		cmocka_unit_test(a_cookie_of_the_file_follows_redirects),
		cmocka_unit_test(rows_are_split_between_workers_without_a_word),
		cmocka_unit_test(bodies_and_queries_are_encoded_for_their_place),
		cmocka_unit_test(sources_are_checked_and_taken),
		cmocka_unit_test(what_was_found_is_shown_without_secrets),
		cmocka_unit_test(whole_bodies_are_compared_as_they_arrive),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
