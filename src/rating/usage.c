/*
 * usage.c -- energy summed by part and period
 * In:  intervals with their energy (src/pg/usage_agg.c), differences of registers (register.c).
 * Out: EbUsage for rate.c.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include <string.h>

#include "rating/fault.h"
#include "rating/usage.h"

EbStatus
eb_usage_overflow(EbFault *fault)
{
	return eb_fault_set(fault, EB_OUT_OF_RANGE, "energy is out of range",
						"A sum must stay below 9223372036854 kWh.");
}

EbStatus
eb_usage_conflict(EbFault *fault)
{
	return eb_fault_set(fault, EB_CONFLICT, "usage was classified by different tariffs",
						"Sum all of it with the tariff it is to be rated by.");
}

int64_t
eb_spread_take(EbSpread *spread, int64_t end_us)
{
	int64_t until = spread->energy_ukwh;
	int64_t piece;

	/* a share is never larger than the whole, so it fits */
	if (end_us < spread->to_us)
		until = (int64_t) eb_div_round((eb_int128) spread->energy_ukwh * (end_us - spread->from_us),
									   spread->to_us - spread->from_us, EB_HALF_UP);
	piece = until - spread->done_ukwh;
	spread->done_ukwh = until;
	spread->at_us = end_us;
	return piece;
}

void
eb_usage_sum_init(EbUsageSum *sum, int nslots, int nschedules)
{
	memset(sum, 0, sizeof(*sum));
	sum->from_us = INT64_MAX;
	sum->to_us = INT64_MIN;
	sum->nslots = nslots > 0 ? nslots : 1;
	sum->nschedules = nschedules > 0 ? nschedules : 1;
}

void
eb_usage_sum_grow(EbUsageSum *sum, int32_t capacity, int32_t *part_day, int64_t *cell)
{
	size_t parts = (size_t) sum->nparts;

	if (parts > 0)
	{
		memcpy(part_day, sum->part_day, parts * sizeof(*part_day));
		memcpy(cell, sum->cell, parts * (size_t) eb_usage_stride(sum) * sizeof(*cell));
	}
	if (sum->row != NULL)
		sum->row = cell + (sum->row - sum->cell);
	sum->part_day = part_day;
	sum->cell = cell;
	sum->capacity = capacity;
}

/* Index of the part, or where it belongs */
static int
find_part(const int32_t *part_day, int n, int32_t day)
{
	int low = 0;
	int high = n;

	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (part_day[middle] < day)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Row of a part, made when it is new; NULL when there is no room. Rows may move. */
static int64_t *
part_row(EbUsageSum *sum, int32_t day)
{
	int at = find_part(sum->part_day, sum->nparts, day);
	size_t stride = (size_t) eb_usage_stride(sum);
	int64_t *row = sum->cell + (size_t) at * stride;

	if (at < sum->nparts && sum->part_day[at] == day)
		return row;
	if (sum->nparts == sum->capacity)
		return NULL;
	memmove(sum->part_day + at + 1, sum->part_day + at,
			(size_t) (sum->nparts - at) * sizeof(*sum->part_day));
	memmove(row + stride, row, (size_t) (sum->nparts - at) * stride * sizeof(*row));
	memset(row, 0, stride * sizeof(*row));
	sum->part_day[at] = day;
	sum->nparts++;
	return row;
}

/* Makes the segment of an instant the one that eb_usage_put() adds to */
static EbStatus
enter_segment(EbUsageSum *sum, EbTouCache *cache, int64_t at_us, EbFault *fault)
{
	const EbSegment *segment;
	int64_t *row;

	if (cache->stop != NULL && cache->stop())
		return EB_STOPPED;
	segment = eb_tou_find(cache, at_us, fault);
	if (segment == NULL)
		return EB_UNKNOWN;
	if (sum->row == NULL || segment->part_day != sum->segment.part_day)
	{
		row = part_row(sum, segment->part_day);
		if (row == NULL)
			return EB_NO_SPACE;
		sum->row = row;
	}
	sum->segment = *segment;
	return EB_OK;
}

/* May the same energy cost something else in the one than in the other? */
static bool
price_may_differ(const EbTariff *tariff, const EbSegment *a, const EbSegment *b)
{
	EbSegment moved = *a;

	moved.part_day = b->part_day;
	return !eb_segment_same(tariff, &moved, b) ||
		   (a->part_day != b->part_day && eb_parts_matter(tariff));
}

EbStatus
eb_usage_add(EbUsageSum *sum, EbTouCache *cache, EbSpread *spread, EbFault *fault)
{
	eb_usage_extend(sum, spread->from_us, spread->to_us);
	while (spread->at_us < spread->to_us)
	{
		int64_t from_us = spread->at_us;
		int64_t end_us;

		if (!eb_usage_is_near(sum, from_us, 0))
		{
			EbSegment last = sum->segment;
			EbStatus status = enter_segment(sum, cache, from_us, fault);

			if (status != EB_OK)
				return status;
			if (from_us > spread->from_us && price_may_differ(cache->tariff, &last, &sum->segment))
				spread->crossed = true;
		}
		end_us = sum->segment.to_us < spread->to_us ? sum->segment.to_us : spread->to_us;
		if (!eb_usage_put(sum, eb_spread_take(spread, end_us), end_us - from_us))
			return eb_usage_overflow(fault);
	}
	return EB_OK;
}

EbStatus
eb_usage_sum_merge(EbUsageSum *into, const EbUsageSum *from, EbFault *fault)
{
	int stride = eb_usage_stride(into);

	for (int part = 0; part < from->nparts; part++)
	{
		const int64_t *add = from->cell + (size_t) part * (size_t) stride;
		int64_t *row = part_row(into, from->part_day[part]);

		for (int i = 0; i < stride; i++)
			if (!eb_add64(row[i], add[i], &row[i]))
				return eb_usage_overflow(fault);
	}
	into->row = NULL;
	eb_usage_extend(into, from->from_us, from->to_us);
	if (from->quality > into->quality)
		into->quality = from->quality;
	if (!eb_add64(into->held, from->held, &into->held))
		return eb_usage_overflow(fault);
	return EB_OK;
}

EbStatus
eb_usage_finish(const EbUsageSum *sum, int64_t *energy_ukwh, EbUsage *usage, EbFault *fault)
{
	int64_t missing_us = sum->to_us - sum->from_us;

	for (int part = 0; part < sum->nparts; part++)
	{
		const int64_t *row = sum->cell + (size_t) part * (size_t) eb_usage_stride(sum);

		memcpy(energy_ukwh + (size_t) part * (size_t) sum->nslots, row,
			   (size_t) sum->nslots * sizeof(*row));
		/* overlapping intervals may cover more than there is */
		missing_us = missing_us > row[sum->nslots] ? missing_us - row[sum->nslots] : 0;
	}
	if (sum->held > INT32_MAX)
		return eb_usage_overflow(fault);
	memset(usage, 0, sizeof(*usage));
	usage->from_us = sum->from_us;
	usage->to_us = sum->to_us;
	usage->missing_s = missing_us / EB_SECOND_US + (missing_us % EB_SECOND_US > 0 ? 1 : 0);
	usage->held = (int32_t) sum->held;
	usage->quality = usage->missing_s > 0 ? EB_MISSING : sum->quality;
	usage->nparts = sum->nparts;
	usage->nslots = sum->nslots;
	usage->part_day = sum->part_day;
	usage->energy_ukwh = energy_ukwh;
	return EB_OK;
}

/* The parts of a and b in order, those of the same day added */
static bool
merge_parts(const EbUsage *a, const EbUsage *b, int32_t *part_day, int64_t *energy_ukwh, int *n)
{
	size_t nslots = (size_t) a->nslots;
	int i = 0;
	int j = 0;

	for (*n = 0; i < a->nparts || j < b->nparts; (*n)++)
	{
		bool take_a = i < a->nparts && (j == b->nparts || a->part_day[i] <= b->part_day[j]);
		bool take_b = j < b->nparts && (i == a->nparts || b->part_day[j] <= a->part_day[i]);
		const int64_t *from_a = a->energy_ukwh + (size_t) i * nslots;
		const int64_t *from_b = b->energy_ukwh + (size_t) j * nslots;

		part_day[*n] = take_a ? a->part_day[i] : b->part_day[j];
		for (size_t slot = 0; slot < nslots; slot++)
			if (!eb_add64(take_a ? from_a[slot] : 0, take_b ? from_b[slot] : 0,
						  &energy_ukwh[(size_t) *n * nslots + slot]))
				return false;
		i += take_a ? 1 : 0;
		j += take_b ? 1 : 0;
	}
	return true;
}

/* The range of both; one without a range gives way */
static void
merge_range(const EbUsage *a, const EbUsage *b, EbUsage *usage)
{
	bool only_b = a->from_us == INT64_MIN;
	bool only_a = b->from_us == INT64_MIN;

	usage->from_us = only_b || (!only_a && b->from_us < a->from_us) ? b->from_us : a->from_us;
	usage->to_us = only_b || (!only_a && b->to_us > a->to_us) ? b->to_us : a->to_us;
}

EbStatus
eb_usage_merge(const EbUsage *a, const EbUsage *b, int32_t *part_day, int64_t *energy_ukwh,
			   EbUsage *usage, EbFault *fault)
{
	int nparts;

	if (memcmp(a->fingerprint, b->fingerprint, EB_FINGERPRINT_SIZE) != 0 || a->nslots != b->nslots)
		return eb_usage_conflict(fault);
	*usage = *a;
	merge_range(a, b, usage);
	if (!merge_parts(a, b, part_day, energy_ukwh, &nparts) ||
		!eb_add64(a->missing_s, b->missing_s, &usage->missing_s) || a->held > INT32_MAX - b->held)
		return eb_usage_overflow(fault);
	usage->held = a->held + b->held;
	usage->quality = a->quality > b->quality ? a->quality : b->quality;
	usage->days_u = a->days_u > b->days_u ? a->days_u : b->days_u;
	usage->months_u = a->months_u > b->months_u ? a->months_u : b->months_u;
	usage->nparts = nparts;
	usage->part_day = part_day;
	usage->energy_ukwh = energy_ukwh;
	return EB_OK;
}

int
eb_usage_count_parts(const EbTariff *tariff, const EbZone *zone, int64_t from_us, int64_t to_us)
{
	/* a zone change may lead back over a midnight: one day more at both ends */
	int32_t last = eb_local_day(zone, to_us, NULL) + 1;
	int32_t day = eb_local_day(zone, from_us, NULL) - 1;
	int n = 0;

	for (; day <= last; day = eb_part_range(tariff, day).to)
		n++;
	return n;
}
