/*
 * load_profile_ops.c -- what can be done with one load profile, or two
 * In:  views of profiles.
 * Out: drafts of new ones.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include "rating/fault.h"
#include "rating/load_profile_bytes.h"
#include "rating/load_profile_ops.h"

/* In EbProfileValue.missing of these functions: missing, and its energy is in a value further on */
#define JOINED 2

/* Marks what is JOINED */
static void
mark_joined(EbProfileValue *value, int32_t n)
{
	bool joined = false;

	for (int32_t i = n - 1; i >= 0; i--)
		if (value[i].missing == 0)
			joined = (value[i].quality & EB_PROFILE_SPAN) != 0;
		else if (joined)
			value[i].missing = JOINED;
}

static EbProfileDraft
draft_like(const EbProfile *profile, EbProfileValue *value)
{
	return (EbProfileDraft){.start_us = profile->start_us,
							.step_s = profile->step_s,
							.n = profile->n,
							.channel = profile->channel,
							.value = value};
}

static bool
narrow(eb_int128 wide, int64_t *wh)
{
	*wh = (int64_t) wide;
	return wide >= -EB_PROFILE_MOST_WH && wide <= EB_PROFILE_MOST_WH;
}

static EbStatus
out_of_range(EbFault *fault)
{
	return eb_fault_set(fault, EB_OUT_OF_RANGE, "value of a load profile is out of range",
						"It must lie within 1000000000000000 Wh of 0.");
}

/* ---------------------------------------------------------------- a part of it */

/* Number of intervals that begin before the instant */
static int32_t
begun_before(const EbProfile *profile, int64_t at_us)
{
	int64_t step_us = eb_profile_step_us(profile);

	if (at_us <= profile->start_us)
		return 0;
	if (at_us >= eb_profile_end_us(profile))
		return profile->n;
	return (int32_t) ((at_us - profile->start_us + step_us - 1) / step_us);
}

void
eb_profile_slice(const EbProfile *profile, int64_t from_us, int64_t to_us, EbProfileDraft *draft,
				 EbProfileValue *value)
{
	int32_t first = begun_before(profile, from_us);
	int32_t end = begun_before(profile, to_us);
	int32_t i = 0;

	*draft = draft_like(profile, value);
	draft->start_us += first * eb_profile_step_us(profile);
	draft->n = end > first ? end - first : 0;
	eb_profile_read_some(profile, first, draft->n, value);
	if (first == 0 || !eb_profile_is_missing(profile, first - 1))
		return;
	while (i < draft->n && value[i].missing != 0)
		i++;
	if (i < draft->n && (value[i].quality & EB_PROFILE_SPAN) != 0)
		value[i].quality = (value[i].quality & ~EB_PROFILE_SPAN) | EB_PROFILE_PARTIAL;
}

/* ---------------------------------------------------------------- times a factor */

EbStatus
eb_profile_scale(const EbProfile *profile, int64_t factor_n, EbProfileDraft *draft,
				 EbProfileValue *value, EbFault *fault)
{
	eb_int128 total = 0;
	eb_int128 rounded = 0;

	*draft = draft_like(profile, value);
	eb_profile_read(profile, value);
	for (int32_t i = 0; i < profile->n; i++)
	{
		eb_int128 product;
		eb_int128 next;

		if (value[i].missing != 0)
			continue;
		total += value[i].energy_wh;
		if (!eb_mul128(total, factor_n, &product))
			return out_of_range(fault);
		next = eb_div_round(product, EB_ONE, EB_HALF_UP);
		if (!narrow(next - rounded, &value[i].energy_wh))
			return out_of_range(fault);
		rounded = next;
	}
	return EB_OK;
}

/* ---------------------------------------------------------------- in other steps */

EbStatus
eb_profile_resample_count(const EbProfile *profile, int32_t step_s, int32_t *n, EbFault *fault)
{
	int32_t old_s = profile->step_s;
	int64_t count = 0;

	if (step_s % old_s != 0 && old_s % step_s != 0)
	{
		eb_fault_set(fault, EB_BAD_ARGUMENT,
					 "one step of resampling must be a whole number of the other",
					 "Resample to a step that divides both, then to the one wanted.");
		return eb_fault_detail(fault, EB_BAD_ARGUMENT, "The steps are %d and %d s.", old_s, step_s);
	}
	if (step_s >= old_s)
		count = (profile->n + (int64_t) (step_s / old_s) - 1) / (step_s / old_s);
	else
		count = profile->n * (int64_t) (old_s / step_s);
	*n = (int32_t) count;
	return eb_profile_check_count(count, fault);
}

/*
 * Each value becomes ratio of them: the last is the energy of all. Behind a gap a span would be of
 * the gap, too.
 */
static void
split(const EbProfile *profile, int32_t ratio, EbProfileValue *value)
{
	EbProfileQuality walk = {0};

	for (int32_t i = 0; i < profile->n; i++, value += ratio)
	{
		int32_t quality = eb_profile_next_quality(profile, &walk);
		bool gap = i > 0 && eb_profile_is_missing(profile, i - 1);
		bool span = !gap || (quality & EB_PROFILE_SPAN) != 0;

		for (int32_t j = 0; j < ratio - 1; j++)
			value[j] = (EbProfileValue){.missing = 1};
		if (eb_profile_is_missing(profile, i))
			value[ratio - 1] = (EbProfileValue){.missing = 1, .quality = quality};
		else
			value[ratio - 1] = (EbProfileValue){
				.energy_wh = eb_profile_wh(profile, i),
				.quality = quality | (span ? EB_PROFILE_SPAN : EB_PROFILE_PARTIAL)};
	}
}

/* A run of intervals that spans join: only what they come to together is known */
typedef struct Group
{
	eb_int128 sum;
	int32_t first;
	bool lost; /* the energy of some is in no value */
} Group;

/* A span would be of the gap before it, too. */
static bool
is_behind_gap(const Group *group, const EbProfileValue *value)
{
	return group->first > 0 && value[group->first - 1].missing != 0;
}

/* The sum of a group as the value of its last interval, those before it missing */
static bool
close_group(const Group *group, EbProfileValue *value, int32_t last)
{
	for (int32_t i = group->first; i < last; i++)
		value[i].missing = 1;
	value[last].missing = 0;
	if (group->first < last)
		value[last].quality |= is_behind_gap(group, value) ? EB_PROFILE_PARTIAL : EB_PROFILE_SPAN;
	return narrow(group->sum, &value[last].energy_wh);
}

/* ratio intervals, or the last ones, as one; joined: its energy is in part in one further on */
static bool
add_up(const EbProfileValue *part, int32_t n, int32_t ratio, Group *group, EbProfileValue *value,
	   bool *joined)
{
	eb_int128 sum = 0;
	int32_t quality = 0;
	bool known = false;

	group->lost = group->lost || n < ratio;
	for (int32_t i = 0; i < n; i++)
	{
		quality |= part[i].quality & ~EB_PROFILE_SPAN;
		known = known || part[i].missing == 0;
		group->lost = group->lost || part[i].missing == 1;
		sum += part[i].missing == 0 ? part[i].energy_wh : 0;
	}
	*joined = part[n - 1].missing == JOINED;
	group->sum += sum;
	value->quality = quality;
	value->missing = !known;
	return narrow(sum, &value->energy_wh);
}

/* The values of the profile stand in value and become fewer there. */
static bool
merge(int32_t n, int32_t ratio, EbProfileValue *value)
{
	Group group = {0};
	bool good = true;

	mark_joined(value, n);
	for (int32_t last = 0, at = 0; at < n && good; last++, at += ratio)
	{
		bool joined;

		good = add_up(value + at, n - at < ratio ? n - at : ratio, ratio, &group, &value[last],
					  &joined);
		if (joined)
			continue;
		group.lost = group.lost || (group.first < last && is_behind_gap(&group, value));
		for (int32_t i = group.first; i <= last && group.lost; i++)
			if (value[i].missing == 0)
				value[i].quality |= EB_PROFILE_PARTIAL;
		if (!group.lost)
			good = good && close_group(&group, value, last);
		group = (Group){.first = last + 1};
	}
	return good;
}

EbStatus
eb_profile_resample(const EbProfile *profile, int32_t step_s, EbProfileDraft *draft,
					EbProfileValue *value, EbFault *fault)
{
	EbStatus status;

	*draft = draft_like(profile, value);
	draft->step_s = step_s;
	status = eb_profile_resample_count(profile, step_s, &draft->n, fault);
	if (status != EB_OK)
		return status;
	if (step_s < profile->step_s)
	{
		split(profile, profile->step_s / step_s, value);
		return EB_OK;
	}
	eb_profile_read(profile, value);
	if (step_s > profile->step_s && !merge(profile->n, step_s / profile->step_s, value))
		return out_of_range(fault);
	return EB_OK;
}

/* ---------------------------------------------------------------- less another */

static bool
is_reactive(const EbProfile *profile)
{
	return profile->channel == EB_IMPORT_KVARH || profile->channel == EB_EXPORT_KVARH;
}

/* Takes what b has off the value of a; b NULL: it has no such interval */
static bool
take_off(EbProfileValue *a, const EbProfileValue *b, Group *group)
{
	bool joined = a->missing == JOINED || (b != NULL && b->missing == JOINED);

	group->lost = group->lost || a->missing == 1 || b == NULL || b->missing == 1;
	group->sum += a->missing == 0 ? a->energy_wh : 0;
	if (b != NULL)
	{
		group->sum -= b->missing == 0 ? b->energy_wh : 0;
		a->quality |= b->quality;
	}
	a->quality &= ~EB_PROFILE_SPAN;
	a->missing = 1;
	return joined;
}

EbStatus
eb_profile_subtract(const EbProfile *a, const EbProfile *b, EbProfileDraft *draft,
					EbProfileValue *value, EbProfileValue *less, EbFault *fault)
{
	EbStatus status = eb_profile_check_grid(a->start_us, a->step_s, b->start_us, b->step_s, fault);
	Group group = {0};
	int64_t ahead; /* intervals of b before the first of a */

	if (status != EB_OK)
		return status;
	if (is_reactive(a) != is_reactive(b))
	{
		eb_fault_set(fault, EB_CONFLICT, "energy less reactive energy is no energy",
					 "Import and export go together, so do import_kvarh and export_kvarh.");
		return eb_fault_detail(fault, EB_CONFLICT, "They are %s and %s.",
							   eb_profile_direction[a->channel], eb_profile_direction[b->channel]);
	}
	*draft = draft_like(a, value);
	eb_profile_read(a, value);
	eb_profile_read(b, less);
	mark_joined(value, a->n);
	mark_joined(less, b->n);
	ahead = (a->start_us - b->start_us) / eb_profile_step_us(a);
	/* a span that begins before a and ends in it */
	group.lost = ahead > 0 && ahead <= b->n && less[ahead - 1].missing == JOINED;
	for (int32_t i = 0; i < a->n; i++)
	{
		int64_t j = ahead + i;

		if (take_off(&value[i], j >= 0 && j < b->n ? &less[j] : NULL, &group))
			continue;
		if (!group.lost && !close_group(&group, value, i))
			return out_of_range(fault);
		group = (Group){.first = i + 1};
	}
	return EB_OK;
}

/* ---------------------------------------------------------------- looking at it */

int32_t
eb_profile_highest(const EbProfile *profile)
{
	EbProfileQuality walk = {0};
	int32_t highest = -1;
	int64_t highest_wh = INT64_MIN;

	for (int32_t i = 0; i < profile->n; i++)
	{
		int32_t quality = eb_profile_next_quality(profile, &walk);

		if (eb_profile_is_missing(profile, i) || (quality & EB_PROFILE_SPAN) != 0 ||
			eb_profile_wh(profile, i) <= highest_wh)
			continue;
		highest = i;
		highest_wh = eb_profile_wh(profile, i);
	}
	return highest;
}

static int
compare(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int
compare_values(const EbProfile *a, const EbProfile *b)
{
	for (int32_t i = 0; i < a->n; i++)
	{
		bool a_missing = eb_profile_is_missing(a, i);
		bool b_missing = eb_profile_is_missing(b, i);
		int order = compare(a_missing, b_missing);

		if (order == 0 && !a_missing)
			order = compare(eb_profile_wh(a, i), eb_profile_wh(b, i));
		if (order != 0)
			return order;
	}
	return 0;
}

static int
compare_qualities(const EbProfile *a, const EbProfile *b)
{
	EbProfileQuality a_walk = {0};
	EbProfileQuality b_walk = {0};
	int order = 0;

	for (int32_t i = 0; i < a->n && order == 0; i++)
		order = compare(eb_profile_next_quality(a, &a_walk), eb_profile_next_quality(b, &b_walk));
	return order;
}

int
eb_profile_compare(const EbProfile *a, const EbProfile *b)
{
	int order = compare(a->start_us, b->start_us);

	if (order == 0)
		order = compare(a->step_s, b->step_s);
	if (order == 0)
		order = compare(a->channel, b->channel);
	if (order == 0)
		order = compare(a->n, b->n);
	if (order == 0)
		order = compare_values(a, b);
	return order != 0 ? order : compare_qualities(a, b);
}
