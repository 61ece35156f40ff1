/*
 * load_profile_write.c -- a block of equal intervals: checking a draft, writing its bytes
 * In:  drafts of values, from every door.
 * Out: bytes in the one form of their content.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include "rating/fault.h"
#include "rating/load_profile_bytes.h"

/* What the values of a draft ask for */
typedef struct Measure
{
	int64_t base_wh;
	int32_t width;
	int32_t nmissing;
	int32_t nruns; /* the last quality 0 does not count */
} Measure;

static Measure
measure(const EbProfileDraft *draft)
{
	Measure found = {0};
	int64_t least = INT64_MAX;
	int64_t largest = INT64_MIN;
	int32_t quality = -1;
	int32_t nruns = 0;

	for (int32_t i = 0; i < draft->n; i++)
	{
		const EbProfileValue *value = &draft->value[i];

		if (value->missing != 0)
			found.nmissing++;
		else
		{
			if (value->energy_wh < least)
				least = value->energy_wh;
			if (value->energy_wh > largest)
				largest = value->energy_wh;
		}
		nruns += value->quality != quality;
		quality = value->quality;
		if (quality != 0)
			found.nruns = nruns;
	}
	if (found.nmissing < draft->n)
	{
		found.base_wh = least;
		found.width = eb_profile_least_width((uint64_t) (largest - least));
	}
	return found;
}

EbStatus
eb_profile_check_step(int64_t step_s, EbFault *fault)
{
	if (eb_profile_step_is_good(step_s))
		return EB_OK;
	eb_fault_set(
		fault, EB_BAD_ARGUMENT, "step of a load profile must divide the day",
		"Steps are whole seconds, 1 to 86400, so that a day of 86400 s has a whole number of "
		"them.");
	return eb_fault_detail(fault, EB_BAD_ARGUMENT, "The step is %lld s.", (long long) step_s);
}

EbStatus
eb_profile_check_count(int64_t n, EbFault *fault)
{
	if (n >= 0 && n <= EB_PROFILE_MOST_VALUES)
		return EB_OK;
	eb_fault_set(fault, EB_BAD_ARGUMENT, "load profile has too many values",
				 "Cut it into several.");
	return eb_fault_detail(fault, EB_BAD_ARGUMENT, "There are %lld, at most %d are allowed.",
						   (long long) n, EB_PROFILE_MOST_VALUES);
}

EbStatus
eb_profile_check_head(const EbProfileDraft *draft, EbFault *fault)
{
	EbStatus status = eb_profile_check_step(draft->step_s, fault);

	if (status == EB_OK)
		status = eb_profile_check_count(draft->n, fault);
	if (status != EB_OK)
		return status;
	if (draft->channel < 0 || draft->channel >= EB_NCHANNELS)
		return eb_fault_set(fault, EB_BAD_ARGUMENT, "direction of a load profile is not known",
							"Directions are import, export, import_kvarh and export_kvarh.");
	if (eb_profile_time_is_good(draft->start_us, draft->step_s, draft->n))
		return EB_OK;
	if (draft->start_us >= EB_PROFILE_FROM_US && draft->start_us <= EB_PROFILE_TO_US &&
		draft->start_us % EB_SECOND_US != 0)
		return eb_fault_set(fault, EB_BAD_ARGUMENT, "load profile must start at a whole second",
							"date_trunc('second', start) leaves the fraction out.");
	return eb_fault_set(fault, EB_BAD_ARGUMENT, "load profile must lie between 1900 and 2200",
						"That is its start, and the end of its last interval, in UTC.");
}

static EbStatus
refuse_value(const EbProfileValue *value, int32_t i, EbFault *fault)
{
	if (value->quality < 0)
	{
		eb_fault_set(fault, EB_BAD_ARGUMENT, "quality of a value must not be negative",
					 "It is a sum of flags; 0: nothing is to be said.");
		return eb_fault_detail(fault, EB_BAD_ARGUMENT, "That of value %d is %d.", i + 1,
							   value->quality);
	}
	if (value->missing != 0)
	{
		eb_fault_set(fault, EB_BAD_ARGUMENT, "what is missing is not the energy of a span",
					 "Flag 1024 belongs to the value behind the gap.");
		return eb_fault_detail(fault, EB_BAD_ARGUMENT, "Value %d is missing, its quality is %d.",
							   i + 1, value->quality);
	}
	eb_fault_set(fault, EB_OUT_OF_RANGE, "value of a load profile is out of range",
				 "It must lie within 1000000000000000 Wh of 0.");
	return eb_fault_detail(fault, EB_OUT_OF_RANGE, "Value %d is %lld Wh.", i + 1,
						   (long long) value->energy_wh);
}

static bool
value_is_good(const EbProfileValue *value)
{
	if (value->missing != 0)
		return value->quality >= 0 && (value->quality & EB_PROFILE_SPAN) == 0;
	return value->quality >= 0 && eb_profile_wh_is_good(value->energy_wh);
}

EbStatus
eb_profile_size(const EbProfileDraft *draft, size_t *size, EbFault *fault)
{
	EbStatus status = eb_profile_check_head(draft, fault);
	Measure found;

	if (status != EB_OK)
		return status;
	for (int32_t i = 0; i < draft->n; i++)
		if (!value_is_good(&draft->value[i]))
			return refuse_value(&draft->value[i], i, fault);
	found = measure(draft);
	*size = EB_PROFILE_HEADER + (size_t) draft->n * (size_t) found.width;
	if (found.nmissing > 0)
		*size += eb_profile_bitmap_size(draft->n);
	if (found.nruns > 0)
		*size += 4 + (size_t) found.nruns * 8;
	return EB_OK;
}

/* ---------------------------------------------------------------- writing */

static void
write_header(const EbProfileDraft *draft, const Measure *found, uint8_t *bytes)
{
	bytes[EB_AT_FORMAT] = EB_PROFILE_FORMAT;
	bytes[EB_AT_WIDTH] = (uint8_t) found->width;
	bytes[EB_AT_CHANNEL] = (uint8_t) draft->channel;
	bytes[EB_AT_FLAGS] = (uint8_t) ((found->nmissing > 0 ? EB_PROFILE_HAS_MISSING : 0) |
									(found->nruns > 0 ? EB_PROFILE_HAS_QUALITY : 0));
	memcpy(bytes + EB_AT_START, &draft->start_us, 8);
	memcpy(bytes + EB_AT_STEP, &draft->step_s, 4);
	memcpy(bytes + EB_AT_N, &draft->n, 4);
	memcpy(bytes + EB_AT_BASE, &found->base_wh, 8);
}

/* The number of a width that is stored in the native order of that width */
static void
write_offset(uint8_t *at, int32_t width, uint64_t offset)
{
	uint8_t one = (uint8_t) offset;
	uint16_t two = (uint16_t) offset;
	uint32_t four = (uint32_t) offset;

	if (width == 1)
		*at = one;
	else if (width == 2)
		memcpy(at, &two, 2);
	else if (width == 4)
		memcpy(at, &four, 4);
	else if (width == 8)
		memcpy(at, &offset, 8);
}

static uint8_t *
write_missing(const EbProfileDraft *draft, uint8_t *at)
{
	memset(at, 0, eb_profile_bitmap_size(draft->n));
	for (int32_t i = 0; i < draft->n; i++)
		if (draft->value[i].missing != 0)
			at[i / 8] |= (uint8_t) (1 << (i % 8));
	return at + eb_profile_bitmap_size(draft->n);
}

static void
write_runs(const EbProfileDraft *draft, int32_t nruns, uint8_t *at)
{
	int32_t i = 0;

	memcpy(at, &nruns, 4);
	at += 4;
	for (int32_t run = 0; run < nruns; run++, at += 8)
	{
		int32_t quality = draft->value[i].quality;
		int32_t count = 0;

		for (; i < draft->n && draft->value[i].quality == quality; i++)
			count++;
		memcpy(at, &count, 4);
		memcpy(at + 4, &quality, 4);
	}
}

void
eb_profile_write(const EbProfileDraft *draft, uint8_t *bytes)
{
	Measure found = measure(draft);
	uint8_t *at = bytes + EB_PROFILE_HEADER;

	write_header(draft, &found, bytes);
	if (found.width > 0)
		for (int32_t i = 0; i < draft->n; i++, at += found.width)
			write_offset(at, found.width,
						 draft->value[i].missing != 0
							 ? 0
							 : (uint64_t) (draft->value[i].energy_wh - found.base_wh));
	if (found.nmissing > 0)
		at = write_missing(draft, at);
	if (found.nruns > 0)
		write_runs(draft, found.nruns, at);
}
