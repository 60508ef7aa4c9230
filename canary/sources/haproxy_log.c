#include "canary/sources/haproxy_log.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/must.h"
#include "canary/drivers/haproxy_config.h"
#include "canary/sources/haproxy_line.h"
#include "net/fifo.h"

/* --- counting ---------------------------------------------------------------------------------------------------- */

void haproxy_intake_init(struct haproxy_intake *i)
{
	i->rest_len = 0;
	i->skipping = false;
	source_sample_init(&i->sample);
}

void haproxy_intake_finish(struct haproxy_intake *i)
{
	source_sample_finish(&i->sample);
}

static void count_request(struct arm_sample *a, const struct haproxy_line *line)
{
	if (line->aborted) {
		a->client_aborts++;
		return;
	}
	a->requests++;
	a->errors += line->failed;
	logbins_record(&a->bins, line->latency);
	if (a->latency)
		hist_record(a->latency, line->latency);
}

static void count_groups(struct source_groups groups[GROUPINGS], const struct haproxy_line *line)
{
	const int bin = logbins_index(line->latency);
	for (int by = 0; by < GROUPINGS; by++) {
		const int group = line->groups[by];
		if (group < 0)
			continue;
		groups[by].errors[group] += line->failed;
		groups[by].bins[group][bin]++;
	}
}

static void count_line(struct haproxy_intake *i, struct str text)
{
	struct haproxy_line line;
	switch (haproxy_line_parse(text, &line)) {
	case HAPROXY_LINE_REQUEST:
		i->sample.lines++;
		count_request(&i->sample.arms[line.arm], &line);
		if (line.arm == ARM_STABLE && !line.aborted)
			count_groups(i->sample.stable, &line);
		break;
	case HAPROXY_LINE_UNREADABLE:
		i->sample.lines++;
		i->sample.unreadable++;
		break;
	case HAPROXY_LINE_NO_ARM:
	case HAPROXY_LINE_NOTICE:
		break;
	}
}

static void count_too_long(struct haproxy_intake *i)
{
	i->sample.lines++;
	i->sample.unreadable++;
}

/* The end of a line that began in an earlier piece; <part> is without the newline. */
static void count_joined(struct haproxy_intake *i, struct str part)
{
	if (i->skipping || part.len > sizeof(i->rest) - i->rest_len) {
		count_too_long(i);
	} else {
		memcpy(i->rest + i->rest_len, part.p, part.len);
		count_line(i, (struct str){ i->rest, i->rest_len + part.len });
	}
	i->skipping = false;
	i->rest_len = 0;
}

static void keep_rest(struct haproxy_intake *i, struct str part)
{
	if (part.len > sizeof(i->rest) - i->rest_len) {
		i->skipping = true;
		i->rest_len = 0;
	}
	if (i->skipping || part.len == 0)
		return;
	memcpy(i->rest + i->rest_len, part.p, part.len);
	i->rest_len += part.len;
}

void haproxy_intake_bytes(struct haproxy_intake *i, struct str bytes)
{
	const char *p = bytes.p, *end = bytes.p + bytes.len;
	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		if (!newline)
			break;
		const struct str part = { p, (size_t)(newline - p) };
		if (i->rest_len > 0 || i->skipping)
			count_joined(i, part);
		else
			count_line(i, part);
		p = newline + 1;
	}
	if (p < end)
		keep_rest(i, (struct str){ p, (size_t)(end - p) });
}

/* --- the source -------------------------------------------------------------------------------------------------- */

struct haproxy_log {
	struct live_source base;
	struct fifo *pipe;
	struct haproxy_intake intake;
};

static void on_bytes(void *arg, struct str bytes)
{
	struct haproxy_log *s = arg;
	haproxy_intake_bytes(&s->intake, bytes);
}

static void haproxy_log_take(struct live_source *base, struct source_sample *into)
{
	struct haproxy_log *s = container_of(base, struct haproxy_log, base);
	/* What is in the pipe by now belongs to this tick, even when the loop was too busy to read it. */
	fifo_drain(s->pipe);
	const struct source_sample full = s->intake.sample;
	s->intake.sample = *into;
	*into = full;
}

static void haproxy_log_destroy(struct live_source *base)
{
	struct haproxy_log *s = container_of(base, struct haproxy_log, base);
	fifo_close(s->pipe);
	haproxy_intake_finish(&s->intake);
	free(s);
}

static const struct live_source_ops haproxy_log_ops = {
	.name = "haproxy-log",
	.take = haproxy_log_take,
	.destroy = haproxy_log_destroy,
};

struct live_source *haproxy_log_create(struct loop *loop, const struct plan *plan, const char *folder, struct err *err)
{
	if (file_make_folder(folder, err) != 0)
		return NULL;
	struct haproxy_log *s = xcalloc(1, sizeof(*s));
	s->base.ops = &haproxy_log_ops;
	haproxy_intake_init(&s->intake);
	char *path = xasprintf("%s/" HAPROXY_LOG_PIPE, folder);
	s->pipe = fifo_open(loop, path, on_bytes, s, err);
	free(path);
	if (!s->pipe) {
		haproxy_log_destroy(&s->base);
		return NULL;
	}
	return &s->base;
}
