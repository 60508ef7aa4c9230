/* Documents: whatever the bytes are, a mistake can be reported at every node, key and part, and stands in the text. */
#include <stdint.h>

#include "base/doc.h"
#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Larger texts take quadratic time, for each mistake searches the text again; the walk stops after so many. */
#define MISTAKES_MAX 2000

struct walk {
	size_t mistakes;
};

/* The last mistake is inside the text, and <first>, when not 0, is the byte that it marks. */
static void check_last(struct doc *d, struct walk *w, char first)
{
	const struct diag *g = &d->diags.list[d->diags.count - 1];
	w->mistakes++;
	must(g->at < d->source.text.len && g->len <= d->source.text.len - g->at && g->len > 0);
	must(first == 0 || d->source.text.p[g->at] == first);
	/* Make room for the next one. */
	diags_finish(&d->diags);
}

static char first_byte(const struct node *n)
{
	switch (json_typeof(n->value)) {
	case JSON_OBJECT:
		return '{';
	case JSON_ARRAY:
		return '[';
	case JSON_STRING:
		return '"';
	case JSON_TRUE:
		return 't';
	case JSON_FALSE:
		return 'f';
	case JSON_NULL:
		return 'n';
	case JSON_INTEGER:
	case JSON_REAL:
		break;
	}
	return 0;
}

static void check_node(const struct node *n, struct walk *w)
{
	static const char *const known[] = { "name", "users", NULL };
	node_error(n, "hint", "a mistake in %s", node_type_text(n));
	check_last(n->doc, w, first_byte(n));
	if (n->key) {
		node_key_error(n, NULL, "a key");
		check_last(n->doc, w, '"');
	}
	if (json_is_string(n->value)) {
		const size_t len = node_str(n).len;
		node_part_error(n, len / 2, 1, NULL, "a part");
		check_last(n->doc, w, 0);
		node_part_error(n, len, SIZE_MAX, NULL, "the end");
		check_last(n->doc, w, 0);
	}
	if (json_is_object(n->value)) {
		node_expect_keys(n, known);
		diags_finish(&n->doc->diags);
	}
}

/* Recursion is bounded by DOC_DEPTH_MAX. */
static void walk_node(const struct node *n, struct walk *w)
{
	struct node member;
	if (w->mistakes > MISTAKES_MAX)
		return;
	check_node(n, w);
	for (size_t i = 0; i < node_count(n); i++) {
		const struct node item = node_item(n, i);
		walk_node(&item, w);
	}
	if (!json_is_object(n->value))
		return;
	for (void *iter = NULL; node_each(n, &iter, &member);)
		walk_node(&member, w);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct doc d;
	struct buf out;
	struct walk w = { 0 };
	doc_init(&d, "fuzz", (struct str){ (const char *)bytes, size });
	must(doc_ok(&d) == (d.root != NULL));
	buf_init(&out, 1 << 20);
	diags_write(&d.diags, &out);
	must(!buf_overflowed(&out));
	for (size_t i = 0; i < out.len; i++)
		must((unsigned char)out.bytes[i] >= 0x20 || out.bytes[i] == '\n');
	buf_finish(&out);
	if (doc_ok(&d)) {
		const struct node root = doc_root(&d);
		walk_node(&root, &w);
	}
	doc_finish(&d);
	return 0;
}
