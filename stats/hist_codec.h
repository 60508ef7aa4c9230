/* hist_codec.h: histograms as bytes and as text that other HdrHistogram tools read: V2 compressed frames and .hlog.
 *
 * frame    u32 cookie, i32 length, zlib stream of the inner form. Its base64 begins with HISTFAAAA
 * inner    40 bytes of header (layout, payload length), then the counts as ZigZag LEB128-64b9B: 7 bits a byte, low
 *          first, the ninth byte carries 8; negative numbers are runs of zeros; zeros behind the maximum are left out
 * interval one line of an .hlog: an optional tag, start and length in seconds, maximum in ms, a frame in base64
 *
 * There is no formal specification (HdrHistogram issue 170); this was read from HdrHistogram_c 18c7a32 and HdrHistogram
 * Java de84b0a. A single zero is written as Java does (00, not 01); both are read.
 *
 * A frame carries counts only: after decoding, minimum, maximum and mean are those of the buckets (within 1 in 1,000
 * in weir's layout), and <clamped> is 0.
 *
 * The decoders take bytes from strangers: every declared length is bounded before memory is asked for, inflating stops
 * where the header said it would, sums are checked. Threads: [any], each on its own histogram. */
#ifndef WEIR_STATS_HIST_CODEC_H
#define WEIR_STATS_HIST_CODEC_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "stats/hist.h"

/* No frame is larger, in bytes before base64. */
#define HIST_FRAME_BYTES_MAX (1u << 20)

/* Adds the frame, or its base64, to <out>. False when <out> is full or the frame would pass HIST_FRAME_BYTES_MAX. */
bool hist_encode(const struct hist *h, struct buf *out);
bool hist_encode_base64(const struct hist *h, struct buf *out);

/* Reads exactly one frame that fills <bytes>. On success <ret_hist> is given: hist_finish. ERR_SYNTAX, ERR_LIMIT. */
int hist_decode(struct hist *ret_hist, struct str bytes, struct err *err);
int hist_decode_base64(struct hist *ret_hist, struct str text, struct err *err);

/* The same for the inner form, uncompressed. */
int hist_decode_inner(struct hist *ret_hist, struct str bytes, struct err *err);

/* RFC 4648 section 4, with padding, nothing else allowed. False when <out> is full, or <text> is not base64 (what was
 * added before the mistake stays in <out>). */
bool base64_encode(struct str bytes, struct buf *out);
bool base64_decode(struct str text, struct buf *out);

/* Head of an .hlog (version 1.3): comments first, no line longer than 126 characters, because of the C reader.
 * Interval starts are relative to <start>. */
void hlog_write_head(struct buf *out, struct wall start);

/* One interval in order of time. <tag> NULL: the line of everything, which processors show by default, so write one
 * per interval. Commas, blanks and control characters in a tag become '_': readers have no way to quote them. */
void hlog_write_interval(struct buf *out, const char *tag, double start_s, double length_s, const struct hist *h);

#endif
