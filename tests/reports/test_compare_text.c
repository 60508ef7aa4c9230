#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"
#include "reports/compare_text.h"
#include "tests/reports/golden.h"

struct pair {
	struct run_record base, now;
};

static void render(const void *subject, const struct report_style *style, struct buf *out)
{
	const struct pair *p = subject;
	struct run_comparison c;
	report_compare(&p->base, &p->now, NULL, style, &c, out);
	run_comparison_finish(&c);
}

static void finish(struct pair *p)
{
	run_record_finish(&p->base);
	run_record_finish(&p->now);
}

static void regression(void **state)
{
	struct pair p;
	golden_run(&p.base, 1);
	golden_run(&p.now, 2.2);
	p.now.started_at.ns += 24 * HOUR;
	p.now.id[25] = 'D';
	json_object_set_new(p.now.manifest, "host", json_string("bench-2"));
	golden_check("compare_regression", render, &p);
	finish(&p);
}

static void same(void **state)
{
	struct pair p;
	golden_run(&p.base, 1);
	golden_run(&p.now, 1.02);
	golden_check("compare_same", render, &p);
	finish(&p);
}

static void a_little_worse(void **state)
{
	struct pair p;
	golden_run(&p.base, 9);
	golden_run(&p.now, 10.5);
	golden_check("compare_worse", render, &p);
	finish(&p);
}

static void too_few(void **state)
{
	struct pair p;
	golden_run_of(&p.base, 1, 5, 4);
	golden_run_of(&p.now, 3, 5, 4);
	golden_check("compare_too_few", render, &p);
	finish(&p);
}

static void refused(void **state)
{
	struct pair p;
	golden_run(&p.base, 1);
	golden_run(&p.now, 1);
	p.now.validity = RUN_NOT_VALID;
	p.now.verdict = RUN_INVALID;
	golden_check("compare_refused", render, &p);
	finish(&p);
}

static void gone(void **state)
{
	struct pair p;
	golden_run(&p.base, 1);
	golden_run(&p.now, 1);
	free(p.now.flows[1].name);
	p.now.flows[1].name = xstrdup("conversations");
	golden_check("compare_gone", render, &p);
	finish(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(regression), cmocka_unit_test(same),    cmocka_unit_test(a_little_worse),
		cmocka_unit_test(too_few),    cmocka_unit_test(refused), cmocka_unit_test(gone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
