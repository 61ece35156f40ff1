/*
 * usage_sum.c -- energy summed by part and period
 * In:  intervals with their energy (src/pg/usage_agg.c), differences of registers (register.c).
 * Out: sums for usage_finish.c, the same whatever the order of the rows.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include <string.h>

#include "rating/fault.h"
#include "rating/usage_sum.h"

/* ---------------------------------------------------------------- segments */

/* Takes the prices at an instant, and ends the segment where one of them does. */
static void
enter_prices(const EbVersionSum *version, const EbTariff *tariff, int64_t at_us)
{
	EbRowSum *rows = version->rows;
	const EbSeries *series = EB_ARRAY(tariff, EbSeries, tariff->series);

	for (int i = 0; i < tariff->series.n; i++)
	{
		const EbPoint *point = EB_ARRAY(tariff, EbPoint, series[i].point);
		int low = 0;
		int high = series[i].point.n;

		if (((version->layout->series >> i) & 1) == 0)
			continue;
		while (low < high)
		{
			int middle = low + (high - low) / 2;

			if (point[middle].at_us <= at_us)
				low = middle + 1;
			else
				high = middle;
		}
		rows->price_n[i] = low > 0 ? point[low - 1].price_n : EB_NO_PRICE;
		if (low > 0 && rows->segment.from_us < point[low - 1].at_us)
			rows->segment.from_us = point[low - 1].at_us;
		if (low < series[i].point.n && rows->segment.to_us > point[low].at_us)
			rows->segment.to_us = point[low].at_us;
	}
}

/* Makes the segment of an instant the one that eb_usage_put() adds to */
static EbStatus
enter_segment(EbVersionSum *version, const EbMemory *memory, const EbClassifier *by, int64_t at_us,
			  EbFault *fault)
{
	EbRowSum *rows = version->rows;
	const EbSegment *segment;

	if (by->cache->stop != NULL && by->cache->stop())
		return EB_STOPPED;
	segment = eb_tou_find(by->cache, at_us, fault);
	if (segment == NULL)
		return EB_UNKNOWN;
	if (rows->row == NULL || segment->part_day != rows->segment.part_day)
	{
		rows->row = eb_usage_row_of(version, memory, segment->part_day);
		if (rows->row == NULL)
			return EB_NO_SPACE;
	}
	rows->segment = *segment;
	if (rows->segment.from_us < by->from_us)
		rows->segment.from_us = by->from_us;
	if (rows->segment.to_us > by->to_us)
		rows->segment.to_us = by->to_us;
	if (version->layout->series != 0)
		enter_prices(version, by->tariff, at_us);
	return EB_OK;
}

/* May the same energy cost something else in the one than in the other? */
static bool
price_may_differ(const EbClassifier *by, const EbSegment *a, const EbSegment *b)
{
	EbSegment moved = *a;

	moved.part_day = b->part_day;
	return by->layout.series != 0 || !eb_segment_same(by->tariff, &moved, b) ||
		   (a->part_day != b->part_day && eb_parts_matter(by->tariff));
}

/* ---------------------------------------------------------------- adding */

/* Adds energy x price of what lies in the segment. */
static EbStatus
put_money(const EbRowSum *now, const EbClassifier *by, const EbUsageRow *row, int64_t energy_ukwh,
		  EbFault *fault)
{
	const EbChannelLayout *channel = &now->layout->channel[row->channel];
	const EbSeries *series = EB_ARRAY(by->tariff, EbSeries, by->tariff->series);

	for (int i = 0; i < channel->nmoney; i++)
	{
		const EbMoneyPlane *money = &channel->money[i];
		int64_t price_n = money->of_row ? row->price_n : now->price_n[money->series];
		EbSlice name = series[money->series].name;

		if (price_n == EB_NO_PRICE)
		{
			eb_fault_set(fault, EB_UNKNOWN, "price of an interval is not known",
						 money->of_row ? "Give usage() the price of each row."
									   : "The series must begin before the first interval.");
			return eb_fault_detail(fault, EB_UNKNOWN, "Series \"%.*s\" has none there.", name.n,
								   EB_ARRAY(by->tariff, char, name));
		}
		for (int j = 0; j < now->layout->nschedules; j++)
			if (!eb_money_add(now->row + money->at + 2 * now->segment.slot[j],
							  (eb_int128) energy_ukwh * price_n))
				return eb_usage_overflow(fault);
	}
	return EB_OK;
}

/* Keeps a piece, or makes the last one longer that began in the same period. */
static bool
put_piece(EbRowSum *rows, const EbMemory *memory, EbPiece piece, bool goes_on)
{
	EbPiece *room;

	if (goes_on)
	{
		rows->piece[rows->npieces - 1].energy_ukwh += piece.energy_ukwh;
		return true;
	}
	room = eb_memory_room(memory, rows->piece, &rows->piece_capacity, (int64_t) rows->npieces + 1,
						  sizeof(EbPiece));
	if (room == NULL)
		return false;
	rows->piece = room;
	rows->piece[rows->npieces++] = piece;
	return true;
}

/* Adds what the spread has before end_us, all of it time of one version. */
static EbStatus
add_to_version(EbRowSum *now, const EbMemory *memory, const EbClassifier *by, EbUsageRow *row,
			   EbSpread *spread, int64_t end_us, EbFault *fault)
{
	bool keeps = now->layout->in_order && row->channel == EB_IMPORT_KWH;
	bool goes_on = false;

	while (spread->at_us < end_us)
	{
		EbPiece piece = {spread->at_us, spread->from_us, 0};
		EbStatus status = EB_OK;
		int64_t to_us;

		if (now->row == NULL || piece.at_us < now->segment.from_us ||
			piece.at_us >= now->segment.to_us)
		{
			EbSegment last = now->segment;

			status = enter_segment(now->version, memory, by, piece.at_us, fault);
			if (status != EB_OK)
				return status;
			if (piece.at_us > row->from_us && price_may_differ(by, &last, &now->segment))
				row->crossed = 1;
			goes_on = goes_on && eb_segment_same(by->tariff, &last, &now->segment);
		}
		to_us = now->segment.to_us < end_us ? now->segment.to_us : end_us;
		piece.energy_ukwh = eb_spread_take(spread, to_us);
		if (now->layout->channel[row->channel].nmoney > 0)
			status = put_money(now, by, row, piece.energy_ukwh, fault);
		if (status != EB_OK)
			return status;
		if (!eb_usage_put(now, row->channel, piece.energy_ukwh, to_us - piece.at_us))
			return eb_usage_overflow(fault);
		if (keeps && !put_piece(now, memory, piece, goes_on))
			return EB_NO_SPACE;
		goes_on = true;
	}
	return EB_OK;
}

/*
 * Feeds the windows of a version. One that begins in its time may end behind it, so the energy of
 * that while is fed, too.
 */
static EbStatus
add_windows(EbVersionSum *version, const EbMemory *memory, const EbClassifier *by,
			const EbUsageRow *row, EbFault *fault)
{
	const EbUsageLayout *layout = version->layout;
	EbStatus status = EB_OK;

	for (int i = 0; i < layout->ntables && status == EB_OK; i++)
	{
		const EbWindowKey *key = &layout->table[i];
		int64_t end_us = row->to_us;
		EbSpread spread = eb_spread(row->from_us, row->to_us, row->energy_ukwh);

		if (((layout->channel[row->channel].tables >> i) & 1) == 0 ||
			(row->guess && row->to_us - row->from_us > key->most_min * EB_MINUTE_US))
			continue;
		if (by->to_us != INT64_MAX &&
			end_us > by->to_us + (key->most_min - key->slide_min) * EB_MINUTE_US)
			end_us = by->to_us + (key->most_min - key->slide_min) * EB_MINUTE_US;
		if (row->from_us < by->from_us && by->from_us < end_us)
			eb_spread_take(&spread, by->from_us);
		if (spread.at_us >= by->from_us)
			status =
				eb_window_add(&version->rows->table[i], memory, by->zone, &spread, end_us, fault);
	}
	return status;
}

static EbStatus
no_version(const EbZone *zone, int64_t at_us, EbFault *fault)
{
	char day[EB_DATE_TEXT];

	eb_fault_set(fault, EB_UNKNOWN, "", "elecbill.tariff_for() gives all versions of a range.");
	eb_format_date(eb_local_day(zone, at_us, NULL), day);
	snprintf(fault->message, sizeof(fault->message), "the tariff has no version of %s", day);
	return EB_UNKNOWN;
}

/* Index of the version that holds the instant, n when none does */
static int
find_version(const EbUsageSum *sum, const EbClassifier *by, int64_t at_us)
{
	int i = sum->now != NULL ? (int) (sum->now->version - sum->of) : 0;

	if (at_us >= by[i].from_us && at_us < by[i].to_us)
		return i;
	for (i = 0; i < sum->n && (at_us < by[i].from_us || at_us >= by[i].to_us);)
		i++;
	return i;
}

void
eb_usage_mark(EbUsageSum *sum, const EbClassifier *by, EbChannel channel, int64_t at_us)
{
	int i = find_version(sum, by, at_us);

	if (i < sum->n && by[i].layout.channel[channel].at != EB_NONE)
		eb_usage_extend(sum, channel, at_us, at_us);
}

EbStatus
eb_usage_add(EbUsageSum *sum, const EbClassifier *by, EbUsageRow *row, EbFault *fault)
{
	EbSpread spread = eb_spread(row->from_us, row->to_us, row->energy_ukwh);
	EbStatus status = EB_OK;

	row->crossed = 0;
	while (spread.at_us < spread.to_us && status == EB_OK)
	{
		int i = find_version(sum, by, spread.at_us);
		int64_t end_us;

		if (i == sum->n)
			return no_version(by->zone, spread.at_us, fault);
		end_us = by[i].to_us < spread.to_us ? by[i].to_us : spread.to_us;
		if (spread.at_us > row->from_us)
			row->crossed = 1;
		if (by[i].layout.channel[row->channel].at == EB_NONE)
		{
			eb_spread_take(&spread, end_us);
			continue;
		}
		eb_usage_extend(sum, row->channel, spread.at_us, end_us);
		sum->now = eb_usage_rows(&sum->of[i], &sum->memory);
		if (sum->now == NULL)
			return EB_NO_SPACE;
		status = add_to_version(sum->now, &sum->memory, &by[i], row, &spread, end_us, fault);
	}
	for (int i = 0; i < sum->n && status == EB_OK; i++)
		status = add_windows(&sum->of[i], &sum->memory, &by[i], row, fault);
	return status;
}

/* ---------------------------------------------------------------- merging */

static EbStatus
merge_cells(int64_t *row, const int64_t *add, const EbUsageLayout *layout, EbFault *fault)
{
	for (int i = 0; i < layout->nenergy; i++)
		if (!eb_add64(row[i], add[i], &row[i]))
			return eb_usage_overflow(fault);
	for (int i = layout->nenergy; i < layout->ncells; i += 2)
		if (!eb_money_add(row + i, eb_money_cells(add + i)))
			return eb_usage_overflow(fault);
	return EB_OK;
}

static bool
merge_pieces(EbVersionSum *into, const EbMemory *memory, const EbVersionSum *from)
{
	const EbRowSum *add = from->rows;
	EbRowSum *rows;
	EbPiece *room;

	if (add == NULL || add->npieces == 0)
		return true;
	rows = eb_usage_rows(into, memory);
	if (rows == NULL)
		return false;
	room = eb_memory_room(memory, rows->piece, &rows->piece_capacity,
						  (int64_t) rows->npieces + add->npieces, sizeof(EbPiece));
	if (room == NULL)
		return false;
	rows->piece = room;
	memcpy(room + rows->npieces, add->piece, (size_t) add->npieces * sizeof(EbPiece));
	rows->npieces += add->npieces;
	return true;
}

static EbStatus
merge_version(EbVersionSum *into, const EbMemory *memory, const EbVersionSum *from, EbFault *fault)
{
	EbStatus status = EB_OK;

	for (int part = 0; part < from->nparts && status == EB_OK; part++)
	{
		size_t stride = (size_t) into->layout->ncells;
		int64_t *row = eb_usage_row_of(into, memory, from->part_day[part]);

		if (row == NULL)
			return EB_NO_SPACE;
		status = merge_cells(row, from->cell + (size_t) part * stride, into->layout, fault);
	}
	eb_usage_forget_row(into);
	for (int i = 0; i < EB_NCHANNELS && status == EB_OK; i++)
		if (!eb_add64(into->covered_us[i], from->covered_us[i], &into->covered_us[i]))
			status = eb_usage_overflow(fault);
	for (int i = 0; i < into->layout->ntables && status == EB_OK; i++)
		status = eb_window_merge(&into->rows->table[i], memory, &from->rows->table[i], fault);
	if (status == EB_OK && !merge_pieces(into, memory, from))
		status = EB_NO_SPACE;
	return status;
}

EbStatus
eb_usage_sum_merge(EbUsageSum *into, const EbUsageSum *from, EbFault *fault)
{
	EbStatus status = EB_OK;

	for (int i = 0; i < into->n && status == EB_OK; i++)
		status = merge_version(&into->of[i], &into->memory, &from->of[i], fault);
	if (from->from_us < into->from_us)
		into->from_us = from->from_us;
	if (from->to_us > into->to_us)
		into->to_us = from->to_us;
	into->channels |= from->channels;
	if (from->quality > into->quality)
		into->quality = from->quality;
	if (status == EB_OK && !eb_add64(into->held, from->held, &into->held))
		status = eb_usage_overflow(fault);
	return status;
}
