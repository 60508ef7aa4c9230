#include "loadgen/search_run.h"

#include <stdlib.h>

#include "base/must.h"

/* What the listener of one trial collects. */
struct trial {
	const struct search_options *options;
	struct trial_figures figures;
};

static void on_second(void *arg, const struct run_progress *p)
{
	struct trial *t = arg;
	struct trial_figures *f = &t->figures;
	if (!p->warming_up && p->requests > 0 && f->batch_count < SEARCH_BATCHES_MAX)
		f->batches[f->batch_count++] = (struct batch){ (double)p->exceeded, (double)p->requests };
	if (t->options->listener.second)
		t->options->listener.second(t->options->listener.arg, p);
}

/* The scenario with an open load of <rate> in place of its own. NULL when it does not compile (it did before). */
static struct program *program_at(const struct search_options *o, double rate, dur_ns time)
{
	struct program *program = NULL;
	struct doc doc;
	json_t *copy = json_deep_copy(o->scenario);
	const long seconds_ms = (long)((time + o->warmup) / MILLISECOND), warmup_ms = (long)(o->warmup / MILLISECOND);
	char length[32], warmup[32];
	snprintf(length, sizeof(length), "%ldms", seconds_ms);
	snprintf(warmup, sizeof(warmup), "%ldms", warmup_ms);
	json_object_del(copy, "thresholds");
	json_object_set_new(copy, "warmup", json_string(warmup));
	json_object_set_new(copy, "load",
	                    json_pack("[{s:s, s:f, s:s, s:s}]", "executor", "constant-rate", "rate", rate, "for",
	                              length, "arrivals", "poisson"));
	char *text = json_dumps(copy, JSON_COMPACT);
	must(text);
	doc_init(&doc, "trial", str_from(text));
	if (program_compile(&doc, o->inputs, &program) < 0)
		program = NULL;
	doc_finish(&doc);
	free(text);
	json_decref(copy);
	return program;
}

static int run_trial(const struct search_options *o, double rate, dur_ns time, struct trial *t,
                     struct run_record *record, struct err *err)
{
	struct program *program = program_at(o, rate, time);
	if (!program)
		return err_set(err, ERR_USAGE, "the scenario does not compile with an open load of %.3g/s", rate);
	struct run_options run = o->run;
	run.program = program;
	run.exceed_limit = o->limits.limit;
	run.grace = o->limits.limit > RUN_GRACE_DEFAULT ? o->limits.limit : RUN_GRACE_DEFAULT;
	/* Another stream of arrivals for each load, the same when the search is repeated with its seed. */
	run.seed = o->run.seed + (uint64_t)(rate * 1000);
	run.listener = (struct run_listener){ on_second, t };
	const int r = run_execute(&run, record, err);
	program_destroy(program);
	return r;
}

static void read_record(const struct search_options *o, const struct run_record *r, struct trial_figures *f)
{
	f->begun = r->arrivals ? (double)r->started / (double)r->arrivals : 0;
	f->censored = r->censored;
	f->requests = r->requests;
	f->failed = r->failed;
	f->quantile = hist_quantile(&r->response, o->limits.quantile);
	f->invalid = r->validity == RUN_NOT_VALID;
	f->reason = r->reason_count ? r->reasons[0] : NULL;
}

int search_execute(const struct search_options *o, struct search_record *ret_record, struct err *err)
{
	struct search s;
	double rate;
	dur_ns time;
	enum trial_phase phase;
	int result = 0;
	const struct mono began = mono_now();
	ret_record->started_at = wall_now();
	id_make(ret_record->started_at, ret_record->id);
	search_init(&s, &o->limits);
	while (result == 0 && search_next(&s, &rate, &time, &phase)) {
		struct trial t = { .options = o };
		struct run_record run;
		if (o->listener.trial_begins)
			o->listener.trial_begins(o->listener.arg, rate, time, phase);
		result = run_trial(o, rate, time, &t, &run, err);
		/* What was found until then is kept. */
		if (result < 0 && err->kind == ERR_INTERRUPTED && ret_record->trial_count > 0) {
			search_stop(&s, "it was interrupted", ret_record);
			result = 0;
			break;
		}
		if (result < 0) {
			search_stop(&s, "the target could not be reached any more", ret_record);
			break;
		}
		if (o->listener.trial_ran)
			o->listener.trial_ran(o->listener.arg, &run);
		read_record(o, &run, &t.figures);
		/* Throughput that the generator could not make is no scale to measure a server with. */
		if (!t.figures.invalid)
			search_record_add_seconds(ret_record, &run);
		if (run.verdict == RUN_ABORTED) {
			search_stop(&s, "it was interrupted", ret_record);
		} else {
			search_take(&s, &t.figures, ret_record);
			if (o->listener.trial_ended)
				o->listener.trial_ended(o->listener.arg,
				                        &ret_record->trials[ret_record->trial_count - 1]);
		}
		if (!ret_record->manifest)
			ret_record->manifest = json_incref(run.manifest);
		run_record_finish(&run);
	}
	ret_record->duration = mono_since(mono_now(), began);
	return result;
}
