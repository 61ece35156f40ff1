/*
 * load_profile_curve.c -- many load profiles as one: what they come to in each interval
 * In:  profiles of one step, direction and grid, in any order.
 * Out: the values of their sum, over the union of their ranges.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include "rating/fault.h"
#include "rating/load_profile_curve.h"

/* ---------------------------------------------------------------- room */

static EbStatus
no_memory(EbFault *fault)
{
	return eb_fault_set(fault, EB_OUT_OF_RANGE, "too many load profiles in one sum",
						"Sum them in groups.");
}

/* The array, of old elements, with more of them, which are 0. NULL: there is no memory. */
static void *
grow_array(const EbMemory *memory, void *array, int32_t old, int32_t n, size_t element)
{
	char *grown = memory->resize(memory->arg, array, (size_t) n * element);

	if (grown != NULL)
		memset(grown + (size_t) old * element, 0, (size_t) (n - old) * element);
	return grown;
}

static bool
grow(EbProfileCurve *curve, int32_t capacity)
{
	const EbMemory *memory = &curve->memory;
	int32_t old = curve->capacity;
	void *grown = grow_array(memory, curve->sum, old, capacity, sizeof(*curve->sum));

	if (grown == NULL)
		return false;
	curve->sum = grown;
	grown = grow_array(memory, curve->cover, old > 0 ? old + 1 : 0, capacity + 1, sizeof(int32_t));
	if (grown == NULL)
		return false;
	curve->cover = grown;
	for (int i = 0; i < EB_CURVE_COUNTS; i++)
	{
		if (curve->count[i] == NULL)
			continue;
		grown = grow_array(memory, curve->count[i], old, capacity, sizeof(int32_t));
		if (grown == NULL)
			return false;
		curve->count[i] = grown;
	}
	curve->capacity = capacity;
	return true;
}

/* Moves n elements of an array to the place to, and leaves 0 where they were */
static void
move_array(void *array, int32_t first, int32_t n, int32_t to, size_t element)
{
	char *base = array;
	int32_t clear = to > first ? first : to + n > first ? to + n : first;
	int32_t end = to > first ? (to < first + n ? to : first + n) : first + n;

	memmove(base + (size_t) to * element, base + (size_t) first * element, (size_t) n * element);
	memset(base + (size_t) clear * element, 0, (size_t) (end - clear) * element);
}

static void
move(EbProfileCurve *curve, int32_t to)
{
	if (to == curve->first)
		return;
	move_array(curve->sum, curve->first, curve->n, to, sizeof(*curve->sum));
	move_array(curve->cover, curve->first, curve->n + 1, to, sizeof(*curve->cover));
	for (int i = 0; i < EB_CURVE_COUNTS; i++)
		if (curve->count[i] != NULL)
			move_array(curve->count[i], curve->first, curve->n, to, sizeof(int32_t));
	curve->first = to;
}

/*
 * Are the elements there for so many slots in front of the present ones and behind them? If not,
 * they move to the side that does not grow, or room is doubled when little would be won: profiles in
 * order of time, or against it, cost little, in moving windows too.
 */
static bool
make_room(EbProfileCurve *curve, int32_t before, int32_t after)
{
	int32_t n = before + curve->n + after;
	int32_t capacity = curve->capacity;

	if (before <= curve->first && curve->first + curve->n + after <= capacity)
		return true;
	if (n > capacity - capacity / 4)
	{
		/* a group is mostly one day, and that is all that comes */
		capacity = capacity > 0 && n < 2 * capacity ? 2 * capacity : n;
		if (!grow(curve, capacity))
			return false;
	}
	move(curve, before > 0 ? capacity - after - curve->n : 0);
	return true;
}

/* Makes the curve hold more slots in front of the present ones and behind them. */
static EbStatus
extend(EbProfileCurve *curve, int64_t before, int64_t after, EbFault *fault)
{
	int64_t n = before + curve->n + after;

	if (n > EB_PROFILE_MOST_VALUES)
	{
		eb_fault_set(fault, EB_BAD_ARGUMENT, "load profile has too many values",
					 "Sum days or months on their own, or resample the profiles first.");
		return eb_fault_detail(fault, EB_BAD_ARGUMENT,
							   "The ranges span %lld intervals, at most %d are allowed.",
							   (long long) n, EB_PROFILE_MOST_VALUES);
	}
	if (!make_room(curve, (int32_t) before, (int32_t) after))
		return no_memory(fault);
	curve->first -= (int32_t) before;
	curve->n = (int32_t) n;
	curve->start_us -= before * (curve->step_s * EB_SECOND_US);
	return EB_OK;
}

/* Slots that no profile covers any more fall away at both ends; they are 0. */
static void
trim(EbProfileCurve *curve)
{
	for (; curve->n > 0 && curve->cover[curve->first] == 0; curve->first++, curve->n--)
		curve->start_us += curve->step_s * EB_SECOND_US;
	while (curve->n > 0 && curve->cover[curve->first + curve->n] == 0)
		curve->n--;
}

EbStatus
eb_profile_curve_open(EbProfileCurve *curve, int64_t start_us, int32_t n, EbFault *fault)
{
	curve->start_us = start_us;
	curve->first = 0;
	curve->n = 0;
	return extend(curve, 0, n, fault);
}

EbStatus
eb_profile_curve_count(EbProfileCurve *curve, int count, EbFault *fault)
{
	if (curve->count[count] == NULL)
		curve->count[count] = grow_array(&curve->memory, NULL, 0, curve->capacity, sizeof(int32_t));
	return curve->count[count] != NULL ? EB_OK : no_memory(fault);
}

/* ---------------------------------------------------------------- do they belong together? */

static EbStatus
refuse_direction(int32_t a, int32_t b, EbFault *fault)
{
	eb_fault_set(fault, EB_CONFLICT, "load profiles differ in their direction",
				 "GROUP BY profile_direction(); profile_subtract() is for net energy.");
	return eb_fault_detail(fault, EB_CONFLICT, "They are %s and %s.",
						   eb_profile_direction[a < b ? a : b],
						   eb_profile_direction[a < b ? b : a]);
}

/* A range of n slots that is to be added or taken away, with room made for it; *at: its first element */
static EbStatus
place(EbProfileCurve *curve, const EbProfileCurve *range, int32_t *at, EbFault *fault)
{
	int64_t step_us = range->step_s * EB_SECOND_US;
	int64_t before;
	int64_t after;
	EbStatus status;

	if (curve->members == 0)
	{
		curve->step_s = range->step_s;
		curve->channel = range->channel;
		*at = 0;
		return eb_profile_curve_open(curve, range->start_us, range->n, fault);
	}
	status = eb_profile_check_grid(curve->start_us, curve->step_s, range->start_us, range->step_s,
								   fault);
	if (status != EB_OK)
		return status;
	if (curve->channel != range->channel)
		return refuse_direction(curve->channel, range->channel, fault);
	before = (curve->start_us - range->start_us) / step_us;
	after = range->n - before - curve->n;
	status = extend(curve, before > 0 ? before : 0, after > 0 ? after : 0, fault);
	*at = curve->first + (before > 0 ? 0 : (int32_t) -before);
	return status;
}

/* ---------------------------------------------------------------- adding and taking away */

/* Adds sign to a count of n slots from an element on */
static EbStatus
count_slots(EbProfileCurve *curve, int count, int32_t at, int32_t n, int32_t sign, EbFault *fault)
{
	EbStatus status = eb_profile_curve_count(curve, count, fault);

	for (int32_t i = 0; i < n && status == EB_OK; i++)
		curve->count[count][at + i] += sign;
	return status;
}

static EbStatus
count_qualities(EbProfileCurve *curve, const EbProfile *profile, int32_t at, int32_t sign,
				EbFault *fault)
{
	EbStatus status = EB_OK;

	for (int32_t run = 0; run < profile->nruns; run++)
	{
		int32_t quality;
		int32_t n = eb_profile_run(profile, run, &quality);

		for (int bit = 0; quality >> bit != 0 && status == EB_OK; bit++)
			if ((quality >> bit & 1) != 0)
				status = count_slots(curve, bit, at, n, sign, fault);
		if (status != EB_OK)
			return status;
		at += n;
	}
	return EB_OK;
}

/* The missing values right before each end of a span have their energy in it. */
static EbStatus
count_joined(EbProfileCurve *curve, const EbProfile *profile, int32_t at, int32_t sign,
			 EbFault *fault)
{
	EbProfileQuality walk = {0};
	EbStatus status = EB_OK;
	int32_t nmissing = 0;

	for (int32_t i = 0; i < profile->n && status == EB_OK; i++)
	{
		int32_t quality = eb_profile_next_quality(profile, &walk);

		if (eb_profile_is_missing(profile, i))
			nmissing++;
		else
		{
			if (nmissing > 0 && (quality & EB_PROFILE_SPAN) != 0)
				status =
					count_slots(curve, EB_CURVE_JOINED, at + i - nmissing, nmissing, sign, fault);
			nmissing = 0;
		}
	}
	return status;
}

static EbStatus
count_missing(EbProfileCurve *curve, const EbProfile *profile, int32_t at, int32_t sign,
			  EbFault *fault)
{
	EbStatus status = eb_profile_curve_count(curve, EB_CURVE_MISSING, fault);
	int32_t *count;

	if (status != EB_OK)
		return status;
	count = curve->count[EB_CURVE_MISSING] + at;
	for (int32_t i = 0; i < profile->n; i++)
		count[i] += eb_profile_is_missing(profile, i) ? sign : 0;
	return profile->run == NULL ? EB_OK : count_joined(curve, profile, at, sign, fault);
}

/* One loop for each width, so that it is nothing but additions */
static void
add_values(eb_int128 *sum, const EbProfile *profile, int32_t sign)
{
	EbProfile view = *profile;

#define ADD_ALL(wide)                        \
	view.width = (wide);                     \
	for (int32_t i = 0; i < profile->n; i++) \
	sum[i] += sign > 0 ? eb_profile_wh(&view, i) : -eb_profile_wh(&view, i)

	switch (profile->width)
	{
		case 0:
			ADD_ALL(0);
			break;
		case 1:
			ADD_ALL(1);
			break;
		case 2:
			ADD_ALL(2);
			break;
		case 4:
			ADD_ALL(4);
			break;
		default:
			ADD_ALL(8);
			break;
	}
#undef ADD_ALL
	if (profile->missing == NULL)
		return;
	/* those came in as the base */
	for (int32_t i = 0; i < profile->n; i++)
		if (eb_profile_is_missing(profile, i))
			sum[i] -= sign * eb_profile_wh(profile, i);
}

static EbStatus
change(EbProfileCurve *curve, const EbProfile *profile, int32_t sign, EbFault *fault)
{
	EbProfileCurve range = {.start_us = profile->start_us,
							.step_s = profile->step_s,
							.channel = profile->channel,
							.n = profile->n};
	EbStatus status;
	int32_t at;

	if (profile->n == 0)
		return EB_OK;
	status = place(curve, &range, &at, fault);
	if (status == EB_OK && profile->missing != NULL)
		status = count_missing(curve, profile, at, sign, fault);
	if (status == EB_OK && profile->run != NULL)
		status = count_qualities(curve, profile, at, sign, fault);
	if (status != EB_OK)
		return status;
	add_values(curve->sum + at, profile, sign);
	curve->cover[at] += sign;
	curve->cover[at + profile->n] -= sign;
	curve->members += sign;
	return EB_OK;
}

EbStatus
eb_profile_curve_add(EbProfileCurve *curve, const EbProfile *profile, EbFault *fault)
{
	if (curve->members == INT32_MAX)
		return no_memory(fault);
	return change(curve, profile, 1, fault);
}

EbStatus
eb_profile_curve_subtract(EbProfileCurve *curve, const EbProfile *profile, EbFault *fault)
{
	EbStatus status = change(curve, profile, -1, fault);

	if (status == EB_OK)
		trim(curve);
	return status;
}

EbStatus
eb_profile_curve_merge(EbProfileCurve *curve, const EbProfileCurve *other, EbFault *fault)
{
	EbStatus status = EB_OK;
	int32_t at;

	if (other->members == 0)
		return EB_OK;
	if (curve->members > INT32_MAX - other->members)
		return no_memory(fault);
	status = place(curve, other, &at, fault);
	for (int count = 0; count < EB_CURVE_COUNTS && status == EB_OK; count++)
	{
		const int32_t *from = other->count[count];

		if (from == NULL)
			continue;
		status = eb_profile_curve_count(curve, count, fault);
		for (int32_t i = 0; i < other->n && status == EB_OK; i++)
			curve->count[count][at + i] += from[other->first + i];
	}
	if (status != EB_OK)
		return status;
	for (int32_t i = 0; i < other->n; i++)
		curve->sum[at + i] += other->sum[other->first + i];
	for (int32_t i = 0; i <= other->n; i++)
		curve->cover[at + i] += other->cover[other->first + i];
	curve->members += other->members;
	return EB_OK;
}

/* ---------------------------------------------------------------- the sum as values */

/* What is counted in one slot */
typedef struct Slot
{
	int32_t covered; /* profiles that have it */
	int32_t missing;
	int32_t joined;
	int32_t spans;
	int32_t quality; /* of all of them, without EB_PROFILE_SPAN */
} Slot;

static int32_t
count_at(const EbProfileCurve *curve, int count, int32_t at)
{
	return curve->count[count] != NULL ? curve->count[count][at] : 0;
}

/* The slot behind the one that is there; at is its element */
static void
next_slot(const EbProfileCurve *curve, int32_t at, Slot *slot)
{
	slot->covered += curve->cover[at];
	slot->missing = count_at(curve, EB_CURVE_MISSING, at);
	slot->joined = count_at(curve, EB_CURVE_JOINED, at);
	slot->spans = 0;
	slot->quality = 0;
	for (int bit = 0; bit < EB_CURVE_MISSING; bit++)
		if (count_at(curve, bit, at) > 0)
			slot->quality |= (int32_t) 1 << bit;
	if ((slot->quality & EB_PROFILE_SPAN) != 0)
	{
		slot->spans = count_at(curve, __builtin_ctz(EB_PROFILE_SPAN), at);
		slot->quality &= ~EB_PROFILE_SPAN;
	}
}

/*
 * What stands before a slot. A span of the sum is all the missing intervals before its value, so the
 * gap of all profiles has to begin behind a value of the sum, or with it.
 */
typedef enum Before
{
	A_VALUE,	 /* or nothing */
	A_WHOLE_GAP, /* of all profiles, their energy is in what follows */
	ANOTHER_GAP, /* also in front of a value that is the energy of more time */
} Before;

static Before
before_next(const Slot *slot, Before before)
{
	if (slot->covered > 0 && slot->joined == slot->covered)
		return before == ANOTHER_GAP ? ANOTHER_GAP : A_WHOLE_GAP;
	return slot->joined == 0 && slot->missing < slot->covered ? A_VALUE : ANOTHER_GAP;
}

static int32_t
quality_of(const Slot *slot, Before before)
{
	if (slot->missing == slot->covered)
		return slot->quality;
	if (slot->missing == 0 && slot->spans == 0)
		return slot->quality;
	if (slot->spans == slot->covered && before != ANOTHER_GAP)
		return slot->quality | EB_PROFILE_SPAN;
	return slot->quality | EB_PROFILE_PARTIAL;
}

EbStatus
eb_profile_curve_draft(const EbProfileCurve *curve, EbProfileDraft *draft, EbProfileValue *value,
					   EbFault *fault)
{
	Slot slot = {0};
	Before before = A_VALUE;

	*draft = (EbProfileDraft){.start_us = curve->start_us,
							  .step_s = curve->step_s,
							  .n = curve->n,
							  .channel = curve->channel,
							  .value = value};
	for (int32_t i = 0; i < curve->n; i++)
	{
		int32_t at = curve->first + i;
		eb_int128 sum = curve->sum[at];

		next_slot(curve, at, &slot);
		if (sum < -EB_PROFILE_MOST_WH || sum > EB_PROFILE_MOST_WH)
			return eb_fault_set(fault, EB_OUT_OF_RANGE, "sum of load profiles is out of range",
								"It must lie within 1000000000000000 Wh of 0 in each interval.");
		value[i].missing = slot.missing == slot.covered;
		value[i].energy_wh = (int64_t) sum;
		value[i].quality = quality_of(&slot, before);
		before = before_next(&slot, before);
	}
	return EB_OK;
}
