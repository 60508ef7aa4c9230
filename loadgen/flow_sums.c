#include "loadgen/flow_sums.h"

#include <stdlib.h>

#include "base/mem.h"

void flow_sums_init(struct flow_sums *f, const struct program *program)
{
	const size_t count = program->flow_count;
	*f = (struct flow_sums){
		.program = program,
		.interval = xcalloc(count, sizeof(struct hist)),
		.response = xcalloc(count, sizeof(struct hist)),
		.rows = xcalloc(count, sizeof(struct flow_progress)),
	};
	for (size_t i = 0; i < count; i++) {
		hist_init_latency(&f->interval[i]);
		hist_init_latency(&f->response[i]);
		f->rows[i] = (struct flow_progress){ .name = program->flows[i].name,
			                             .interval = &f->interval[i],
			                             .response = &f->response[i] };
	}
}

void flow_sums_finish(struct flow_sums *f)
{
	for (size_t i = 0; f->program && i < f->program->flow_count; i++) {
		hist_finish(&f->interval[i]);
		hist_finish(&f->response[i]);
	}
	free(f->interval);
	free(f->response);
	free(f->rows);
	*f = (struct flow_sums){ 0 };
}

void flow_sums_take(struct flow_sums *f, const struct meter *interval, const struct meter *total)
{
	for (uint32_t i = 0; i < f->program->flow_count; i++) {
		const struct flow *flow = &f->program->flows[i];
		struct flow_progress *row = &f->rows[i];
		row->requests = row->failed = 0;
		hist_reset(&f->interval[i]);
		for (uint32_t s = flow->first_step; s < flow->first_step + flow->step_count; s++) {
			hist_add(&f->interval[i], &interval->steps[s].response);
			row->requests += total->steps[s].requests;
			row->failed += total->steps[s].failed;
		}
		hist_add(&f->response[i], &f->interval[i]);
	}
}
