/*
 * rate_state.h -- what the files of rating share while one bill is rated
 * The service range is cut into runs: local days that no season, tier scope, month or valid date
 * cuts (eb_part_range). A component gathers neighbouring runs that it treats alike into parts.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_RATE_STATE_H
#define EB_RATE_STATE_H

#include "rating/calendar.h"
#include "rating/price.h"
#include "rating/rate.h"
#include "rating/tier.h"

#define EB_MICRO INT64_C(1000000) /* one unit of a quantity, in 1e-6 */
#define EB_NANO_MONEY 1000000	  /* 1e-9 of money, in 1e-15 */

/* More than thirty years of months and seasons */
#define EB_MAX_RUNS 1024

/* One run of the service range, local days [day, end); one without days when nothing is dated */
typedef struct EbRun
{
	int32_t day;
	int32_t end;
	int32_t season;				   /* EB_NONE: date not known */
	int32_t month;				   /* 1..12; 0: date not known */
	int32_t scope_day[EB_NSCOPES]; /* where the tier scope that holds it starts */
	const int64_t *energy_ukwh;	   /* by slot; NULL: none used */
} EbRun;

typedef struct EbRating
{
	const EbTariff *tariff;
	const EbZone *zone;
	const EbRateContext *ctx;
	EbFault *fault;
	int64_t from_us; /* service range; INT64_MIN both: not known */
	int64_t to_us;
	int32_t first_day; /* local days it touches, [first_day, end_day) */
	int32_t end_day;
	int64_t days_u;	   /* days and months of the bill, 1e-6, as given or by the range; */
	int64_t months_u;  /* 0: not known */
	int32_t months;	   /* whole months of the range, at least 1; 0: they were given */
	bool dated;		   /* the service range is known */
	bool energy_dated; /* ... and which run the energy belongs to */
	int32_t quality;   /* EbQuality of the usage, gaps counted */
	int64_t import_ukwh;
	EbLine *line;
	int capacity;
	int nlines;
	int nruns;
	EbRun run[EB_MAX_RUNS];
} EbRating;

/* An exact ratio; den > 0 */
typedef struct EbRatio
{
	int64_t num;
	int64_t den;
} EbRatio;

/* Neighbouring runs that one component rates alike */
typedef struct EbPart
{
	int first; /* runs [first, last] */
	int last;
	int32_t days;					  /* service days of the runs that count */
	int32_t season;					  /* of its prices */
	int32_t factor_if;				  /* index into component->factor_if; EB_NONE: none */
	int64_t total_u;				  /* sum of quantity_u, 1e-6 */
	int64_t quantity_u[EB_MAX_SLOTS]; /* by slot of the work, rounded as the tariff says */
} EbPart;

/* One component in work */
typedef struct EbWork
{
	EbRating *rating;
	const EbComponent *component;
	int32_t index;				/* of the component */
	int32_t unit;				/* EbUnit of its lines */
	int32_t quality;			/* EbQuality of its lines */
	bool by_season;				/* its prices depend on the season */
	int nslots;					/* quantities of a part; 0: it reads no energy */
	int32_t slot[EB_MAX_SLOTS]; /* slots of the tariff; EB_NONE: all energy */
	/* the instance of the tier scope in work: runs [first, end) */
	int first;
	int end;
	int32_t days;	/* service days in it */
	int64_t days_u; /* days and months it counts as, 1e-6; 0: not known */
	int64_t months_u;
	int64_t before_u; /* used in it before the service range */
	int64_t used_u;	  /* ... and before the part in work */
} EbWork;

/* What a line is made of; the rest follows from the part and the component */
typedef struct EbDraft
{
	int32_t slot;
	int32_t tier;
	int32_t unit;
	int64_t quantity_u;
	int64_t price_n;
	int64_t factor_n; /* of the step; EB_ONE = none */
	EbRatio share;	  /* of the quantity, exactly: days of a month, months of a bill */
} EbDraft;

#define EB_DRAFT_INIT                                          \
	{                                                          \
		.slot = EB_NONE, .factor_n = EB_ONE, .share = { 1, 1 } \
	}

/* rate_service.c: the service range, its runs and months */
extern EbStatus eb_service_open(EbRating *rating, const EbUsage *usage);
extern EbStatus eb_need_dates(const EbRating *rating, const char *what);
extern EbStatus eb_need_days(const EbRating *rating);
extern EbStatus eb_need_months(const EbRating *rating);
/* Months of the bill in service days [from, to), exactly; they sum to rating->months_u. */
extern EbRatio eb_service_months(const EbRating *rating, int32_t from, int32_t to);
/* Days [from, to) as parts of their tier months, exactly: 20 of 30 days and 31 of 31 are 5/3. */
extern EbRatio eb_month_shares(const EbRating *rating, int32_t from, int32_t to);

/* condition.c: quantities by name, and whether conditions hold in a run */
extern EbStatus
eb_quantity_value(const EbRating *rating, const EbQuantity *quantity, int64_t *value_u);
extern EbStatus eb_condition_holds(const EbRating *rating, const EbCondition *condition,
								   const EbRun *run, bool *holds);
extern EbStatus eb_component_valid(const EbRating *rating, const EbComponent *component,
								   const EbRun *run, bool *valid);
/* when only, without valid */
extern EbStatus eb_component_when(const EbRating *rating, const EbComponent *component,
								  const EbRun *run, bool *holds);
/* The first of factor_if that holds, or EB_NONE. */
extern EbStatus eb_component_factor(const EbRating *rating, const EbComponent *component,
									const EbRun *run, int32_t *factor_if);

static inline bool
eb_rate_stopped(const EbRating *rating)
{
	return rating->ctx->stop != NULL && rating->ctx->stop();
}

/* rate_line.c: amounts and lines */
extern EbStatus eb_overflow(EbFault *fault, const char *what);
/* value * ratio, rounded half-up at the unit of value; false on overflow. */
extern bool eb_scale128(eb_int128 value, EbRatio ratio, eb_int128 *result);
extern EbPriceEnv eb_price_env(const EbRating *rating, int32_t slot, int32_t season);
/* A unit price, rounded as the tariff says. */
extern EbStatus
eb_unit_price(const EbRating *rating, int32_t node, int32_t slot, int32_t season, int64_t *price_n);
extern EbStatus eb_push_line(EbWork *work, const EbPart *part, const EbDraft *draft);
/* A line whose amount is given: minimum, percentage, rounding. Sets amount, by round. */
extern EbStatus eb_push_amount(EbRating *rating, EbLine *line, const EbRounding *round);
/* factor_n times the factor_if, as one number of 1e-9 for the reader of the bill */
extern int64_t eb_shown_factor(const EbRating *rating, const EbComponent *component,
							   int32_t factor_if, int64_t factor_n);
/* amount_raw times a factor_if of the component, rounded by its own rule */
extern EbStatus eb_apply_factor_if(const EbRating *rating, const EbComponent *component,
								   int32_t factor_if, eb_int128 *amount);

/* rate_part.c: gathering runs into parts; components by energy */
extern void eb_work_init(EbWork *work, EbRating *rating, int32_t index);
extern EbStatus eb_part_whole(EbWork *work, EbPart *part, bool *applies);
extern EbStatus eb_part_next(EbWork *work, const EbRun *rule, int *run, EbPart *part, bool *found);
extern EbStatus eb_rate_energy(EbRating *rating, int32_t index);
/* Makes the work read energy: all of it, or the periods of its schedule that it counts. */
extern void eb_work_energy(EbWork *work);
/* The run whose rules hold for the whole instance (split start, end), or NULL. */
extern const EbRun *eb_split_rule(const EbWork *work);
/* Days and months of the instance [first, end) of the work, as its scope counts them. */
extern void eb_measure_instance(EbWork *work, EbTierScope scope);

/* rate_ladder.c: bounds and flats of the steps of a part */
extern EbStatus
eb_ladder_build(const EbWork *work, const EbPart *part, int32_t slot, EbLadder *ladder);
extern EbStatus eb_step_flat(const EbWork *work, const EbPart *part, const EbStep *step,
							 int32_t slot, int64_t *flat_n);

/* rate_tier.c: lines of a part with tiers; counter_u: used before it in the instance, by slot */
extern EbStatus eb_rate_tiers(EbWork *work, const EbPart *part, const int64_t *counter_u);
/* Tier, price and factor of the unit that comes next, in the period of the draft. */
extern EbStatus eb_next_step(const EbWork *work, const EbPart *part, EbDraft *draft);
/* Tier, price and unit of a line of nothing: those of the next unit. */
extern EbStatus eb_zero_tier(const EbWork *work, const EbPart *part, EbDraft *draft);

/* rate_fixed.c: components by any other quantity */
extern EbStatus eb_rate_fixed(EbRating *rating, int32_t index);

/* rate_adjust.c: components by the lines before them */
extern EbStatus eb_rate_percent(EbRating *rating, int32_t index);
extern EbStatus eb_rate_limit(EbRating *rating, int32_t index);
extern EbStatus eb_rate_total_rounding(EbRating *rating);

#endif /* EB_RATE_STATE_H */
