#include "net/http1_response.h"

#include "base/must.h"

enum state {
	STATUS_LINE,
	HEADERS,
	BODY_LENGTH,    /* `left` bytes */
	BODY_CLOSE,     /* until the connection ends */
	CHUNK_SIZE,     /* hexadecimal digits */
	CHUNK_REST,     /* of the line behind the size */
	CHUNK,          /* `left` bytes */
	CHUNK_LINE_END, /* behind the bytes */
	TRAILER,
	ENDED,
	INVALID,
};

#define CHUNK_DIGITS_MAX 16

void http1_response_init(struct http1_response *r, bool to_head, bool headers_wanted)
{
	*r = (struct http1_response){ .to_head = to_head, .headers_wanted = headers_wanted };
}

static enum http1_piece invalid(struct http1_response *r, const char *why)
{
	r->state = INVALID;
	r->why = why;
	return HTTP1_INVALID;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Takes one line without its end. HTTP1_BODY stands for "there is one": the caller goes on. */
static enum http1_piece take_line(struct http1_response *r, struct str *in, struct str *ret_line)
{
	const char *end = in->len > r->scanned ? memchr(in->p + r->scanned, '\n', in->len - r->scanned) : NULL;
	const size_t used = end ? (size_t)(end - in->p) + 1 : in->len;
	if (used >= HTTP1_LINE_MAX)
		return invalid(r, "a header line is too long");
	if (r->line_bytes + used > HTTP1_HEAD_MAX)
		return invalid(r, "the headers are too large");
	if (!end) {
		r->scanned = (uint32_t)in->len;
		return HTTP1_MORE;
	}
	r->scanned = 0;
	r->line_bytes += (uint32_t)used;
	const size_t len = used - 1;
	*ret_line = (struct str){ in->p, len > 0 && in->p[len - 1] == '\r' ? len - 1 : len };
	*in = (struct str){ end + 1, in->len - used };
	if (memchr(ret_line->p, '\0', ret_line->len))
		return invalid(r, "a NUL among the headers");
	return HTTP1_BODY;
}

/* --- the head --- */

/* "HTTP/1.1 200 OK": the reason may be missing, and more than one blank may precede the code. */
static const char *read_status_line(struct http1_response *r, struct str line)
{
	if (line.len < 8 || memcmp(line.p, "HTTP/", 5) != 0)
		return "this is not HTTP";
	if (line.p[5] != '1' || line.p[6] != '.' || (line.p[7] != '0' && line.p[7] != '1'))
		return "an HTTP version other than 1.0 and 1.1";
	r->http10 = line.p[7] == '0';
	struct str rest = str_from_at(line, 8);
	if (rest.len == 0 || rest.p[0] != ' ')
		return "a status line without a status";
	while (rest.len && is_blank(rest.p[0]))
		rest = str_from_at(rest, 1);
	if (rest.len < 3 || !is_digit(rest.p[0]) || !is_digit(rest.p[1]) || !is_digit(rest.p[2]) ||
	    (rest.len > 3 && is_digit(rest.p[3])) || rest.p[0] == '0')
		return "a status that is no number of three digits";
	r->status = (rest.p[0] - '0') * 100 + (rest.p[1] - '0') * 10 + (rest.p[2] - '0');
	return NULL;
}

/* The start of what cannot become "HTTP/" is refused before its line is whole: it may never be. */
static bool may_be_http(struct str in)
{
	return memcmp(in.p, "HTTP/", in.len < 5 ? in.len : 5) == 0;
}

/* One or more times the same number, as RFC 9110 section 8.6 has it. */
static const char *read_length(struct http1_response *r, struct str value)
{
	struct str part;
	if (value.len == 0)
		return "Content-Length is empty";
	while (str_cut(&value, ',', &part)) {
		uint64_t length;
		if (!str_to_u64(str_trim(part), &length) || length > INT64_MAX)
			return "Content-Length is no number";
		if (r->has_length && length != r->left)
			return "Content-Length is given twice, and differs";
		r->has_length = true;
		r->left = length;
	}
	return NULL;
}

static const char *read_encodings(struct http1_response *r, struct str value)
{
	struct str part;
	while (str_cut(&value, ',', &part)) {
		const struct str name = str_trim(part);
		r->encoded |= name.len > 0;
		if (str_eq_nocase(name, STR("chunked")))
			r->chunked = true;
		else if (name.len && !str_eq_nocase(name, STR("identity")))
			return "a Transfer-Encoding that weir does not read";
	}
	return NULL;
}

static void read_connection(struct http1_response *r, struct str value)
{
	struct str part;
	while (str_cut(&value, ',', &part)) {
		const struct str word = str_trim(part);
		r->said_close |= str_eq_nocase(word, STR("close"));
		r->said_keep_alive |= str_eq_nocase(word, STR("keep-alive"));
	}
}

/* Headers that say where the body ends and what becomes of the connection. NULL: nothing is wrong with it. */
static const char *read_framing(struct http1_response *r)
{
	const bool may_have_body = r->status >= 200 && r->status != 204 && r->status != 304;
	/* By length first: most headers are none of these. */
	switch (r->name.len) {
	case sizeof("Connection") - 1:
		if (str_eq_nocase(r->name, STR("Connection")))
			read_connection(r, r->value);
		break;
	case sizeof("Content-Length") - 1:
		if (may_have_body && str_eq_nocase(r->name, STR("Content-Length")))
			return read_length(r, r->value);
		break;
	case sizeof("Transfer-Encoding") - 1:
		if (may_have_body && !r->to_head && str_eq_nocase(r->name, STR("Transfer-Encoding")))
			return read_encodings(r, r->value);
		break;
	default:
		break;
	}
	return NULL;
}

/* The empty line. HTTP1_MORE stands for "there is more to read": the caller goes on. */
static enum http1_piece end_head(struct http1_response *r)
{
	if (r->status < 200 && r->status != 101) {
		r->state = STATUS_LINE;
		return HTTP1_MORE;
	}
	r->head_complete = true;
	r->keep_alive = !r->said_close && (!r->http10 || r->said_keep_alive);
	if (r->to_head || r->status == 204 || r->status == 304) {
		r->state = ENDED;
	} else if (r->chunked) {
		r->state = CHUNK_SIZE;
		r->left = 0;
	} else if (r->has_length && !r->encoded) {
		r->state = r->left ? BODY_LENGTH : ENDED;
	} else {
		r->state = BODY_CLOSE;
		r->keep_alive = false;
	}
	return r->state == ENDED ? HTTP1_END : HTTP1_MORE;
}

/* A line of a head or a trailer that is not empty. HTTP1_MORE: nothing for the caller in it. */
static enum http1_piece read_header(struct http1_response *r, struct str line, bool is_trailer)
{
	if (++r->header_count > HTTP1_HEADERS_MAX)
		return invalid(r, "too many headers");
	if (is_blank(line.p[0]))
		return HTTP1_MORE;
	const size_t colon = str_find(line, ':');
	if (colon == line.len)
		return invalid(r, "a header without a colon");
	r->name = str_first(line, colon);
	r->value = str_trim(str_from_at(line, colon + 1));
	const char *why = is_trailer ? NULL : read_framing(r);
	if (why)
		return invalid(r, why);
	return r->headers_wanted ? HTTP1_HEADER : HTTP1_MORE;
}

static enum http1_piece read_head_line(struct http1_response *r, struct str line)
{
	if (r->state == STATUS_LINE) {
		const char *why = read_status_line(r, line);
		r->state = HEADERS;
		return why ? invalid(r, why) : HTTP1_MORE;
	}
	return line.len ? read_header(r, line, false) : end_head(r);
}

static enum http1_piece next_of_head(struct http1_response *r, struct str *in)
{
	struct str line;
	while (r->state == STATUS_LINE || r->state == HEADERS) {
		const size_t before = in->len;
		if (r->state == STATUS_LINE && before > 0 && !may_be_http(*in))
			return invalid(r, "this is not HTTP");
		enum http1_piece piece = take_line(r, in, &line);
		if (piece != HTTP1_BODY)
			return piece;
		piece = read_head_line(r, line);
		if (piece != HTTP1_INVALID)
			r->head_bytes += before - in->len;
		if (piece != HTTP1_MORE)
			return piece;
	}
	return HTTP1_MORE;
}

/* --- the body --- */

static enum http1_piece take_body(struct http1_response *r, struct str *in, uint64_t most)
{
	r->body = str_first(*in, most < in->len ? (size_t)most : in->len);
	*in = str_from_at(*in, r->body.len);
	r->body_bytes += r->body.len;
	return HTTP1_BODY;
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	const char lower = (char)(c | 0x20);
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static const char *take_chunk_size(struct http1_response *r, struct str *in)
{
	for (; in->len; *in = str_from_at(*in, 1)) {
		const int digit = hex_value(in->p[0]);
		if (digit < 0) {
			r->state = CHUNK_REST;
			return r->digits ? NULL : "a chunk without a size";
		}
		if (++r->digits > CHUNK_DIGITS_MAX || r->left > INT64_MAX >> 4)
			return "a chunk that is too large";
		r->left = r->left << 4 | (uint64_t)digit;
	}
	return NULL;
}

static void skip_chunk_rest(struct http1_response *r, struct str *in)
{
	const size_t end = str_find(*in, '\n');
	const bool found = end < in->len;
	*in = str_from_at(*in, end + 1);
	if (found)
		r->state = r->left ? CHUNK : TRAILER;
}

static const char *take_chunk_line_end(struct http1_response *r, struct str *in)
{
	for (; in->len && in->p[0] == '\r'; *in = str_from_at(*in, 1))
		;
	if (in->len == 0)
		return NULL;
	if (in->p[0] != '\n')
		return "a chunk longer than its size";
	*in = str_from_at(*in, 1);
	r->state = CHUNK_SIZE;
	r->digits = 0;
	r->left = 0;
	return NULL;
}

static enum http1_piece take_trailer(struct http1_response *r, struct str *in)
{
	struct str line;
	enum http1_piece piece;
	do {
		piece = take_line(r, in, &line);
		if (piece != HTTP1_BODY)
			return piece;
		if (line.len == 0) {
			r->state = ENDED;
			return HTTP1_END;
		}
		piece = read_header(r, line, true);
	} while (piece == HTTP1_MORE);
	return piece;
}

static enum http1_piece next_of_chunks(struct http1_response *r, struct str *in)
{
	while (in->len) {
		const char *why = NULL;
		switch ((enum state)r->state) {
		case CHUNK_SIZE:
			why = take_chunk_size(r, in);
			break;
		case CHUNK_REST:
			skip_chunk_rest(r, in);
			break;
		case CHUNK:
			take_body(r, in, r->left);
			r->left -= r->body.len;
			if (r->left == 0)
				r->state = CHUNK_LINE_END;
			return HTTP1_BODY;
		case CHUNK_LINE_END:
			why = take_chunk_line_end(r, in);
			break;
		case TRAILER:
			return take_trailer(r, in);
		case STATUS_LINE:
		case HEADERS:
		case BODY_LENGTH:
		case BODY_CLOSE:
		case ENDED:
		case INVALID:
			must(false);
		}
		if (why)
			return invalid(r, why);
	}
	return HTTP1_MORE;
}

enum http1_piece http1_response_next(struct http1_response *r, struct str *in)
{
	if (r->state == STATUS_LINE || r->state == HEADERS) {
		const enum http1_piece piece = next_of_head(r, in);
		if (piece != HTTP1_MORE || r->state == STATUS_LINE || r->state == HEADERS)
			return piece;
	}
	switch ((enum state)r->state) {
	case BODY_LENGTH:
		if (in->len == 0)
			return HTTP1_MORE;
		take_body(r, in, r->left);
		r->left -= r->body.len;
		if (r->left == 0)
			r->state = ENDED;
		return HTTP1_BODY;
	case BODY_CLOSE:
		return in->len ? take_body(r, in, UINT64_MAX) : HTTP1_MORE;
	case ENDED:
		return HTTP1_END;
	case INVALID:
		return HTTP1_INVALID;
	case CHUNK_SIZE:
	case CHUNK_REST:
	case CHUNK:
	case CHUNK_LINE_END:
	case TRAILER:
		return next_of_chunks(r, in);
	case STATUS_LINE:
	case HEADERS:
		break;
	}
	return HTTP1_MORE;
}

bool http1_response_ends_here(const struct http1_response *r)
{
	return r->state == BODY_CLOSE;
}
