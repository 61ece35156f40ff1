/*
 * usage_sum.h -- usage that is being summed: rows in any order, by any number of workers
 * A classifier says where energy goes; it is made once and serves many sums. Sums take their
 * memory from the caller; what they allocated is freed with it.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md.
 */
#ifndef EB_USAGE_SUM_H
#define EB_USAGE_SUM_H

#include "base/expect.h"
#include "base/memory.h"
#include "rating/usage.h"
#include "rating/window.h"

/* ---------------------------------------------------------------- where energy goes */

/* A plane of energy x price */
typedef struct EbMoneyPlane
{
	int32_t at; /* its first cell */
	int16_t series;
	int16_t of_row; /* the price comes with the row; else it is that of the series */
} EbMoneyPlane;

typedef struct EbChannelLayout
{
	int32_t at;	   /* first cell of its energy; EB_NONE: the tariff does not need the channel */
	int8_t plain;  /* nothing but its energy is kept, by no version of the tariff */
	int8_t of_row; /* a price must come with each row */
	int16_t nmoney;
	EbMoneyPlane money[EB_MAX_SERIES];
	uint64_t tables; /* bit: window table that it feeds */
} EbChannelLayout;

/* Demands of the same channel and slide share a table of windows */
typedef struct EbWindowKey
{
	int16_t channel;
	int16_t slide_min;
	int16_t most_min; /* longest window */
	int16_t unused;
} EbWindowKey;

#define EB_MAX_WINDOW_TABLES (2 * EB_MAX_DEMANDS)

/* What a sum keeps for a tariff */
typedef struct EbUsageLayout
{
	int32_t nschedules; /* 1 when the tariff has none */
	int32_t nslots;
	int32_t nenergy; /* cells of a part that hold energy; they come first */
	int32_t ncells;
	int32_t ntables;
	int32_t in_order; /* import energy is kept piece by piece */
	uint32_t series;  /* bit: a plane takes the price that the series has then */
	int32_t unused;
	EbChannelLayout channel[EB_NCHANNELS];
	EbWindowKey table[EB_MAX_WINDOW_TABLES];
} EbUsageLayout;

/* Classifies for one version of a tariff, or for a tariff that does not change */
typedef struct EbClassifier
{
	const EbTariff *tariff;
	const EbZone *zone;
	EbTouCache *cache;	   /* set by the caller, who owns it */
	struct EbPlans *plans; /* likewise, for load profiles (usage_profile.h); NULL: none */
	int64_t from_us;	   /* [from, to) of the version; INT64_MIN, INT64_MAX: open */
	int64_t to_us;
	EbUsageLayout layout;
} EbClassifier;

/* How many classifiers a tariff needs */
static inline int
eb_classifier_count(const EbTariff *tariff)
{
	return tariff->version.n > 0 ? tariff->version.n : 1;
}

/* Fills as many, in order of time; the caches are left to the caller. */
extern void eb_classifier_init(EbClassifier *by, const EbTariff *tariff, const EbZone *zone);

/* ---------------------------------------------------------------- summing */

#define EB_NO_PRICE INT64_MIN

/* Room for so many parts is there from the beginning: a month and what hangs over */
#define EB_FIRST_PARTS 2

/* What intervals need that are added one by one; plain blocks (usage_profile.c) do without. */
typedef struct EbRowSum
{
	struct EbVersionSum *version;
	const EbUsageLayout *layout; /* of the version */
	int64_t *row;				 /* cells of the segment's part; NULL: there is no segment yet */
	EbSegment segment;			 /* of the last interval; the next one mostly lies in it too */
	int64_t *price_n;			 /* by series, all through the segment; NULL: no plane needs one */
	EbPiece *piece;
	int32_t npieces;
	int32_t piece_capacity;
	EbWindowTable *table; /* as in the layout */
} EbRowSum;

/* What was summed under one version */
typedef struct EbVersionSum
{
	const EbUsageLayout *layout;
	int32_t nparts;
	int32_t capacity;  /* EB_FIRST_PARTS: they stand behind the versions, and are not resized */
	int32_t *part_day; /* ascending */
	int64_t *cell;	   /* ncells by part */
	int64_t covered_us[EB_NCHANNELS];
	EbRowSum *rows; /* NULL: no interval was added, and the layout has no tables and no series */
} EbVersionSum;

/* What each block changes stands last, near the versions that mostly come behind it. */
typedef struct EbUsageSum
{
	EbMemory memory;
	EbRowSum *now;	 /* of the version of the last interval; NULL: there was none */
	int64_t held;	 /* differences and values that could not be used */
	int32_t quality; /* EbQuality of the values; missing time is found at the end */
	int32_t unused;
	EbVersionSum *of;
	int32_t n;		   /* versions, or 1 */
	uint32_t channels; /* bit EbChannel: something was added, were it only a boundary */
	int64_t from_us;   /* everything added lies in [from, to); from > to: nothing yet */
	int64_t to_us;
} EbUsageSum;

/* Bytes of the versions of a sum, and of their first parts */
extern size_t eb_usage_sum_room(const EbClassifier *by, int n);

/*
 * An empty sum for n classifiers. room: so many bytes of zeros, aligned to 8, that live as long as
 * it. EB_NO_SPACE: there is no memory.
 */
extern EbStatus eb_usage_sum_init_in(EbUsageSum *sum, const EbMemory *memory,
									 const EbClassifier *by, int n, void *room);

/* The same, with room from memory */
extern EbStatus
eb_usage_sum_init(EbUsageSum *sum, const EbMemory *memory, const EbClassifier *by, int n);

/* What a version keeps of rows, made when there is none yet; NULL: there is no memory. */
extern EbRowSum *eb_usage_rows(EbVersionSum *version, const EbMemory *memory);

/* Energy of a channel that was metered over [from, to), spread evenly */
typedef struct EbUsageRow
{
	int64_t from_us; /* < to_us */
	int64_t to_us;
	int64_t energy_ukwh; /* >= 0; 1e-6 kvarh */
	int64_t price_n;	 /* for series whose prices come with the rows; EB_NO_PRICE: none */
	EbChannel channel;
	int8_t
		guess; /* evenly spread for want of better: nothing is known of windows shorter than it */
	int8_t crossed; /* answer: parts of it went where their price may differ */
} EbUsageRow;

/* Rows have moved, or there is none any more: the next interval looks for its own. */
static inline void
eb_usage_forget_row(EbVersionSum *version)
{
	if (version->rows != NULL)
		version->rows->row = NULL;
}

/* Time that must be covered: it counts as missing where no interval is added. */
static inline void
eb_usage_extend(EbUsageSum *sum, EbChannel channel, int64_t from_us, int64_t to_us)
{
	if (from_us < sum->from_us)
		sum->from_us = from_us;
	if (to_us > sum->to_us)
		sum->to_us = to_us;
	sum->channels |= 1u << channel;
}

/*
 * Adds a row; one of a channel that the tariff does not need is not added. EB_OUT_OF_RANGE: the
 * sum leaves 64 bits. EB_UNKNOWN: no rule, price or version covers an instant, or the price of the
 * row is lacking. EB_NO_SPACE: there is no memory. EB_STOPPED: the stop of the cache said so. The
 * sum is of no use after these.
 */
extern EbStatus
eb_usage_add(EbUsageSum *sum, const EbClassifier *by, EbUsageRow *row, EbFault *fault);

/* The cells of a part, made when it is new; NULL: there is no memory. Rows may move. */
extern int64_t *eb_usage_row_of(EbVersionSum *version, const EbMemory *memory, int32_t day);

/* The same, and the row of the segment is forgotten if rows have moved. */
extern int64_t *eb_usage_any_part(EbVersionSum *version, const EbMemory *memory, int32_t day);

/*
 * The cells of a part, made when it is new; NULL: there is no memory. Good until the next call that
 * takes the sum.
 */
static inline int64_t *
eb_usage_part(EbVersionSum *version, const EbMemory *memory, int32_t day)
{
	int last = version->nparts - 1;

	return EB_LIKELY(last >= 0 && version->part_day[last] == day)
			   ? version->cell + (size_t) last * (size_t) version->layout->ncells
			   : eb_usage_any_part(version, memory, day);
}

/* Something is known at an instant: time from there on, or up to there, must be covered. */
extern void
eb_usage_mark(EbUsageSum *sum, const EbClassifier *by, EbChannel channel, int64_t at_us);

/*
 * Does the interval lie in the segment of the last one, and is nothing kept of its channel but the
 * energy? Then eb_usage_put() and eb_usage_extend() are enough.
 */
static inline bool
eb_usage_is_near(const EbUsageSum *sum, EbChannel channel, int64_t from_us, int64_t step_us)
{
	const EbRowSum *now = sum->now;

	return now != NULL && now->row != NULL && from_us >= now->segment.from_us &&
		   from_us < now->segment.to_us && step_us <= now->segment.to_us - from_us &&
		   now->layout->channel[channel].plain;
}

/* Adds to the row of the segment; false on overflow: the sum is of no use then. */
static inline bool
eb_usage_put(EbRowSum *now, EbChannel channel, int64_t energy_ukwh, int64_t covered_us)
{
	int64_t *cell = now->row + now->layout->channel[channel].at;
	int64_t *covered = &now->version->covered_us[channel];

	for (int i = 0; i < now->layout->nschedules; i++)
		if (!eb_add64(cell[now->segment.slot[i]], energy_ukwh, &cell[now->segment.slot[i]]))
			return false;
	return eb_add64(*covered, covered_us, covered);
}

/* Adds another sum of the same tariff. EB_OUT_OF_RANGE, EB_NO_SPACE as above. */
extern EbStatus eb_usage_sum_merge(EbUsageSum *into, const EbUsageSum *from, EbFault *fault);

/* ---------------------------------------------------------------- the end */

/*
 * The sum as usage, which points into it; what is new comes from memory. versions: the tariff has
 * some, were it only one. The fingerprint is left to the caller, those of versions are filled in. Seconds without data are those of [from, to) that no
 * interval of a channel covers, rounded up, of the channel that lacks most among those that were
 * added; they are exact as long as intervals do not overlap. A sum to which nothing was added has
 * no range. Pieces stand in order of instant and interval, those equal in both are one.
 */
extern EbStatus eb_usage_finish(const EbUsageSum *sum, const EbClassifier *by, bool versions,
								const EbMemory *memory, EbUsage *usage, EbFault *fault);

#endif
