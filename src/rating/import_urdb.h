/*
 * import_urdb.h -- what the files of the URDB importer share
 * A record has structures (per period a list of tiers), matrices (per month and hour the period),
 * and numbers. Every value is checked before any text is written.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_IMPORT_URDB_H
#define EB_IMPORT_URDB_H

#include "rating/import.h"
#include "rating/tariff.h"

/* Room for "energyratestructure[63][63].unit" */
#define EB_URDB_PATH 64

/* Room for the names of periods, demands and components */
#define EB_URDB_NAME 32

typedef enum EbUrdbUnit
{
	EB_URDB_KWH,
	EB_URDB_KWH_PER_KW,
	EB_URDB_KWH_DAILY,
	EB_URDB_KWH_PER_KW_DAILY,
} EbUrdbUnit;

typedef struct EbUrdbTier
{
	int64_t price_n; /* rate + adj, 1e-9 */
	int64_t max_u;	 /* 1e-6 of the unit; of the last tier: none */
	int64_t sell_n;
	bool has_max;
	bool has_sell;
	EbUrdbUnit unit; /* of energy */
} EbUrdbTier;

/* A structure: tiers by period; nperiods 0: the record has none */
typedef struct EbUrdbTable
{
	const char *key;
	int nperiods;
	int ntiers[EB_MAX_SLOTS];
	const EbNode *period[EB_MAX_SLOTS];
} EbUrdbTable;

/* Periods by weekday or weekend, month and hour */
typedef struct EbUrdbMatrix
{
	int8_t at[2][12][24];
	uint64_t used; /* bit: period that some hour has */
} EbUrdbMatrix;

/* Percent of earlier peaks; lookback 0: none */
typedef struct EbUrdbRatchet
{
	const char *key;
	int lookback;		   /* months */
	unsigned months;	   /* bit 0 January: whose peaks count; 0: all */
	int64_t percent_n[12]; /* by month of the peak, 1e-9 */
} EbUrdbRatchet;

/* What is charged beside energy and demand, 1e-9 */
typedef struct EbUrdbCharges
{
	int64_t fixed_n; /* each month, or each day */
	bool per_day;
	int64_t month_min_n;
	int64_t year_min_n;
} EbUrdbCharges;

typedef struct EbUrdb
{
	const EbNode *root; /* the record */
	EbText zone;
	EbJson *json;
	EbFault *fault;
	EbUrdbTable energy;
	EbUrdbTable demand;
	EbUrdbTable flat;
	EbUrdbMatrix energy_at;
	EbUrdbMatrix demand_at;
	int8_t flat_at[12]; /* period of each month */
	int64_t fuel_n[12]; /* by month, per kWh */
	EbUrdbRatchet ratchet;
	int window; /* minutes of a demand */
	bool demand_kva;
	bool flat_kva;
	bool per_kw;   /* some bounds are hours of use of the peak */
	EbNetMode net; /* EB_NET_NONE, EB_NET_ROLLOVER_KWH, EB_NET_BILLING, EB_NET_BUY_ALL_SELL_ALL */
	bool sells;	   /* export has a price */
} EbUrdb;

/* import_urdb_read.c: faults by path, and values; absent ones and null read as 0 */
extern EbStatus __attribute__((format(printf, 4, 5)))
eb_urdb_refuse(const EbUrdb *urdb, EbStatus status, const char *path, const char *format, ...);
extern EbStatus
eb_urdb_decimal(const EbUrdb *urdb, const EbNode *node, const char *path, int64_t *value_n);
/* A number of the record that must not be negative */
extern EbStatus eb_urdb_amount(const EbUrdb *urdb, const char *key, int64_t *value_n);
extern EbStatus eb_urdb_int(const EbUrdb *urdb, const EbNode *node, const char *path, int lowest,
							int highest, int *value);
/* Twelve elements, one for each month; NULL in element[0] when the record has no such key. */
extern EbStatus eb_urdb_twelve(const EbUrdb *urdb, const char *key, const EbNode *element[12]);
extern EbStatus
eb_urdb_table(const EbUrdb *urdb, const char *key, bool of_energy, EbUrdbTable *table);
extern EbStatus eb_urdb_matrix(const EbUrdb *urdb, const EbUrdbTable *table, const char *weekday,
							   const char *weekend, EbUrdbMatrix *matrix);

/* A tier of a table that was checked */
extern EbUrdbTier eb_urdb_tier(const EbUrdbTable *table, int period, int tier);

/* Does any tier of the period cost something? */
extern bool eb_urdb_priced(const EbUrdbTable *table, int period);

/* import_urdb_schedule.c */
#define EB_URDB_ALL_MONTHS 0xfffu
extern void eb_urdb_write_period(EbUrdb *urdb, int period);
/* "months": those of the mask, bit 0 January; nothing when it has all. */
extern void eb_urdb_write_months(EbUrdb *urdb, const char *key, unsigned months);
/* when {"months": ...}, likewise */
extern void eb_urdb_write_when(EbUrdb *urdb, unsigned months);
extern void eb_urdb_write_schedule(EbUrdb *urdb, const char *name, const EbUrdbMatrix *matrix);

/* import_urdb_energy.c */
extern EbStatus eb_urdb_read_energy(EbUrdb *urdb);
extern void eb_urdb_write_energy(EbUrdb *urdb);
extern void eb_urdb_write_credit(EbUrdb *urdb);

/* import_urdb_demand.c */
extern EbStatus eb_urdb_read_demand(EbUrdb *urdb);
extern bool eb_urdb_has_demands(const EbUrdb *urdb);
/* Is any period of the demand matrix charged? */
extern bool eb_urdb_charges_periods(const EbUrdb *urdb);
extern void eb_urdb_write_demands(EbUrdb *urdb);
extern void eb_urdb_write_demand_components(EbUrdb *urdb);

/* Has the matrix more than one period, so that it needs a schedule? */
static inline bool
eb_urdb_varies(const EbUrdbMatrix *matrix)
{
	return (matrix->used & (matrix->used - 1)) != 0;
}

/* import_urdb_charge.c */
extern EbStatus eb_urdb_read_fixed(const EbUrdb *urdb, EbUrdbCharges *charges);
extern EbStatus eb_urdb_read_minimums(const EbUrdb *urdb, EbUrdbCharges *charges);

#endif /* EB_IMPORT_URDB_H */
