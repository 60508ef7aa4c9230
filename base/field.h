/* field.h: the keys of a configuration object as a table: type, range, default and help in one row.
 *
 * The reader, its error messages and (later) the JSON Schema and the manual are all made from the same rows.
 *
 *     static const struct field stage_fields[] = {
 *         { "min", FIELD_DURATION, offsetof(struct stage, min_ns), .min = 0, .max = 24 * HOUR, .def = "60s",
 *           .help = "Least time in this stage." },
 *         { 0 },
 *     };
 *
 * Members by type: FIELD_STRING const char * (in the arena; NULL when absent and there is no default), FIELD_INTEGER
 * int64_t, FIELD_NUMBER double, FIELD_DURATION dur_ns, FIELD_SHARE double in 0..1, FIELD_BOOLEAN bool. FIELD_NODE only
 * says that the key exists; the caller reads it. Threads: one at a time. */
#ifndef WEIR_BASE_FIELD_H
#define WEIR_BASE_FIELD_H

#include "base/doc.h"
#include "base/mem.h"

enum field_type {
	FIELD_END,
	FIELD_STRING,
	FIELD_INTEGER,
	FIELD_NUMBER,
	FIELD_DURATION,
	FIELD_SHARE,
	FIELD_BOOLEAN,
	FIELD_NODE,
};

struct field {
	const char *key;
	enum field_type type;
	size_t offset; /* of the member in the struct that is read into */
	bool required;
	double min, max; /* of numbers and durations (ns); no check when both are 0 */
	const char *def; /* the default as one would write it ("60s", "true"), or NULL: the member is left as it is */
	const char *const *choices; /* of a string: the allowed words, ending with NULL; NULL: any */
	const char *help;
};

/* Reads the object <n> into <into>; strings are copied to <arena>. Reports unknown keys, wrong types, values out of
 * range and missing required keys as diagnostics of the document. Returns false when <n> is no object. */
bool fields_read(const struct node *n, const struct field *fields, struct arena *arena, void *into);

/* Reads one value the way a field of that type is read: for lists of durations and the like. */
bool field_read_value(const struct node *n, const struct field *f, struct arena *arena, void *into);

#endif
