#include "cli/outputs.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/must.h"
#include "stats/hist_codec.h"

#define OUTPUT_BYTES_MAX (256u << 20)

static int write_text(const char *path, struct str text, struct err *err)
{
	if (strcmp(path, "-") != 0)
		return file_replace(path, text, false, err);
	if (fwrite(text.p, 1, text.len, stdout) != text.len || fflush(stdout) != 0)
		return err_set(err, ERR_IO, "stdout cannot be written");
	return 0;
}

static int write_summary(const char *path, const struct run_record *r, struct err *err)
{
	struct buf text;
	json_t *json = run_record_encode(r, RUN_JSON_SUMMARY);
	char *dump = json_dumps(json, JSON_INDENT(2));
	must(dump);
	buf_init(&text, OUTPUT_BYTES_MAX);
	buf_add(&text, str_from(dump));
	buf_add_char(&text, '\n');
	const int result = write_text(path, buf_str(&text), err);
	buf_finish(&text);
	free(dump);
	json_decref(json);
	return result;
}

/* The whole run as one interval: an untagged line of all requests, which every reader shows, and one per flow. */
static int write_hlog(const char *path, const struct run_record *r, struct err *err)
{
	struct buf text;
	const double length = (double)r->duration / (double)SECOND;
	buf_init(&text, OUTPUT_BYTES_MAX);
	hlog_write_head(&text, r->started_at);
	hlog_write_interval(&text, NULL, 0, length, &r->response);
	for (size_t i = 0; i < r->flow_count; i++)
		hlog_write_interval(&text, r->flows[i].name, 0, length, &r->flows[i].response);
	const int result = write_text(path, buf_str(&text), err);
	buf_finish(&text);
	return result;
}

int outputs_write(const struct run_outputs *o, const struct run_record *r, struct err *err)
{
	if (o->summary && write_summary(o->summary, r, err) < 0)
		return err_wrap(err, "--summary");
	if (o->hlog && r->validity != RUN_NOT_VALID && write_hlog(o->hlog, r, err) < 0)
		return err_wrap(err, "--hlog");
	return 0;
}
