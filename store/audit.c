#include "store/audit.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"

#define HASH_BYTES 32

char *audit_canonical(const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	must(text);
	return text;
}

static void sha256(const void *bytes, size_t len, unsigned char ret[HASH_BYTES])
{
	unsigned made = 0;
	must(EVP_Digest(bytes, len, ret, &made, EVP_sha256(), NULL) == 1 && made == HASH_BYTES);
}

static void to_hex(const unsigned char hash[HASH_BYTES], char ret[AUDIT_HASH_TEXT_BYTES])
{
	for (int i = 0; i < HASH_BYTES; i++)
		snprintf(ret + 2 * i, 3, "%02x", hash[i]);
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool from_hex(const char *text, unsigned char ret[HASH_BYTES])
{
	if (strlen(text) != 2 * HASH_BYTES)
		return false;
	for (int i = 0; i < HASH_BYTES; i++) {
		const int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		ret[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

void audit_text_hash(const char *text, char ret_hash[AUDIT_HASH_TEXT_BYTES])
{
	unsigned char hash[HASH_BYTES];
	sha256(text, strlen(text), hash);
	to_hex(hash, ret_hash);
}

bool audit_chain(const char *prev, int64_t seq, const char *canonical, char ret_hash[AUDIT_HASH_TEXT_BYTES])
{
	unsigned char link[64 + 2 * HASH_BYTES], hash[HASH_BYTES];
	const int head = snprintf((char *)link, 64, "weir-audit-v1\n%" PRId64 "\n", seq);
	if (!from_hex(prev, link + head))
		return false;
	sha256(canonical, strlen(canonical), link + head + HASH_BYTES);
	sha256(link, (size_t)head + 2 * HASH_BYTES, hash);
	to_hex(hash, ret_hash);
	return true;
}

static bool same_text(const json_t *body, const char *key, const char *column)
{
	const char *text = json_string_value(json_object_get(body, key));
	return text && column ? strcmp(text, column) == 0 : text == column;
}

/* The columns beside the text are for finding rows: they must say what the text says. */
static bool columns_agree(const struct audit_row *row)
{
	json_t *body = json_loads(row->body, 0, NULL);
	const bool agree = body && same_text(body, "id", row->id) && same_text(body, "type", row->type) &&
	                   same_text(body, "rollout", row->rollout) &&
	                   json_integer_value(json_object_get(body, "at")) == row->at_ms;
	json_decref(body);
	return agree;
}

static bool bad(struct audit_report *report, int64_t seq, const char *why)
{
	report->bad_seq = seq;
	snprintf(report->why, sizeof(report->why), "%s", why);
	return false;
}

bool audit_check_row(const struct audit_row *row, struct audit_report *report)
{
	const char *prev = report->head_seq ? report->head_hash : AUDIT_FIRST_PREV;
	char hash[AUDIT_HASH_TEXT_BYTES];
	if (row->seq != report->head_seq + 1)
		return bad(report, report->head_seq + 1, "the event is missing");
	if (row->cut)
		return bad(report, row->seq, "the event is not what was written: a text goes on behind a zero byte");
	if (strcmp(row->prev_hash, prev) != 0)
		return bad(report, row->seq, "the event does not follow the one before it");
	if (!audit_chain(prev, row->seq, row->body, hash) || strcmp(row->hash, hash) != 0)
		return bad(report, row->seq, "the event is not what was written: its hash differs");
	if (!columns_agree(row))
		return bad(report, row->seq, "the event's columns differ from its text");
	report->count++;
	report->head_seq = row->seq;
	memcpy(report->head_hash, hash, sizeof(hash));
	return true;
}
