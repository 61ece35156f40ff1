/*
 * session_state.h -- what the files of session rating share while one session is rated
 * The session is walked in pieces that no boundary cuts (session_cut.c). Each piece asks the
 * components which of them price it (session_when.c, session_lane.c) and adds to their groups;
 * groups become lines (session_line.c, session_tier.c).
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_SESSION_STATE_H
#define EB_SESSION_STATE_H

#include "rating/rate_state.h"
#include "rating/session.h"

/* What is measured of a session; step_size works on the total of one */
typedef enum EbDimension
{
	EB_DIM_ENERGY,
	EB_DIM_TIME,
	EB_DIM_IDLE,
	EB_DIM_RESERVE,
	EB_NDIMENSIONS,
	EB_DIM_FLAT, /* once per session and lane */
	EB_DIM_RESERVE_FLAT,
	EB_DIM_NONE, /* kinds that look at no piece */
} EbDimension;

/* Part of a segment inside which nothing changes */
typedef struct EbSessionPiece
{
	const EbSessionSegment *segment;
	int64_t from_us; /* [from, to); no time at all only where energy crosses a bound */
	int64_t to_us;
	int64_t ukwh;
	int64_t run_ukwh;	/* of the session before the piece */
	int64_t elapsed_us; /* running time before the piece */
	int32_t number;		/* counts pieces, from 0 */
	int32_t day;		/* local date */
	int32_t minute;		/* of the local day */
	int32_t month;
	int32_t season;
	int32_t unused;
	uint64_t tags;
	EbSegment time; /* periods */
} EbSessionPiece;

/* What the components of one lane priced of one dimension */
typedef struct EbSessionLane
{
	int64_t total;		/* 1e-6 kWh or microseconds */
	int32_t last_group; /* where the last of it went; EB_NONE: nothing yet */
	int32_t unused;
} EbSessionLane;

typedef struct EbSessionWork
{
	EbRating rating; /* lines, conditions by attribute, components on other lines */
	EbRateContext ctx;
	EbNamedQuantity qty; /* sessions: 1 */
	const EbSession *session;
	EbSessionGroup *group;
	int ngroups;
	int capacity;
	int64_t charge_us; /* running time of the charge counts from here */
	int next;		   /* segment of the next piece */
	int64_t next_us;   /* where in it the next piece begins, */
	int64_t next_ukwh; /* and what of its energy lies before that */
	EbSessionPiece piece;
	int32_t lane[EB_MAX_COMPONENTS];						/* first component of the same lane */
	int64_t grace_us[EB_MAX_COMPONENTS];					/* still to be deducted */
	int64_t counter[EB_MAX_COMPONENTS];						/* of tiers in order time */
	EbSessionLane total[EB_NDIMENSIONS][EB_MAX_COMPONENTS]; /* by the first component of a lane */
	uint64_t flat_done[2][EB_MAX_COMPONENTS / 64];			/* flats, reservation flats; by lane */
	int32_t last_piece[EB_NDIMENSIONS];						/* the last that was priced */
} EbSessionWork;

extern EbDimension eb_session_dimension(const EbComponent *component);

static inline const EbComponent *
eb_session_component(const EbSessionWork *work, int32_t index)
{
	return EB_ARRAY(work->rating.tariff, EbComponent, work->rating.tariff->component) + index;
}

/* Microseconds or 1e-6 kWh that its price is for */
static inline int64_t
eb_session_unit(const EbComponent *component)
{
	if (eb_session_dimension(component) == EB_DIM_ENERGY)
		return EB_KWH;
	return component->per == EB_PER_MINUTE ? EB_MINUTE_US : 60 * EB_MINUTE_US;
}

/* session_cut.c: piece after piece, until *found is false. */
extern EbStatus eb_session_next(EbSessionWork *work, bool *found);
/* Where a segment has come to that energy (at most all it has, which is some) */
extern int64_t eb_session_instant(const EbSessionSegment *segment, int64_t ukwh);

/* session_when.c: do conditions hold in the piece? */
extern EbStatus
eb_session_when(const EbSessionWork *work, const EbComponent *component, bool *holds);
extern EbStatus
eb_session_factor(const EbSessionWork *work, const EbComponent *component, int32_t *factor_if);

/* session_lane.c: adds the piece to the groups of what prices it; steps come after the last. */
extern EbStatus eb_session_add_piece(EbSessionWork *work);
extern EbStatus eb_session_add_steps(EbSessionWork *work);
/* Prices as of the day, period and season of a group */
extern EbPriceEnv eb_session_env(const EbSessionWork *work, const EbSessionGroup *group);
/* Adds quantity of the group's price to the group that is like key, or to a new one. */
extern EbStatus
eb_session_add(EbSessionWork *work, const EbSessionGroup *key, int64_t quantity, int32_t *index);

/* session_line.c: lines of a component */
extern EbStatus eb_session_push(EbSessionWork *work, int32_t index);
/* One line: quantity at a cost, of the group's period and time. factor_n: of its step. */
extern EbStatus eb_session_push_part(EbSessionWork *work, const EbSessionGroup *group, int32_t tier,
									 int64_t quantity, eb_int128 cost, int64_t factor_n);
/* A line of n (1e-6) at an amount of money each (1e-9) */
extern EbStatus eb_session_push_count(EbSessionWork *work, const EbSessionGroup *group,
									  int32_t tier, int32_t unit, int64_t n_u, int64_t price_n);

/* session_tier.c: components with steps */
extern EbStatus eb_session_tier_check(const EbSessionWork *work, const EbComponent *component);
/* In order time: the step of the next unit, its number, price and how much still fits in it. */
extern EbStatus
eb_session_tier_next(const EbSessionWork *work, const EbSessionGroup *group, int64_t counter,
					 int32_t *tier, int64_t *price_n, int64_t *room);
/* Has each period lines of its own? Not where all of them have the same adders. */
extern bool eb_session_by_period(const EbSessionWork *work, const EbComponent *component);
extern EbStatus eb_session_push_tiers(EbSessionWork *work, int32_t index);

static inline bool
eb_session_by_time(const EbComponent *component)
{
	return component->has_tier && component->tier.order == EB_ORDER_TIME &&
		   (component->tier.mode == EB_TIER_GRADUATED || component->tier.mode == EB_TIER_ADDER);
}

#endif /* EB_SESSION_STATE_H */
