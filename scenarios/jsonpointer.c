/* jsonpointer.c: compiles JSON Pointers and paths for jsonscan.h. */
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
	*ret = (struct jsonscan_token){ .key = { key, len }, .index = token_index((struct str){ key, len }) };
	return true;
}

static struct jsonscan_pointer keep_pointer(struct str text, const struct jsonscan_token *tokens, uint32_t count,
                                            struct arena *arena)
{
	struct jsonscan_token *kept = arena_array(arena, struct jsonscan_token, count);
	if (count)
		memcpy(kept, tokens, count * sizeof(*kept));
	return (struct jsonscan_pointer){ { arena_strndup(arena, text.p, text.len), text.len }, kept, count };
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
		if (!token_decode(part, arena, &tokens[count], &bad)) {
			*reterr_at += bad;
			*reterr_why = "\"~\" must be written \"~0\" in a JSON Pointer, and \"/\" within a key \"~1\"";
			return false;
		}
		/* Decoded: what it is compared with, and what an importer measures. */
		if (tokens[count].key.len > JSONSCAN_TOKEN_BYTES) {
			*reterr_why = "a part of a JSON Pointer has at most 128 bytes";
			return false;
		}
		count++;
		at += 1 + part.len;
	}
	*ret_pointer = keep_pointer(text, tokens, count, arena);
	return true;
}

/* --- paths --- */

static bool is_key_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
	       (unsigned char)c >= 0x80;
}

/* ".key" from <at> on. */
static const char *read_member(struct str text, size_t *at, struct arena *arena, struct jsonscan_token *ret)
{
	size_t end = *at + 1;
	while (end < text.len && is_key_char(text.p[end]))
		end++;
	if (end == *at + 1) {
		*at = end;
		return "a key is missing behind \".\"; other characters than letters, digits, _ and - are written ['key']";
	}
	const struct str key = { arena_strndup(arena, text.p + *at + 1, end - *at - 1), end - *at - 1 };
	*ret = (struct jsonscan_token){ .key = key, .index = UINT32_MAX };
	*at = end;
	return NULL;
}

/* "[0]", "[*]" or "['key']" from <at> on. */
static const char *read_brackets(struct str text, size_t *at, struct arena *arena, struct jsonscan_token *ret)
{
	const struct str rest = str_from_at(text, *at + 1);
	const bool quoted = rest.len && (rest.p[0] == '\'' || rest.p[0] == '"');
	const struct str inner = quoted ? str_from_at(rest, 1) : rest;
	const size_t len = str_find(inner, quoted ? rest.p[0] : ']');
	const struct str content = str_first(inner, len);
	const size_t end = *at + 1 + len + (quoted ? 2 : 0);
	*ret = (struct jsonscan_token){ .index = UINT32_MAX };
	if (end >= text.len || text.p[end] != ']')
		return "\"[\" has no \"]\"";
	if (quoted)
		ret->key = (struct str){ arena_strndup(arena, content.p, content.len), content.len };
	else if (str_is(content, "*"))
		ret->any = ret->item_only = true;
	else if ((ret->index = token_index(content)) != UINT32_MAX)
		ret->item_only = true;
	else
		return "this version knows [0], [*] and ['key']";
	*at = end + 1;
	return NULL;
}

bool jsonscan_path_parse(struct str text, struct arena *arena, struct jsonscan_pointer *ret_pointer, size_t *reterr_at,
                         const char **reterr_why)
{
	struct jsonscan_token tokens[JSONSCAN_TOKENS_MAX];
	uint32_t count = 0;
	const char *why = text.len && text.p[0] == '$' ? NULL : "a path begins with \"$\"";
	size_t at = why ? 0 : 1;
	while (!why && at < text.len) {
		*reterr_at = at;
		if (count == JSONSCAN_TOKENS_MAX)
			why = "a path has at most 16 parts";
		else if (text.p[at] == '.')
			why = read_member(text, &at, arena, &tokens[count]);
		else if (text.p[at] == '[')
			why = read_brackets(text, &at, arena, &tokens[count]);
		else
			why = "a path goes on with \".key\" or \"[0]\"";
		if (!why && tokens[count++].key.len > JSONSCAN_TOKEN_BYTES)
			why = "a part of a path has at most 128 bytes";
	}
	if (why) {
		*reterr_at = at < text.len ? at : text.len;
		*reterr_why = why;
		return false;
	}
	*ret_pointer = keep_pointer(text, tokens, count, arena);
	return true;
}
