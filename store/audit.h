/* audit.h: the hash chain of the events (store.md section 2). Not for other folders.
 *
 *     h(0) = 32 zero bytes
 *     h(i) = SHA-256("weir-audit-v1\n" || decimal seq || "\n" || h(i-1) || SHA-256(canonical JSON))
 *
 * Canonical JSON: keys sorted, no blanks, UTF-8. The store keeps that text itself, so that verifying never depends on
 * how a later version would write the same event. Hashes travel as 64 hex digits. Threads: [any]. */
#ifndef WEIR_STORE_AUDIT_H
#define WEIR_STORE_AUDIT_H

#include <jansson.h>
#include <stdint.h>

#include "store/store.h"

#define AUDIT_FIRST_PREV "0000000000000000000000000000000000000000000000000000000000000000"

/* The canonical text of <json>. Given: free(). */
char *audit_canonical(const json_t *json);

/* SHA-256 of a text. */
void audit_text_hash(const char *text, char ret_hash[AUDIT_HASH_TEXT_BYTES]);

/* The next link. False when <prev> is not 64 hex digits. */
bool audit_chain(const char *prev, int64_t seq, const char *canonical, char ret_hash[AUDIT_HASH_TEXT_BYTES]);

/* One stored event as it is read back, all texts borrowed. */
struct audit_row {
	int64_t seq, at_ms;
	const char *id, *rollout, *type, *body, *prev_hash, *hash; /* rollout may be NULL */
	bool cut; /* a text goes on behind a zero byte: SQL sees another one than we do */
};

/* Looks at the next row; <report> holds the way so far (zeroed at the start). False at the first wrong one, which the
 * report then names. */
bool audit_check_row(const struct audit_row *row, struct audit_report *report);

#endif
