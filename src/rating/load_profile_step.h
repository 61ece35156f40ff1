/*
 * load_profile_step.h -- runs of values of one or two bytes, sixteen bytes at a time
 * In:  the bytes of the values, steps over them (eb_profile_steps()).
 * Out: sums of groups of runs. To be inlined: a day of quarter hours takes some fourteen steps.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/load_profile.md.
 */
#ifndef EB_LOAD_PROFILE_STEP_H
#define EB_LOAD_PROFILE_STEP_H

#include <string.h>

#include "rating/load_profile_sum.h"

#ifdef __SSE2__

#include <emmintrin.h>

typedef __m128i EbStepSum;

/* What each offset goes in less, and is to be added again */
#define EB_STEP_LESS(width) ((width) == 1 ? 0 : -INT16_MIN)

static inline EbStepSum
eb_step_sum(void)
{
	return _mm_setzero_si128();
}

/*
 * Bytes have an instruction that adds eight. That for two bytes adds two, each times 0 or 1; it takes
 * them for signed numbers, so they go in less 2^15.
 */
static inline EbStepSum
eb_step_half(const uint8_t *value, const uint8_t *mask, int width)
{
	__m128i some = _mm_loadu_si128((const __m128i *) (const void *) value);
	__m128i of_mask = _mm_loadu_si128((const __m128i *) (const void *) mask);

	if (width == 1)
		return _mm_sad_epu8(_mm_and_si128(some, of_mask), _mm_setzero_si128());
	some = _mm_xor_si128(some, _mm_set1_epi16(INT16_MIN));
	return _mm_madd_epi16(some, of_mask);
}

static inline EbStepSum
eb_step_add(EbStepSum sum, const uint8_t *value, const EbProfileStep *step, int width)
{
	EbStepSum first = eb_step_half(value + step->at[0], step->mask[0], width);
	EbStepSum second = eb_step_half(value + step->at[1], step->mask[1], width);

	return _mm_add_epi32(sum, _mm_add_epi32(first, second));
}

static inline int32_t
eb_step_total(EbStepSum sum)
{
	sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, _MM_SHUFFLE(1, 0, 3, 2)));
	sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, _MM_SHUFFLE(2, 3, 0, 1)));
	return _mm_cvtsi128_si32(sum);
}

#else

typedef int32_t EbStepSum;

#define EB_STEP_LESS(width) 0

static inline EbStepSum
eb_step_sum(void)
{
	return 0;
}

static inline EbStepSum
eb_step_add(EbStepSum sum, const uint8_t *value, const EbProfileStep *step, int width)
{
	for (int half = 0; half < 2; half++)
	{
		const uint8_t *from = value + step->at[half];
		uint16_t some[8];
		uint16_t mask[8];

		for (int i = 0; i < 16 && width == 1; i++)
			sum += from[i] & step->mask[half][i];
		memcpy(some, from, sizeof(some));
		memcpy(mask, step->mask[half], sizeof(mask));
		for (int i = 0; i < 8 && width == 2; i++)
			sum += some[i] * mask[i];
	}
	return sum;
}

static inline int32_t
eb_step_total(EbStepSum sum)
{
	return sum;
}

#endif

/*
 * What the offsets of a group come to, less EB_STEP_LESS for each; at least one step. It does not
 * leave 32 bits: a group has EB_PROFILE_FITTING values at most.
 */
static inline __attribute__((always_inline)) int32_t
eb_steps_sum(const uint8_t *value, const EbProfileStep *step, const EbProfileStep *end, int width)
{
	EbStepSum sum = eb_step_sum();

	do
		sum = eb_step_add(sum, value, step, width);
	while (++step < end);
	return eb_step_total(sum);
}

#endif /* EB_LOAD_PROFILE_STEP_H */
