/* log_intake.c: how many log lines per second one core counts into both arms.
 *
 *     bench_log_intake [million lines]
 *
 * Lines as HAProxy writes them, latencies spread over four decades, in pieces of 64 KiB as the pipe gives them: first the
 * counting alone, then with the bytes going through a real pipe, writer and reader taking turns on the same core. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/rng.h"
#include "canary/sources/haproxy_log.h"

#define PIECE (64u << 10)
#define TEXT_LINES 200000

static char *make_lines(size_t *ret_len)
{
	char *text = xmalloc(TEXT_LINES * 80);
	struct rng rng;
	size_t len = 0;
	rng_init(&rng, 1, 0);
	for (int i = 0; i < TEXT_LINES; i++) {
		const double us = 100 * exp(2 * fabs(rng_normal(&rng)));
		const int ms = (int)(us / 1000);
		const bool failed = rng_uniform(&rng) < 0.01;
		len += (size_t)sprintf(text + len, "c1 %s s%d %d 0 0 0 %d %d ---- 0 %d %d %d\n",
		                       rng_uniform(&rng) < 0.1 ? "be_canary" : "be_stable", 1 + i % 8,
		                       failed ? 503 : 200, ms, ms, (int)us, (int)rng_below(&rng, 20),
		                       (int)rng_below(&rng, 20));
	}
	*ret_len = len;
	return text;
}

static void report(const char *what, struct mono from, uint64_t lines)
{
	const double seconds = (double)mono_since(mono_now(), from) / 1e9;
	printf("%-28s %6.2f million lines/s\n", what, (double)lines / seconds / 1e6);
}

int main(int argc, char **argv)
{
	static struct haproxy_intake i;
	static char piece[PIECE];
	size_t len;
	int ends[2];
	const uint64_t goal = (uint64_t)(argc > 1 ? atof(argv[1]) * 1e6 : 5e6);
	char *text = make_lines(&len);

	haproxy_intake_init(&i);
	struct mono from = mono_now();
	while (i.sample.lines < goal) {
		for (size_t at = 0; at < len; at += PIECE)
			haproxy_intake_bytes(&i, (struct str){ text + at, len - at < PIECE ? len - at : PIECE });
	}
	report("counted", from, i.sample.lines);
	must(i.sample.unreadable == 0);

	source_sample_reset(&i.sample);
	must(pipe(ends) == 0);
	fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
	from = mono_now();
	while (i.sample.lines < goal) {
		for (size_t at = 0; at < len; at += PIECE) {
			const size_t part = len - at < PIECE ? len - at : PIECE;
			must(write(ends[1], text + at, part) == (ssize_t)part);
			const ssize_t n = read(ends[0], piece, sizeof(piece));
			must(n == (ssize_t)part);
			haproxy_intake_bytes(&i, (struct str){ piece, part });
		}
	}
	report("counted through a pipe", from, i.sample.lines);
	haproxy_intake_finish(&i);
	free(text);
	return 0;
}
