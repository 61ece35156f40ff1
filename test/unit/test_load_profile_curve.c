/*
 * test_load_profile_curve.c -- sums of load profiles: what they say is true, whatever the order
 * EB_SEED=n repeats a run. Each member is drawn with what was really used (kit_profile.h); a sum
 * that does not say it is partial must be that of the members that cover the interval.
 */
#include <stdlib.h>

#include "kit_profile.h"
#include "rating/load_profile_curve.h"
#include "rating/load_profile_sum.h"

#define CASES 1500
#define MOST 8

/* ---------------------------------------------------------------- by hand */

static EbStatus
add_text(EbProfileCurve *curve, const char *text, EbFault *fault)
{
	KitProfile made = kit_profile_of(text);
	EbStatus status = eb_profile_curve_add(curve, &made.view, fault);

	kit_profile_free(&made);
	return status;
}

static void
sum_is(const char *const *text, const char *want)
{
	EbProfileCurve curve = {.memory = kit_memory};
	EbProfileDraft draft;
	EbProfileValue *value;
	EbFault fault = {.message = ""};

	for (; *text != NULL; text++)
		CHECK_INT(add_text(&curve, *text, &fault), EB_OK);
	value = malloc(sizeof(*value) * ((size_t) curve.n + 1));
	CHECK_INT(eb_profile_curve_draft(&curve, &draft, value, &fault), EB_OK);
	CHECK_PROFILE(&draft, want);
	free(value);
	kit_memory_end();
}

#define SUM(want, ...) sum_is((const char *const[]){__VA_ARGS__, NULL}, want)
#define AT "import 2025-01-01T00:00:00Z/PT1H "
#define AT2 "import 2025-01-01T02:00:00Z/PT1H "

static void
by_hand(void)
{
	/* plain ones, side by side, with time between them */
	SUM(AT "11 22 33", AT "1 2 3", AT "10 20 30");
	SUM(AT "1 2 33 40", AT "1 2 3", AT2 "30 40");
	SUM(AT "1 - 30 40", AT "1", AT2 "30 40");
	/* what is missing counts for nothing, and is missing where all of it is */
	SUM(AT "1 20~2048 -", AT "1 - -", AT2 "-", AT "0 20 -");
	/* the gap is the same: the sum has it, too */
	SUM(AT "11 -*2 66~1024", AT "1 - - 6~1024", AT "10 - - 60~1024");
	SUM(AT "-*2 66~1024", AT "- - 6~1024", AT "- - 60~1024");
	SUM(AT "11 - 66~1024 7", AT "1 - 6~1024", AT "10 - 60~1024",
		"import 2025-01-01T03:00:00Z/PT1H 7");
	SUM(AT "1 -*2 63~1024", AT "1 - - 3~1024", AT2 "- 60~1024");
	/* it is not: 7 is of the last interval alone, 12 of the last two, 9 stands in the gap */
	SUM(AT "11 -*2 13~2048", AT "1 - - 6~1024", AT "10 - - 7");
	SUM(AT "11 12~2048 - 18~2048", AT "1 - - 6~1024", AT "10 12 - 12~1024");
	SUM(AT "1~2048 9~2048 6~2048", AT "1 - 6~1024", AT "- 9");
	/* before the gap of the one is time that nobody covers */
	SUM(AT "1 -*2 60~2048", AT "1", AT2 "- 60~1024");
	/* qualities of all, of missing values too */
	SUM(AT "3~3 -~12 6~2052", AT "1~1 -~4 6", AT "2~2 -~8 -~4");
	/* profiles without values are of no step */
	SUM(AT "1", AT, "export 2025-01-01T00:00:30Z/PT1M", AT "1");
}

static void
refused(void)
{
	static const struct
	{
		const char *text;
		EbStatus status;
		const char *message;
	} of[] = {
		{"import 2025-01-01T00:00:00Z/PT30M 1", EB_CONFLICT, "load profiles differ in their step"},
		{"import 2025-01-01T00:30:00Z/PT1H 1", EB_CONFLICT, "load profiles differ in their grid"},
		{"export 2025-01-01T00:00:00Z/PT1H 1", EB_CONFLICT,
		 "load profiles differ in their direction"},
		{"import 2150-01-01T00:00:00Z/PT1H 1", EB_BAD_ARGUMENT, "load profile has too many values"},
		{"import 1901-01-01T00:00:00Z/PT1H 1", EB_BAD_ARGUMENT, "load profile has too many values"},
	};
	EbProfileCurve curve = {.memory = kit_memory};
	EbProfileValue value[1];
	EbProfileDraft draft;
	EbFault fault = {.message = ""};

	CHECK_INT(add_text(&curve, AT "1000000000000000", &fault), EB_OK);
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++)
	{
		CHECK_INT(add_text(&curve, of[i].text, &fault), of[i].status);
		CHECK_STR(fault.message, of[i].message);
	}
	CHECK_INT(add_text(&curve, AT "1", &fault), EB_OK);
	CHECK_INT(eb_profile_curve_draft(&curve, &draft, value, &fault), EB_OUT_OF_RANGE);
	CHECK_INT(add_text(&curve, AT "-1", &fault), EB_OK);
	CHECK_INT(eb_profile_curve_draft(&curve, &draft, value, &fault), EB_OK);
	CHECK_INT(value[0].energy_wh, EB_PROFILE_MOST_WH);
	curve.members = INT32_MAX;
	CHECK_INT(add_text(&curve, AT "1", &fault), EB_OUT_OF_RANGE);
	kit_memory_end();
}

/* Wherever memory ends, the answer is that. */
static void
no_memory(void)
{
	for (int left = 0;; left++)
	{
		EbProfileCurve curve = {.memory = kit_memory};
		EbFault fault = {.message = ""};
		EbStatus status;

		kit_memory_left = left;
		status = add_text(&curve, AT "1 - 3~1024 4~2", &fault);
		if (status == EB_OK)
			status = add_text(&curve, AT2 "- - 3~1028 4*60", &fault);
		kit_memory_left = -1;
		kit_memory_end();
		if (status == EB_OK)
		{
			CHECK(left > 6);
			break;
		}
		CHECK_INT(status, EB_OUT_OF_RANGE);
		CHECK_STR(fault.message, "too many load profiles in one sum");
	}
}

/* ---------------------------------------------------------------- drawn at random */

/* Members on one grid, and what they come to */
typedef struct Estate
{
	KitTruth member[MOST];
	int n;
	KitProfile sum;
} Estate;

static void
add_members(EbProfileCurve *curve, const Estate *estate, unsigned which, bool backwards)
{
	EbFault fault = {.message = ""};

	for (int i = 0; i < estate->n; i++)
	{
		int k = backwards ? estate->n - 1 - i : i;

		if ((which >> k & 1) != 0)
			CHECK_INT(eb_profile_curve_add(curve, &estate->member[k].made.view, &fault), EB_OK);
	}
}

static KitProfile
profile_of(const EbProfileCurve *curve)
{
	EbProfileValue *value = malloc(sizeof(*value) * ((size_t) curve->n + 1));
	EbProfileDraft draft;
	EbFault fault = {.message = ""};
	KitProfile made;

	CHECK_INT(eb_profile_curve_draft(curve, &draft, value, &fault), EB_OK);
	made = kit_profile(&draft);
	free(value);
	return made;
}

static bool
same_bytes(const EbProfileCurve *curve, const KitProfile *want)
{
	KitProfile made = profile_of(curve);
	bool same = made.size == want->size && memcmp(made.bytes, want->bytes, made.size) == 0;

	kit_profile_free(&made);
	return same;
}

static Estate
random_estate(void)
{
	Estate estate = {.n = 1 + (int) kit_below(MOST)};
	EbProfileCurve curve = {.memory = kit_memory};
	bool same_range = kit_below(2) == 0;

	for (int i = 0; i < estate.n; i++)
	{
		int64_t start_us = same_range ? 0 : kit_below(40) * 900 * EB_SECOND_US;

		estate.member[i] =
			kit_truth(start_us, 900, same_range ? 40 : 1 + (int32_t) kit_below(60), EB_IMPORT_KWH);
	}
	add_members(&curve, &estate, ~0u, false);
	estate.sum = profile_of(&curve);
	return estate;
}

static void
forget(Estate *estate)
{
	for (int i = 0; i < estate->n; i++)
		kit_truth_free(&estate->member[i]);
	kit_profile_free(&estate->sum);
	kit_memory_end();
}

/* What the members have in one interval of the sum */
typedef struct Seen
{
	int covered;
	int plain;
	int present;
	eb_int128 truth;
	eb_int128 known;
	int32_t quality;
} Seen;

static Seen
see(const Estate *estate, int32_t i)
{
	Seen seen = {0};
	int64_t at_us = estate->sum.view.start_us + i * eb_profile_step_us(&estate->sum.view);

	for (int k = 0; k < estate->n; k++)
	{
		const KitTruth *member = &estate->member[k];
		int64_t j = (at_us - member->made.view.start_us) / eb_profile_step_us(&member->made.view);

		if (at_us < member->made.view.start_us || j >= member->made.view.n)
			continue;
		seen.covered++;
		seen.truth += member->truth_wh[j];
		seen.quality |= member->value[j].quality;
		if (member->value[j].missing != 0)
			continue;
		seen.present++;
		seen.known += member->value[j].energy_wh;
		seen.plain += (member->value[j].quality & EB_PROFILE_SPAN) == 0;
	}
	return seen;
}

static void
says_the_truth(const Estate *estate)
{
	const EbProfile *sum = &estate->sum.view;
	EbProfileQuality walk = {0};
	eb_int128 gap = 0;

	for (int32_t i = 0; i < sum->n; i++)
	{
		Seen seen = see(estate, i);
		int32_t quality = eb_profile_next_quality(sum, &walk);

		CHECK_INT(quality & ~(EB_PROFILE_SPAN | EB_PROFILE_PARTIAL),
				  seen.quality & ~EB_PROFILE_SPAN);
		CHECK_INT(eb_profile_is_missing(sum, i), seen.present == 0);
		gap += seen.truth;
		if (seen.present == 0)
			continue;
		CHECK(eb_profile_wh(sum, i) == seen.known);
		if (seen.plain == seen.covered)
			CHECK_INT(quality & (EB_PROFILE_SPAN | EB_PROFILE_PARTIAL), 0);
		else
			CHECK((quality & (EB_PROFILE_SPAN | EB_PROFILE_PARTIAL)) != 0);
		if ((quality & EB_PROFILE_PARTIAL) == 0)
			CHECK(eb_profile_wh(sum, i) == ((quality & EB_PROFILE_SPAN) != 0 ? gap : seen.truth));
		gap = 0;
	}
}

static void
order_does_not_matter(const Estate *estate)
{
	unsigned half = (unsigned) kit_below(1 << MOST);
	EbProfileCurve backwards = {.memory = kit_memory};
	EbProfileCurve left = {.memory = kit_memory};
	EbProfileCurve right = {.memory = kit_memory};
	EbFault fault = {.message = ""};

	add_members(&backwards, estate, ~0u, true);
	CHECK(same_bytes(&backwards, &estate->sum));
	add_members(&left, estate, half, false);
	add_members(&right, estate, ~half, true);
	CHECK_INT(eb_profile_curve_merge(&left, &right, &fault), EB_OK);
	CHECK(same_bytes(&left, &estate->sum));
}

/* Some are added, the others too and taken away again: that is the sum of the some. */
static void
what_was_added_can_go(const Estate *estate)
{
	unsigned some = (unsigned) kit_below(1 << MOST);
	EbProfileCurve want = {.memory = kit_memory};
	EbProfileCurve curve = {.memory = kit_memory};
	EbFault fault = {.message = ""};

	add_members(&want, estate, some, false);
	add_members(&curve, estate, ~0u, kit_below(2) == 0);
	for (int k = 0; k < estate->n; k++)
		if ((some >> k & 1) == 0)
			CHECK_INT(eb_profile_curve_subtract(&curve, &estate->member[k].made.view, &fault),
					  EB_OK);
	CHECK_INT(curve.members, want.members);
	if (want.members > 0)
	{
		KitProfile made = profile_of(&want);

		CHECK(same_bytes(&curve, &made));
		kit_profile_free(&made);
	}
	/* and what is left takes new ones */
	add_members(&curve, estate, ~some, false);
	CHECK(same_bytes(&curve, &estate->sum));
}

static void
one_is_itself(const Estate *estate)
{
	EbProfileCurve curve = {.memory = kit_memory};

	add_members(&curve, estate, 1, false);
	CHECK(same_bytes(&curve, &estate->member[0].made));
}

/* A window of 7 days goes over years, forwards or back: room stays what the window needs. */
static void
moving_window(int step)
{
	EbProfileCurve curve = {.memory = kit_memory};
	EbFault fault = {.message = ""};
	KitTruth day[800];

	for (int i = 0; i < 800; i++)
	{
		day[i] = kit_truth(i * step * EB_DAY_US, 900, 96, EB_IMPORT_KWH);
		CHECK_INT(eb_profile_curve_add(&curve, &day[i].made.view, &fault), EB_OK);
		if (i >= 7)
			CHECK_INT(eb_profile_curve_subtract(&curve, &day[i - 7].made.view, &fault), EB_OK);
		CHECK_INT(curve.n, 96 * (i < 7 ? i + 1 : 7));
		if (i % 100 == 99)
		{
			EbProfileCurve want = {.memory = kit_memory};
			KitProfile made;

			for (int k = i - 6; k <= i; k++)
				CHECK_INT(eb_profile_curve_add(&want, &day[k].made.view, &fault), EB_OK);
			made = profile_of(&want);
			CHECK(same_bytes(&curve, &made));
			kit_profile_free(&made);
		}
	}
	CHECK(curve.capacity < 4 * 8 * 96);
	for (int i = 0; i < 800; i++)
		kit_truth_free(&day[i]);
	kit_memory_end();
}

int
main(void)
{
	kit_seed("load_profile_curve");
	by_hand();
	refused();
	no_memory();
	for (int i = 0; i < CASES; i++)
	{
		Estate estate = random_estate();

		says_the_truth(&estate);
		order_does_not_matter(&estate);
		what_was_added_can_go(&estate);
		one_is_itself(&estate);
		forget(&estate);
	}
	moving_window(1);
	moving_window(-1);
	return check_done("load_profile_curve");
}
