/* rng.h: random numbers with a recorded seed, so that a run can be repeated. Not for secrets.
 *
 * xoshiro256** 1.0 by Blackman and Vigna (public domain), seeded by splitmix64 as its authors advise.
 * Threads: a stream belongs to one thread; streams of different <stream> numbers are independent. */
#ifndef WEIR_BASE_RNG_H
#define WEIR_BASE_RNG_H

#include <stdint.h>

struct rng {
	uint64_t s[4];
};

void rng_init(struct rng *r, uint64_t seed, uint64_t stream);
uint64_t rng_next(struct rng *r);

/* Uniform in [0, 1) with 53 random bits. */
double rng_uniform(struct rng *r);
/* Uniform in 0 .. n-1 without bias; n > 0. */
uint64_t rng_below(struct rng *r, uint64_t n);
/* Exponential with the given mean. */
double rng_exponential(struct rng *r, double mean);
/* Standard normal. */
double rng_normal(struct rng *r);

/* From the kernel, for a seed that nobody chose. */
uint64_t rng_fresh_seed(void);

#endif
