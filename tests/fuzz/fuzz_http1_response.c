/* Answers come from servers: any bytes, cut anywhere, are heard alike. The first byte says how long the pieces are and
 * whether a HEAD was asked; every piece stands in memory of exactly its size. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/mem.h"
#include "net/http1_response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct hearing {
	struct http1_response r;
	enum http1_piece piece;
	uint64_t headers, sum; /* sum: over all that was given out */
	struct buf rest;
};

static void add_to_sum(struct hearing *h, struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		h->sum = h->sum * 31 + (unsigned char)s.p[i];
}

static void hear(struct hearing *h, struct str bytes)
{
	must(buf_add(&h->rest, bytes));
	const size_t len = h->rest.len;
	char *copy = xmalloc(len);
	memcpy(copy, buf_cstr(&h->rest), len);
	struct str in = { copy, len };
	while ((h->piece = http1_response_next(&h->r, &in)) == HTTP1_HEADER || h->piece == HTTP1_BODY) {
		if (h->piece == HTTP1_BODY) {
			must(h->r.head_complete && h->r.body.len > 0);
			add_to_sum(h, h->r.body);
		} else {
			h->headers++;
			add_to_sum(h, h->r.name);
			add_to_sum(h, h->r.value);
		}
	}
	must(in.len < HTTP1_LINE_MAX || h->piece != HTTP1_MORE);
	must(h->piece != HTTP1_INVALID || h->r.why);
	buf_clear(&h->rest);
	must(buf_add(&h->rest, in));
	free(copy);
}

static void listen(struct hearing *h, struct str text, size_t piece, bool to_head)
{
	*h = (struct hearing){ .piece = HTTP1_MORE };
	http1_response_init(&h->r, to_head, true);
	buf_init(&h->rest, 64u << 20);
	for (; text.len && h->piece == HTTP1_MORE; text = str_from_at(text, piece))
		hear(h, str_first(text, piece));
	buf_finish(&h->rest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hearing one, many;
	if (size < 1)
		return 0;
	const struct str text = { (const char *)data + 1, size - 1 };
	const bool to_head = data[0] & 128;
	listen(&one, text, SIZE_MAX, to_head);
	listen(&many, text, 1 + (data[0] & 127), to_head);
	must(one.piece == many.piece && one.headers == many.headers && one.sum == many.sum);
	must(one.r.status == many.r.status && one.r.body_bytes == many.r.body_bytes);
	must(one.r.head_bytes == many.r.head_bytes && one.r.keep_alive == many.r.keep_alive);
	must(one.piece != HTTP1_MORE || http1_response_ends_here(&one.r) == http1_response_ends_here(&many.r));
	return 0;
}
