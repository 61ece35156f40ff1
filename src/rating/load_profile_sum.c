/*
 * load_profile_sum.c -- what runs of values of a block come to, without looking at each
 * In:  a view of a block (load_profile.h).
 * Out: exact sums for usage_profile.c and profile_sum().
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include "rating/load_profile_sum.h"

/* ---------------------------------------------------------------- what is missing */

/* Bits of a byte that are set. No builtin: without its instruction that calls a library. */
static inline int32_t
bits_of(unsigned byte)
{
	static const uint8_t bits[16] = {0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4};

	return bits[byte & 15] + bits[byte >> 4];
}

int32_t
eb_profile_missing(const EbProfile *profile, int32_t from, int32_t to)
{
	const uint8_t *missing = profile->missing;
	unsigned before = (1u << (from % 8)) - 1;
	unsigned until = (1u << (to % 8)) - 1;
	int32_t bits;

	if (missing == NULL || from == to)
		return 0;
	/* whole bytes up to to, less what of the first lies before from, and the bits of the last */
	bits = -bits_of(missing[from / 8] & before);
	for (int32_t i = from / 8; i < to / 8; i++)
		bits += bits_of(missing[i]);
	if (until != 0)
		bits += bits_of(missing[to / 8] & until);
	return bits;
}

int32_t
eb_profile_next_missing(const EbProfile *profile, int32_t i)
{
	if (profile->missing == NULL)
		return profile->n;
	while (i < profile->n)
	{
		unsigned byte = (unsigned) profile->missing[i / 8] >> (i % 8);

		if (byte != 0)
			return i + __builtin_ctz(byte);
		i += 8 - i % 8;
	}
	return profile->n;
}

/* ---------------------------------------------------------------- value by value */

#define SUM_OF(type)                                                 \
	for (int32_t i = 0; i < n; i++)                                  \
	{                                                                \
		type one;                                                    \
                                                                     \
		memcpy(&one, value + (size_t) i * sizeof(one), sizeof(one)); \
		sum += one;                                                  \
	}

/* What the offsets of EB_PROFILE_FITTING values at most come to */
static uint64_t
sum_offsets(const EbProfile *profile, int32_t from, int32_t n)
{
	const uint8_t *value = profile->value + (size_t) from * (size_t) profile->width;
	uint64_t sum = 0;

	switch (profile->width)
	{
		case 1:
			SUM_OF(uint8_t);
			break;
		case 2:
			SUM_OF(uint16_t);
			break;
		case 4:
			SUM_OF(uint32_t);
			break;
		case 8:
			SUM_OF(uint64_t);
			break;
		default:
			break;
	}
	return sum;
}

void
eb_profile_sum_runs(const EbProfile *profile, int32_t first, const EbProfileRun *run, int32_t nruns,
					uint64_t *sum)
{
	for (int32_t i = 0; i < nruns; i++)
	{
		if (i == 0 || run[i].group != run[i - 1].group)
			sum[run[i].group] = 0;
		sum[run[i].group] += sum_offsets(profile, first + run[i].from, run[i].to - run[i].from);
	}
}

eb_int128
eb_profile_sum(const EbProfile *profile, int32_t from, int32_t to, int32_t *present)
{
	eb_int128 total = 0;

	*present = to - from - eb_profile_missing(profile, from, to);
	for (; to - from > EB_PROFILE_FITTING; from += EB_PROFILE_FITTING)
		total += sum_offsets(profile, from, EB_PROFILE_FITTING);
	total += sum_offsets(profile, from, to - from);
	return total + (eb_int128) profile->base_wh * *present;
}

/* ---------------------------------------------------------------- by vectors */

/* As many bytes as the vectors of every machine hold; the compiler has others where there are none. */
typedef uint64_t Pair __attribute__((vector_size(16)));
typedef uint32_t Words __attribute__((vector_size(16)));
typedef uint16_t Halves __attribute__((vector_size(16)));

/*
 * Offsets of two bytes are added as numbers of four, each of two offsets, and their upper halves once
 * more by themselves: the rest of the first sum is that of the lower ones. No sum of halves leaves 32
 * bits, so it does not matter that the first one does. Bytes go likewise, in numbers of two.
 */
typedef struct Sums
{
	Pair both;
	Pair upper;
} Sums;

static inline Sums
add_halves(Sums sums, Pair pair)
{
	return (Sums){(Pair) ((Words) sums.both + (Words) pair),
				  (Pair) ((Words) sums.upper + ((Words) pair >> 16))};
}

static inline Sums
add_bytes(Sums sums, Pair pair)
{
	return (Sums){(Pair) ((Halves) sums.both + (Halves) pair),
				  (Pair) ((Halves) sums.upper + ((Halves) pair >> 8))};
}

static inline uint64_t
sum_words(Words words)
{
	Pair pair = (Pair) words;

	pair = (pair & UINT32_MAX) + (pair >> 32);
	return pair[0] + pair[1];
}

static inline uint64_t
sum_halves(Sums sums)
{
	Words upper = (Words) sums.upper;

	return sum_words((Words) sums.both - (upper << 16) + upper);
}

static inline uint64_t
sum_bytes(Sums sums)
{
	Halves upper = (Halves) sums.upper;
	Words of_lower = (Words) ((Halves) sums.both - (upper << 8));
	Words of_upper = (Words) upper;

	return sum_words((of_lower & 0xffff) + (of_lower >> 16) + (of_upper & 0xffff) +
					 (of_upper >> 16));
}

static inline __attribute__((always_inline)) void
sum_steps(const uint8_t *value, const EbProfileStep *step, int32_t nsteps, uint64_t *sum,
		  Sums (*add)(Sums, Pair), uint64_t (*total)(Sums))
{
	Sums sums = {{0}, {0}};

	for (const EbProfileStep *end = step + nsteps; step < end; step++)
	{
		Pair pair;
		Pair mask;

		memcpy(&pair, value + step->at, sizeof(pair));
		memcpy(&mask, step->mask, sizeof(mask));
		sums = add(sums, pair & mask);
		if (step->ends < 0)
			continue;
		sum[step->ends] = total(sums);
		sums = (Sums){{0}, {0}};
	}
}

void
eb_profile_sum_steps(const EbProfile *profile, int32_t first, const EbProfileStep *step,
					 int32_t nsteps, uint64_t *sum)
{
	const uint8_t *value = profile->value + (size_t) first * (size_t) profile->width;

	if (profile->width == 2)
		sum_steps(value, step, nsteps, sum, add_halves, sum_halves);
	else
		sum_steps(value, step, nsteps, sum, add_bytes, sum_bytes);
}

int32_t
eb_profile_steps(const EbProfileRun *run, int32_t nruns, int32_t n, int32_t width,
				 EbProfileStep *step)
{
	int32_t size = n * width;
	int32_t nsteps = 0;

	if (size < 16)
		return 0;
	for (int32_t i = 0; i < nruns; i++)
	{
		int32_t to = run[i].to * width;

		for (int32_t from = run[i].from * width; from < to; from += 16)
		{
			/* no step looks behind the values */
			int32_t at = from < size - 16 ? from : size - 16;
			int32_t some = to - from < 16 ? to - from : 16;

			step[nsteps] = (EbProfileStep){.at = at, .ends = -1};
			memset(step[nsteps++].mask + (from - at), 0xff, (size_t) some);
		}
		if (i == nruns - 1 || run[i + 1].group != run[i].group)
			step[nsteps - 1].ends = run[i].group;
	}
	return nsteps;
}
