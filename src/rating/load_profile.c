/*
 * load_profile.c -- a block of equal intervals: opening, checking, reading
 * In:  bytes that were stored or sent (load_profile_write.c makes them).
 * Out: views, values.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include "rating/fault.h"
#include "rating/load_profile_bytes.h"

const char *const eb_profile_direction[EB_NCHANNELS] = {
	[EB_IMPORT_KWH] = "import",
	[EB_EXPORT_KWH] = "export",
	[EB_IMPORT_KVARH] = "import_kvarh",
	[EB_EXPORT_KVARH] = "export_kvarh",
};

int
eb_profile_channel(EbText name)
{
	for (int i = 0; i < EB_NCHANNELS; i++)
		if (strlen(eb_profile_direction[i]) == (size_t) name.len &&
			memcmp(eb_profile_direction[i], name.data, (size_t) name.len) == 0)
			return i;
	return -1;
}

static inline int32_t
get32(const uint8_t *from)
{
	int32_t value;

	memcpy(&value, from, 4);
	return value;
}

static inline int64_t
get64(const uint8_t *from)
{
	int64_t value;

	memcpy(&value, from, 8);
	return value;
}

/* ---------------------------------------------------------------- opening what was stored */

static EbStatus
damaged(EbFault *fault, const char *detail)
{
	eb_fault_set(fault, EB_BAD_ARGUMENT, "load profile is damaged", NULL);
	return eb_fault_detail(fault, EB_BAD_ARGUMENT, "%s", detail);
}

static bool
width_is_good(int32_t width)
{
	return width == 0 || width == 1 || width == 2 || width == 4 || width == 8;
}

/* Offsets of 8 bytes can lead anywhere, shorter ones cannot. */
static bool
offsets_are_good(const EbProfile *profile)
{
	if (profile->width != 8)
		return true;
	for (int32_t i = 0; i < profile->n; i++)
		if ((uint64_t) get64(profile->value + (size_t) i * 8) > 2 * (uint64_t) EB_PROFILE_MOST_WH)
			return false;
	return true;
}

/* Runs of qualities, from the number of them on to the end; false when they do not fit */
static bool
open_runs(const uint8_t *at, size_t size, EbProfile *profile)
{
	int32_t left = profile->n;

	if (size < 4)
		return false;
	profile->nruns = get32(at);
	if (profile->nruns < 1 || profile->nruns > profile->n ||
		size != 4 + (size_t) profile->nruns * 8)
		return false;
	profile->run = at + 4;
	for (int32_t i = 0; i < profile->nruns; i++)
	{
		int32_t quality;
		int32_t count = eb_profile_run(profile, i, &quality);

		if (count < 1 || count > left || quality < 0)
			return false;
		left -= count;
	}
	return true;
}

static bool
open_header(const uint8_t *bytes, EbProfile *profile)
{
	profile->width = bytes[EB_AT_WIDTH];
	profile->channel = bytes[EB_AT_CHANNEL];
	profile->start_us = get64(bytes + EB_AT_START);
	profile->step_s = get32(bytes + EB_AT_STEP);
	profile->n = get32(bytes + EB_AT_N);
	profile->base_wh = get64(bytes + EB_AT_BASE);
	return width_is_good(profile->width) && profile->channel < EB_NCHANNELS &&
		   (bytes[EB_AT_FLAGS] & ~EB_PROFILE_ALL_FLAGS) == 0 && profile->n >= 0 &&
		   profile->n <= EB_PROFILE_MOST_VALUES && profile->step_s >= 1 &&
		   profile->step_s <= 86400 &&
		   eb_profile_time_fits(profile->start_us, profile->step_s, profile->n) &&
		   eb_profile_wh_is_good(profile->base_wh);
}

EbStatus
eb_profile_open(const uint8_t *bytes, size_t size, EbProfile *profile, EbFault *fault)
{
	const uint8_t *at;
	size_t left;
	size_t need;

	*profile = (EbProfile){0};
	if (size < EB_PROFILE_HEADER)
		return damaged(fault, "It is shorter than its header.");
	if (bytes[EB_AT_FORMAT] != EB_PROFILE_FORMAT)
		return damaged(fault, "Its format is not known.");
	if (!open_header(bytes, profile))
		return damaged(fault, "Its header is not one that is written.");
	at = bytes + EB_PROFILE_HEADER;
	left = size - EB_PROFILE_HEADER;
	need = (size_t) profile->n * (size_t) profile->width;
	if ((bytes[EB_AT_FLAGS] & EB_PROFILE_HAS_MISSING) != 0)
		need += eb_profile_bitmap_size(profile->n);
	if (left < need)
		return damaged(fault, "It is shorter than its values.");
	profile->value = at;
	if ((bytes[EB_AT_FLAGS] & EB_PROFILE_HAS_MISSING) != 0)
		profile->missing = at + need - eb_profile_bitmap_size(profile->n);
	if ((bytes[EB_AT_FLAGS] & EB_PROFILE_HAS_QUALITY) == 0 && left != need)
		return damaged(fault, "It is longer than its values.");
	if ((bytes[EB_AT_FLAGS] & EB_PROFILE_HAS_QUALITY) != 0 &&
		!open_runs(at + need, left - need, profile))
		return damaged(fault, "Its qualities do not fit.");
	if (!offsets_are_good(profile))
		return damaged(fault, "A value is out of range.");
	return EB_OK;
}

/* ---------------------------------------------------------------- the one form of a content */

/* Base and width are those of the values, and what is missing has an offset of 0. */
static bool
values_are_canonical(const EbProfile *profile)
{
	uint64_t least = UINT64_MAX;
	uint64_t largest = 0;

	for (int32_t i = 0; i < profile->n; i++)
	{
		uint64_t offset = (uint64_t) (eb_profile_wh(profile, i) - profile->base_wh);

		if (eb_profile_is_missing(profile, i))
		{
			if (offset != 0)
				return false;
			continue;
		}
		if (offset < least)
			least = offset;
		if (offset > largest)
			largest = offset;
	}
	if (least == UINT64_MAX) /* all are missing */
		return profile->base_wh == 0 && profile->width == 0;
	return least == 0 && profile->width == eb_profile_least_width(largest) &&
		   eb_profile_wh_is_good(profile->base_wh + (int64_t) largest);
}

static bool
bitmap_is_canonical(const EbProfile *profile)
{
	uint8_t any = 0;

	if (profile->missing == NULL)
		return true;
	for (size_t i = 0; i < eb_profile_bitmap_size(profile->n); i++)
		any |= profile->missing[i];
	return any != 0 &&
		   (profile->n % 8 == 0 || profile->missing[profile->n / 8] >> (profile->n % 8) == 0);
}

/* Neighbouring runs differ, the last is not 0; what is missing is the end of no span. */
static bool
runs_are_canonical(const EbProfile *profile)
{
	int32_t last = -1;
	int32_t at = 0;

	for (int32_t i = 0; i < profile->nruns; i++)
	{
		int32_t quality;
		int32_t end = at + eb_profile_run(profile, i, &quality);

		if (quality == last || (i == profile->nruns - 1 && quality == 0))
			return false;
		for (; at < end; at++)
			if ((quality & EB_PROFILE_SPAN) != 0 && eb_profile_is_missing(profile, at))
				return false;
		last = quality;
	}
	return true;
}

EbStatus
eb_profile_check(const uint8_t *bytes, size_t size, EbProfile *profile, EbFault *fault)
{
	EbStatus status = eb_profile_open(bytes, size, profile, fault);

	if (status != EB_OK)
		return status;
	/* divisions, which take longer than all that was looked at so far */
	if (!eb_profile_step_is_good(profile->step_s) || profile->start_us % EB_SECOND_US != 0)
		return damaged(fault, "Its header is not one that is written.");
	if (!values_are_canonical(profile) || !bitmap_is_canonical(profile) ||
		!runs_are_canonical(profile))
		return damaged(fault, "It is not the one form of its content.");
	return EB_OK;
}

/* ---------------------------------------------------------------- reading */

void
eb_profile_read_some(const EbProfile *profile, int32_t first, int32_t n, EbProfileValue *value)
{
	EbProfileQuality walk = {0};

	for (int32_t i = 0; i < n; i++)
	{
		value[i].missing = eb_profile_is_missing(profile, first + i);
		value[i].energy_wh = value[i].missing != 0 ? 0 : eb_profile_wh(profile, first + i);
		value[i].quality = 0;
	}
	if (profile->nruns == 0)
		return;
	for (int32_t i = 0; i < first; i++)
		(void) eb_profile_next_quality(profile, &walk);
	for (int32_t i = 0; i < n; i++)
		value[i].quality = eb_profile_next_quality(profile, &walk);
}

void
eb_profile_read(const EbProfile *profile, EbProfileValue *value)
{
	eb_profile_read_some(profile, 0, profile->n, value);
}

/* ---------------------------------------------------------------- two of them */

EbStatus
eb_profile_check_grid(int64_t a_us, int32_t a_step_s, int64_t b_us, int32_t b_step_s,
					  EbFault *fault)
{
	if (a_step_s != b_step_s)
	{
		eb_fault_set(fault, EB_CONFLICT, "load profiles differ in their step",
					 "profile_resample() brings them to one.");
		return eb_fault_detail(fault, EB_CONFLICT, "The steps are %d and %d s.",
							   a_step_s < b_step_s ? a_step_s : b_step_s,
							   a_step_s < b_step_s ? b_step_s : a_step_s);
	}
	if ((a_us - b_us) % (a_step_s * EB_SECOND_US) != 0)
		return eb_fault_set(fault, EB_CONFLICT, "load profiles differ in their grid",
							"Their starts must be a whole number of steps apart.");
	return EB_OK;
}
