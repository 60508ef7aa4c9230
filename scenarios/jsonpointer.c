/* jsonpointer.c: compiles JSON Pointers for jsonscan.h. */
#include "scenarios/jsonscan.h"

/* "0" or digits without a leading zero, small enough to be an index; else UINT32_MAX. */
static uint32_t token_index(struct str key)
{
	uint64_t index;
	if (!str_to_u64(key, &index) || (key.len > 1 && key.p[0] == '0') || index >= UINT32_MAX)
		return UINT32_MAX;
	return (uint32_t)index;
}

/* Decodes "~0" and "~1" of <part> into <ret>. On failure <reterr_at> is the offset of the bad "~" in <part>. */
static bool token_decode(struct str part, struct arena *arena, struct jsonscan_token *ret, size_t *reterr_at)
{
	char *key = arena_alloc(arena, part.len + 1);
	size_t len = 0;
	for (size_t i = 0; i < part.len; i++) {
		char c = part.p[i];
		if (c == '~') {
			const char next = i + 1 < part.len ? part.p[i + 1] : '\0';
			*reterr_at = i++;
			if (next != '0' && next != '1')
				return false;
			c = next == '0' ? '~' : '/';
		}
		key[len++] = c;
	}
	*ret = (struct jsonscan_token){ { key, len }, token_index((struct str){ key, len }) };
	return true;
}

bool jsonscan_pointer_parse(struct str text, struct arena *arena, struct jsonscan_pointer *ret_pointer,
                            size_t *reterr_at, const char **reterr_why)
{
	struct jsonscan_token tokens[JSONSCAN_TOKENS_MAX];
	uint32_t count = 0;
	*reterr_at = 0;
	if (text.len && text.p[0] != '/') {
		*reterr_why = "a JSON Pointer begins with \"/\"";
		return false;
	}
	for (size_t at = 0; at < text.len;) {
		const struct str rest = str_from_at(text, at + 1);
		const struct str part = str_first(rest, str_find(rest, '/'));
		size_t bad;
		*reterr_at = at + 1;
		if (count == JSONSCAN_TOKENS_MAX) {
			*reterr_why = "a JSON Pointer has at most 16 parts";
			return false;
		}
		if (part.len > JSONSCAN_TOKEN_BYTES) {
			*reterr_why = "a part of a JSON Pointer has at most 128 bytes";
			return false;
		}
		if (!token_decode(part, arena, &tokens[count], &bad)) {
			*reterr_at += bad;
			*reterr_why = "\"~\" must be written \"~0\" in a JSON Pointer, and \"/\" within a key \"~1\"";
			return false;
		}
		count++;
		at += 1 + part.len;
	}
	struct jsonscan_token *kept = arena_array(arena, struct jsonscan_token, count);
	if (count)
		memcpy(kept, tokens, count * sizeof(*kept));
	*ret_pointer = (struct jsonscan_pointer){
		{ arena_strndup(arena, text.p, text.len), text.len },
		kept,
		count,
	};
	return true;
}
