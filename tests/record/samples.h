/* samples.h: records with something in every member, for the tests of record/, store/ and reports/. */
#ifndef WEIR_TESTS_RECORD_SAMPLES_H
#define WEIR_TESTS_RECORD_SAMPLES_H

#include "record/rollout.h"
#include "record/run.h"
#include "record/search.h"

/* Each differs in its figures by <seed>. Finished by the caller. */
void sample_run(struct run_record *ret, const char *id, const char *name, enum run_validity validity, uint64_t seed);
void sample_search(struct search_record *ret, const char *id, const char *name);
void sample_rollout(struct rollout_record *ret, const char *id, const char *service, enum rollout_state state);
struct tick_record sample_tick(int64_t number);

#endif
