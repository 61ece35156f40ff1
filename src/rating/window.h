/*
 * window.h -- energy in windows of equal length, for the power of a demand
 * Windows are aligned to local midnight and counted in elapsed time. Time is cut into buckets of
 * one slide; a window is a run of them, a block window just one. Buckets stay until the end: only
 * then is it known what lies in each, whatever the order of the rows was.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md.
 */
#ifndef EB_WINDOW_H
#define EB_WINDOW_H

#include "base/memory.h"
#include "rating/usage.h"

typedef struct EbBucket
{
	int64_t energy_ukwh;
	int64_t covered_us; /* by intervals; less than a slide: there is a gap */
} EbBucket;

/* The buckets of a local day; the last is short when the day is no multiple of the slide */
typedef struct EbWindowDay
{
	int64_t from_us; /* midnight to midnight */
	int64_t to_us;
	int32_t first; /* of its buckets */
	int32_t n;
} EbWindowDay;

/* One channel in buckets of one length */
typedef struct EbWindowTable
{
	int64_t slide_us;
	EbWindowDay *day; /* ascending */
	EbBucket *bucket; /* of each day together, days as they came */
	int32_t ndays;
	int32_t day_capacity;
	int32_t nbuckets;
	int32_t bucket_capacity;
	int32_t last; /* the day that was asked for last */
	int32_t unused;
} EbWindowTable;

static inline EbWindowTable
eb_window_table(int slide_min)
{
	return (EbWindowTable){.slide_us = slide_min * EB_MINUTE_US};
}

/* Adds what is left of the spread before end_us. EB_OUT_OF_RANGE: overflow. EB_NO_SPACE: memory. */
extern EbStatus eb_window_add(EbWindowTable *table, const EbMemory *memory, const EbZone *zone,
							  EbSpread *spread, int64_t end_us, EbFault *fault);

/* Adds another table of the same zone and slide. */
extern EbStatus eb_window_merge(EbWindowTable *into, const EbMemory *memory,
								const EbWindowTable *from, EbFault *fault);

/* A window without a gap */
typedef struct EbWindow
{
	int64_t from_us;
	int64_t active_ukwh;
	int64_t reactive_ukwh; /* 0 without a second table */
} EbWindow;

/* Where in a pair of tables */
typedef struct EbWindowPlace
{
	int32_t day;
	int32_t bucket; /* of the day */
	int32_t other;	/* first bucket of the day in the second table; EB_NONE: it has none */
} EbWindowPlace;

/*
 * Walks over the windows of window_min minutes, a multiple of the slide, that both tables hold
 * without a gap. Windows of more than one bucket may end after the midnight of their day.
 */
typedef struct EbWindowReader
{
	const EbWindowTable *active;
	const EbWindowTable *reactive; /* NULL: none */
	int nbuckets;				   /* of a window */
	int nheld;					   /* buckets from tail to before head; each is full */
	EbWindowPlace head;
	EbWindowPlace tail;
	int64_t head_us; /* where the bucket before the head ended; nheld > 0 */
	eb_int128 active_ukwh;
	eb_int128 reactive_ukwh;
} EbWindowReader;

extern EbWindowReader
eb_window_open(const EbWindowTable *active, const EbWindowTable *reactive, int window_min);

/* false: no more windows. EB_OUT_OF_RANGE in *status: the energy of one leaves 64 bits. */
extern bool eb_window_next(EbWindowReader *reader, EbWindow *window, EbStatus *status);

/* kW of energy in a window, half-up at 1e-6; false when it leaves 64 bits. */
extern bool eb_window_power(int64_t energy_ukwh, int window_min, int64_t *ukw);

/*
 * kVA of active and reactive energy in a window: sqrt(P^2 + Q^2), rounded half-up at 1e-6, once.
 * false when one of them is beyond 3.6e10 kWh.
 */
extern bool
eb_window_apparent(int64_t active_ukwh, int64_t reactive_ukwh, int window_min, int64_t *ukva);

#endif
