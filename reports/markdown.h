/* markdown.h: a run as GitHub-flavoured Markdown, for the summary of a CI step or a comment on a merge request.
 *
 * It begins with a heading of level 3 (the page around it owns the higher ones), the verdict first, the rest under
 * <details>. Never more than MARKDOWN_BYTES_MAX (a comment takes 64 KiB): sections that do not fit are left out, and it
 * says so. Text from outside is cleaned and escaped: it cannot make markup, links, mentions or columns.
 *
 * Renders only; the record is borrowed. Threads: [any]. */
#ifndef WEIR_REPORTS_MARKDOWN_H
#define WEIR_REPORTS_MARKDOWN_H

#include "base/buf.h"
#include "record/run.h"

#define MARKDOWN_BYTES_MAX 60000u

void report_run_markdown(const struct run_record *r, struct buf *out);

#endif
