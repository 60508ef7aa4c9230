/* live_text.h: a run that goes on, as one screen of whatever size.
 *
 * The same lines serve all widths: figures stand in narrow columns, and what room is left shows how they came about
 * (sparklines). When there are too few rows the least important lines go first; the title, the progress and the
 * response time go last. What cannot be said yet is "n/a". Colour and signs are only additions to words.
 *
 * Renders only. Threads: [any]. */
#ifndef WEIR_REPORTS_LIVE_TEXT_H
#define WEIR_REPORTS_LIVE_TEXT_H

#include "record/progress.h"
#include "reports/style.h"

/* The last seconds, oldest first: as many as the widest terminal could show. */
#define LIVE_HISTORY 200
struct live_history {
	struct second_record seconds[LIVE_HISTORY];
	size_t count;
};
void live_history_add(struct live_history *h, const struct second_record *s);

struct live_subject {
	const char *heading; /* of a longer business: the trial of a search; may be NULL */
	const char *name, *target;
	const struct live_history *history;
};

/* At most <rows> lines (at least 1), none wider than style_width(style), each ending with a line feed. */
void report_live_text(const struct live_subject *subject, const struct run_progress *p,
                      const struct report_style *style, int rows, struct buf *out);

/* Is the generator itself at its limit in this second? */
bool live_strained(const struct second_record *s);

#endif
