/*
 * test_load_profile_random.c -- random load profiles come back, from text, messages and rows, and have an order
 * EB_SEED=n repeats a run.
 */
#include <stdlib.h>

#include "kit_profile.h"
#include "rating/load_profile_ops.h"
#include "rating/load_profile_pack.h"
#include "rating/load_profile_wire.h"

#define CASES 3000

/* ---------------------------------------------------------------- it comes back */

static bool
same_values(const EbProfile *profile, const EbProfileValue *value)
{
	EbProfileQuality walk = {0};

	for (int32_t i = 0; i < profile->n; i++)
		if (eb_profile_next_quality(profile, &walk) != value[i].quality ||
			eb_profile_is_missing(profile, i) != (value[i].missing != 0) ||
			(value[i].missing == 0 && eb_profile_wh(profile, i) != value[i].energy_wh))
			return false;
	return true;
}

static bool
text_comes_back(const KitProfile *made)
{
	char *text = kit_profile_text(&made->view);
	KitProfile again = kit_profile_of(text);
	bool same = again.size == made->size && memcmp(again.bytes, made->bytes, made->size) == 0;

	kit_profile_free(&again);
	free(text);
	return same;
}

static bool
wire_comes_back(const KitProfile *made)
{
	uint8_t *bytes = malloc(made->size);
	EbProfile view;
	EbFault fault;
	bool same;

	memcpy(bytes, made->bytes, made->size);
	eb_profile_to_wire(bytes, made->size);
	same = eb_profile_from_wire(bytes, made->size, &view, &fault) == EB_OK &&
		   memcmp(bytes, made->bytes, made->size) == 0;
	free(bytes);
	return same;
}

static bool
some_values_come_back(const KitTruth *truth)
{
	int32_t n = truth->made.view.n;
	int32_t first = (int32_t) kit_below(n + 1);
	int32_t count = (int32_t) kit_below(n - first + 1);
	EbProfileValue *value = malloc(sizeof(*value) * ((size_t) count + 1));
	bool same = true;

	eb_profile_read_some(&truth->made.view, first, count, value);
	for (int32_t i = 0; i < count; i++)
	{
		const EbProfileValue *want = &truth->value[first + i];

		same = same && value[i].missing == want->missing && value[i].quality == want->quality &&
			   (want->missing != 0 || value[i].energy_wh == want->energy_wh);
	}
	free(value);
	return same;
}

static void
come_back(int32_t n)
{
	KitTruth truth = kit_random_truth(n);

	CHECK(same_values(&truth.made.view, truth.value));
	CHECK(some_values_come_back(&truth));
	CHECK(text_comes_back(&truth.made));
	CHECK(wire_comes_back(&truth.made));
	kit_truth_free(&truth);
}

/* A message with a few bits turned, or cut, is refused, or is another good profile. */
static void
damaged(int *refused)
{
	KitTruth truth = kit_random_truth(kit_profile_count());
	size_t size =
		kit_below(4) == 0 ? (size_t) kit_below((int64_t) truth.made.size) : truth.made.size;
	uint8_t *bytes = malloc(size + 1);
	EbProfile view;
	EbFault fault;

	eb_profile_to_wire(truth.made.bytes, truth.made.size);
	memcpy(bytes, truth.made.bytes, size);
	for (int64_t n = 1 + kit_below(3); n > 0 && size > 0; n--)
		bytes[kit_below((int64_t) size)] ^= (uint8_t) (1 << kit_below(8));
	if (eb_profile_from_wire(bytes, size, &view, &fault) != EB_OK)
		(*refused)++;
	else
	{
		KitProfile same = {bytes, size, view};

		CHECK(text_comes_back(&same) && wire_comes_back(&same));
	}
	free(bytes);
	kit_truth_free(&truth);
}

/* ---------------------------------------------------------------- order */

static int
sign(int value)
{
	return (value > 0) - (value < 0);
}

/* Few different ones, so that many are alike: 0 is equality of bytes, and the order is one */
static void
orders(void)
{
	KitTruth of[3];
	int ab;
	int bc;
	int ac;

	for (int i = 0; i < 3; i++)
		of[i] = kit_truth(kit_below(2) * EB_DAY_US, 900 * (1 + (int32_t) kit_below(2)),
						  (int32_t) kit_below(3), (int32_t) kit_below(2));
	ab = sign(eb_profile_compare(&of[0].made.view, &of[1].made.view));
	bc = sign(eb_profile_compare(&of[1].made.view, &of[2].made.view));
	ac = sign(eb_profile_compare(&of[0].made.view, &of[2].made.view));
	CHECK_INT(ab, -sign(eb_profile_compare(&of[1].made.view, &of[0].made.view)));
	CHECK_INT(eb_profile_compare(&of[0].made.view, &of[0].made.view), 0);
	CHECK_INT(ab == 0, of[0].made.size == of[1].made.size &&
						   memcmp(of[0].made.bytes, of[1].made.bytes, of[0].made.size) == 0);
	CHECK(ab != bc || ac == ab);
	for (int i = 0; i < 3; i++)
		kit_truth_free(&of[i]);
}

/* ---------------------------------------------------------------- packing */

static int
by_entry(const void *a, const void *b)
{
	return eb_profile_entry_compare(a, b);
}

/* The values of a profile, some twice, in any order, make that profile again. */
static void
packs(void)
{
	KitTruth truth = kit_random_truth(1 + kit_profile_count());
	const EbProfile *whole = &truth.made.view;
	EbProfileEntry *entry = malloc(sizeof(*entry) * (size_t) whole->n * 2);
	EbProfileDraft draft = {
		whole->start_us - 7 * eb_profile_step_us(whole), whole->step_s, 0, whole->channel, 0, NULL};
	EbProfileValue *value;
	EbFault fault = {.message = ""};
	KitProfile made;
	size_t n = 0;

	for (int32_t i = 0; i < whole->n; i++)
		for (int64_t times = kit_below(4) == 0 ? 2 : 1; times > 0; times--)
		{
			const EbProfileValue *from = &truth.value[i];

			/* a gap may have no rows at all, but for the ends */
			if (from->missing != 0 && from->quality == 0 && i > 0 && i < whole->n - 1 &&
				kit_below(2) == 0)
				continue;
			entry[n++] = (EbProfileEntry){i + 7, from->quality,
										  from->missing != 0 ? EB_PROFILE_NO_WH : from->energy_wh};
		}
	qsort(entry, n, sizeof(*entry), by_entry);
	CHECK_INT(eb_profile_pack_count(entry, (int64_t) n, &draft, &fault), EB_OK);
	value = malloc(sizeof(*value) * (size_t) draft.n);
	eb_profile_pack(entry, (int64_t) n, value);
	draft.value = value;
	made = kit_profile(&draft);
	CHECK(made.size == truth.made.size && memcmp(made.bytes, truth.made.bytes, made.size) == 0);
	kit_profile_free(&made);
	free(value);
	free(entry);
	kit_truth_free(&truth);
}

int
main(void)
{
	int refused = 0;

	kit_seed("load_profile_random");
	for (int i = 0; i < CASES; i++)
	{
		come_back(kit_profile_count());
		damaged(&refused);
		orders();
		packs();
	}
	come_back(EB_PROFILE_MOST_VALUES);
	CHECK(refused > CASES / 4 && refused < CASES);
	return check_done("load_profile_random");
}
