#include "scenarios/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"

#define JIT_STACK_START (32u << 10)
#define JIT_STACK_MAX (256u << 10)

struct pattern {
	pcre2_code *code;
	uint32_t groups;
};

struct matcher {
	pcre2_match_data *match;
	pcre2_match_context *limits;
	pcre2_jit_stack *stack;
};

struct pattern *pattern_create(struct str text, size_t *reterr_at, char reterr_why[120])
{
	int code_error;
	PCRE2_SIZE at = 0;
	*reterr_at = 0;
	if (text.len > PATTERN_BYTES_MAX) {
		snprintf(reterr_why, 120, "a pattern has at most %d bytes", PATTERN_BYTES_MAX);
		return NULL;
	}
	/* \C would stop in the middle of a character. */
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)text.p, text.len,
	                                 PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C, &code_error,
	                                 &at, NULL);
	if (!code) {
		*reterr_at = at;
		if (pcre2_get_error_message(code_error, (PCRE2_UCHAR *)reterr_why, 120) < 0)
			reterr_why[119] = '\0';
		return NULL;
	}
	struct pattern *p = xcalloc(1, sizeof(*p));
	p->code = code;
	must(pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &p->groups) == 0);
	if (p->groups > PATTERN_GROUPS_MAX) {
		snprintf(reterr_why, 120, "a pattern has at most %d groups", PATTERN_GROUPS_MAX);
		pattern_destroy(p);
		return NULL;
	}
	/* Where there is no compiler for this machine the interpreter does it. */
	pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	return p;
}

void pattern_destroy(struct pattern *p)
{
	if (!p)
		return;
	pcre2_code_free(p->code);
	free(p);
}

uint32_t pattern_group_count(const struct pattern *p)
{
	return p->groups;
}

struct matcher *matcher_create(void)
{
	struct matcher *m = xcalloc(1, sizeof(*m));
	m->match = pcre2_match_data_create(PATTERN_GROUPS_MAX + 1, NULL);
	m->limits = pcre2_match_context_create(NULL);
	m->stack = pcre2_jit_stack_create(JIT_STACK_START, JIT_STACK_MAX, NULL);
	must(m->match && m->limits);
	pcre2_set_match_limit(m->limits, PATTERN_MATCH_LIMIT);
	pcre2_set_depth_limit(m->limits, PATTERN_MATCH_LIMIT);
	pcre2_set_heap_limit(m->limits, PATTERN_HEAP_KIB);
	if (m->stack)
		pcre2_jit_stack_assign(m->limits, NULL, m->stack);
	return m;
}

void matcher_destroy(struct matcher *m)
{
	if (!m)
		return;
	pcre2_match_data_free(m->match);
	pcre2_match_context_free(m->limits);
	pcre2_jit_stack_free(m->stack);
	free(m);
}

enum match_answer pattern_match(const struct pattern *p, struct matcher *m, struct str subject, uint32_t group,
                                struct str *ret_group)
{
	const int r = pcre2_match(p->code, (PCRE2_SPTR)(subject.len ? subject.p : ""), subject.len, 0, 0, m->match,
	                          m->limits);
	if (r == PCRE2_ERROR_NOMATCH)
		return MATCH_NONE;
	if (r < 0)
		return MATCH_GAVE_UP;
	must(group <= p->groups);
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(m->match);
	const bool took = (int)group < r && at[2 * group] != PCRE2_UNSET && at[2 * group] <= at[2 * group + 1];
	if (ret_group)
		*ret_group = took ? (struct str){ subject.p + at[2 * group], at[2 * group + 1] - at[2 * group] }
		                  : (struct str){ "", 0 };
	return MATCH_FOUND;
}
