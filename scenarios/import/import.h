/* import.h: scenarios made from what people already have: a recording, commands, a description of an API.
 *
 *     har.c      a recording of a browser (HAR 1.2)    one flow, or one per page; values that come back are extracted
 *     curl.c     curl command lines                    one flow, a step per URL
 *     openapi.c  an OpenAPI 3 document                 one flow per tag, a step per operation
 *
 * All of them fill a draft (draft.h), which writes the scenario as JSON text. Whatever is written compiles: that is a
 * promise, checked each time. What is left out, and why, stands under "//" in the text.
 *
 * secret   a value that its name gives away (secret_name) or that authenticates: never written, ${env.NAME:-} instead
 * note     one sentence for the reader of the scenario: what was left out or changed
 *
 * Pure: text in, text out. Threads: [any]. Mistakes of the text are diagnostics of the document; then -1 is returned
 * and <out> is as it was. */
#ifndef WEIR_SCENARIOS_IMPORT_IMPORT_H
#define WEIR_SCENARIOS_IMPORT_IMPORT_H

#include "base/doc.h"

/* The largest recording or document that is read. */
#define IMPORT_BYTES_MAX (64u << 20)
/* The largest scenario that is written is what doc_read takes. */
#define IMPORT_OUT_BYTES DOC_BYTES_MAX

struct import_options {
	const char *name;   /* of the scenario; NULL: made from what is imported */
	const char *target; /* an absolute URL that target_parse takes; NULL: what is imported says it */
	bool all;           /* HAR: static files too. OpenAPI: DELETE and deprecated operations too */
};

/* <doc> was parsed by doc_init or doc_read; har_mend helps with what browsers write and JSON forbids. */
int import_har(struct doc *doc, const struct import_options *o, struct buf *out);
int import_openapi(struct doc *doc, const struct import_options *o, struct buf *out);

/* <diags> is of the source that holds the command lines. */
int import_curl(struct diags *diags, const struct import_options *o, struct buf *out);

/* Overwrites, in a text that is about to be parsed, what recordings contain and a strict reader refuses: a byte order
 * mark, \u0000, half surrogate pairs. Offsets stay as they are. */
void har_mend(char *text, size_t len);

#endif
