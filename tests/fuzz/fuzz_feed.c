/* Feeds are files of people: any bytes give a table whose cells are all there, or a mistake with a place. */
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "scenarios/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct feed *f, bool good, const struct feed_mistake *m, size_t size)
{
	size_t bytes = 0;
	if (!good) {
		must(m->line <= size + 1 && memchr(m->text, '\0', sizeof(m->text)));
		return;
	}
	must(f->column_count > 0 && f->column_count <= FEED_COLUMNS_MAX && f->row_count > 0 &&
	     f->row_count <= FEED_ROWS_MAX);
	for (uint32_t row = 0; row < f->row_count; row++)
		for (uint32_t column = 0; column < f->column_count; column++) {
			const struct str cell = feed_cell(f, row, column);
			must(cell.len <= FEED_CELL_BYTES && (cell.len == 0 || cell.p));
			for (size_t i = 0; i < cell.len; i++)
				bytes += (unsigned char)cell.p[i];
		}
	must(bytes <= 255 * size * 6);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str text = { size ? (const char *)data : "", size };
	for (int json = 0; json < 2; json++) {
		struct feed_mistake m = { 0 };
		struct feed f = { 0 };
		struct arena arena;
		arena_init(&arena);
		const bool good = json ? feed_parse_json(text, &arena, &f, &m) : feed_parse_csv(text, &arena, &f, &m);
		check(&f, good, &m, size);
		arena_finish(&arena);
	}
	return 0;
}
