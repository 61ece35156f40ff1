/*
 * kit_random.h -- repeatable random numbers for property tests
 * kit_seed() prints the seed of the run; EB_SEED=n repeats one.
 */
#ifndef ELECBILL_TEST_KIT_RANDOM_H
#define ELECBILL_TEST_KIT_RANDOM_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t kit_state;

static inline void
kit_seed(const char *name)
{
	const char *given = getenv("EB_SEED");

	kit_state = given != NULL ? strtoull(given, NULL, 10) : (uint64_t) time(NULL);
	printf("%s: EB_SEED=%" PRIu64 "\n", name, kit_state);
}

/* 0 .. n - 1; splitmix64 */
static inline int64_t
kit_below(int64_t n)
{
	uint64_t z = kit_state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (int64_t) ((z ^ (z >> 31)) % (uint64_t) n);
}

#endif /* ELECBILL_TEST_KIT_RANDOM_H */
