/* jsonscan.h: the values at several JSON Pointers (RFC 6901), found while the bytes arrive.
 *
 * No tree is built and nothing is kept of what no pointer names: the scanner remembers which kinds of container it is
 * in, and, as deep as the longest pointer reaches, which pointers agree with the path so far (one bit each). A key is
 * decoded into a small buffer, compared with the tokens that are due at this depth, and forgotten.
 *
 * plan    the compiled pointers: immutable, shared
 * scan    the state of one document; bytes may be cut anywhere, also inside an escape or a number
 * found   a value: its kind and its decoded text
 *
 * When a pointer fits several values (a key that occurs twice, [*]) the first one counts. When every pointer is found, and
 * when the document is complete, the rest is not looked at any more, so a mistake behind that point is not seen. The
 * grammar is that of RFC 8259 but for one thing: whether strings are valid UTF-8 is not checked, their bytes are passed
 * on. Half a surrogate pair is refused.
 *
 * Ownership: a plan lives in its arena; a scan keeps its plan and owns its text. Threads: a scan belongs to one. */
#ifndef WEIR_SCENARIOS_JSONSCAN_H
#define WEIR_SCENARIOS_JSONSCAN_H

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

#define JSONSCAN_POINTERS_MAX 32  /* in one plan: they are bits of a uint32_t */
#define JSONSCAN_TOKENS_MAX 16    /* in one pointer */
#define JSONSCAN_TOKEN_BYTES 128  /* the longest token, and the longest key that can match */
#define JSONSCAN_DEPTH_MAX 128    /* deeper documents are refused */
#define JSONSCAN_VALUE_BYTES 8192 /* longer strings and numbers are marked as too long and not kept */
#define JSONSCAN_TEXT_BYTES 65536 /* all values of one document together */

struct jsonscan_token {
	struct str key; /* unescaped */
	uint32_t index; /* when it can name an array item, else UINT32_MAX */
	bool any;       /* [*]: every item of an array */
	bool item_only; /* [0]: no member of an object is meant, even if it is called so */
};

struct jsonscan_pointer {
	struct str text; /* as written */
	const struct jsonscan_token *tokens;
	uint32_t count;
};

struct jsonscan_plan {
	const struct jsonscan_pointer *pointers; /* each once */
	uint32_t count;
	uint32_t deepest; /* most tokens of a pointer */
};

/* Compiles one pointer ("" is the whole document); copies it to <arena>. On failure <reterr_at> is the offset of the
 * wrong byte and <reterr_why> a static sentence. */
bool jsonscan_pointer_parse(struct str text, struct arena *arena, struct jsonscan_pointer *ret_pointer,
                            size_t *reterr_at, const char **reterr_why);

/* The same for a path: "$", ".key", "['key']", "[0]" and "[*]", of which the first value counts that fits. */
bool jsonscan_path_parse(struct str text, struct arena *arena, struct jsonscan_pointer *ret_pointer, size_t *reterr_at,
                         const char **reterr_why);

enum jsonscan_kind {
	JSONSCAN_ABSENT,
	JSONSCAN_NULL,
	JSONSCAN_BOOLEAN,
	JSONSCAN_NUMBER,
	JSONSCAN_STRING,
	JSONSCAN_ARRAY,
	JSONSCAN_OBJECT
};

struct jsonscan_found {
	enum jsonscan_kind kind;
	bool too_long;    /* the kind is known, the text was not kept */
	uint32_t at, len; /* in scan.text */
};

enum jsonscan_answer {
	JSONSCAN_MORE, /* the document is not complete */
	JSONSCAN_DONE, /* complete, or every pointer found */
	JSONSCAN_BAD,  /* never JSON, or nested too deeply */
};

struct jsonscan {
	const struct jsonscan_plan *plan;
	struct jsonscan_found *found; /* one per pointer; memory of the caller, kept */
	struct buf text;              /* decoded values, one behind the other */

	uint32_t agree[JSONSCAN_TOKENS_MAX + 1];     /* by depth: pointers whose first tokens are the path to here */
	uint32_t index[JSONSCAN_TOKENS_MAX + 1];     /* by depth: of the next item, in an array */
	uint64_t is_object[JSONSCAN_DEPTH_MAX / 64]; /* one bit per depth */
	char key[JSONSCAN_TOKEN_BYTES];
	uint32_t key_len;              /* above JSONSCAN_TOKEN_BYTES: too long to match */
	uint32_t depth;                /* open containers */
	uint32_t missing;              /* pointers not found yet, as bits */
	uint32_t capturing;            /* pointers whose scalar is being read, as bits */
	struct jsonscan_found current; /* that scalar so far */
	uint32_t unit;                 /* \uXXXX so far */
	uint32_t high;                 /* the first half of a surrogate pair, or 0 */
	uint8_t unit_digits, state, number_state, literal, literal_at;
	bool in_key;
};

/* <found>: room for the pointers of any plan that jsonscan_begin will be given; kept. */
void jsonscan_init(struct jsonscan *s, struct jsonscan_found *found);
void jsonscan_finish(struct jsonscan *s);

/* Ready for a new document; <plan> is kept. Keeps the memory of the last one. */
void jsonscan_begin(struct jsonscan *s, const struct jsonscan_plan *plan);

/* Takes the next bytes. After DONE or BAD the answer stays. */
enum jsonscan_answer jsonscan_bytes(struct jsonscan *s, struct str bytes);

/* Says that no more bytes come: a number at the top level ends here, anything unfinished is BAD. */
enum jsonscan_answer jsonscan_end(struct jsonscan *s);

/* The text of a found scalar: a string decoded, a number as written, "true", "false", "null". Borrowed until the next
 * call that takes bytes. Empty for containers and for what is too long. */
struct str jsonscan_text(const struct jsonscan *s, uint32_t pointer);

#endif
