#include "reports/page.h"

void page_init(struct page *p)
{
	p->count = 0;
	buf_init(&p->text, PAGE_BYTES_MAX);
}

void page_finish(struct page *p)
{
	buf_finish(&p->text);
}

void page_end(struct page *p, int rank)
{
	if (p->count == PAGE_LINES_MAX)
		return;
	p->lines[p->count].end = buf_str(&p->text).len;
	p->lines[p->count++].rank = rank;
}

void page_add(struct page *p, struct str text, int rank)
{
	struct str line;
	while (str_cut(&text, '\n', &line)) {
		buf_add(&p->text, line);
		page_end(p, rank);
	}
}

static size_t count_up_to(const struct page *p, int rank)
{
	size_t n = 0;
	for (size_t i = 0; i < p->count; i++)
		n += p->lines[i].rank <= rank;
	return n;
}

static int highest_rank(const struct page *p)
{
	int highest = 0;
	for (size_t i = 0; i < p->count; i++)
		highest = p->lines[i].rank > highest ? p->lines[i].rank : highest;
	return highest;
}

void page_write(const struct page *p, int rows, struct buf *out)
{
	const size_t room = rows > 0 ? (size_t)rows : 0;
	const struct str all = buf_str(&p->text);
	int whole = highest_rank(p); /* lines up to this rank are all shown ... */
	while (whole > 0 && count_up_to(p, whole) > room)
		whole--;
	size_t some = room - count_up_to(p, whole); /* ... and so many of the next */
	for (size_t i = 0; i < p->count; i++) {
		const size_t from = i ? p->lines[i - 1].end : 0;
		const int rank = p->lines[i].rank;
		if (rank > whole + 1 || (rank == whole + 1 && some == 0))
			continue;
		some -= rank == whole + 1;
		buf_add(out, (struct str){ all.p + from, p->lines[i].end - from });
		buf_add_char(out, '\n');
	}
}
