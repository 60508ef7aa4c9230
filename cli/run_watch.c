#include "cli/run_watch.h"

#include <stdio.h>

#include "reports/metrics_text.h"

static void offer_metrics(struct run_watch *w, const struct run_progress *p)
{
	struct buf text;
	buf_init(&text, METRICS_BYTES_MAX);
	report_metrics_text(w->live.name, p, &text);
	metrics_server_offer(w->metrics, buf_str(&text));
	buf_finish(&text);
}

int run_watch_open(struct run_watch *w, const struct run_watch_options *o, struct err *err)
{
	*w = (struct run_watch){
		.live = { .terminal = o->terminal, .name = o->name, .target = o->target, .quiet = o->quiet },
	};
	if (o->metrics) {
		w->metrics = metrics_server_start(o->metrics, err);
		if (!w->metrics)
			return err_wrap(err, "--metrics");
		offer_metrics(w, NULL);
		if (!o->quiet)
			fprintf(stderr, "metrics at %s\n", metrics_server_url(w->metrics));
	}
	/* Last: it empties a file. */
	if (hlog_file_open(&w->hlog, o->hlog, err) == 0)
		return 0;
	metrics_server_stop(w->metrics);
	return -1;
}

void run_watch_second(void *arg, const struct run_progress *p)
{
	struct run_watch *w = arg;
	/* First: the sooner it knows, the nearer its figures are to the end of the second. */
	observing_second(w->observing);
	live_load_second(&w->live, p);
	hlog_file_second(&w->hlog, p);
	if (w->metrics)
		offer_metrics(w, p);
}

void run_watch_end(struct run_watch *w)
{
	live_load_end(&w->live);
	metrics_server_stop(w->metrics);
	w->metrics = NULL;
}

int run_watch_close(struct run_watch *w, const struct run_record *r, struct err *err)
{
	const bool valid = r && r->validity != RUN_NOT_VALID;
	const char *path = w->hlog.path;
	const bool aside = r && !valid && path && path[0] != '-';
	const int result = hlog_file_close(&w->hlog, valid, err);
	if (aside && !w->live.quiet)
		fprintf(stderr, "the histograms of this invalid run are in %s.unverified\n", path);
	return result;
}
