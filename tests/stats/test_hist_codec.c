#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>
#include <zlib.h>

#include "base/must.h"
#include "base/rng.h"
#include "stats/hist_codec.h"

#define A_JAVA "HISTFAAAAC142pNpmSzMwMDAzwABzFCaEcyZ3M5g/wEqwsLAdJz/BstaAa7nkxiZAJpLB6E="
#define A_C "HISTFAAAAC142pNpmSzMwMDAzwABzFCaEcyZ3M5g/wEqwMLIdJz/BstaAa7nkxiZAJpnB6M="
#define B_AUTH "HISTFAAAACt42pNpmSzMwMDAxQABzFDqBRC7GexYwGD/ASLyPmwL43cBgbO6LACuqAlO"
#define B_MESSAGES "HISTFAAAACl42pNpmSzMwMDAwQABzFDqBRC7GexYwGD/ASLSXpxindQezwQAl28IIA=="

static void fill_example_a(struct hist *h)
{
	hist_init(h, 1, 60000000, 3);
	hist_record_n(h, 1, 2);
	hist_record(h, 3);
	hist_record_n(h, 1000, 300);
	hist_record_n(h, 2049, 5);
	hist_record(h, 1234567);
}

static void assert_same_counts(const struct hist *a, const struct hist *b)
{
	assert_true(hist_same_layout(a, b));
	assert_int_equal(a->total, b->total);
	assert_memory_equal(a->counts, b->counts, (size_t)a->counts_len * sizeof(a->counts[0]));
}

static void both_forms_of_example_a_decode(void **state)
{
	struct hist want, got;
	struct err err;
	fill_example_a(&want);
	const char *const texts[] = { A_JAVA, A_C };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_int_equal(hist_decode_base64(&got, str_from(texts[i]), &err), 0);
		assert_same_counts(&want, &got);
		assert_int_equal(hist_max(&got), 1234943);
		assert_int_equal(hist_min(&got), 1);
		hist_finish(&got);
	}
	hist_finish(&want);
}

/* The inner bytes are fixed; only the zlib stream around them may differ between versions. */
static void example_a_encodes_to_the_known_inner_bytes(void **state)
{
	static const uint8_t want[] = { 0x1c, 0x84, 0x93, 0x13, 0,    0,    0,    0x0f, 0,    0,    0,
		                        0,    0,    0,    0,    3,    0,    0,    0,    0,    0,    0,
		                        0,    1,    0,    0,    0,    0,    0x03, 0x93, 0x87, 0x00, 0x3f,
		                        0xf0, 0,    0,    0,    0,    0,    0,    0x00, 0x04, 0x00, 0x02,
		                        0xc7, 0x0f, 0xd8, 0x04, 0xad, 0x10, 0x0a, 0xe7, 0x92, 0x01, 0x02 };
	struct hist h;
	struct buf out;
	uint8_t inner[200];
	uLongf inner_len = sizeof(inner);
	fill_example_a(&h);
	buf_init(&out, 1000);
	assert_true(hist_encode(&h, &out));
	assert_int_equal((uint8_t)out.bytes[3], 0x14);
	assert_int_equal((uint8_t)out.bytes[7], out.len - 8);
	assert_int_equal(uncompress(inner, &inner_len, (const Bytef *)out.bytes + 8, out.len - 8), Z_OK);
	assert_int_equal(inner_len, sizeof(want));
	assert_memory_equal(inner, want, sizeof(want));
	buf_clear(&out);
	assert_true(hist_encode_base64(&h, &out));
	assert_memory_equal(out.bytes, "HISTFAAAA", 9);
	buf_finish(&out);
	hist_finish(&h);
}

static void example_b_decodes_to_its_figures(void **state)
{
	struct hist h;
	struct err err;
	assert_int_equal(hist_decode_base64(&h, STR(B_AUTH), &err), 0);
	assert_int_equal(hist_count(&h), 100);
	assert_int_equal(hist_quantile(&h, 0.5), 12001279);
	assert_int_equal(hist_quantile(&h, 0.95), 25001983);
	assert_int_equal(hist_quantile(&h, 0.99), 180092927);
	assert_int_equal(hist_max(&h), 180092927);
	hist_finish(&h);
	assert_int_equal(hist_decode_base64(&h, STR(B_MESSAGES), &err), 0);
	assert_int_equal(hist_quantile(&h, 0.5), 40009727);
	assert_int_equal(hist_quantile(&h, 0.99), 41025535);
	assert_int_equal(hist_max(&h), 2501902335);
	hist_finish(&h);
}

static void hlog_has_the_lines_of_example_b(void **state)
{
	struct hist auth, messages;
	struct buf out;
	buf_init(&out, 4096);
	hist_init_latency(&auth);
	hist_init_latency(&messages);
	hist_record_n(&auth, 12000000, 90);
	hist_record_n(&auth, 25000000, 8);
	hist_record_n(&auth, 180000000, 2);
	hist_record_n(&messages, 40000000, 50);
	hist_record_n(&messages, 41000000, 49);
	hist_record_n(&messages, 2500000000, 1);
	hlog_write_head(&out, (struct wall){ INT64_C(1760000000) * SECOND });
	hlog_write_interval(&out, "auth", 0, 10, &auth);
	hlog_write_interval(&out, "my, tag", 10, 10, &messages);
	hlog_write_interval(&out, NULL, 20, 0.5, &messages);
	assert_false(buf_overflowed(&out));
	const char head[] =
		"#[Histogram log format version 1.3]\n"
		"#[StartTime: 1760000000.000 (seconds since epoch), Thu Oct 09 08:53:20 UTC 2025]\n"
		"#[BaseTime: 1760000000.000 (seconds since epoch)]\n"
		"\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n"
		"Tag=auth,0.000,10.000,180.093,HISTFAAAA";
	assert_int_equal(strncmp(buf_cstr(&out), head, sizeof(head) - 1), 0);
	assert_non_null(strstr(buf_cstr(&out), "\nTag=my__tag,10.000,10.000,2501.902,HISTFAAAA"));
	assert_non_null(strstr(buf_cstr(&out), "\n20.000,0.500,2501.902,HISTFAAAA"));
	struct str text = buf_str(&out), line;
	for (int n = 0; str_cut(&text, '\n', &line); n++) {
		struct hist back;
		struct err err;
		if (n < 4) {
			assert_true(line.len <= 126); /* longer header lines break the C reader */
			continue;
		}
		while (str_find(line, ',') < line.len)
			line = str_from_at(line, str_find(line, ',') + 1);
		assert_int_equal(hist_decode_base64(&back, line, &err), 0);
		assert_same_counts(&back, n == 4 ? &auth : &messages);
		hist_finish(&back);
	}
	buf_finish(&out);
	buf_init(&out, 20);
	hlog_write_interval(&out, NULL, 0, 1, &auth);
	assert_true(buf_overflowed(&out));
	buf_finish(&out);
	hist_finish(&auth);
	hist_finish(&messages);
}

/* An inner form of one count, so that the zigzag vectors of section 2 can be seen one by one. */
static int decode_one(const uint8_t *payload, size_t len, struct hist *ret_hist, struct err *err)
{
	uint8_t inner[100] = { 0x1c, 0x84, 0x93, 0x03, 0, 0, 0, 0, 0, 0, 0, 0,    0,    0,    0,    3,    0,
		               0,    0,    0,    0,    0, 0, 1, 0, 0, 0, 0, 0x03, 0x93, 0x87, 0x00, 0x3f, 0xf0 };
	inner[7] = (uint8_t)len;
	memcpy(inner + 40, payload, len);
	return hist_decode_inner(ret_hist, (struct str){ (const char *)inner, 40 + len }, err);
}

static void zigzag_vectors_decode(void **state)
{
	static const struct {
		uint8_t bytes[9];
		size_t len;
		int64_t value; /* of count 0; negative: a run of zeros */
	} cases[] = {
		{ { 0x00 }, 1, 0 },
		{ { 0x02 }, 1, 1 },
		{ { 0x01 }, 1, -1 },
		{ { 0x7e }, 1, 63 },
		{ { 0x80, 0x01 }, 2, 64 },
		{ { 0x7f }, 1, -64 },
		{ { 0xd8, 0x04 }, 2, 300 },
		{ { 0xc7, 0x0f }, 2, -996 },
		{ { 0x80, 0x80, 0x01 }, 3, 8192 },
		{ { 0x80, 0x80, 0x80, 0x80, 0x10 }, 5, INT64_C(1) << 31 },
		{ { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80 }, 9, INT64_C(1) << 62 },
		{ { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, 9, INT64_MAX },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t payload[10];
		struct hist h;
		struct err err;
		memcpy(payload, cases[i].bytes, 9);
		payload[cases[i].len] = 0x02; /* a one behind it shows where the run ended */
		const size_t with = cases[i].value < 0 ? 1 : 0;
		assert_int_equal(decode_one(payload, cases[i].len + with, &h, &err), 0);
		if (cases[i].value < 0)
			assert_int_equal(h.counts[-cases[i].value], 1);
		else
			assert_int_equal(h.counts[0], cases[i].value);
		hist_finish(&h);
	}
}

static void hostile_inner_forms_are_refused(void **state)
{
	static const struct {
		const char *what;
		uint8_t bytes[20];
		size_t len;
	} cases[] = {
		{ "cut off", { 0x80 }, 1 },
		{ "run past the end", { 0xff, 0xff, 0x7f }, 3 },
		{ "run of one too many", { 0x81, 0x90, 0x02 }, 3 },
		{ "run of 2^63", { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, 9 },
		{ "count past the end", { 0xff, 0x8f, 0x02, 0x02 }, 4 },
		{ "sum overflows", { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02 }, 10 },
	};
	struct hist h;
	struct err err;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (decode_one(cases[i].bytes, cases[i].len, &h, &err) != -1)
			fail_msg("accepted: %s", cases[i].what);
	/* The run that fills all 17,408 counts exactly is fine. */
	assert_int_equal(decode_one((const uint8_t[]){ 0xff, 0x8f, 0x02 }, 3, &h, &err), 0);
	assert_int_equal(hist_count(&h), 0);
	hist_finish(&h);
	assert_int_equal(hist_decode_inner(&h, STR("short"), &err), -1);
}

static void every_bit_of_the_header_matters(void **state)
{
	struct buf frame;
	struct err err;
	buf_init(&frame, 1000);
	assert_true(base64_decode(STR(A_JAVA), &frame));
	for (size_t cut = 0; cut < frame.len; cut++) {
		struct hist h;
		assert_int_equal(hist_decode(&h, str_first(buf_str(&frame), cut), &err), -1);
	}
	for (size_t at = 0; at < frame.len; at++) {
		struct hist h;
		if (at == 3)
			continue; /* a nibble that readers ignore */
		frame.bytes[at] ^= 0x40;
		/* Adler-32 protects the stream; the zlib header's own check protects its two bytes. */
		assert_int_equal(hist_decode(&h, buf_str(&frame), &err), -1);
		frame.bytes[at] ^= 0x40;
	}
	buf_finish(&frame);
	struct hist h;
	assert_int_equal(hist_decode_base64(&h, STR("HIST"), &err), -1);
	assert_int_equal(hist_decode_base64(&h, STR("HISTF"), &err), -1);
	assert_int_equal(hist_decode_base64(&h, STR(""), &err), -1);
}

/* A frame whose header declares less than the stream inflates to, and one that asks for too much. */
static void declared_lengths_are_believed_or_refused(void **state)
{
	static uint8_t inner[1 << 20] = { 0x1c, 0x84, 0x93, 0x03, 0,    0,    0,    1,    0,    0,   0, 0,
		                          0,    0,    0,    3,    0,    0,    0,    0,    0,    0,   0, 1,
		                          0,    0,    0,    0,    0x03, 0x93, 0x87, 0x00, 0x3f, 0xf0 };
	static uint8_t frame[1 << 16] = { 0x1c, 0x84, 0x93, 0x04 };
	struct hist h;
	struct err err;
	uLongf len = sizeof(frame) - 8;
	assert_int_equal(compress(frame + 8, &len, inner, sizeof(inner)), Z_OK);
	frame[6] = (uint8_t)(len >> 8);
	frame[7] = (uint8_t)len;
	assert_int_equal(hist_decode(&h, (struct str){ (const char *)frame, len + 8 }, &err), -1);
	assert_int_equal(err.kind, ERR_SYNTAX);
	/* A sound stream with one byte behind it that the frame declares as part of it. */
	len = sizeof(frame) - 8;
	inner[7] = 0;
	assert_int_equal(compress(frame + 8, &len, inner, 40), Z_OK);
	frame[6] = 0;
	frame[7] = (uint8_t)len;
	assert_int_equal(hist_decode(&h, (struct str){ (const char *)frame, len + 8 }, &err), 0);
	hist_finish(&h);
	frame[7]++;
	assert_int_equal(hist_decode(&h, (struct str){ (const char *)frame, len + 9 }, &err), -1);
	inner[5] = 0x7f;
	assert_int_equal(hist_decode_inner(&h, (struct str){ (const char *)inner, sizeof(inner) }, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	inner[15] = 9; /* digits */
	assert_int_equal(hist_decode_inner(&h, (struct str){ (const char *)inner, sizeof(inner) }, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
}

static void random_histograms_round_trip(void **state)
{
	struct rng rng;
	struct err err;
	rng_init(&rng, 7, 0);
	for (int round = 0; round < 40; round++) {
		struct hist h, back;
		struct buf out;
		hist_init_latency(&h);
		buf_init(&out, 1u << 20);
		for (uint64_t n = rng_below(&rng, 3000); n > 0; n--)
			hist_record_n(&h, (int64_t)(2e7 * exp(3 * rng_normal(&rng))),
			              1 + (int64_t)rng_below(&rng, 1000));
		assert_true(hist_encode_base64(&h, &out));
		assert_int_equal(hist_decode_base64(&back, buf_str(&out), &err), 0);
		assert_same_counts(&h, &back);
		if (hist_count(&h))
			assert_int_equal(hist_max(&back), hist_highest_equivalent(&h, hist_max(&h)));
		assert_true(fabs(hist_mean(&back) - hist_mean(&h)) <= 0.001 * hist_mean(&h) + 512);
		buf_finish(&out);
		hist_finish(&h);
		hist_finish(&back);
	}
}

static void base64_follows_rfc_4648(void **state)
{
	static const char *const vectors[][2] = { { "", "" },
		                                  { "f", "Zg==" },
		                                  { "fo", "Zm8=" },
		                                  { "foo", "Zm9v" },
		                                  { "foob", "Zm9vYg==" },
		                                  { "fooba", "Zm9vYmE=" },
		                                  { "foobar", "Zm9vYmFy" },
		                                  { "\xff\xfe\xfb", "//77" } };
	static const char *const wrong[] = {
		"Zg=", "Z===", "====", "Zm=v", "Zg==Zg==", "Zm9\n", "Zh==", "Zm9=", "Zm 9"
	};
	struct buf out;
	buf_init(&out, 100);
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		buf_clear(&out);
		assert_true(base64_encode(str_from(vectors[i][0]), &out));
		assert_string_equal(buf_cstr(&out), vectors[i][1]);
		buf_clear(&out);
		assert_true(base64_decode(str_from(vectors[i][1]), &out));
		assert_string_equal(buf_cstr(&out), vectors[i][0]);
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		if (base64_decode(str_from(wrong[i]), &out))
			fail_msg("accepted: %s", wrong[i]);
	buf_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_forms_of_example_a_decode),
		cmocka_unit_test(example_a_encodes_to_the_known_inner_bytes),
		cmocka_unit_test(example_b_decodes_to_its_figures),
		cmocka_unit_test(hlog_has_the_lines_of_example_b),
		cmocka_unit_test(zigzag_vectors_decode),
		cmocka_unit_test(hostile_inner_forms_are_refused),
		cmocka_unit_test(every_bit_of_the_header_matters),
		cmocka_unit_test(declared_lengths_are_believed_or_refused),
		cmocka_unit_test(random_histograms_round_trip),
		cmocka_unit_test(base64_follows_rfc_4648),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
