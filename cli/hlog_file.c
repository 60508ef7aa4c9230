#include "cli/hlog_file.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "stats/hist_codec.h"

#define LONG_RUN (10 * MINUTE)
#define LINES_BYTES_MAX (64u << 20)

static bool is_stdout(const struct hlog_file *h)
{
	return strcmp(h->path, "-") == 0;
}

int hlog_file_open(struct hlog_file *h, const char *path, struct err *err)
{
	*h = (struct hlog_file){ .path = path };
	if (!path)
		return 0;
	/* What is in it stays until there is something to put in its place: the target may not even answer. */
	h->made = access(path, F_OK) < 0;
	h->file = is_stdout(h) ? tmpfile() : fopen(path, "ae");
	struct stat there;
	if (h->file && fstat(fileno(h->file), &there) == 0) {
		h->regular = S_ISREG(there.st_mode);
		return 0;
	}
	h->path = NULL;
	return err_set_errno(err, errno, "--hlog: '%s' cannot be written", path);
}

static void write_text(struct hlog_file *h, struct buf *text)
{
	const struct str s = buf_str(text);
	errno = 0;
	if (!h->trouble && (buf_overflowed(text) || fwrite(s.p, 1, s.len, h->file) != s.len || fflush(h->file) != 0))
		h->trouble = errno ? errno : EFBIG;
	buf_finish(text);
}

static bool is_flow(const struct run_progress *p, const char *tag)
{
	for (size_t i = 0; i < p->flow_count; i++)
		if (strcmp(p->flows[i].name, tag) == 0)
			return true;
	return false;
}

/* A flow that is called like one of weir's own tags keeps its name. */
static void add_tag(struct hlog_file *h, const struct run_progress *p, const char *tag)
{
	struct tagged *t = &h->tagged[h->tagged_count++];
	t->tag = is_flow(p, tag) ? xasprintf("(%s)", tag) : xstrdup(tag);
	hist_init_latency(&t->hist);
}

static void make_tags(struct hlog_file *h, const struct run_progress *p)
{
	h->tagged = xcalloc(p->flow_count + SET_UP_PARTS + 1, sizeof(*h->tagged));
	for (; h->tagged_count < p->flow_count; h->tagged_count++) {
		struct tagged *t = &h->tagged[h->tagged_count];
		t->tag = xstrdup(p->flows[h->tagged_count].name);
		hist_init_latency(&t->hist);
	}
	for (int i = 0; i < SET_UP_PARTS; i++) {
		char tag[32];
		snprintf(tag, sizeof(tag), "set-up-%s", set_up_part_text((enum set_up_part)i));
		add_tag(h, p, tag);
	}
	add_tag(h, p, "warmup");
}

static void begin(struct hlog_file *h, const struct run_progress *p)
{
	struct buf text;
	h->begun = true;
	if (h->regular && ftruncate(fileno(h->file), 0) < 0)
		h->trouble = errno;
	h->every = p->total > LONG_RUN ? 10 * SECOND : SECOND;
	hist_init_latency(&h->all);
	make_tags(h, p);
	buf_init(&text, LINES_BYTES_MAX);
	hlog_write_head(&text, p->started_at);
	write_text(h, &text);
}

/* Ends the interval under way. */
static void write_interval(struct hlog_file *h)
{
	struct buf text;
	const double from = (double)h->from / (double)SECOND, length = (double)h->length / (double)SECOND;
	buf_init(&text, LINES_BYTES_MAX);
	if (hist_count(&h->all))
		hlog_write_interval(&text, NULL, from, length, &h->all);
	for (size_t i = 0; i < h->tagged_count; i++) {
		if (hist_count(&h->tagged[i].hist))
			hlog_write_interval(&text, h->tagged[i].tag, from, length, &h->tagged[i].hist);
		hist_reset(&h->tagged[i].hist);
	}
	hist_reset(&h->all);
	h->length = 0;
	write_text(h, &text);
}

/* What came since the last second, in the order of the tags. */
static void add_second(struct hlog_file *h, const struct run_progress *p)
{
	struct tagged *t = h->tagged;
	hist_add(&h->all, p->interval);
	for (size_t i = 0; i < p->flow_count; i++)
		hist_add(&t++->hist, p->flows[i].interval);
	for (int i = 0; i < SET_UP_PARTS; i++)
		hist_add(&t++->hist, &p->interval_set_up[i]);
	hist_add(&t->hist, p->interval_warmup);
}

void hlog_file_second(struct hlog_file *h, const struct run_progress *p)
{
	if (!h->path)
		return;
	if (!h->begun)
		begin(h, p);
	if (h->length == 0)
		h->from = p->from;
	h->length = p->from + p->length - h->from;
	add_second(h, p);
	/* A second is never exactly one: half a second of room. What is left at the end is written by close. */
	if (h->length >= h->every - SECOND / 2)
		write_interval(h);
}

static int copy_to_stdout(struct hlog_file *h)
{
	char piece[65536];
	size_t n;
	rewind(h->file);
	while ((n = fread(piece, 1, sizeof(piece), h->file)) > 0)
		if (fwrite(piece, 1, n, stdout) != n)
			return -1;
	return ferror(h->file) || fflush(stdout) != 0 ? -1 : 0;
}

/* Never a device or a pipe: to root, /dev/null is a name like any other. */
static void set_aside(const struct hlog_file *h)
{
	if (!h->regular)
		return;
	if (!h->begun) {
		if (h->made)
			unlink(h->path);
		return;
	}
	char *aside = xasprintf("%s.unverified", h->path);
	if (rename(h->path, aside) != 0)
		unlink(h->path);
	free(aside);
}

int hlog_file_close(struct hlog_file *h, bool valid, struct err *err)
{
	if (!h->path)
		return 0;
	if (h->begun && h->length > 0)
		write_interval(h);
	if (!h->trouble && valid && is_stdout(h) && copy_to_stdout(h) < 0)
		h->trouble = errno ? errno : EIO;
	if (fclose(h->file) != 0 && !h->trouble)
		h->trouble = errno;
	if (!valid && !is_stdout(h))
		set_aside(h);
	for (size_t i = 0; i < h->tagged_count; i++) {
		hist_finish(&h->tagged[i].hist);
		free(h->tagged[i].tag);
	}
	free(h->tagged);
	if (h->begun)
		hist_finish(&h->all);
	const int trouble = h->trouble;
	const char *path = h->path;
	*h = (struct hlog_file){ .path = NULL };
	return trouble ? err_set_errno(err, trouble, "--hlog: '%s' cannot be written whole", path) : 0;
}
