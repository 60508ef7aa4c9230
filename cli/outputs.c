#include "cli/outputs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/must.h"
#include "reports/csv.h"
#include "reports/junit_xml.h"
#include "reports/markdown.h"

#define SUMMARY_BYTES_MAX (256u << 20)

static void render_summary(const struct run_record *r, struct buf *out)
{
	json_t *json = run_record_encode(r, RUN_JSON_SUMMARY);
	char *text = json_dumps(json, JSON_INDENT(2));
	must(text);
	buf_add(out, str_from(text));
	buf_add_char(out, '\n');
	free(text);
	json_decref(json);
}

struct output {
	const char *flag;
	size_t offset; /* of the path in struct run_outputs */
	size_t limit;  /* bytes */
	void (*render)(const struct run_record *r, struct buf *out);
};

static const struct output table[] = {
	{ "--summary", offsetof(struct run_outputs, summary), SUMMARY_BYTES_MAX, render_summary },
	{ "--junit", offsetof(struct run_outputs, junit), JUNIT_BYTES_MAX, report_run_junit },
	{ "--csv", offsetof(struct run_outputs, csv), CSV_BYTES_MAX, report_run_csv },
	{ "--markdown", offsetof(struct run_outputs, markdown), MARKDOWN_BYTES_MAX, report_run_markdown },
};

static const char *path_of(const struct run_outputs *o, const struct output *kind)
{
	return *(const char *const *)((const char *)o + kind->offset);
}

static int check_path(const char *path, struct err *err)
{
	struct stat st;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return err_set(err, ERR_IO, "'%s' is a folder", path);
	const char *slash = strrchr(path, '/');
	char *folder = slash ? xasprintf("%.*s", slash == path ? 1 : (int)(slash - path), path) : xstrdup(".");
	const int r = access(folder, W_OK | X_OK) == 0 ? 0 : err_set_errno(err, errno, "'%s' cannot be written", path);
	free(folder);
	return r;
}

int outputs_check(const struct run_outputs *o, const char *other, bool stdout_taken, struct err *err)
{
	const char *seen[ARRAY_LEN(table) + 1];
	size_t count = 0;
	if (other)
		seen[count++] = other;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (path_of(o, &table[i]))
			seen[count++] = path_of(o, &table[i]);
	for (size_t i = 0; i < count; i++) {
		const bool is_stdout = strcmp(seen[i], "-") == 0;
		if (is_stdout && stdout_taken)
			return err_set(err, ERR_USAGE, "stdout cannot take both --json and the output '-'");
		for (size_t k = 0; k < i; k++)
			if (strcmp(seen[i], seen[k]) == 0 && strcmp(seen[i], "/dev/null") != 0)
				return err_set(err, ERR_USAGE, "two outputs cannot go to the same file '%s'", seen[i]);
		if (!is_stdout && check_path(seen[i], err) < 0)
			return -1;
	}
	return 0;
}

bool outputs_take_stdout(const struct run_outputs *o)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const char *path = path_of(o, &table[i]);
		if (path && strcmp(path, "-") == 0)
			return true;
	}
	return false;
}

bool outputs_any(const struct run_outputs *o)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (path_of(o, &table[i]))
			return true;
	return false;
}

static int write_text(const char *path, struct str text, struct err *err)
{
	if (strcmp(path, "-") != 0)
		return file_replace(path, text, false, err);
	if (fwrite(text.p, 1, text.len, stdout) != text.len || fflush(stdout) != 0)
		return err_set(err, ERR_IO, "stdout cannot be written");
	return 0;
}

static int write_one(const struct output *kind, const char *path, const struct run_record *r, struct err *err)
{
	struct buf text;
	buf_init(&text, kind->limit);
	kind->render(r, &text);
	const int result = buf_overflowed(&text) ? err_set(err, ERR_LIMIT, "the run is too long for it")
	                                         : write_text(path, buf_str(&text), err);
	buf_finish(&text);
	return result < 0 ? err_wrap(err, "%s", kind->flag) : 0;
}

int outputs_write(const struct run_outputs *o, const struct run_record *r, struct err *err)
{
	int result = 0;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct err one;
		const char *path = path_of(o, &table[i]);
		if (!path || write_one(&table[i], path, r, &one) == 0)
			continue;
		if (result == 0 && err)
			*err = one;
		result = -1;
	}
	return result;
}
