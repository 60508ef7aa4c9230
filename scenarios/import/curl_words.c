#include "scenarios/import/curl_words.h"

#include <stdlib.h>

/* The place of the reader, and the word that is being put together. */
struct reader {
	struct curl_words *words;
	struct diags *diags;
	struct str text;
	size_t at;
	struct buf word;
	size_t word_at;
	bool in_word, quoted; /* quoted: some of it was in quotes, so "" is a word */
	bool piped;           /* behind a pipe: words belong to another program */
	bool drop_next;       /* behind a redirection: a file name */
};

static char peek(const struct reader *r, size_t ahead)
{
	return r->at + ahead < r->text.len ? r->text.p[r->at + ahead] : '\0';
}

static void add(struct reader *r, char c)
{
	if (!r->in_word) {
		r->in_word = true;
		r->word_at = r->at;
	}
	buf_add_char(&r->word, c);
}

static bool push(struct reader *r, struct curl_word word)
{
	struct curl_words *w = r->words;
	if (w->count == CURL_WORDS_MAX) {
		diags_add(r->diags, r->at, 1, NULL, "more than %d words", CURL_WORDS_MAX);
		return false;
	}
	if (w->count == w->room) {
		w->room = w->room ? w->room * 2 : 64;
		w->list = xreallocarray(w->list, w->room, sizeof(*w->list));
	}
	w->list[w->count++] = word;
	return true;
}

static bool end_word(struct reader *r)
{
	bool good = true;
	if (r->in_word && !r->piped && !r->drop_next)
		good = push(r, (struct curl_word){
				       .text = { arena_strndup(&r->words->arena, buf_cstr(&r->word), r->word.len),
		                                 r->word.len },
				       .at = r->word_at,
				       .len = r->at - r->word_at,
			       });
	if (r->in_word)
		r->drop_next = false;
	buf_clear(&r->word);
	r->in_word = r->quoted = false;
	return good;
}

static bool end_command(struct reader *r)
{
	const struct curl_words *w = r->words;
	r->piped = r->drop_next = false;
	if (w->count == 0 || w->list[w->count - 1].ends)
		return true;
	return push(r, (struct curl_word){ .at = r->at, .ends = true });
}

static bool unterminated(struct reader *r, size_t from, const char *what)
{
	diags_add(r->diags, from, 1, "copy the whole command", "this %s has no end", what);
	return false;
}

static bool single_quoted(struct reader *r)
{
	const size_t from = r->at++;
	for (; r->at < r->text.len; r->at++) {
		if (r->text.p[r->at] == '\'') {
			r->at++;
			return true;
		}
		add(r, r->text.p[r->at]);
	}
	return unterminated(r, from, "'");
}

static bool double_quoted(struct reader *r)
{
	const size_t from = r->at++;
	for (; r->at < r->text.len; r->at++) {
		const char c = r->text.p[r->at], next = peek(r, 1);
		if (c == '"') {
			r->at++;
			return true;
		}
		if (c == '\\' && r->at + 1 < r->text.len && strchr("$`\"\\\n", next) && next) {
			r->at++;
			if (next != '\n')
				add(r, next);
			continue;
		}
		if (c == '`' || (c == '$' && next && next != '"' && next != ' '))
			r->words->expands = true;
		add(r, c);
	}
	return unterminated(r, from, "\"");
}

static void add_utf8(struct reader *r, uint32_t c)
{
	if (c < 0x80) {
		add(r, (char)c);
	} else if (c < 0x800) {
		add(r, (char)(0xc0 | c >> 6));
		add(r, (char)(0x80 | (c & 63)));
	} else if (c < 0x10000) {
		add(r, (char)(0xe0 | c >> 12));
		add(r, (char)(0x80 | (c >> 6 & 63)));
		add(r, (char)(0x80 | (c & 63)));
	} else {
		add(r, (char)(0xf0 | c >> 18));
		add(r, (char)(0x80 | (c >> 12 & 63)));
		add(r, (char)(0x80 | (c >> 6 & 63)));
		add(r, (char)(0x80 | (c & 63)));
	}
}

/* Up to <most> digits of <base> from the reader's place. Returns how many there were. */
static unsigned read_digits(struct reader *r, unsigned base, unsigned most, uint32_t *ret_value)
{
	unsigned count = 0;
	*ret_value = 0;
	for (; count < most; count++) {
		const char c = peek(r, 0);
		const unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
		                       : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
		                       : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
		                                              : 16;
		if (digit >= base)
			break;
		*ret_value = *ret_value * base + digit;
		r->at++;
	}
	return count;
}

/* Behind a backslash within $'...'. Browsers write \uXXXX with halves of surrogate pairs one after the other. */
static void ansi_escape(struct reader *r)
{
	static const char letters[] = "abefnrtv", meant[] = "\a\b\033\f\n\r\t\v";
	const char c = peek(r, 0);
	const char *letter = c ? strchr(letters, c) : NULL;
	uint32_t value, second;
	if (letter) {
		add(r, meant[letter - letters]);
		r->at++;
		return;
	}
	if (c >= '0' && c <= '7') {
		read_digits(r, 8, 3, &value);
		add(r, (char)value);
		return;
	}
	if (c != 'x' && c != 'u' && c != 'U') {
		add(r, c);
		r->at++;
		return;
	}
	r->at++;
	if (read_digits(r, 16, c == 'x' ? 2 : c == 'u' ? 4 : 8, &value) == 0) {
		add(r, '\\');
		add(r, c);
		return;
	}
	if (c == 'x') {
		add(r, (char)value);
		return;
	}
	if (value >= 0xd800 && value < 0xdc00 && peek(r, 0) == '\\' && peek(r, 1) == 'u') {
		const size_t back = r->at;
		r->at += 2;
		if (read_digits(r, 16, 4, &second) == 4 && second >= 0xdc00 && second < 0xe000)
			value = 0x10000 + ((value - 0xd800) << 10) + (second - 0xdc00);
		else
			r->at = back;
	}
	add_utf8(r, value > 0x10ffff || (value >= 0xd800 && value < 0xe000) ? 0xfffd : value);
}

static bool ansi_quoted(struct reader *r)
{
	const size_t from = r->at;
	r->at += 2;
	while (r->at < r->text.len) {
		const char c = r->text.p[r->at];
		if (c == '\'') {
			r->at++;
			return true;
		}
		if (c != '\\') {
			add(r, c);
			r->at++;
			continue;
		}
		r->at++;
		if (r->at < r->text.len)
			ansi_escape(r);
	}
	return unterminated(r, from, "$'");
}

static bool is_number(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.len > 0;
}

/* ">", ">>", "2>", "<", "&>": what follows is a file. */
static bool redirection(struct reader *r)
{
	if (r->in_word && !r->quoted && is_number(buf_str(&r->word))) {
		buf_clear(&r->word);
		r->in_word = false;
	}
	if (!end_word(r))
		return false;
	while (r->at < r->text.len && strchr("<>&", r->text.p[r->at]) && r->text.p[r->at])
		r->at++;
	r->words->redirects = true;
	r->drop_next = true;
	return true;
}

static bool quoted(struct reader *r, bool (*read)(struct reader *))
{
	if (!r->in_word) {
		r->in_word = true;
		r->word_at = r->at;
	}
	r->quoted = true;
	return read(r);
}

/* A character that means something to a shell, outside quotes. */
static bool operator_at(struct reader *r, char c)
{
	if (c == '&' && peek(r, 1) == '>')
		return redirection(r);
	if (!end_word(r))
		return false;
	if (c == '|' && peek(r, 1) != '|') {
		r->at++;
		r->piped = r->words->redirects = true;
		return true;
	}
	const bool good = end_command(r);
	r->at += (c == '&' || c == '|') && peek(r, 1) == c ? 2 : 1;
	return good;
}

static bool backslash(struct reader *r)
{
	const char next = peek(r, 1);
	/* A continued line; also as Windows ends lines. */
	if (next == '\n' || (next == '\r' && peek(r, 2) == '\n')) {
		r->at += next == '\n' ? 2 : 3;
		return true;
	}
	if (r->at + 1 == r->text.len) {
		r->at++;
		return true;
	}
	r->at++;
	add(r, next);
	r->at++;
	return true;
}

static bool step(struct reader *r)
{
	const char c = peek(r, 0);
	if (c == '\'')
		return quoted(r, single_quoted);
	if (c == '"')
		return quoted(r, double_quoted);
	if (c == '$' && peek(r, 1) == '\'')
		return quoted(r, ansi_quoted);
	if (c == '\\')
		return backslash(r);
	if (c == '\n' || c == ';' || c == '&' || c == '|')
		return operator_at(r, c);
	if (c == '<' || c == '>')
		return redirection(r);
	if (c == '#' && !r->in_word) {
		r->at += str_find(str_from_at(r->text, r->at), '\n');
		return true;
	}
	if (c == ' ' || c == '\t' || c == '\r') {
		const bool good = end_word(r);
		r->at++;
		return good;
	}
	if (c == '`' || (c == '$' && peek(r, 1) && !strchr(" \t\r\n;\"", peek(r, 1))))
		r->words->expands = true;
	add(r, c);
	r->at++;
	return true;
}

bool curl_words_read(struct curl_words *w, struct diags *diags)
{
	struct reader r = { .words = w, .diags = diags, .text = diags->source->text };
	*w = (struct curl_words){ 0 };
	arena_init(&w->arena);
	if (r.text.len > CURL_BYTES_MAX) {
		diags_add(diags, 0, 1, NULL, "more than %u bytes", CURL_BYTES_MAX);
		return false;
	}
	if (r.text.len && memchr(r.text.p, '\0', r.text.len)) {
		diags_add(diags, str_find(r.text, '\0'), 1, NULL, "a NUL byte: this is no command line");
		return false;
	}
	buf_init(&r.word, CURL_BYTES_MAX * 2);
	bool good = true;
	while (good && r.at < r.text.len)
		good = step(&r);
	good = good && end_word(&r) && end_command(&r);
	buf_finish(&r.word);
	return good;
}

void curl_words_finish(struct curl_words *w)
{
	arena_finish(&w->arena);
	free(w->list);
	*w = (struct curl_words){ 0 };
}
