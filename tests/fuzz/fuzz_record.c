/* Any JSON, as each of the records. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "record/rollout.h"
#include "record/run.h"
#include "record/search.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run_record run;
	struct search_record search;
	struct rollout_record rollout;
	struct tick_record tick;
	struct event_record event;
	json_t *json = json_loadb((const char *)data, size, JSON_ALLOW_NUL, NULL);
	if (run_record_decode(json, &run, NULL) == 0) {
		/* What was accepted can be written, and is then accepted again. */
		struct run_record again;
		json_t *written = run_record_encode(&run, RUN_JSON_HISTOGRAMS);
		if (run_record_decode(written, &again, NULL) < 0)
			abort();
		json_decref(written);
		run_record_finish(&again);
		run_record_finish(&run);
	}
	if (search_record_decode(json, &search, NULL) == 0)
		search_record_finish(&search);
	if (rollout_record_decode_head(json, &rollout, NULL) == 0)
		rollout_record_finish(&rollout);
	if (event_record_decode(json, &event, NULL) == 0)
		event_record_finish(&event);
	(void)tick_record_decode(json, &tick, NULL);
	json_decref(json);
	return 0;
}
