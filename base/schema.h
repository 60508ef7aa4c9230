/* schema.h: JSON Schema (draft 2020-12) from the tables that files are read with (field.h), so that an editor knows the keys
 * that the reader knows.
 *
 * definition  a shape under a name, in the schema's "$defs"; "#/$defs/NAME" refers to it
 *
 * Keys, types, ranges, words, defaults and help come from the rows. A row of type FIELD_NODE says only that its key exists,
 * so each has the name of a definition beside it. Ownership: <defs> is borrowed and grows. Threads: [any]. */
#ifndef WEIR_BASE_SCHEMA_H
#define WEIR_BASE_SCHEMA_H

#include <jansson.h>

#include "base/field.h"

/* A definition that is written out. */
struct schema_shape {
	const char *name, *json;
};

/* A definition that is a table of keys. */
struct schema_table {
	const char *name;
	const struct field *fields;
	const char *const *nodes; /* of the FIELD_NODE rows: key, definition, key, definition, ..., NULL */
};

/* An object with the keys of <fields>, and comments. Given: json_decref. A node without a definition is a bug. */
json_t *schema_object(const struct field *fields, const char *const *nodes);

/* "duration" and "share", which rows of these types refer to: each schema needs them. */
void schema_add_fields(json_t *defs);
void schema_add_shapes(json_t *defs, const struct schema_shape *shapes, size_t count);
void schema_add_tables(json_t *defs, const struct schema_table *tables, size_t count);

#endif
