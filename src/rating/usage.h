/*
 * usage.h -- determinants: what was used, classified as the tariff needs it, no money yet
 * A part is a run of local days without a boundary inside: every calendar month, tier month,
 * tier quarter, tier year (year_start), season and valid/when date of the tariff starts a new one.
 * Within a part the energy is kept per slot (schedule, period), in 1e-6 kWh.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/architecture.md, doc/rating.md.
 */
#ifndef EB_USAGE_H
#define EB_USAGE_H

#include "rating/tou.h"

/* part_day of energy whose dates nobody knows: usage_from() without "during" */
#define EB_NO_DAY INT32_MIN

typedef enum EbQuality
{
	EB_ACTUAL = 0,
	EB_ESTIMATED = 1, /* shared by days, or from estimated readings */
	EB_MISSING = 2,	  /* intervals are missing inside the range */
} EbQuality;

/* A named number: of usage (qty), of ctx */
typedef struct EbNamedQuantity
{
	EbText name;
	int64_t value_u; /* 1e-6 */
} EbNamedQuantity;

/* One of the highest windows of a demand in a part; sorted by demand, part, kW falling, instant */
typedef struct EbPeak
{
	int32_t demand;	  /* index of the tariff */
	int32_t part_day; /* as EbUsage.part_day; EB_NO_DAY: not known */
	int64_t at_us;	  /* where the window starts; INT64_MIN: not known */
	int64_t ukw;	  /* 1e-6 kW (kVA, kvar) */
} EbPeak;

/* Import energy in order of time, cut where a period or part ends; only when tariff->in_order */
typedef struct EbPiece
{
	int64_t at_us;
	int64_t interval_us; /* where the metered interval began: pieces of one share it */
	int64_t energy_ukwh;
} EbPiece;

/* In channels: given as one number though the tariff divides it by period; it is in the first one */
#define EB_UNDIVIDED(channel) (1u << (8 + (channel)))

/* pf_u of usage whose power factor nobody gave */
#define EB_NO_PF (-1)

/*
 * Summary in hand of rate(). Parts ascend; each has ncells cells: the planes of the tariff in their
 * order (eb_plane_at()), within a plane the slots. Usage of a tariff that changes has no parts of its
 * own but one sub usage per version.
 */
typedef struct EbUsage
{
	uint8_t fingerprint[EB_FINGERPRINT_SIZE];
	int64_t from_us; /* range covered, [from, to); INT64_MIN both: no range known */
	int64_t to_us;
	int64_t missing_s; /* seconds inside the range without data: of the channel that lacks most */
	int32_t held;	   /* differences that were implausible (register ran backwards) */
	int32_t quality;   /* EbQuality of the values themselves */
	int32_t nparts;
	int32_t nslots;			 /* slots of the tariff; 1 when it has no schedule */
	int32_t ncells;			 /* of a part: eb_usage_cells(tariff) */
	uint32_t channels;		 /* bit EbChannel: measured or given; EB_UNDIVIDED() */
	int64_t days_u;			 /* days and months of the bill in 1e-6, as given to usage_from(); */
	int64_t months_u;		 /* 0: derive them from the range */
	int64_t pf_u;			 /* power factor as given, 1e-6; EB_NO_PF */
	const int32_t *part_day; /* first local day of each part's boundary run (not of the data) */
	int64_t *cell;	/* energy >= 0 unless the caller gave corrections; rating writes: losses, net */
	int64_t *spare; /* as many cells again where kWh cancel kWh (net.h): rating writes; else NULL */
	const EbPeak *peak;
	EbPiece *piece;				/* ... and these */
	const EbNamedQuantity *qty; /* ascending names */
	const int64_t *item_u;		/* ascending: quantities that are priced one by one (each) */
	const struct EbUsage *sub;	/* by version of the tariff */
	int32_t npeaks;
	int32_t npieces;
	int32_t nqty;
	int32_t nitems;
	int32_t nsub;
	int32_t unused;
} EbUsage;

/* Energy x price in two cells: high x 1e12 + low, in 1e-15 currency; 0 <= low < 1e12 */
#define EB_MONEY_LOW INT64_C(1000000000000)

static inline int
eb_tariff_slots(const EbTariff *tariff)
{
	return tariff->slot.n > 0 ? tariff->slot.n : 1;
}

/* Index of the plane, EB_NONE when the tariff does not need it */
static inline int
eb_plane_find(const EbTariff *tariff, EbChannel channel, int series)
{
	const EbPlane *plane = EB_ARRAY(tariff, EbPlane, tariff->plane);

	for (int i = 0; i < tariff->plane.n; i++)
		if (plane[i].channel == (int) channel && plane[i].series == series)
			return i;
	return EB_NONE;
}

/* Cells of a part, and the first of a plane: energy planes come first, one cell for each slot */
extern int eb_usage_cells(const EbTariff *tariff);
extern int eb_plane_at(const EbTariff *tariff, int plane);

static inline eb_int128
eb_money_cells(const int64_t *cell)
{
	return (eb_int128) cell[0] * EB_MONEY_LOW + cell[1];
}

/* Adds 1e-15 to two cells; false on overflow */
extern bool eb_money_add(int64_t *cell, eb_int128 amount);

/*
 * Energy that is spread evenly over [from, to). Piece i of several gets R(E t_i / T) -
 * R(E t_(i-1) / T), R half-up, so the pieces add up to E wherever the cuts are.
 */
typedef struct EbSpread
{
	int64_t from_us; /* < to_us */
	int64_t to_us;
	int64_t energy_ukwh;
	int64_t at_us;	   /* pieces before at_us were taken; begins as from_us */
	int64_t done_ukwh; /* their energy; begins as 0 */
} EbSpread;

static inline EbSpread
eb_spread(int64_t from_us, int64_t to_us, int64_t energy_ukwh)
{
	return (EbSpread){from_us, to_us, energy_ukwh, from_us, 0};
}

/* Energy of [at_us, end_us), end_us at most to_us; at_us moves to end_us. */
extern int64_t eb_spread_take(EbSpread *spread, int64_t end_us);

/* The faults of a sum that leaves 64 bits, and of two that do not belong together. */
extern EbStatus eb_usage_overflow(EbFault *fault);
extern EbStatus eb_usage_conflict(EbFault *fault);

#endif
