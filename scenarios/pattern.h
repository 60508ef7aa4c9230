/* pattern.h: regular expressions (PCRE2, 8 bits, UTF, compiled to machine code where that is possible), with limits on
 * everything: a pattern that backtracks too much has no answer, it does not hang a user.
 *
 * pattern  compiled: immutable, shared by all workers
 * matcher  what matching needs: one per worker
 *
 * Threads: a pattern [any]; a matcher belongs to one. */
#ifndef WEIR_SCENARIOS_PATTERN_H
#define WEIR_SCENARIOS_PATTERN_H

#include "base/str.h"

#define PATTERN_BYTES_MAX 1024
#define PATTERN_GROUPS_MAX 32
/* Of PCRE2: about 10 ms of backtracking at the most. */
#define PATTERN_MATCH_LIMIT 100000
#define PATTERN_HEAP_KIB 1024

struct pattern;
struct matcher;

/* NULL when <text> is no pattern; then <reterr_at> is where, and <reterr_why> (room for 120) why. Given. */
struct pattern *pattern_create(struct str text, size_t *reterr_at, char reterr_why[120]);
void pattern_destroy(struct pattern *p); /* NULL is fine */
uint32_t pattern_group_count(const struct pattern *p);

struct matcher *matcher_create(void);    /* given */
void matcher_destroy(struct matcher *m); /* NULL is fine */

enum match_answer { MATCH_FOUND, MATCH_NONE, MATCH_GAVE_UP };

/* The first match in <subject>; <ret_group>: the part that <group> took, empty when it took none. <ret_group> may be
 * NULL. Bytes that are no UTF-8 match nothing. */
enum match_answer pattern_match(const struct pattern *p, struct matcher *m, struct str subject, uint32_t group,
                                struct str *ret_group);

#endif
