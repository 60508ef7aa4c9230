#include "scenarios/jsonscan.h"

#include "base/must.h"

enum state {
	AT_VALUE,
	AT_ITEM_OR_END, /* behind "[" */
	AT_KEY_OR_END,  /* behind "{" */
	AT_KEY,         /* behind "," in an object */
	AT_COLON,
	AFTER_VALUE,
	IN_STRING,
	IN_ESCAPE,
	IN_UNICODE,
	IN_NUMBER,
	IN_LITERAL,
	STOPPED_DONE,
	STOPPED_BAD,
};

/* Where in a number of RFC 8259 section 6 we are. */
enum number_state { NUM_MINUS, NUM_ZERO, NUM_INT, NUM_DOT, NUM_FRACTION, NUM_E, NUM_SIGN, NUM_EXPONENT };

static const struct {
	const char *text;
	enum jsonscan_kind kind;
} literals[] = { { "true", JSONSCAN_BOOLEAN }, { "false", JSONSCAN_BOOLEAN }, { "null", JSONSCAN_NULL } };

void jsonscan_init(struct jsonscan *s, struct jsonscan_found *found)
{
	*s = (struct jsonscan){ .found = found, .state = STOPPED_DONE };
	buf_init(&s->text, JSONSCAN_TEXT_BYTES);
}

void jsonscan_finish(struct jsonscan *s)
{
	buf_finish(&s->text);
}

void jsonscan_begin(struct jsonscan *s, const struct jsonscan_plan *plan)
{
	must(plan->count <= JSONSCAN_POINTERS_MAX && plan->deepest <= JSONSCAN_TOKENS_MAX);
	s->plan = plan;
	for (uint32_t i = 0; i < plan->count; i++)
		s->found[i] = (struct jsonscan_found){ .kind = JSONSCAN_ABSENT };
	buf_clear(&s->text);
	s->missing = plan->count == 32 ? UINT32_MAX : (1u << plan->count) - 1;
	s->agree[0] = s->missing;
	s->depth = 0;
	s->capturing = 0;
	s->high = 0;
	s->in_key = false;
	s->state = plan->count ? AT_VALUE : STOPPED_DONE;
}

/* Pointers whose first tokens are the path to the value that is being read with <depth> open containers. */
static uint32_t agreeing(const struct jsonscan *s, uint32_t depth)
{
	return depth <= s->plan->deepest ? s->agree[depth] : 0;
}

/* Those of the pointers that agree with the enclosing container and whose next token is this key or index. */
static void narrow(struct jsonscan *s, bool by_key, uint32_t index)
{
	const uint32_t depth = s->depth;
	uint32_t candidates = agreeing(s, depth - 1), agree = 0;
	const struct str key = { s->key, s->key_len };
	if (depth > s->plan->deepest)
		return;
	for (; candidates; candidates &= candidates - 1) {
		const uint32_t p = (uint32_t)__builtin_ctz(candidates);
		const struct jsonscan_pointer *pointer = &s->plan->pointers[p];
		if (pointer->count < depth)
			continue;
		const struct jsonscan_token *token = &pointer->tokens[depth - 1];
		const bool fits = by_key ? !token->item_only && s->key_len <= JSONSCAN_TOKEN_BYTES &&
		                                   str_eq(token->key, key)
		                         : token->any || token->index == index;
		if (fits)
			agree |= 1u << p;
	}
	s->agree[depth] = agree;
}

/* A value of <kind> begins here: notes it when pointers mean it. */
static void meet_value(struct jsonscan *s, enum jsonscan_kind kind)
{
	s->capturing = 0;
	for (uint32_t agree = agreeing(s, s->depth) & s->missing; agree; agree &= agree - 1) {
		const uint32_t p = (uint32_t)__builtin_ctz(agree);
		if (s->plan->pointers[p].count == s->depth)
			s->capturing |= 1u << p;
	}
	if (s->capturing)
		s->current = (struct jsonscan_found){ .kind = kind, .at = (uint32_t)s->text.len };
}

/* The value that was met is complete; a container is as soon as it opens. */
static void settle_value(struct jsonscan *s)
{
	for (uint32_t left = s->capturing; left; left &= left - 1)
		s->found[__builtin_ctz(left)] = s->current;
	s->missing &= ~s->capturing;
	s->capturing = 0;
}

static void add_content(struct jsonscan *s, const char *p, size_t len)
{
	if (s->in_key) {
		if (len > JSONSCAN_TOKEN_BYTES - (size_t)s->key_len || s->key_len > JSONSCAN_TOKEN_BYTES) {
			s->key_len = JSONSCAN_TOKEN_BYTES + 1;
			return;
		}
		memcpy(s->key + s->key_len, p, len);
		s->key_len += (uint32_t)len;
		return;
	}
	if (!s->capturing)
		return;
	struct jsonscan_found *f = &s->current;
	if (f->too_long)
		return;
	if (f->len + len > JSONSCAN_VALUE_BYTES || s->text.len + len > JSONSCAN_TEXT_BYTES) {
		f->too_long = true;
		s->text.len = f->at; /* what was kept of it is room for others */
		f->len = 0;
		return;
	}
	buf_add(&s->text, (struct str){ p, len });
	f->len += (uint32_t)len;
}

static void add_code_point(struct jsonscan *s, uint32_t c)
{
	char utf8[4];
	size_t len = 0;
	if (c < 0x80) {
		utf8[len++] = (char)c;
	} else if (c < 0x800) {
		utf8[len++] = (char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		utf8[len++] = (char)(0xe0 | c >> 12);
		utf8[len++] = (char)(0x80 | (c >> 6 & 0x3f));
	} else {
		utf8[len++] = (char)(0xf0 | c >> 18);
		utf8[len++] = (char)(0x80 | (c >> 12 & 0x3f));
		utf8[len++] = (char)(0x80 | (c >> 6 & 0x3f));
	}
	if (c >= 0x80)
		utf8[len++] = (char)(0x80 | (c & 0x3f));
	add_content(s, utf8, len);
}

static void after_value(struct jsonscan *s)
{
	settle_value(s);
	s->state = s->missing == 0 || s->depth == 0 ? STOPPED_DONE : AFTER_VALUE;
}

static void open_container(struct jsonscan *s, bool object)
{
	meet_value(s, object ? JSONSCAN_OBJECT : JSONSCAN_ARRAY);
	settle_value(s);
	if (s->missing == 0 || s->depth == JSONSCAN_DEPTH_MAX) {
		s->state = s->missing == 0 ? STOPPED_DONE : STOPPED_BAD;
		return;
	}
	const uint64_t bit = 1ull << (s->depth % 64);
	uint64_t *word = &s->is_object[s->depth / 64];
	*word = object ? *word | bit : *word & ~bit;
	s->depth++;
	if (s->depth <= s->plan->deepest) {
		s->index[s->depth] = 0;
		s->agree[s->depth] = 0;
	}
	s->state = object ? AT_KEY_OR_END : AT_ITEM_OR_END;
}

static bool in_object(const struct jsonscan *s)
{
	return s->depth > 0 && s->is_object[(s->depth - 1) / 64] >> ((s->depth - 1) % 64) & 1;
}

static void close_container(struct jsonscan *s, bool object)
{
	if (s->depth == 0 || in_object(s) != object) {
		s->state = STOPPED_BAD;
		return;
	}
	s->depth--;
	after_value(s);
}

static void begin_item(struct jsonscan *s)
{
	if (s->depth == 0 || in_object(s) || s->depth > s->plan->deepest)
		return;
	narrow(s, false, s->index[s->depth]);
	if (s->index[s->depth] < UINT32_MAX - 1)
		s->index[s->depth]++;
}

static void begin_value(struct jsonscan *s, char c)
{
	begin_item(s);
	if (c == '{' || c == '[') {
		open_container(s, c == '{');
	} else if (c == '"') {
		meet_value(s, JSONSCAN_STRING);
		s->state = IN_STRING;
	} else if (c == '-' || (c >= '0' && c <= '9')) {
		meet_value(s, JSONSCAN_NUMBER);
		add_content(s, &c, 1);
		s->number_state = c == '-' ? NUM_MINUS : c == '0' ? NUM_ZERO : NUM_INT;
		s->state = IN_NUMBER;
	} else if (c == 't' || c == 'f' || c == 'n') {
		s->literal = c == 't' ? 0 : c == 'f' ? 1 : 2;
		s->literal_at = 1;
		meet_value(s, literals[s->literal].kind);
		add_content(s, &c, 1);
		s->state = IN_LITERAL;
	} else {
		s->state = STOPPED_BAD;
	}
}

static void begin_key(struct jsonscan *s, char c)
{
	s->in_key = true;
	s->key_len = 0;
	s->state = c == '"' ? IN_STRING : STOPPED_BAD;
}

static void end_string(struct jsonscan *s)
{
	if (!s->in_key) {
		after_value(s);
		return;
	}
	s->in_key = false;
	narrow(s, true, 0);
	s->state = AT_COLON;
}

/* Consumes what it can of a string in one go. Returns the bytes used, at least 1. */
static size_t string_bytes(struct jsonscan *s, struct str in)
{
	size_t n = 0;
	while (n < in.len && in.p[n] != '"' && in.p[n] != '\\' && (unsigned char)in.p[n] >= 0x20)
		n++;
	if (n > 0) {
		if (s->high)
			s->state = STOPPED_BAD;
		else
			add_content(s, in.p, n);
		return n;
	}
	if (in.p[0] == '\\')
		s->state = IN_ESCAPE;
	else if (in.p[0] == '"' && !s->high)
		end_string(s);
	else
		s->state = STOPPED_BAD;
	return 1;
}

static void escape_byte(struct jsonscan *s, char c)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at = c ? strchr(from, c) : NULL;
	if (c == 'u') {
		s->unit = s->unit_digits = 0;
		s->state = IN_UNICODE;
	} else if (at && !s->high) {
		add_content(s, &to[at - from], 1);
		s->state = IN_STRING;
	} else {
		s->state = STOPPED_BAD;
	}
}

static void unicode_byte(struct jsonscan *s, char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;
	if (!at) {
		s->state = STOPPED_BAD;
		return;
	}
	s->unit = s->unit << 4 | (uint32_t)(at - digits);
	if (++s->unit_digits < 4)
		return;
	const bool is_high = s->unit >= 0xd800 && s->unit < 0xdc00, is_low = s->unit >= 0xdc00 && s->unit < 0xe000;
	s->state = is_low == (s->high != 0) ? IN_STRING : STOPPED_BAD;
	if (is_high) {
		s->high = s->unit;
		return;
	}
	add_code_point(s, is_low ? 0x10000 + ((s->high - 0xd800) << 10) + (s->unit - 0xdc00) : s->unit);
	s->high = 0;
}

/* The state behind <c>, or -1 when a number does not go on with it. */
static int number_next(enum number_state at, char c)
{
	const bool digit = c >= '0' && c <= '9', e = c == 'e' || c == 'E';
	switch (at) {
	case NUM_MINUS:
		return !digit ? -1 : c == '0' ? NUM_ZERO : NUM_INT;
	case NUM_ZERO:
		return c == '.' ? NUM_DOT : e ? NUM_E : -1;
	case NUM_INT:
		return digit ? NUM_INT : c == '.' ? NUM_DOT : e ? NUM_E : -1;
	case NUM_DOT:
		return digit ? NUM_FRACTION : -1;
	case NUM_FRACTION:
		return digit ? NUM_FRACTION : e ? NUM_E : -1;
	case NUM_E:
		return digit ? NUM_EXPONENT : c == '+' || c == '-' ? NUM_SIGN : -1;
	case NUM_SIGN:
	case NUM_EXPONENT:
		return digit ? NUM_EXPONENT : -1;
	}
	return -1;
}

static bool number_complete(const struct jsonscan *s)
{
	return s->number_state == NUM_ZERO || s->number_state == NUM_INT || s->number_state == NUM_FRACTION ||
	       s->number_state == NUM_EXPONENT;
}

/* Returns 0 when <c> is behind the number and has to be looked at again. */
static size_t number_byte(struct jsonscan *s, char c)
{
	const int next = number_next((enum number_state)s->number_state, c);
	if (next >= 0) {
		s->number_state = (uint8_t)next;
		add_content(s, &c, 1);
		return 1;
	}
	/* Alone at the top level it ends with the document or at a blank. */
	if (number_complete(s) && (s->depth > 0 || strchr(" \t\r\n", c)))
		after_value(s);
	else
		s->state = STOPPED_BAD;
	return 0;
}

static void literal_byte(struct jsonscan *s, char c)
{
	const char *text = literals[s->literal].text;
	if (c != text[s->literal_at]) {
		s->state = STOPPED_BAD;
		return;
	}
	add_content(s, &c, 1);
	if (text[++s->literal_at] == '\0')
		after_value(s);
}

static void after_value_byte(struct jsonscan *s, char c)
{
	if (c == ',')
		s->state = in_object(s) ? AT_KEY : AT_VALUE;
	else if (c == '}' || c == ']')
		close_container(s, c == '}');
	else
		s->state = STOPPED_BAD;
}

/* One byte between the tokens, where blanks may stand. */
static void structure_byte(struct jsonscan *s, char c)
{
	if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
		return;
	if (s->state == AFTER_VALUE)
		after_value_byte(s, c);
	else if (s->state == AT_COLON)
		s->state = c == ':' ? AT_VALUE : STOPPED_BAD;
	else if ((s->state == AT_ITEM_OR_END && c == ']') || (s->state == AT_KEY_OR_END && c == '}'))
		close_container(s, c == '}');
	else if (s->state == AT_KEY || s->state == AT_KEY_OR_END)
		begin_key(s, c);
	else
		begin_value(s, c);
}

static size_t take(struct jsonscan *s, struct str in)
{
	switch ((enum state)s->state) {
	case IN_STRING:
		return string_bytes(s, in);
	case IN_NUMBER:
		return number_byte(s, in.p[0]);
	case IN_ESCAPE:
		escape_byte(s, in.p[0]);
		return 1;
	case IN_UNICODE:
		unicode_byte(s, in.p[0]);
		return 1;
	case IN_LITERAL:
		literal_byte(s, in.p[0]);
		return 1;
	case AT_VALUE:
	case AT_ITEM_OR_END:
	case AT_KEY_OR_END:
	case AT_KEY:
	case AT_COLON:
	case AFTER_VALUE:
		structure_byte(s, in.p[0]);
		return 1;
	case STOPPED_DONE:
	case STOPPED_BAD:
		break;
	}
	return in.len;
}

static enum jsonscan_answer answer(const struct jsonscan *s)
{
	return s->state == STOPPED_DONE ? JSONSCAN_DONE : s->state == STOPPED_BAD ? JSONSCAN_BAD : JSONSCAN_MORE;
}

enum jsonscan_answer jsonscan_bytes(struct jsonscan *s, struct str bytes)
{
	while (bytes.len > 0)
		bytes = str_from_at(bytes, take(s, bytes));
	return answer(s);
}

enum jsonscan_answer jsonscan_end(struct jsonscan *s)
{
	if (s->state == IN_NUMBER && s->depth == 0 && number_complete(s))
		after_value(s);
	if (s->state != STOPPED_DONE) {
		s->state = STOPPED_BAD;
		s->capturing = 0; /* half a value is no value */
	}
	return answer(s);
}

struct str jsonscan_text(const struct jsonscan *s, uint32_t pointer)
{
	must(pointer < s->plan->count);
	const struct jsonscan_found *f = &s->found[pointer];
	return (struct str){ buf_cstr(&s->text) + f->at, f->len };
}
