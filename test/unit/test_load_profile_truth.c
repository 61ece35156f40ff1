/*
 * test_load_profile_truth.c -- what is made of random load profiles is true
 * EB_SEED=n repeats a run. Each profile is drawn with what was really used in each interval, part
 * of which is hidden in gaps and behind them. What is said of a result must hold of that, whatever
 * the rules are that made it.
 */
#include <stdlib.h>

#include "kit_profile.h"
#include "rating/load_profile_ops.h"
#include "rating/load_profile_sum.h"

#define CASES 3000

/* ---------------------------------------------------------------- what is said is true */

/* What was used in [i, i + n) of a result */
typedef int64_t (*Truth)(const void *of, int32_t i);

/* Each value, or the span that it ends, is what was used there, unless it says that it is not. */
static void
is_true(const KitProfile *made, Truth truth_of, const void *of)
{
	EbProfileQuality walk = {0};
	eb_int128 truth = 0;

	for (int32_t i = 0; i < made->view.n; i++)
	{
		int32_t quality = eb_profile_next_quality(&made->view, &walk);

		if (eb_profile_is_missing(&made->view, i))
		{
			truth += truth_of(of, i);
			continue;
		}
		if ((quality & EB_PROFILE_SPAN) == 0)
			truth = 0;
		truth += truth_of(of, i);
		if ((quality & EB_PROFILE_PARTIAL) == 0)
			CHECK(truth == eb_profile_wh(&made->view, i));
		truth = 0;
	}
}

/* A part of a truth: from first on, ratio intervals each */
typedef struct Part
{
	const KitTruth *truth;
	int32_t first;
	int32_t ratio;
} Part;

static int64_t
truth_of_part(const void *of, int32_t i)
{
	const Part *part = of;
	int32_t from = part->first + i * part->ratio;
	int64_t sum = 0;

	for (int32_t j = from; j < from + part->ratio && j < part->truth->made.view.n; j++)
		sum += part->truth->truth_wh[j];
	return sum;
}

static eb_int128
sum_of(const EbProfile *profile)
{
	int32_t present;

	return eb_profile_sum(profile, 0, profile->n, &present);
}

static void
slices(void)
{
	KitTruth truth = kit_random_truth(kit_profile_count());
	const EbProfile *whole = &truth.made.view;
	EbProfileValue *value = malloc(sizeof(*value) * ((size_t) whole->n + 1));
	int64_t from_us = INT64_MIN;
	eb_int128 sum = 0;
	int32_t n = 0;

	/* the whole in pieces, cut anywhere */
	while (from_us < INT64_MAX)
	{
		int64_t to_us = kit_below(4) == 0
							? INT64_MAX
							: (from_us == INT64_MIN ? whole->start_us : from_us) +
								  kit_below(60) * eb_profile_step_us(whole) + kit_below(3);
		EbProfileDraft draft;
		KitProfile made;
		Part part = {&truth, n, 1};

		eb_profile_slice(whole, from_us, to_us, &draft, value);
		made = kit_profile(&draft);
		CHECK_INT(draft.start_us, whole->start_us + n * eb_profile_step_us(whole));
		is_true(&made, truth_of_part, &part);
		sum += sum_of(&made.view);
		n += draft.n;
		kit_profile_free(&made);
		from_us = to_us;
	}
	CHECK_INT(n, whole->n);
	CHECK(sum == sum_of(whole));
	free(value);
	kit_truth_free(&truth);
}

/* Is a value flagged although all that it is made of is known? */
static void
is_not_lazy(const KitTruth *fine, const KitProfile *coarse, int32_t ratio)
{
	EbProfileQuality walk = {0};

	for (int32_t i = 0; i < coarse->view.n; i++)
	{
		int32_t quality = eb_profile_next_quality(&coarse->view, &walk);
		bool plain = (i + 1) * ratio <= fine->made.view.n;
		bool any = false;

		for (int32_t j = i * ratio; j < (i + 1) * ratio && j < fine->made.view.n; j++)
		{
			const EbProfileValue *value = &fine->value[j];

			any = any || value->missing == 0;
			plain = plain && value->missing == 0 && (value->quality & EB_PROFILE_SPAN) == 0;
		}
		CHECK_INT(eb_profile_is_missing(&coarse->view, i) && any,
				  eb_profile_is_missing(&coarse->view, i) && any && !plain);
		CHECK(!plain || (quality & (EB_PROFILE_SPAN | EB_PROFILE_PARTIAL)) == 0);
		CHECK(any || eb_profile_is_missing(&coarse->view, i));
	}
}

static KitProfile
resample(const EbProfile *profile, int32_t step_s)
{
	EbFault fault = {.message = ""};
	EbProfileDraft draft;
	EbProfileValue *value;
	KitProfile made;
	int32_t n;

	CHECK_INT(eb_profile_resample_count(profile, step_s, &n, &fault), EB_OK);
	value = malloc(sizeof(*value) * (size_t) ((n > profile->n ? n : profile->n) + 1));
	CHECK_INT(eb_profile_resample(profile, step_s, &draft, value, &fault), EB_OK);
	CHECK_INT(draft.n, n);
	made = kit_profile(&draft);
	free(value);
	return made;
}

/* Only spans of their own gap, and values behind values, can be told apart in shorter steps. */
static bool
can_come_back(const KitTruth *truth)
{
	for (int32_t i = 1; i < truth->made.view.n; i++)
		if (truth->value[i - 1].missing != 0 && truth->value[i].missing == 0 &&
			(truth->value[i].quality & EB_PROFILE_SPAN) == 0)
			return false;
	return true;
}

static void
resamples(void)
{
	static const int32_t ratio[] = {1, 2, 3, 4, 12, 96};
	int32_t times = ratio[kit_below(6)];
	KitTruth truth = kit_truth(kit_profile_start(), 900, kit_profile_count(), EB_IMPORT_KWH);
	KitProfile coarse = resample(&truth.made.view, 900 * times);
	KitProfile fine = resample(&truth.made.view, 900 / (times == 96 || times == 12 ? 15 : times));
	KitProfile back = resample(&fine.view, 900);
	Part part = {&truth, 0, times};
	Part same = {&truth, 0, 1};

	CHECK_INT(coarse.view.n, (truth.made.view.n + times - 1) / times);
	is_true(&coarse, truth_of_part, &part);
	is_not_lazy(&truth, &coarse, times);
	CHECK(sum_of(&coarse.view) == sum_of(&truth.made.view));
	CHECK(sum_of(&fine.view) == sum_of(&truth.made.view));
	is_true(&back, truth_of_part, &same);
	if (900 != fine.view.step_s && can_come_back(&truth))
		CHECK(back.size == truth.made.size && memcmp(back.bytes, truth.made.bytes, back.size) == 0);
	kit_profile_free(&back);
	kit_profile_free(&fine);
	kit_profile_free(&coarse);
	kit_truth_free(&truth);
}

/* ---------------------------------------------------------------- differences */

/* Two truths, the second some intervals behind the first */
typedef struct Pair
{
	const KitTruth *a;
	const KitTruth *b;
	int32_t behind;
} Pair;

static int64_t
truth_of_difference(const void *of, int32_t i)
{
	const Pair *pair = of;
	int32_t j = i - pair->behind;

	if (j < 0 || j >= pair->b->made.view.n)
		return pair->a->truth_wh[i];
	return pair->a->truth_wh[i] - pair->b->truth_wh[j];
}

static void
differences(void)
{
	int64_t start_us = kit_profile_start();
	int32_t behind = (int32_t) kit_below(20) - 10;
	KitTruth a = kit_truth(start_us, 900, kit_profile_count(), EB_IMPORT_KWH);
	KitTruth b =
		kit_truth(start_us + behind * 900 * EB_SECOND_US, 900, kit_profile_count(), EB_EXPORT_KWH);
	EbProfileValue *value = malloc(sizeof(*value) * ((size_t) a.made.view.n + 1));
	EbProfileValue *less = malloc(sizeof(*value) * ((size_t) b.made.view.n + 1));
	Pair pair = {&a, &b, behind};
	EbFault fault = {.message = ""};
	EbProfileDraft draft;
	KitProfile made;

	CHECK_INT(eb_profile_subtract(&a.made.view, &b.made.view, &draft, value, less, &fault), EB_OK);
	made = kit_profile(&draft);
	is_true(&made, truth_of_difference, &pair);
	for (int32_t i = 0; i < a.made.view.n; i++)
	{
		int32_t j = i - behind;
		bool there = j >= 0 && j < b.made.view.n;
		bool plain = there && a.value[i].missing == 0 && b.value[j].missing == 0 &&
					 ((a.value[i].quality | b.value[j].quality) & EB_PROFILE_SPAN) == 0;

		CHECK(there || eb_profile_is_missing(&made.view, i));
		CHECK(!plain || !eb_profile_is_missing(&made.view, i));
	}
	CHECK_INT(made.view.channel, EB_IMPORT_KWH);
	kit_profile_free(&made);
	free(less);
	free(value);
	kit_truth_free(&b);
	kit_truth_free(&a);
}

/* ---------------------------------------------------------------- scaling, the highest */

static void
scales(void)
{
	KitTruth truth = kit_random_truth(kit_profile_count());
	int64_t factor_n = kit_below(4000000000) - 2000000000;
	EbProfileValue *value = malloc(sizeof(*value) * ((size_t) truth.made.view.n + 1));
	EbFault fault = {.message = ""};
	EbProfileDraft draft;
	eb_int128 product = sum_of(&truth.made.view) * factor_n;
	eb_int128 sum = 0;

	CHECK_INT(eb_profile_scale(&truth.made.view, factor_n, &draft, value, &fault), EB_OK);
	for (int32_t i = 0; i < draft.n; i++)
	{
		eb_int128 off;

		CHECK_INT(value[i].missing, truth.value[i].missing);
		CHECK_INT(value[i].quality, truth.value[i].quality);
		if (value[i].missing != 0)
			continue;
		sum += value[i].energy_wh;
		off = (eb_int128) value[i].energy_wh * EB_ONE -
			  (eb_int128) truth.value[i].energy_wh * factor_n;
		CHECK(off <= EB_ONE &&
			  off >= -EB_ONE); /* half a Wh of the total before, half of this one */
	}
	product -= sum * EB_ONE;
	CHECK(2 * product <= EB_ONE && 2 * product >= -EB_ONE);
	free(value);
	kit_truth_free(&truth);
}

static void
highest(void)
{
	KitTruth truth = kit_random_truth(kit_profile_count());
	int32_t i = eb_profile_highest(&truth.made.view);
	int32_t before = 0;
	int32_t above = 0;
	int32_t fit = 0;

	for (int32_t j = 0; j < truth.made.view.n; j++)
	{
		const EbProfileValue *value = &truth.value[j];

		if (value->missing != 0 || (value->quality & EB_PROFILE_SPAN) != 0)
			continue;
		fit++;
		above += i >= 0 && value->energy_wh > truth.value[i].energy_wh;
		before += i > j && value->energy_wh == truth.value[i].energy_wh;
	}
	CHECK_INT(i >= 0, fit > 0);
	CHECK_INT(above + before, 0);
	kit_truth_free(&truth);
}

int
main(void)
{
	kit_seed("load_profile_truth");
	for (int i = 0; i < CASES; i++)
	{
		slices();
		resamples();
		differences();
		scales();
		highest();
	}
	return check_done("load_profile_truth");
}
