#include "stats/hist_codec.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

#include <zlib.h>

#include "base/mem.h"
#include "base/must.h"

#define COOKIE_INNER 0x1c849303u
#define COOKIE_FRAME 0x1c849304u
#define COOKIE_WORD 0x10u /* writers set it, readers ignore the nibble */
#define COOKIE_MASK (~0xf0u)
#define FRAME_HEAD_BYTES 8
#define INNER_HEAD_BYTES 40
#define ONE_AS_BITS UINT64_C(0x3ff0000000000000) /* 1.0, the conversion ratio of whole numbers */
#define COUNT_BYTES_MAX 9

static void put_be(uint8_t *at, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
}

static uint64_t get_be(const uint8_t *at, int bytes)
{
	uint64_t value = 0;
	for (int i = 0; i < bytes; i++)
		value = value << 8 | at[i];
	return value;
}

/* --- encoding ----------------------------------------------------------------------------------------------------- */

static uint8_t *put_zigzag(uint8_t *at, int64_t value)
{
	uint64_t u = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
	for (int i = 0; i < COUNT_BYTES_MAX - 1; i++) {
		if (u < 0x80) {
			*at++ = (uint8_t)u;
			return at;
		}
		*at++ = (uint8_t)(u | 0x80);
		u >>= 7;
	}
	*at++ = (uint8_t)u; /* the ninth byte has no continuation bit */
	return at;
}

/* Writes the inner form of <h> to <inner>, which has room for it. Returns its length. */
static size_t encode_inner(const struct hist *h, uint8_t *inner)
{
	uint8_t *at = inner + INNER_HEAD_BYTES;
	const int32_t len = h->total ? hist_index(h, h->max) + 1 : 0;
	for (int32_t i = 0; i < len;) {
		int32_t zeros = 0;
		while (i + zeros < len && h->counts[i + zeros] == 0)
			zeros++;
		at = put_zigzag(at, zeros == 0 ? h->counts[i] : zeros == 1 ? 0 : -zeros);
		i += zeros ? zeros : 1;
	}
	put_be(inner, COOKIE_INNER | COOKIE_WORD, 4);
	put_be(inner + 4, (uint64_t)(at - inner - INNER_HEAD_BYTES), 4);
	put_be(inner + 8, 0, 4); /* normalizing index offset */
	put_be(inner + 12, (uint64_t)h->digits, 4);
	put_be(inner + 16, (uint64_t)h->lowest, 8);
	put_be(inner + 24, (uint64_t)h->highest, 8);
	put_be(inner + 32, ONE_AS_BITS, 8);
	return (size_t)(at - inner);
}

bool hist_encode(const struct hist *h, struct buf *out)
{
	const size_t used = h->total ? (size_t)hist_index(h, h->max) + 1 : 0;
	uint8_t *inner = xmalloc(INNER_HEAD_BYTES + used * COUNT_BYTES_MAX);
	const size_t inner_len = encode_inner(h, inner);
	uLongf len = compressBound((uLong)inner_len);
	uint8_t *frame = xmalloc(FRAME_HEAD_BYTES + len);
	must(compress2(frame + FRAME_HEAD_BYTES, &len, inner, (uLong)inner_len, Z_DEFAULT_COMPRESSION) == Z_OK);
	put_be(frame, COOKIE_FRAME | COOKIE_WORD, 4);
	put_be(frame + 4, len, 4);
	const struct str bytes = { (const char *)frame, FRAME_HEAD_BYTES + len };
	const bool ok = bytes.len <= HIST_FRAME_BYTES_MAX && buf_add(out, bytes);
	free(inner);
	free(frame);
	return ok;
}

bool hist_encode_base64(const struct hist *h, struct buf *out)
{
	struct buf frame;
	buf_init(&frame, HIST_FRAME_BYTES_MAX);
	const bool ok = hist_encode(h, &frame) && base64_encode(buf_str(&frame), out);
	buf_finish(&frame);
	return ok;
}

/* --- decoding ----------------------------------------------------------------------------------------------------- */

struct inner_head {
	int64_t lowest, highest;
	int digits;
	int32_t counts_len;
	size_t payload_len;
};

static int read_inner_head(const uint8_t *at, struct inner_head *ret_head, struct err *err)
{
	const uint32_t cookie = (uint32_t)get_be(at, 4) & COOKIE_MASK;
	const uint64_t payload_len = get_be(at + 4, 4), digits = get_be(at + 12, 4);
	struct inner_head head = { .lowest = (int64_t)get_be(at + 16, 8), .highest = (int64_t)get_be(at + 24, 8) };
	if (cookie != COOKIE_INNER)
		return err_set(err, ERR_SYNTAX, "not an HdrHistogram V2 (cookie %08x)", (unsigned)get_be(at, 4));
	if (get_be(at + 8, 4) != 0 || get_be(at + 32, 8) != ONE_AS_BITS)
		return err_set(err, ERR_SYNTAX, "a shifted or fractional histogram, which weir does not read");
	head.digits = digits <= 5 ? (int)digits : -1;
	head.counts_len = hist_layout_len(head.lowest, head.highest, head.digits);
	if (head.counts_len == 0)
		return err_set(err, ERR_LIMIT, "no histogram has %llu digits from %lld to %lld",
		               (unsigned long long)digits, (long long)head.lowest, (long long)head.highest);
	if (payload_len > (uint64_t)head.counts_len * COUNT_BYTES_MAX)
		return err_set(err, ERR_LIMIT, "a payload of %llu bytes for %d counts", (unsigned long long)payload_len,
		               (int)head.counts_len);
	head.payload_len = (size_t)payload_len;
	*ret_head = head;
	return 0;
}

/* Reads one number in front of <end>. NULL: it is cut off. */
static const uint8_t *get_zigzag(const uint8_t *at, const uint8_t *end, int64_t *ret_value)
{
	uint64_t u = 0;
	for (int i = 0; i < COUNT_BYTES_MAX; i++) {
		if (at == end)
			return NULL;
		const uint8_t byte = *at++;
		if (i == COUNT_BYTES_MAX - 1) {
			u |= (uint64_t)byte << (7 * i);
			break;
		}
		u |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (!(byte & 0x80))
			break;
	}
	*ret_value = (int64_t)(u >> 1) ^ -(int64_t)(u & 1);
	return at;
}

static int decode_counts(struct hist *h, const uint8_t *at, const uint8_t *end, struct err *err)
{
	int32_t index = 0;
	while (at < end) {
		int64_t value;
		at = get_zigzag(at, end, &value);
		if (!at)
			return err_set(err, ERR_SYNTAX, "the last count of the histogram is cut off");
		const int32_t left = h->counts_len - index;
		if (value < 0 ? value < -(int64_t)left : left == 0)
			return err_set(err, ERR_SYNTAX, "more counts than the histogram has (%d)", (int)h->counts_len);
		if (value < 0) {
			index += (int32_t)-value;
			continue;
		}
		if (!hist_add_at(h, index++, value))
			return err_set(err, ERR_LIMIT, "the counts of the histogram add up to more than 2^63");
	}
	return 0;
}

static int decode_payload(struct hist *ret_hist, const struct inner_head *head, const uint8_t *payload, struct err *err)
{
	struct hist h;
	hist_init(&h, head->lowest, head->highest, head->digits);
	if (decode_counts(&h, payload, payload + head->payload_len, err) < 0) {
		hist_finish(&h);
		return -1;
	}
	*ret_hist = h;
	return 0;
}

int hist_decode_inner(struct hist *ret_hist, struct str bytes, struct err *err)
{
	struct inner_head head;
	const uint8_t *at = (const uint8_t *)bytes.p;
	if (bytes.len < INNER_HEAD_BYTES)
		return err_set(err, ERR_SYNTAX, "a histogram needs %d bytes, here are %zu", INNER_HEAD_BYTES,
		               bytes.len);
	if (read_inner_head(at, &head, err) < 0)
		return -1;
	if (head.payload_len != bytes.len - INNER_HEAD_BYTES)
		return err_set(err, ERR_SYNTAX, "a payload of %zu bytes where %zu were declared",
		               bytes.len - INNER_HEAD_BYTES, head.payload_len);
	return decode_payload(ret_hist, &head, at + INNER_HEAD_BYTES, err);
}

/* Inflates exactly <len> bytes to <ret_bytes>; when <last>, the stream has to end there and use all its input. The
 * caller gives one byte of room more than <len>: a stream that wants to go on shows by touching it. */
static bool inflate_exactly(z_stream *z, uint8_t *ret_bytes, size_t len, bool last)
{
	z->next_out = ret_bytes;
	z->avail_out = (uInt)(len + (last ? 1 : 0));
	if (len == 0 && !last)
		return true;
	const int status = inflate(z, last ? Z_FINISH : Z_SYNC_FLUSH);
	if (last)
		return status == Z_STREAM_END && z->avail_out == 1 && z->avail_in == 0;
	return (status == Z_OK || status == Z_STREAM_END) && z->avail_out == 0;
}

static int decode_stream(struct hist *ret_hist, z_stream *z, struct err *err)
{
	uint8_t head_bytes[INNER_HEAD_BYTES];
	struct inner_head head;
	if (!inflate_exactly(z, head_bytes, sizeof(head_bytes), false))
		return err_set(err, ERR_SYNTAX, "the compressed histogram is damaged or cut off");
	if (read_inner_head(head_bytes, &head, err) < 0)
		return -1;
	uint8_t *payload = xmalloc(head.payload_len + 1);
	int status;
	if (inflate_exactly(z, payload, head.payload_len, true))
		status = decode_payload(ret_hist, &head, payload, err);
	else
		status = err_set(err, ERR_SYNTAX, "the compressed histogram is not the %zu bytes it declares",
		                 INNER_HEAD_BYTES + head.payload_len);
	free(payload);
	return status;
}

int hist_decode(struct hist *ret_hist, struct str bytes, struct err *err)
{
	const uint8_t *at = (const uint8_t *)bytes.p;
	if (bytes.len < FRAME_HEAD_BYTES)
		return err_set(err, ERR_SYNTAX, "a histogram frame needs 8 bytes, here are %zu", bytes.len);
	if (bytes.len > HIST_FRAME_BYTES_MAX)
		return err_set(err, ERR_LIMIT, "a histogram frame of %zu bytes; %u is the most", bytes.len,
		               HIST_FRAME_BYTES_MAX);
	if (((uint32_t)get_be(at, 4) & COOKIE_MASK) != COOKIE_FRAME)
		return err_set(err, ERR_SYNTAX, "not an HdrHistogram V2 frame (cookie %08x)", (unsigned)get_be(at, 4));
	if (get_be(at + 4, 4) != bytes.len - FRAME_HEAD_BYTES)
		return err_set(err, ERR_SYNTAX, "a histogram frame of %zu bytes that declares %llu", bytes.len,
		               (unsigned long long)get_be(at + 4, 4) + FRAME_HEAD_BYTES);
	z_stream z = { .next_in = (Bytef *)(uintptr_t)(at + FRAME_HEAD_BYTES),
		       .avail_in = (uInt)(bytes.len - FRAME_HEAD_BYTES) };
	must(inflateInit(&z) == Z_OK);
	const int status = decode_stream(ret_hist, &z, err);
	inflateEnd(&z);
	return status;
}

int hist_decode_base64(struct hist *ret_hist, struct str text, struct err *err)
{
	struct buf frame;
	int status;
	buf_init(&frame, HIST_FRAME_BYTES_MAX);
	if (base64_decode(text, &frame))
		status = hist_decode(ret_hist, buf_str(&frame), err);
	else if (buf_overflowed(&frame))
		status = err_set(err, ERR_LIMIT, "a histogram frame of more than %u bytes", HIST_FRAME_BYTES_MAX);
	else
		status = err_set(err, ERR_SYNTAX, "not base64");
	buf_finish(&frame);
	return status;
}

/* --- base64 ------------------------------------------------------------------------------------------------------- */

static const char base64_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool base64_encode(struct str bytes, struct buf *out)
{
	for (size_t i = 0; i < bytes.len; i += 3) {
		const size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
		uint32_t v = 0;
		for (size_t j = 0; j < 3; j++)
			v = v << 8 | (j < n ? (uint8_t)bytes.p[i + j] : 0u);
		char four[4];
		for (size_t j = 0; j < 4; j++)
			four[j] = j <= n ? base64_letters[v >> (18 - 6 * j) & 63] : '=';
		if (!buf_add(out, (struct str){ four, 4 }))
			return false;
	}
	return !buf_overflowed(out);
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_decode(struct str text, struct buf *out)
{
	if (text.len % 4 != 0)
		return false;
	for (size_t i = 0; i < text.len; i += 4) {
		const char *four = text.p + i;
		size_t n = 3;
		if (i + 4 == text.len && four[3] == '=')
			n = four[2] == '=' ? 1 : 2;
		uint32_t v = 0;
		for (size_t j = 0; j < 4; j++) {
			const int digit = j <= n ? base64_value(four[j]) : 0;
			if (digit < 0)
				return false;
			v = v << 6 | (uint32_t)digit;
		}
		const char three[3] = { (char)(v >> 16 & 255), (char)(v >> 8 & 255), (char)(v & 255) };
		if ((n < 3 && three[2] != 0) || (n < 2 && three[1] != 0)) /* bits that no encoder leaves */
			return false;
		if (!buf_add(out, (struct str){ three, n }))
			return false;
	}
	return !buf_overflowed(out);
}

/* --- .hlog -------------------------------------------------------------------------------------------------------- */

void hlog_write_head(struct buf *out, struct wall start)
{
	static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const time_t seconds = (time_t)(start.ns / SECOND);
	const int ms = (int)(start.ns % SECOND / MILLISECOND);
	struct tm tm;
	must(start.ns >= 0 && gmtime_r(&seconds, &tm));
	buf_printf(out, "#[Histogram log format version 1.3]\n");
	buf_printf(out, "#[StartTime: %lld.%03d (seconds since epoch), %.3s %.3s %02d %02d:%02d:%02d UTC %d]\n",
	           (long long)seconds, ms, days + (ptrdiff_t)3 * tm.tm_wday, months + (ptrdiff_t)3 * tm.tm_mon,
	           tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, tm.tm_year + 1900);
	buf_printf(out, "#[BaseTime: %lld.%03d (seconds since epoch)]\n", (long long)seconds, ms);
	buf_printf(out, "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n");
}

void hlog_write_interval(struct buf *out, const char *tag, double start_s, double length_s, const struct hist *h)
{
	must(start_s >= 0 && isfinite(start_s) && length_s >= 0 && isfinite(length_s));
	if (tag && *tag) {
		buf_printf(out, "Tag=");
		for (; *tag; tag++)
			buf_add_char(out, *tag == ',' || (unsigned char)*tag <= ' ' || *tag == 0x7f ? '_' : *tag);
		buf_add_char(out, ',');
	}
	const int64_t max = h->total ? hist_highest_equivalent(h, h->max) : 0;
	buf_printf(out, "%.3f,%.3f,%.3f,", start_s, length_s, (double)max / (double)MILLISECOND);
	if (!hist_encode_base64(h, out))
		out->overflowed = true; /* half a line must not pass for a whole one */
	buf_add_char(out, '\n');
}
