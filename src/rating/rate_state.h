/*
 * rate_state.h -- what the files of rating share while one bill is rated
 * The service range is cut into runs: local days that no season, tier scope, month or valid date
 * cuts (eb_part_range). A component gathers neighbouring runs that it treats alike into parts.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_RATE_STATE_H
#define EB_RATE_STATE_H

#include "rating/calendar.h"
#include "rating/net.h"
#include "rating/price.h"
#include "rating/rate.h"
#include "rating/rate_service.h"
#include "rating/tier.h"
#include "rating/tou.h"

#define EB_MICRO INT64_C(1000000) /* one unit of a quantity, in 1e-6 */
#define EB_NANO_MONEY 1000000	  /* 1e-9 of money, in 1e-15 */

/* More than thirty years of months and seasons */
#define EB_MAX_RUNS 1024

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
	int32_t bill_day;  /* which names the month of the bill: its last local day, of a session the
						* first; EB_NO_DAY: not known */
	int64_t days_u;	   /* days and months of the bill, 1e-6, as given or by the range; */
	int64_t months_u;  /* 0: not known */
	int32_t months;	   /* whole months of the range, at least 1; 0: they were given */
	bool dated;		   /* the service range is known */
	bool energy_dated; /* ... and which run the energy belongs to */
	int32_t quality;   /* EbQuality of the usage, gaps counted */
	const EbUsage *usage;
	/* a bill in which the tariff changes: tariff is one version, rated on its days only */
	const EbVersion *version;	   /* NULL: the tariff does not change; the rest is not set then */
	int64_t other_u[EB_NCHANNELS]; /* energy on the days of other versions, in total_u too, */
	uint32_t other_lacks;		   /* ... and channels that one of these does not count: bits */
	const EbLine *earlier;		   /* lines of earlier versions */
	int nearlier;
	bool last_version;
	int64_t total_u[EB_NCHANNELS]; /* all of the bill, before quantity rounding */
	EbNetState net;
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

/* Runs that one component rates alike: neighbours, or the days of one kind in a stretch of days */
typedef struct EbPart
{
	int first; /* all of them lie in the runs [first, last] */
	int last;
	int32_t days;					/* service days of the runs that count */
	int32_t day;					/* whose prices by date hold: the first; EB_NO_DAY: not known */
	int32_t season;					/* of its prices */
	int32_t factor_if;				/* index into component->factor_if; EB_NONE: none */
	int64_t total_u;				/* sum of quantity_u, 1e-6 */
	uint64_t run[EB_MAX_RUNS / 64]; /* bit: the run counts */
	int64_t quantity_u[EB_MAX_SLOTS]; /* by slot of the work, rounded as the tariff says */
} EbPart;

static inline bool
eb_part_has(const EbPart *part, int run)
{
	return (part->run[run / 64] >> (run % 64) & 1) != 0;
}

/* One component in work */
typedef struct EbWork
{
	EbRating *rating;
	const EbComponent *component;
	int32_t index;				/* of the component */
	int32_t unit;				/* EbUnit of its lines */
	int32_t quality;			/* EbQuality of its lines */
	bool by_season;				/* its prices depend on the season */
	bool by_series;				/* ... on series whose price x energy is summed */
	bool by_kind_of_day;		/* its conditions name day tags */
	bool piecewise;				/* steps are filled by day, interval or piece: rounded at the end */
	uint32_t day_series;		/* series of kind DAYS that its prices read: bit by index */
	int32_t plane_at;			/* cells of its energy in a run; EB_NONE: not in the usage */
	int32_t less_at;			/* ... of the energy that is subtracted (net_kwh) */
	int nslots;					/* quantities of a part; 0: it reads no energy */
	int32_t slot[EB_MAX_SLOTS]; /* slots of the tariff; EB_NONE: all energy */
	EbRatio share;				/* of every line, exactly: demand by days of a month or a version */
	int stretch_end;			/* by_kind_of_day: runs of one stretch give several parts, */
	int32_t stretch_factor;		/* ... one for each factor */
	/* the instance of the tier scope in work: runs [first, end) */
	int first;
	int end;
	int32_t days;	/* service days in it */
	int64_t days_u; /* days and months it counts as, 1e-6; 0: not known */
	int64_t months_u;
	int64_t before_u[EB_MAX_SLOTS]; /* used in it before the service range, by slot, ... */
	int64_t before_all_u;			/* ... and what is not known by period */
	int64_t used_u;					/* all of that and what the parts before used */
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
	eb_int128 extra;  /* 1e-15 on top of quantity x price: energy x price of series */
	bool averaged;	  /* the price to show is the average of the amount */
} EbDraft;

/* The steps of a tier as they hold for a part: nested ones stand in the place of their outer one */
typedef struct EbSteps
{
	EbLadder ladder;
	const EbStep *step[EB_MAX_STEPS];
	uint64_t empty; /* bit: a nested step that the bounds of its outer one leave nothing */
} EbSteps;

#define EB_DRAFT_INIT                                          \
	{                                                          \
		.slot = EB_NONE, .factor_n = EB_ONE, .share = { 1, 1 } \
	}

/* rate_service.c: the service range, its runs and months */
extern EbStatus eb_service_open(EbRating *rating, const EbUsage *usage);
/* total_u from the cells of the runs; again when these were changed */
extern EbStatus eb_sum_channels(EbRating *rating);
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
/* A number that the account has as attribute, 1e-6: contract_kw, contract_kva, ... */
extern EbStatus eb_attr_number(const EbRating *rating, EbText name, int64_t *value_u);
/* EB_UNKNOWN, named: the usage lacks the channel. Import that nobody gave is none used. */
extern EbStatus eb_need_channel(const EbRating *rating, EbChannel channel);
/* ... or a version of the tariff does not count it, so that its sum over the bill is not known */
extern EbStatus eb_need_total(const EbRating *rating, EbChannel channel);
/* UB404 where the usage has one number and not one for each period */
extern EbStatus eb_need_periods(const EbRating *rating, EbChannel channel);
/* value / per against the bounds; per > 0 */
extern bool eb_in_range(const EbRange *range, eb_int128 value, int64_t per);
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
/* In lowest terms */
extern EbRatio eb_ratio_shorten(EbRatio ratio);
/* a x b, in lowest terms when both are; false on overflow */
extern bool eb_ratio_times(EbRatio a, EbRatio b, EbRatio *product);
/* What prices may look at: in a season, on no day in particular; in a run; in a part */
extern EbPriceEnv eb_price_env(const EbRating *rating, int32_t slot, int32_t season);
extern EbPriceEnv eb_run_env(const EbRating *rating, int32_t slot, const EbRun *run);
extern EbPriceEnv eb_part_env(const EbRating *rating, int32_t slot, const EbPart *part);
/* A unit price, rounded as the tariff says. */
extern EbStatus
eb_part_price(const EbWork *work, const EbPart *part, int32_t node, int32_t slot, int64_t *price_n);
/*
 * A line of slot which of the work at the component's own price, which may read series. Without
 * energy there is none unless nothing_too.
 */
extern EbStatus
eb_push_base(EbWork *work, const EbPart *part, int which, int64_t quantity_u, bool nothing_too);
extern EbStatus eb_push_line(EbWork *work, const EbPart *part, const EbDraft *draft);
/* A line whose amount_raw is given: minimum, percentage, rounding. amount follows, by round. */
extern EbStatus eb_push_amount(EbRating *rating, const EbLine *line, const EbRounding *round);
/* factor_n times the factor_if, as one number of 1e-9 for the reader of the bill */
extern int64_t eb_shown_factor(const EbRating *rating, const EbComponent *component,
							   int32_t factor_if, int64_t factor_n);
/*
 * amount_raw times a share, the factor of a step and a factor_if of the component, all of it rounded
 * once; then by the rule of the factor_if
 */
extern EbStatus eb_apply_factors(const EbRating *rating, const EbComponent *component,
								 int32_t factor_if, EbRatio share, EbRatio step, eb_int128 *amount);
/* ... times a factor_if alone */
extern EbStatus eb_apply_factor_if(const EbRating *rating, const EbComponent *component,
								   int32_t factor_if, eb_int128 *amount);

/* rate_part.c: gathering runs into parts; components by energy */
extern void eb_work_init(EbWork *work, EbRating *rating, int32_t index);
extern EbStatus eb_part_whole(EbWork *work, EbPart *part, bool *applies);
extern EbStatus eb_part_next(EbWork *work, const EbRun *rule, int *run, EbPart *part, bool *found);
extern EbStatus eb_rate_energy(EbRating *rating, int32_t index);
/* Makes the work read energy: all of it, or the periods of its schedule that it counts. */
extern EbStatus eb_work_energy(EbWork *work);
/* Energy of slot which of the work in a run, added to the sum; false on overflow */
extern bool eb_run_energy(const EbWork *work, const EbRun *run, int which, int64_t *sum_u);
/* ... and the money of two cells, plane_at: the first of the plane */
extern bool
eb_slot_money(const EbWork *work, const EbRun *run, int plane_at, int which, eb_int128 *sum);
/* A number of 1e-6 to a multiple of a step, which is of 1e-9; false on overflow */
extern bool eb_round_micro(const EbRounding *round, int64_t *value_u);
/* By round.quantity */
extern EbStatus eb_round_quantity(const EbRating *rating, int64_t *quantity_u);
/* The run whose rules hold for the whole instance (split start, end), or NULL. */
extern const EbRun *eb_split_rule(const EbWork *work);
/* Days and months of the instance [first, end) of the work, as its scope counts them. */
extern void eb_measure_instance(EbWork *work, EbTierScope scope);
/* What was used in the scope before the service range: it belongs to the first instance. */
extern void eb_forget_before(EbWork *work);
extern EbStatus eb_take_before(EbWork *work, EbTierScope scope);
static inline EbTierScope
eb_tier_scope(const EbComponent *component)
{
	return component->has_tier ? (EbTierScope) component->tier.scope : EB_SCOPE_BILL;
}

/* rate_ladder.c: bounds, free units and flats of a part, in a period or (EB_NONE) for all */
extern EbStatus
eb_steps_build(const EbWork *work, const EbPart *part, int32_t slot, EbSteps *steps);
extern EbStatus eb_free_units(const EbWork *work, const EbPart *part, int64_t *free_u);
extern EbStatus eb_step_flat(const EbWork *work, const EbPart *part, const EbStep *step,
							 int32_t slot, int64_t *flat_n);

/* rate_tier.c: lines of a part with tiers; counter_u: used before it in the instance, by slot */
extern EbStatus eb_rate_tiers(EbWork *work, const EbPart *part, const int64_t *counter_u);
/* Tier, price and factor of the unit that comes next, in the period of the draft. */
extern EbStatus eb_next_step(const EbWork *work, const EbPart *part, EbDraft *draft);
/* Tier, price and unit of a line of nothing: those of the next unit. */
extern EbStatus eb_zero_tier(const EbWork *work, const EbPart *part, EbDraft *draft);

/* rate_fill.c: units by step and period of the quantities that share one counter */
typedef struct EbGroup
{
	EbWork *work;
	const EbPart *part;
	int first; /* slots [first, first + n) of the work */
	int n;
	int32_t slot;	/* the period when there is one alone, else EB_NONE */
	bool in_time;	/* steps are filled by the pieces of the part */
	bool undivided; /* ... and are lines for all periods together: cells are not asked for */
	int64_t used_u; /* by the counter before */
	EbSteps steps;
	int64_t step_u[EB_MAX_STEPS];				 /* units of a step, ... */
	int64_t cell_u[EB_MAX_STEPS * EB_MAX_SLOTS]; /* ... by period: step * n + slot */
	int64_t flats[EB_MAX_STEPS];				 /* how often its flat is due */
	int64_t free_u;								 /* of packages */
	int64_t packages;
	int64_t again_u; /* volume: units charged before that move from a step to another */
	int again_from;
	int again_to;
} EbGroup;

/* Fills the steps, which are built, by all quantities of the part in the group. */
extern EbStatus eb_group_fill(EbGroup *group);

/* rate_piece.c: the energy of a part in order of time */
typedef struct EbPieceWalk
{
	const EbWork *work;
	const EbPart *part;
	int next;		   /* piece of the usage */
	int64_t end_us;	   /* no piece of the part is at or after it */
	int run;		   /* of the last piece */
	int which;		   /* its slot of the work; EB_NONE: the part does not count it */
	EbSegment segment; /* it lies in; empty at first */
} EbPieceWalk;

/* The segment of an instant and the run it lies in; nruns: in none */
extern EbStatus eb_piece_place(const EbRating *rating, int64_t at_us, EbSegment *segment, int *run);
extern void eb_piece_open(EbPieceWalk *walk, const EbWork *work, const EbPart *part);
/* The next piece that the part counts, with its run and slot in the walk; NULL at the end */
extern EbStatus eb_piece_next(EbPieceWalk *walk, const EbPiece **piece);
/* Are the pieces all the energy of the part, slot by slot? */
extern EbStatus eb_piece_complete(const EbWork *work, const EbPart *part, bool *complete);

/* rate_fixed.c: components by any other quantity */
extern EbStatus eb_rate_fixed(EbRating *rating, int32_t index);
/* How often the price of the component is due for a part, exactly: days of a month, months, 1 */
extern EbStatus eb_part_share(const EbWork *work, const EbPart *part, EbRatio *share);

/* rate_each.c: one line for the items of the usage, each priced alone within its limits */
extern EbStatus eb_rate_each(EbWork *work, const EbPart *part);

/* rate_demand.c: components by kW; ukw: billing demand after ratchet, floor, cap, rounding */
extern EbStatus eb_rate_demand(EbRating *rating, int32_t index);
extern EbStatus eb_billing_demand(const EbRating *rating, int32_t demand, int64_t *ukw);

/* rate_factor.c: power factor adjustment of the lines before it */
extern EbStatus eb_rate_power_factor(EbRating *rating, int32_t index);

/* rate_net.c: kWh carried and cancelled before components are rated, credits after */
extern EbStatus eb_net_open(EbRating *rating);
extern EbStatus eb_net_close(EbRating *rating);
/* Lets the runs show what the component is to read: with offset false the kWh before net. */
extern void eb_net_show(EbRating *rating, const EbComponent *component);
/* Adds to the base of a minimum or maximum what an account does to the lines so far. */
extern EbStatus eb_net_limit_base(const EbRating *rating, const bool *in_base, eb_int128 *sum);

/*
 * rate_loss.c: adds losses to the cells of the runs, before anything else reads them; where the
 * tariff changes, to those of all versions before one is rated
 */
extern EbStatus eb_loss_apply(EbRating *rating);

/* rate_vat.c: one line for each tax rate of the lines so far */
extern EbStatus eb_rate_vat(EbRating *rating);

/* rate.c: all lines of a tariff, or of one version of it */
extern EbStatus eb_rate_bill(EbRating *rating, const EbUsage *usage);

/* rate_version.c: each version's days with its usage, one bill */
extern EbStatus eb_rate_versions(EbRating *rating, const EbUsage *whole);
/* Sets the counters of an instance of a tier scope to what earlier versions used in it. */
extern EbStatus eb_version_before(EbWork *work, EbTierScope scope);
/* Adds the amounts of earlier versions' lines that are in the base of a component. */
extern EbStatus eb_version_base(const EbRating *rating, const bool *in_base, eb_int128 *sum);

static inline bool
eb_in_version(const EbRating *rating, int32_t day)
{
	return rating->version == NULL ||
		   (day >= rating->version->valid_from && day < rating->version->valid_to);
}

/* rate_adjust.c: components by the lines before them; given_n: the percentage, 1e-9 */
extern EbStatus eb_rate_percent(EbRating *rating, int32_t index);
extern EbStatus eb_rate_percent_of(EbRating *rating, int32_t index, const int64_t *given_n);
/* Which components are in the base of one: EB_MAX_COMPONENTS marks. */
extern void eb_base_read(const EbRating *rating, const EbComponent *component, bool *in_base);

/* rate_limit.c: minimum and maximum, rounding of the total */
extern EbStatus eb_rate_limit(EbRating *rating, int32_t index);
extern EbStatus eb_rate_total_rounding(EbRating *rating);

#endif /* EB_RATE_STATE_H */
