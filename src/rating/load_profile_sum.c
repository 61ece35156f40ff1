/*
 * load_profile_sum.c -- what runs of values of a block come to, without looking at each
 * In:  a view of a block (load_profile.h).
 * Out: exact sums for usage_profile.c and profile_sum().
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include "rating/load_profile_step.h"

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

uint64_t
eb_profile_sum_steps(const EbProfile *profile, int32_t first, const EbProfileStep *step,
					 int32_t nsteps, int32_t n)
{
	const uint8_t *value = profile->value + (size_t) first * (size_t) profile->width;

	if (profile->width == 2)
		return (uint64_t) (eb_steps_sum(value, step, step + nsteps, 2) + n * EB_STEP_LESS(2));
	return (uint64_t) (eb_steps_sum(value, step, step + nsteps, 1) + n * EB_STEP_LESS(1));
}

/* Marks that the bytes [from, to) of a half step count. */
static void
mark_bytes(uint8_t *mask, int32_t from, int32_t to, int32_t width)
{
	const uint16_t one = 1;

	if (width == 1)
		memset(mask + from, 0xff, (size_t) (to - from));
	for (; width == 2 && from < to; from += 2)
		memcpy(mask + from, &one, sizeof(one));
}

int32_t
eb_profile_steps(const EbProfileRun *run, int32_t nruns, int32_t n, int32_t width,
				 EbProfileStep *step)
{
	int32_t size = n * width;
	int32_t nhalves = 0;

	if (size < 16)
		return 0;
	for (int32_t i = 0; i < nruns; i++)
	{
		int32_t to = run[i].to * width;

		for (int32_t from = run[i].from * width; from < to; from += 16, nhalves++)
		{
			/* no step looks behind the values */
			int32_t at = from < size - 16 ? from : size - 16;
			int32_t end = to - at < 16 ? to - at : 16;
			EbProfileStep *into = &step[nhalves / 2];

			/* the second half may stay empty */
			if (nhalves % 2 == 0)
				*into = (EbProfileStep){.at = {at, at}};
			into->at[nhalves % 2] = at;
			mark_bytes(into->mask[nhalves % 2], from - at, end, width);
		}
	}
	return (nhalves + 1) / 2;
}
