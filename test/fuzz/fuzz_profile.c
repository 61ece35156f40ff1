/*
 * fuzz_profile.c -- libFuzzer: any bytes as a load profile, received, and stored
 * What is received and let in is the one form of its content: its text, its message, its values make
 * the same bytes again, and everything can be done with it. What was stored is only opened: no
 * answer may read outside of it, whatever it is.
 */
#include <stdio.h>
#include <stdlib.h>

#include "rating/load_profile_curve.h"
#include "rating/load_profile_ops.h"
#include "rating/load_profile_sum.h"
#include "rating/load_profile_text.h"
#include "rating/load_profile_wire.h"

/* Stops the fuzzer with the input when a property is broken; stays in optimised builds. */
#define HOLD(cond)                                                             \
	do                                                                         \
	{                                                                          \
		if (!(cond))                                                           \
		{                                                                      \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #cond); \
			abort();                                                           \
		}                                                                      \
	} while (0)

/* A header of 28 bytes can say that a million values are alike: those are opened, not used. */
#define MOST 20000

extern int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* A block from a draft; the draft need not be good. NULL: it is not */
static uint8_t *
write_draft(const EbProfileDraft *draft, size_t *size)
{
	EbFault fault;
	uint8_t *bytes;
	EbProfile view;

	if (eb_profile_size(draft, size, &fault) != EB_OK)
		return NULL;
	bytes = malloc(*size);
	eb_profile_write(draft, bytes);
	HOLD(eb_profile_check(bytes, *size, &view, &fault) == EB_OK);
	return bytes;
}

static void
use_alone(const EbProfile *profile, EbProfileValue *value)
{
	EbProfileDraft draft;
	EbFault fault;
	size_t size;
	int32_t n;

	eb_profile_slice(profile, profile->start_us + eb_profile_step_us(profile), INT64_MAX, &draft,
					 value);
	free(write_draft(&draft, &size));
	if (eb_profile_scale(profile, -1500000000, &draft, value, &fault) == EB_OK)
		free(write_draft(&draft, &size));
	for (int32_t step_s = 30; step_s <= 86400; step_s += 870)
	{
		EbProfileValue *more;

		if (eb_profile_check_step(step_s, &fault) != EB_OK ||
			eb_profile_resample_count(profile, step_s, &n, &fault) != EB_OK || n > MOST)
			continue;
		more = malloc(sizeof(*more) * ((size_t) (n > profile->n ? n : profile->n) + 1));
		if (eb_profile_resample(profile, step_s, &draft, more, &fault) == EB_OK)
			free(write_draft(&draft, &size));
		free(more);
	}
	HOLD(eb_profile_highest(profile) < profile->n);
	HOLD(eb_profile_compare(profile, profile) == 0);
}

static void *
resize(void *arg, void *old, size_t size)
{
	(void) arg;
	return realloc(old, size);
}

/* With itself, and with itself behind itself */
static void
use_twice(const EbProfile *profile, EbProfileValue *value)
{
	EbProfileCurve curve = {.memory = {resize, NULL}};
	EbProfile behind = *profile;
	EbProfileValue *less = malloc(sizeof(*less) * ((size_t) profile->n * 2 + 1));
	EbProfileDraft draft;
	EbFault fault;
	size_t size;

	if (eb_profile_subtract(profile, profile, &draft, value, less, &fault) == EB_OK)
		free(write_draft(&draft, &size));
	behind.start_us += (profile->n + 1) / 2 * eb_profile_step_us(profile);
	HOLD(eb_profile_curve_add(&curve, profile, &fault) == EB_OK);
	HOLD(eb_profile_curve_add(&curve, &behind, &fault) == EB_OK);
	if (eb_profile_curve_draft(&curve, &draft, less, &fault) == EB_OK)
		free(write_draft(&draft, &size));
	HOLD(eb_profile_curve_subtract(&curve, profile, &fault) == EB_OK);
	HOLD(curve.n == profile->n && (profile->n == 0 || curve.start_us == behind.start_us));
	free(curve.sum);
	free(curve.cover);
	for (int i = 0; i < EB_CURVE_COUNTS; i++)
		free(curve.count[i]);
	free(less);
}

/* What is in a block, once more as bytes; it was checked */
static void
comes_back(const EbProfile *profile, const uint8_t *bytes, size_t n, EbProfileValue *value)
{
	EbProfileDraft draft = {
		profile->start_us, profile->step_s, profile->n, profile->channel, 0, value};
	size_t len = eb_profile_text(profile, NULL, 0);
	char *text = malloc(len);
	EbFault fault;
	EbProfile view;
	uint8_t *again;
	size_t size;

	eb_profile_read(profile, value);
	again = write_draft(&draft, &size);
	HOLD(again != NULL && size == n && memcmp(again, bytes, n) == 0);
	eb_profile_to_wire(again, n);
	HOLD(eb_profile_from_wire(again, n, &view, &fault) == EB_OK && memcmp(again, bytes, n) == 0);
	free(again);
	HOLD(eb_profile_text(profile, text, len) == len);
	HOLD(eb_profile_parse((EbText){text, (int) len}, &draft, value, &fault) == EB_OK);
	again = write_draft(&draft, &size);
	HOLD(again != NULL && size == n && memcmp(again, bytes, n) == 0);
	free(again);
	free(text);
}

static void
received(uint8_t *bytes, size_t n)
{
	EbProfile profile;
	EbProfileValue *value;
	EbFault fault;

	if (eb_profile_from_wire(bytes, n, &profile, &fault) != EB_OK || profile.n > MOST)
		return;
	value = malloc(sizeof(*value) * ((size_t) profile.n + 1));
	comes_back(&profile, bytes, n, value);
	use_alone(&profile, value);
	use_twice(&profile, value);
	free(value);
}

static void
stored(const uint8_t *bytes, size_t n)
{
	EbProfile profile;
	EbProfileValue *value;
	EbFault fault;
	int32_t present;

	if (eb_profile_open(bytes, n, &profile, &fault) != EB_OK || profile.n > MOST)
		return;
	value = malloc(sizeof(*value) * ((size_t) profile.n + 1));
	eb_profile_read(&profile, value);
	HOLD(eb_profile_text(&profile, NULL, 0) > 0);
	(void) eb_profile_sum(&profile, 0, profile.n, &present);
	HOLD(present + eb_profile_missing(&profile, 0, profile.n) == profile.n);
	use_alone(&profile, value);
	use_twice(&profile, value);
	free(value);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	/* as large as the input, so that reading beyond it is seen */
	uint8_t *copy = malloc(n > 0 ? n : 1);

	if (n > 0)
		memcpy(copy, bytes, n);
	stored(copy, n);
	received(copy, n);
	free(copy);
	return 0;
}
