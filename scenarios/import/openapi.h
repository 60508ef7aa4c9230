/* openapi.h: the parts of an OpenAPI document's import. Private to scenarios/import/openapi*.c.
 *
 * schema  what values of a kind look like; a sample is one such value, with slots: "${uuid}", "${random.string(8)}"
 *
 * References are followed within the document only, OPENAPI_REFS_MAX in a row; a schema within itself is left out where
 * it comes again. A sample has at most OPENAPI_NODES_MAX values, so that a document cannot grow one without end.
 * Everything here borrows from the document. */
#ifndef WEIR_SCENARIOS_IMPORT_OPENAPI_H
#define WEIR_SCENARIOS_IMPORT_OPENAPI_H

#include "scenarios/import/draft.h"

#define OPENAPI_REFS_MAX 16
#define OPENAPI_DEPTH_MAX 16
#define OPENAPI_NODES_MAX 2000

struct openapi {
	struct draft *draft;
	json_t *root;
	bool all;
};

/* What <value> is when its "$ref"s are followed; NULL when there is nothing, and noted. */
json_t *openapi_resolve(struct openapi *a, json_t *value);

/* A value of <schema> as a template (given); NULL when none can be made. <name>: what it is called, for secrets. */
json_t *openapi_sample(struct openapi *a, json_t *schema, const char *name);

/* A text that the document gives, as a template (given). */
json_t *openapi_plain(const char *text);

/* A value that the document gives, as a template: texts are escaped, secrets are slots (given). */
json_t *openapi_given(struct openapi *a, json_t *value, const char *name);

/* The example of a parameter or of a media type: "example", the first of "examples", or one of its schema. Given. */
json_t *openapi_example(struct openapi *a, json_t *holder, const char *name);

/* A template as text for a path or a form: literal parts are percent-encoded, slots stay. */
void openapi_add_encoded(struct buf *out, struct str template);

/* What the parts of an operation add to its request. */
struct openapi_request {
	struct buf query;    /* a=b&c=d, a template */
	json_t *headers;     /* names and templates */
	json_t *path_values; /* by name */
	const char *cannot;  /* why it cannot be a step, or NULL */
};
void openapi_parameters(struct openapi *a, json_t *path_item, json_t *operation, struct openapi_request *r);
void openapi_security(struct openapi *a, json_t *operation, struct openapi_request *r);

#endif
