#include "reports/load_tables.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define NAMES 12
/* What stands behind a line: "  most 12,345/s". */
#define NOTES 18

/* The measured seconds, put together so that each slice is one character. */
struct slices {
	size_t count, seconds_each;
	double *completed, *failed, *p99, *users; /* per second, per second, worst second's ns, most */
	char *ramps;                              /* text: '/' where the plan changed, '-' where it held */
	bool ramped;
};

static void make_slices(const struct run_record *r, size_t room, struct slices *ret)
{
	int32_t last = -1;
	for (size_t i = 0; i < r->second_count; i++)
		if (r->seconds[i].second > last)
			last = r->seconds[i].second;
	const size_t seconds = (size_t)(last + 1);
	*ret = (struct slices){ .seconds_each = seconds > room ? (seconds + room - 1) / room : 1 };
	ret->count = (seconds + ret->seconds_each - 1) / ret->seconds_each;
	ret->completed = xcalloc(ret->count + 1, sizeof(double));
	ret->failed = xcalloc(ret->count + 1, sizeof(double));
	ret->p99 = xcalloc(ret->count + 1, sizeof(double));
	ret->users = xcalloc(ret->count + 1, sizeof(double));
	ret->ramps = xcalloc(ret->count + 1, 1);
	memset(ret->ramps, '-', ret->count);
	for (size_t i = 0; i < r->second_count; i++) {
		const struct second_record *x = &r->seconds[i];
		if (x->second < 0)
			continue;
		const size_t k = (size_t)x->second / ret->seconds_each;
		/* The last slice may be shorter than the others. */
		const size_t in_slice = k + 1 < ret->count ? ret->seconds_each : seconds - k * ret->seconds_each;
		ret->completed[k] += (double)x->completed / (double)in_slice;
		ret->failed[k] += (double)x->failed / (double)in_slice;
		ret->p99[k] = fmax(ret->p99[k], (double)x->response_p99);
		ret->users[k] = fmax(ret->users[k], (double)x->users);
		if (x->phase == PHASE_RAMP) {
			ret->ramps[k] = '/';
			ret->ramped = true;
		}
	}
}

static void finish_slices(struct slices *x)
{
	free(x->completed);
	free(x->failed);
	free(x->p99);
	free(x->users);
	free(x->ramps);
}

static double most_of(const double *values, size_t count)
{
	double most = 0;
	for (size_t i = 0; i < count; i++)
		most = fmax(most, values[i]);
	return most;
}

static void write_line(const struct report_style *s, struct buf *out, const char *name, const double *values,
                       size_t count, const char *most)
{
	buf_printf(out, "  %-*s ", NAMES, name);
	style_spark(s, out, values, count, 0);
	buf_printf(out, "  most %s\n", most);
}

void load_timeline(const struct run_record *r, const struct report_style *s, struct buf *out)
{
	struct slices x;
	char a[NUMBER_TEXT_BYTES];
	const size_t room = (size_t)(style_width(s) - 2 - NAMES - 1 - NOTES);
	make_slices(r, room, &x);
	if (x.count > 1) {
		style_heading(s, out, "Over time (one character: %zu s, for p99 its worst second)", x.seconds_each);
		write_line(s, out, "requests", x.completed, x.count, text_rate(most_of(x.completed, x.count), a));
		write_line(s, out, "p99", x.p99, x.count, text_duration((dur_ns)most_of(x.p99, x.count), a));
		if (r->failed)
			write_line(s, out, "failed", x.failed, x.count, text_rate(most_of(x.failed, x.count), a));
		write_line(s, out, "users", x.users, x.count, text_count(most_of(x.users, x.count), a));
		if (x.ramped)
			buf_printf(out, "  %-*s %s  / ramp, - steady\n", NAMES, "plan", x.ramps);
	}
	finish_slices(&x);
}
