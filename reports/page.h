/* page.h: lines with ranks, for screens that may be too low for all of them.
 *
 * rank   1 stays longest; lines of the highest rank go first, of one rank the last ones
 *
 * A line is written into page.line and ended with page_end. Threads: one at a time. */
#ifndef WEIR_REPORTS_PAGE_H
#define WEIR_REPORTS_PAGE_H

#include "base/buf.h"

#define PAGE_LINES_MAX 128
#define PAGE_BYTES_MAX (1u << 18)

struct page {
	struct buf text; /* all lines so far, without line feeds; the line under way is its end */
	struct {
		size_t end; /* in text */
		int rank;
	} lines[PAGE_LINES_MAX];
	size_t count;
};

void page_init(struct page *p);
void page_finish(struct page *p);

/* Ends the line that was written into p->text. More than PAGE_LINES_MAX are dropped. */
void page_end(struct page *p, int rank);

/* Adds all lines of <text>, the last one with or without its line feed. */
void page_add(struct page *p, struct str text, int rank);

/* The lines that fit into <rows>, in their order, each with a line feed. */
void page_write(const struct page *p, int rows, struct buf *out);

#endif
