/*
 * window.c -- energy in windows of equal length, for the power of a demand
 * In:  intervals of one channel in any order (usage_sum.c), or those of max_demand().
 * Out: windows without a gap, in order of time.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include <string.h>

#include "rating/fault.h"
#include "rating/window.h"

/* The sum of two of these, times 120, has a square within 128 bits. */
#define MAX_APPARENT_UKWH (INT64_C(1) << 55)

/* ---------------------------------------------------------------- adding */

/* Index of the first day that ends after the instant */
static int
find_day(const EbWindowTable *table, int64_t at_us)
{
	int low = 0;
	int high = table->ndays;

	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (table->day[middle].to_us <= at_us)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Puts a day without energy at its place; false when there is no room. */
static bool
insert_day(EbWindowTable *table, const EbMemory *memory, int at, int64_t from_us, int64_t to_us)
{
	int64_t n = (to_us - from_us + table->slide_us - 1) / table->slide_us;
	EbBucket *bucket = eb_memory_room(memory, table->bucket, &table->bucket_capacity,
									  table->nbuckets + n, sizeof(EbBucket));
	EbWindowDay *day;

	if (bucket == NULL)
		return false;
	table->bucket = bucket;
	day = eb_memory_room(memory, table->day, &table->day_capacity, table->ndays + 1,
						 sizeof(EbWindowDay));
	if (day == NULL)
		return false;
	table->day = day;
	memmove(day + at + 1, day + at, (size_t) (table->ndays - at) * sizeof(*day));
	day[at] = (EbWindowDay){from_us, to_us, table->nbuckets, (int32_t) n};
	memset(bucket + table->nbuckets, 0, (size_t) n * sizeof(*bucket));
	table->nbuckets += (int32_t) n;
	table->ndays++;
	return true;
}

/*
 * The day from midnight to midnight that holds the instant. Where a clock is set back over
 * midnight a date comes back for a while: that time belongs to the day that had begun.
 */
static bool
make_day(EbWindowTable *table, const EbMemory *memory, const EbZone *zone, int at, int64_t at_us)
{
	int32_t date = eb_local_day(zone, at_us, NULL);

	while (eb_day_start(zone, date) > at_us)
		date--;
	while (eb_day_start(zone, date + 1) <= at_us)
		date++;
	return insert_day(table, memory, at, eb_day_start(zone, date), eb_day_start(zone, date + 1));
}

/* The day of an instant, made when it is new; NULL when there is no room */
static const EbWindowDay *
day_of(EbWindowTable *table, const EbMemory *memory, const EbZone *zone, int64_t at_us)
{
	int at = table->last;

	if (at < table->ndays && at_us >= table->day[at].from_us && at_us < table->day[at].to_us)
		return &table->day[at];
	at = find_day(table, at_us);
	if ((at == table->ndays || at_us < table->day[at].from_us) &&
		!make_day(table, memory, zone, at, at_us))
		return NULL;
	table->last = at;
	return &table->day[at];
}

EbStatus
eb_window_add(EbWindowTable *table, const EbMemory *memory, const EbZone *zone, EbSpread *spread,
			  int64_t end_us, EbFault *fault)
{
	while (spread->at_us < end_us)
	{
		const EbWindowDay *day = day_of(table, memory, zone, spread->at_us);
		int64_t from_us = spread->at_us;
		int64_t to_us;
		int64_t index;
		EbBucket *bucket;

		if (day == NULL)
			return EB_NO_SPACE;
		index = (from_us - day->from_us) / table->slide_us;
		to_us = day->from_us + (index + 1) * table->slide_us;
		to_us = to_us < day->to_us ? to_us : day->to_us;
		to_us = to_us < end_us ? to_us : end_us;
		bucket = &table->bucket[day->first + index];
		if (!eb_add64(bucket->energy_ukwh, eb_spread_take(spread, to_us), &bucket->energy_ukwh) ||
			!eb_add64(bucket->covered_us, to_us - from_us, &bucket->covered_us))
			return eb_usage_overflow(fault);
	}
	return EB_OK;
}

EbStatus
eb_window_merge(EbWindowTable *into, const EbMemory *memory, const EbWindowTable *from,
				EbFault *fault)
{
	for (int i = 0; i < from->ndays; i++)
	{
		const EbWindowDay *day = &from->day[i];
		const EbBucket *add = from->bucket + day->first;
		int at = find_day(into, day->from_us);
		EbBucket *bucket;

		if ((at == into->ndays || into->day[at].from_us != day->from_us) &&
			!insert_day(into, memory, at, day->from_us, day->to_us))
			return EB_NO_SPACE;
		bucket = into->bucket + into->day[at].first;
		for (int j = 0; j < day->n; j++)
			if (!eb_add64(bucket[j].energy_ukwh, add[j].energy_ukwh, &bucket[j].energy_ukwh) ||
				!eb_add64(bucket[j].covered_us, add[j].covered_us, &bucket[j].covered_us))
				return eb_usage_overflow(fault);
	}
	return EB_OK;
}

/* ---------------------------------------------------------------- reading */

static void
enter_day(const EbWindowReader *reader, EbWindowPlace *place)
{
	const EbWindowTable *other = reader->reactive;
	const EbWindowDay *day = &reader->active->day[place->day];
	int at;

	place->bucket = 0;
	place->other = EB_NONE;
	if (other == NULL || place->day == reader->active->ndays)
		return;
	at = find_day(other, day->from_us);
	if (at < other->ndays && other->day[at].from_us == day->from_us)
		place->other = other->day[at].first;
}

static void
advance(const EbWindowReader *reader, EbWindowPlace *place)
{
	if (++place->bucket < reader->active->day[place->day].n)
		return;
	place->day++;
	enter_day(reader, place);
}

static int64_t
place_us(const EbWindowReader *reader, const EbWindowPlace *place)
{
	return reader->active->day[place->day].from_us + place->bucket * reader->active->slide_us;
}

/* The energies of the bucket at a place; false when it has a gap in one of them, or is short */
static bool
read_bucket(const EbWindowReader *reader, const EbWindowPlace *place, int64_t *active,
			int64_t *reactive)
{
	const EbWindowTable *table = reader->active;
	const EbWindowDay *day = &table->day[place->day];
	const EbBucket *bucket = &table->bucket[day->first + place->bucket];

	*active = bucket->energy_ukwh;
	*reactive = 0;
	if (bucket->covered_us < table->slide_us ||
		place_us(reader, place) > day->to_us - table->slide_us)
		return false;
	if (reader->reactive == NULL)
		return true;
	if (place->other == EB_NONE)
		return false;
	bucket = &reader->reactive->bucket[place->other + place->bucket];
	*reactive = bucket->energy_ukwh;
	return bucket->covered_us >= table->slide_us;
}

EbWindowReader
eb_window_open(const EbWindowTable *active, const EbWindowTable *reactive, int window_min)
{
	EbWindowReader reader = {.active = active, .reactive = reactive};

	reader.nbuckets = (int) (window_min * EB_MINUTE_US / active->slide_us);
	enter_day(&reader, &reader.head);
	reader.tail = reader.head;
	return reader;
}

/* Takes the bucket at the head, or forgets what is held where there is a gap */
static void
take_head(EbWindowReader *reader)
{
	int64_t from_us = place_us(reader, &reader->head);
	int64_t active;
	int64_t reactive;
	bool full = read_bucket(reader, &reader->head, &active, &reactive);

	if (!full || (reader->nheld > 0 && from_us != reader->head_us))
	{
		reader->nheld = 0;
		reader->active_ukwh = reader->reactive_ukwh = 0;
	}
	if (full)
	{
		if (reader->nheld++ == 0)
			reader->tail = reader->head;
		reader->active_ukwh += active;
		reader->reactive_ukwh += reactive;
		reader->head_us = from_us + reader->active->slide_us;
	}
	advance(reader, &reader->head);
}

/* Lets the first bucket of a whole window go */
static void
drop_tail(EbWindowReader *reader)
{
	int64_t active;
	int64_t reactive;

	read_bucket(reader, &reader->tail, &active, &reactive);
	reader->active_ukwh -= active;
	reader->reactive_ukwh -= reactive;
	reader->nheld--;
	advance(reader, &reader->tail);
}

bool
eb_window_next(EbWindowReader *reader, EbWindow *window, EbStatus *status)
{
	*status = EB_OK;
	if (reader->nheld == reader->nbuckets)
		drop_tail(reader);
	while (reader->nheld < reader->nbuckets)
	{
		if (reader->head.day == reader->active->ndays)
			return false;
		take_head(reader);
	}
	if (reader->active_ukwh > INT64_MAX || reader->reactive_ukwh > INT64_MAX)
	{
		*status = EB_OUT_OF_RANGE;
		return false;
	}
	window->from_us = place_us(reader, &reader->tail);
	window->active_ukwh = (int64_t) reader->active_ukwh;
	window->reactive_ukwh = (int64_t) reader->reactive_ukwh;
	return true;
}

/* ---------------------------------------------------------------- power */

bool
eb_window_power(int64_t energy_ukwh, int window_min, int64_t *ukw)
{
	return eb_muldiv64(energy_ukwh, 60, window_min, ukw);
}

bool
eb_window_apparent(int64_t active_ukwh, int64_t reactive_ukwh, int window_min, int64_t *ukva)
{
	eb_int128 sum;
	int64_t low = 0;
	int64_t high;

	if (active_ukwh > MAX_APPARENT_UKWH || reactive_ukwh > MAX_APPARENT_UKWH)
		return false;
	sum = (eb_int128) active_ukwh * active_ukwh + (eb_int128) reactive_ukwh * reactive_ukwh;

	/* the largest n with n - 1/2 <= 60 sqrt(sum) / minutes, or (2n - 1) minutes <= 120 sqrt(sum) */
	high = (active_ukwh + reactive_ukwh) * 60 / window_min + 1;
	while (low < high)
	{
		int64_t middle = low + (high - low + 1) / 2;
		eb_int128 left = (eb_int128) (2 * middle - 1) * window_min;

		if (left * left <= sum * 14400)
			low = middle;
		else
			high = middle - 1;
	}
	*ukva = low;
	return true;
}
