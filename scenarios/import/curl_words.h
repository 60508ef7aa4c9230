/* curl_words.h: a command line as a shell would cut it into words. Private to scenarios/import/.
 *
 *     curl 'https://h/a' \
 *       -H "X-A: b" --data-raw $'it\'s' ; curl ...
 *
 * Quotes '...', "..." and $'...', backslashes, continued lines and comments are as in bash. Nothing is ever run or looked
 * up: $NAME, `...` and $(...) stay as they are written, and <expands> says so.
 *
 * word  the text that the command would be given, and where it stands in the source
 * end   of a command: a line end, ";", "&", "&&", "||"; a pipe and what it leads to are passed over
 *
 * Words live in the arena of their list. Pure. Threads: [any]. */
#ifndef WEIR_SCENARIOS_IMPORT_CURL_WORDS_H
#define WEIR_SCENARIOS_IMPORT_CURL_WORDS_H

#include "base/diag.h"
#include "base/mem.h"

#define CURL_WORDS_MAX 65536
#define CURL_BYTES_MAX (8u << 20)

struct curl_word {
	struct str text;
	size_t at, len; /* in the source */
	bool ends;      /* no word: the command ends here */
};

struct curl_words {
	struct arena arena;
	struct curl_word *list;
	size_t count, room;
	bool expands;   /* something that a shell would have replaced stands in the text */
	bool redirects; /* an output or a pipe was passed over */
};

/* False, with diagnostics, when a quote does not end or there is too much. Finish it in any case. */
bool curl_words_read(struct curl_words *w, struct diags *diags);
void curl_words_finish(struct curl_words *w);

#endif
