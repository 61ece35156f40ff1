/*
 * usage_finish.c -- a sum becomes usage: peaks from windows, pieces in order, missing time
 * In:  sums (usage_sum.c) of all rows of a group.
 * Out: EbUsage for rate.c.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include <string.h>

#include "rating/fault.h"
#include "rating/peak.h"
#include "rating/usage_sum.h"

/* ---------------------------------------------------------------- pieces */

static bool
comes_before(const EbPiece *a, const EbPiece *b)
{
	return a->at_us < b->at_us || (a->at_us == b->at_us && a->interval_us < b->interval_us);
}

/* Lets the element at root sink to its place in the heap of n, whose top comes last. */
static void
sift_down(EbPiece *piece, int32_t root, int32_t n)
{
	EbPiece moved = piece[root];

	while (root <= n / 2 - 1)
	{
		int32_t child = 2 * root + 1;

		if (child + 1 < n && comes_before(&piece[child], &piece[child + 1]))
			child++;
		if (!comes_before(&moved, &piece[child]))
			break;
		piece[root] = piece[child];
		root = child;
	}
	piece[root] = moved;
}

static void
sort_pieces(EbPiece *piece, int32_t n)
{
	int32_t sorted = n > 0 ? 1 : 0;

	while (sorted < n && !comes_before(&piece[sorted], &piece[sorted - 1]))
		sorted++;
	if (sorted == n)
		return;
	for (int32_t root = n / 2; root-- > 0;)
		sift_down(piece, root, n);
	for (int32_t last = n - 1; last > 0; last--)
	{
		EbPiece first = piece[0];

		piece[0] = piece[last];
		piece[last] = first;
		sift_down(piece, 0, last);
	}
}

/* Sorts, and makes one of pieces of the same instant and interval; returns how many are left. */
static int32_t
collect_pieces(EbPiece *piece, int32_t n, bool *in_range)
{
	int32_t kept = 0;

	*in_range = true;
	sort_pieces(piece, n);
	for (int32_t i = 0; i < n; i++)
	{
		if (kept == 0 || comes_before(&piece[kept - 1], &piece[i]))
			piece[kept++] = piece[i];
		else if (!eb_add64(piece[kept - 1].energy_ukwh, piece[i].energy_ukwh,
						   &piece[kept - 1].energy_ukwh))
			*in_range = false;
	}
	return kept;
}

static EbStatus
finish_pieces(const EbVersionSum *version, const EbMemory *memory, EbUsage *usage, EbFault *fault)
{
	const EbRowSum *rows = version->rows;
	size_t size;
	bool in_range;

	if (rows == NULL || rows->npieces == 0)
		return EB_OK;
	size = (size_t) rows->npieces * sizeof(EbPiece);
	usage->piece = memory->resize(memory->arg, NULL, size);
	if (usage->piece == NULL)
		return EB_NO_SPACE;
	memcpy(usage->piece, rows->piece, size);
	usage->npieces = collect_pieces(usage->piece, rows->npieces, &in_range);
	return in_range ? EB_OK : eb_usage_overflow(fault);
}

/* ---------------------------------------------------------------- peaks */

static const EbWindowTable *
find_table(const EbVersionSum *version, EbChannel channel, int slide_min)
{
	int i = 0;

	while (version->layout->table[i].channel != (int) channel ||
		   version->layout->table[i].slide_min != slide_min)
		i++;
	return &version->rows->table[i];
}

static EbWindowReader
open_windows(const EbVersionSum *version, const EbDemand *demand)
{
	EbChannel channel = EB_IMPORT_KWH;
	const EbWindowTable *reactive = NULL;

	if (demand->quantity == EB_EXPORT_KW)
		channel = EB_EXPORT_KWH;
	if (demand->quantity == EB_IMPORT_KVAR)
		channel = EB_IMPORT_KVARH;
	if (demand->quantity == EB_IMPORT_KVA)
		reactive = find_table(version, EB_IMPORT_KVARH, demand->slide_min);
	return eb_window_open(find_table(version, channel, demand->slide_min), reactive,
						  demand->window_min);
}

static bool
event_holds(const EbTariff *tariff, int event, int64_t at_us)
{
	EbSlice slice;
	const EbInstantRange *range;

	if (event == EB_NONE)
		return true;
	slice = EB_ARRAY(tariff, EbEvent, tariff->event)[event].range;
	range = EB_ARRAY(tariff, EbInstantRange, slice);
	for (int i = 0; i < slice.n; i++)
		if (at_us >= range[i].from_us && at_us < range[i].to_us)
			return true;
	return false;
}

/* Does a window that begins there count for the demand? */
static bool
demand_holds(const EbClassifier *by, const EbDemand *demand, const EbSegment *segment,
			 int64_t at_us)
{
	int32_t day;

	if (at_us < by->from_us || at_us >= by->to_us || !event_holds(by->tariff, demand->event, at_us))
		return false;
	if (demand->schedule != EB_NONE &&
		((demand->slots >> segment->slot[demand->schedule]) & 1) == 0)
		return false;
	if (demand->months == 0 && demand->seasons == 0)
		return true;
	day = eb_local_day(by->zone, at_us, NULL);
	return (demand->months == 0 || ((demand->months >> eb_date_from_day(day).month) & 1) != 0) &&
		   (demand->seasons == 0 || ((demand->seasons >> eb_season_of(by->tariff, day)) & 1) != 0);
}

static bool
window_power(const EbDemand *demand, const EbWindow *window, int64_t *ukw)
{
	if (demand->quantity == EB_IMPORT_KVA)
		return eb_window_apparent(window->active_ukwh, window->reactive_ukwh, demand->window_min,
								  ukw);
	return eb_window_power(window->active_ukwh, demand->window_min, ukw);
}

/* The highest windows of one demand */
static EbStatus
find_peaks(const EbVersionSum *version, const EbClassifier *by, const EbMemory *memory, int index,
		   EbPeakList *list, EbFault *fault)
{
	const EbDemand *demand = EB_ARRAY(by->tariff, EbDemand, by->tariff->demand) + index;
	EbWindowReader reader = open_windows(version, demand);
	EbSegment segment = {.from_us = 0, .to_us = 0};
	EbWindow window;
	EbStatus status;

	list->first = list->n;
	list->keep = demand->top_mean ? demand->n : 1;
	list->distinct = demand->top_mean ? (EbDistinct) demand->distinct : EB_DISTINCT_WINDOW;
	while (eb_window_next(&reader, &window, &status))
	{
		EbPeak peak = {.demand = index, .at_us = window.from_us};

		if (window.from_us < segment.from_us || window.from_us >= segment.to_us)
		{
			const EbSegment *found;

			if (by->cache->stop != NULL && by->cache->stop())
				return EB_STOPPED;
			found = eb_tou_find(by->cache, window.from_us, fault);
			if (found == NULL)
				return EB_UNKNOWN;
			segment = *found;
		}
		if (!demand_holds(by, demand, &segment, window.from_us))
			continue;
		peak.part_day = segment.part_day;
		if (!window_power(demand, &window, &peak.ukw))
			return eb_usage_overflow(fault);
		if (!eb_peak_put(list, memory, peak))
			return EB_NO_SPACE;
	}
	return status == EB_OK ? EB_OK : eb_usage_overflow(fault);
}

static EbStatus
finish_peaks(const EbVersionSum *version, const EbClassifier *by, const EbMemory *memory,
			 EbUsage *usage, EbFault *fault)
{
	EbPeakList list = {.zone = by->zone};
	EbStatus status = EB_OK;

	if (version->layout->ntables == 0)
		return EB_OK;
	for (int i = 0; i < by->tariff->demand.n && status == EB_OK; i++)
		status = find_peaks(version, by, memory, i, &list, fault);
	usage->peak = list.peak;
	usage->npeaks = list.n;
	return status;
}

/* ---------------------------------------------------------------- versions */

/* Channels that were added and that the version needs */
static uint32_t
needed_channels(const EbUsageSum *sum, const EbUsageLayout *layout)
{
	uint32_t needed = 0;

	for (int i = 0; i < EB_NCHANNELS; i++)
		if (layout->channel[i].at != EB_NONE)
			needed |= 1u << i;
	return needed & sum->channels;
}

/* Of [from, to), of the channel that lacks most */
static int64_t
missing_s(const EbVersionSum *version, const EbUsage *usage)
{
	int64_t most_us = 0;

	for (int i = 0; i < EB_NCHANNELS; i++)
	{
		int64_t missing_us = usage->to_us - usage->from_us - version->covered_us[i];

		/* overlapping intervals may cover more than there is */
		if (((usage->channels >> i) & 1) != 0 && missing_us > most_us)
			most_us = missing_us;
	}
	return most_us / EB_SECOND_US + (most_us % EB_SECOND_US > 0 ? 1 : 0);
}

/* The range of the sum that is time of a version; none when that is empty */
static void
finish_range(const EbUsageSum *sum, const EbClassifier *by, EbUsage *usage)
{
	usage->from_us = sum->from_us > by->from_us ? sum->from_us : by->from_us;
	usage->to_us = sum->to_us < by->to_us ? sum->to_us : by->to_us;
	if (usage->from_us > usage->to_us || (usage->from_us == usage->to_us && sum->n > 1))
		usage->from_us = usage->to_us = INT64_MIN;
}

static EbStatus
finish_version(const EbUsageSum *sum, int index, const EbClassifier *by, const EbMemory *memory,
			   EbUsage *usage, EbFault *fault)
{
	const EbVersionSum *version = &sum->of[index];
	EbStatus status;

	memset(usage, 0, sizeof(*usage));
	finish_range(sum, by, usage);
	usage->channels = needed_channels(sum, version->layout);
	usage->missing_s = missing_s(version, usage);
	usage->quality = usage->missing_s > 0 ? EB_MISSING : sum->quality;
	usage->nparts = version->nparts;
	usage->nslots = version->layout->nslots;
	usage->ncells = version->layout->ncells;
	usage->pf_u = EB_NO_PF;
	usage->part_day = version->part_day;
	usage->cell = version->cell;
	status = finish_pieces(version, memory, usage, fault);
	if (status != EB_OK)
		return status;
	return finish_peaks(version, by, memory, usage, fault);
}

/* What is known of the whole: that of its versions together */
static EbStatus
finish_whole(const EbUsageSum *sum, EbUsage *sub, EbUsage *usage, EbFault *fault)
{
	memset(usage, 0, sizeof(*usage));
	usage->from_us = sum->from_us <= sum->to_us ? sum->from_us : INT64_MIN;
	usage->to_us = sum->from_us <= sum->to_us ? sum->to_us : INT64_MIN;
	usage->channels = sum->channels;
	usage->quality = sum->quality;
	usage->nslots = 1;
	usage->pf_u = EB_NO_PF;
	usage->sub = sub;
	usage->nsub = sum->n;
	for (int i = 0; i < sum->n; i++)
	{
		if (!eb_add64(usage->missing_s, sub[i].missing_s, &usage->missing_s))
			return eb_usage_overflow(fault);
		if (usage->quality < sub[i].quality)
			usage->quality = sub[i].quality;
	}
	return EB_OK;
}

static EbStatus
finish_versions(const EbUsageSum *sum, const EbClassifier *by, const EbMemory *memory,
				EbUsage *usage, EbFault *fault)
{
	EbUsage *sub = memory->resize(memory->arg, NULL, (size_t) sum->n * sizeof(EbUsage));
	EbStatus status = EB_OK;

	if (sub == NULL)
		return EB_NO_SPACE;
	for (int i = 0; i < sum->n && status == EB_OK; i++)
	{
		status = finish_version(sum, i, &by[i], memory, &sub[i], fault);
		memcpy(sub[i].fingerprint, by[i].tariff->fingerprint, EB_FINGERPRINT_SIZE);
	}
	return status == EB_OK ? finish_whole(sum, sub, usage, fault) : status;
}

EbStatus
eb_usage_finish(const EbUsageSum *sum, const EbClassifier *by, bool versions,
				const EbMemory *memory, EbUsage *usage, EbFault *fault)
{
	EbStatus status;

	if (sum->held > INT32_MAX)
		return eb_usage_overflow(fault);
	status = versions ? finish_versions(sum, by, memory, usage, fault)
					  : finish_version(sum, 0, by, memory, usage, fault);
	usage->held = (int32_t) sum->held;
	return status;
}
