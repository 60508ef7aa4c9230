/* feed.h: rows of data for users, read from CSV or JSON.
 *
 * CSV is that of RFC 4180: the first line names the columns; a field in quotes may hold commas, line breaks and quotes
 * (written twice); lines end with LF or CRLF. Every row has as many fields as there are columns; blank lines are left
 * out. JSON is a list of objects, whose columns are those of the first one and whose values are strings, numbers or
 * booleans; or a list of such values, then the column is called "value".
 *
 * How rows are taken, so that workers share nothing: of W workers, worker w takes the rows w, w+W, w+2W, ...
 *
 *     sequential   the next row for each iteration
 *     unique       the same, but no row is ever taken twice
 *     random       any row
 *     per-user     user u has row u for its whole life
 *
 * Pure. Ownership: everything lives in the arena that is given. Threads: a table is immutable, [any]. */
#ifndef WEIR_SCENARIOS_FEED_H
#define WEIR_SCENARIOS_FEED_H

#include "base/mem.h"
#include "base/str.h"

#define FEED_BYTES_MAX (64u << 20)
#define FEED_ROWS_MAX 1000000
#define FEED_COLUMNS_MAX 64
#define FEED_CELL_BYTES 8192

enum feed_pick { PICK_SEQUENTIAL, PICK_RANDOM, PICK_UNIQUE, PICK_PER_USER };

struct feed {
	const char *name;
	const char *file; /* as written */
	enum feed_pick pick;
	bool stops; /* when there are no more rows: whoever asks ends. Else from the first row again */
	const struct str *columns;
	uint32_t column_count, row_count; /* both above 0 */
	const struct str *cells;          /* row by row */
};

/* Where and why a file is no table. */
struct feed_mistake {
	size_t line; /* from 1; 0: of the whole file */
	char text[120];
};

/* Fills columns and cells. False with <reterr_mistake>. */
bool feed_parse_csv(struct str text, struct arena *arena, struct feed *feed, struct feed_mistake *reterr_mistake);
bool feed_parse_json(struct str text, struct arena *arena, struct feed *feed, struct feed_mistake *reterr_mistake);

static inline struct str feed_cell(const struct feed *f, uint64_t row, uint32_t column)
{
	return f->cells[row * f->column_count + column];
}

#endif
