/*
 * tariff.h -- the compiled tariff: one flat block, free of pointers
 * In:  the JSON form of a tariff as nodes (node.h), checked by tariff_lint.c.
 * Out: what tou.c, usage.c, price.c, tier.c and rate.c read. All positions are byte offsets from
 *      the start of the block, so it can be copied, stored and mapped as it is. The block is a
 *      cache of the JSON: another EB_TARIFF_FORMAT means compile again, never convert.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/tariff.md.
 */
#ifndef EB_TARIFF_H
#define EB_TARIFF_H

#include "base/decimal.h"
#include "rating/node.h"

#define EB_TARIFF_FORMAT 1
#define EB_TARIFF_MAX_SIZE (4 << 20)
#define EB_MAX_SCHEDULES 16
#define EB_MAX_SLOTS 64 /* periods, counted per schedule */
#define EB_MAX_SEASONS 31
#define EB_MAX_TAGS 63
#define EB_MAX_COMPONENTS 256
#define EB_MAX_STEPS 64
#define EB_FINGERPRINT_SIZE 16
#define EB_NONE (-1)

/* n elements from byte offset at; text has n bytes and no terminator */
typedef struct EbSlice
{
	int32_t at;
	int32_t n;
} EbSlice;

#define EB_ARRAY(tariff, type, slice) \
	((const type *) (const void *) ((const char *) (tariff) + (slice).at))

typedef struct EbRounding
{
	int64_t step_n; /* 1e-9 of the unit; 0 = do not round */
	int32_t mode;	/* EbRoundMode */
	int32_t unused;
} EbRounding;

/* Label in one language; lang empty = any */
typedef struct EbLabel
{
	EbSlice lang;
	EbSlice text;
} EbLabel;

/* Day tags: the first ten are derived from the date, the weekend mask and the others */
enum
{
	EB_TAG_MON = 0, /* .. EB_TAG_SUN = 6 */
	EB_TAG_SUN = 6,
	EB_TAG_WEEKEND = 7,
	EB_TAG_WEEKDAY = 8,
	EB_TAG_WORKDAY = 9,
	EB_TAG_OFFDAY = 10,
	EB_TAG_HOLIDAY = 11,
	EB_TAG_MAKEUP = 12,
	EB_TAG_HOT = 13,
	EB_TAG_NAMED = 14, /* first tag that only this tariff knows */
};

typedef struct EbCalendarDay
{
	int32_t day; /* since 2000-01-01, ascending, unique */
	int32_t unused;
	uint64_t tags; /* as written: HOLIDAY, MAKEUP, HOT and named ones */
} EbCalendarDay;

/* Half-open [from, to) in month * 32 + day; to <= from wraps the year */
typedef struct EbSeasonRange
{
	int16_t season;
	int16_t from_md;
	int16_t to_md;
	int16_t unused;
} EbSeasonRange;

/* [from, to) in minutes of the local day; to <= from wraps past midnight */
typedef struct EbSpan
{
	int16_t from_min;
	int16_t to_min;
} EbSpan;

/* One rule of a schedule; an absent condition has mask 0 and holds */
typedef struct EbRule
{
	int16_t slot;		 /* the period it gives, as slot of the tariff */
	int8_t anchor_start; /* month, season, tags of the day the span began */
	int8_t unused;
	uint16_t months; /* bit 1..12 */
	uint16_t unused2;
	uint32_t seasons; /* bit 0 = no named season, bit i = season i (from 1) */
	uint32_t unused3;
	uint64_t days;		/* any of these tags */
	uint64_t not_days;	/* none of these tags */
	int32_t valid_from; /* local days [from, to); INT32_MIN, INT32_MAX = open */
	int32_t valid_to;
	EbSlice span; /* EbSpan; none = whole day */
} EbRule;

/* Periods are counted per schedule; a slot is one (schedule, period) */
typedef struct EbSlot
{
	int16_t schedule;
	int16_t name; /* index of period_name */
} EbSlot;

typedef struct EbSchedule
{
	EbSlice name;
	int32_t first_slot;
	int32_t nslots;
	EbSlice rule; /* EbRule, first match wins */
} EbSchedule;

typedef enum EbPriceKind
{
	EB_PRICE_CONST,
	EB_PRICE_PERIOD, /* entries by period name */
	EB_PRICE_SEASON, /* entries by season */
	EB_PRICE_ATTR,	 /* entries by the text of an attribute */
	EB_PRICE_REF,	 /* another node */
	EB_PRICE_MUL,
	EB_PRICE_ADD,
} EbPriceKind;

typedef struct EbPriceEntry
{
	EbSlice key;   /* as written */
	int32_t index; /* period name or season; EB_NONE for ATTR */
	int32_t node;
} EbPriceEntry;

typedef struct EbPriceNode
{
	int32_t kind;	  /* EbPriceKind */
	int32_t fallback; /* node of "*" or EB_NONE */
	int64_t value_n;  /* CONST: 1e-9 */
	EbSlice entry;	  /* maps: EbPriceEntry; MUL, ADD, REF: int32_t nodes, always lower ones */
	EbSlice attr;	  /* ATTR: name of the attribute */
	EbRounding round; /* MUL, ADD */
} EbPriceNode;

/* RANGE with bounds in 1e-6; absent bounds are not set */
typedef struct EbRange
{
	int64_t gt, ge, lt, le;
	uint8_t has_gt, has_ge, has_lt, has_le;
	uint8_t unused[4];
} EbRange;

typedef enum EbQuantityKind
{
	EB_QTY_IMPORT_KWH,
	EB_QTY_DAYS,
	EB_QTY_MONTHS,
	EB_QTY_ONE,	 /* the bill itself */
	EB_QTY_ATTR, /* attr:NAME */
	EB_QTY_NAMED, /* a name of ctx.qty; also meters, sessions and what this version does not measure */
} EbQuantityKind;

typedef struct EbQuantity
{
	int32_t kind; /* EbQuantityKind */
	EbSlice name; /* ATTR, NAMED */
} EbQuantity;

typedef enum EbTestKind
{
	EB_TEST_ATTR_IN,	/* the attribute equals one of the texts */
	EB_TEST_ATTR_RANGE, /* the attribute is a number inside the range */
	EB_TEST_QTY,		/* a quantity inside the range */
	EB_TEST_RATIO,		/* of / to inside the range */
} EbTestKind;

typedef struct EbTest
{
	int32_t kind;  /* EbTestKind */
	EbQuantity of; /* quantity; attributes: kind ATTR with the name */
	EbQuantity to; /* RATIO */
	EbSlice value; /* ATTR_IN: EbSlice texts */
	EbRange range;
} EbTest;

/* All must hold */
typedef struct EbCondition
{
	uint32_t seasons; /* as in EbRule; 0 = any */
	uint16_t months;
	uint16_t unused;
	int32_t date_from; /* local days [from, to) */
	int32_t date_to;
	EbSlice test; /* EbTest */
} EbCondition;

typedef struct EbFactorIf
{
	EbCondition condition;
	int64_t factor_n; /* 1e-9 */
	EbRounding round;
} EbFactorIf;

typedef enum EbTierMode
{
	EB_TIER_GRADUATED,
	EB_TIER_VOLUME,
	EB_TIER_PACKAGE,
	EB_TIER_ADDER,
} EbTierMode;

typedef enum EbTierScope
{
	EB_SCOPE_BILL,
	EB_SCOPE_MONTH,
	EB_SCOPE_QUARTER,
	EB_SCOPE_YEAR,
	EB_NSCOPES
} EbTierScope;

typedef enum EbTierOrder
{
	EB_ORDER_PRORATA,
	EB_ORDER_PER_PERIOD,
} EbTierOrder;

typedef enum EbProrate
{
	EB_PRORATE_NONE,
	EB_PRORATE_DAYS,
	EB_PRORATE_MONTHS,
} EbProrate;

typedef enum EbSplit
{
	EB_SPLIT_DAYS,
	EB_SPLIT_CONTINUE,
	EB_SPLIT_START,
	EB_SPLIT_END,
} EbSplit;

typedef enum EbStepUnit
{
	EB_STEP_KWH, /* or the unit of the quantity */
	EB_STEP_KWH_PER_DAY,
} EbStepUnit;

typedef struct EbStep
{
	int32_t up_to; /* price node read as 1e-9 of the unit; EB_NONE = unlimited (last step only) */
	int32_t unit;  /* EbStepUnit */
	int32_t price; /* price node; EB_NONE = 0 */
	int32_t flat;  /* price node, money; EB_NONE = 0 */
	int64_t factor_n; /* multiplies the price; EB_ONE = none */
} EbStep;

/* +add to the bounds when the attribute is at least at_least */
typedef struct EbAllowance
{
	EbSlice attr;
	int64_t at_least; /* 1e-6 */
	int64_t add_ukwh;
	int8_t per_month; /* else once per scope */
	int8_t widen_all; /* else only the first bound */
	int8_t unused[6];
} EbAllowance;

typedef struct EbTier
{
	int8_t mode;	/* EbTierMode */
	int8_t scope;	/* EbTierScope */
	int8_t order;	/* EbTierOrder */
	int8_t prorate; /* EbProrate */
	int8_t split;	/* EbSplit */
	int8_t flat_at_zero;
	int8_t has_by;
	int8_t unused;
	int32_t nominal_days;
	EbQuantity by;	/* has_by: chooses the volume step */
	int64_t size_u; /* PACKAGE: 1e-6 */
	int64_t free_u;
	EbSlice step;	   /* EbStep */
	EbSlice allowance; /* EbAllowance */
} EbTier;

typedef enum EbComponentKind
{
	EB_KIND_ENERGY,
	EB_KIND_FIXED,
	EB_KIND_CUSTOM,
	EB_KIND_PERCENT,
	EB_KIND_MINIMUM,
	EB_KIND_MAXIMUM,
} EbComponentKind;

typedef enum EbPer
{
	EB_PER_KWH,
	EB_PER_BILL,
	EB_PER_DAY,
	EB_PER_MONTH,
	EB_PER_UNIT,
} EbPer;

typedef enum EbMinScope
{
	EB_MIN_BILL,
	EB_MIN_MONTH, /* the amount x months of the bill */
} EbMinScope;

typedef struct EbComponent
{
	EbSlice code;
	EbSlice group; /* = code when not named */
	EbSlice rider; /* n = 0: none */
	EbSlice label; /* EbLabel */
	int32_t kind;  /* EbComponentKind */
	int32_t per;   /* EbPer */
	EbQuantity quantity;
	int32_t price;	  /* price node or EB_NONE */
	int32_t schedule; /* whose periods the price reads, or EB_NONE: not split by period */
	uint64_t slots;	  /* which periods count: bit = slot of the tariff; all bits = all */
	int32_t prorate;  /* EbProrate; FIXED */
	int32_t has_when;
	EbCondition when;
	int32_t valid_from; /* local days [from, to) */
	int32_t valid_to;
	EbSlice factor_if; /* EbFactorIf, the first that holds */
	int32_t has_tier;
	int32_t min_scope; /* EbMinScope; MINIMUM, MAXIMUM */
	EbTier tier;
	int32_t percent;		 /* price node: 0.45 means 0.45 %; PERCENT */
	int32_t amount;			 /* price node, money; MINIMUM, MAXIMUM */
	EbSlice base;			 /* int32_t indexes of earlier components; PERCENT, MINIMUM, MAXIMUM */
	int32_t has_share_above; /* PERCENT: only the share of the quantity above */
	int32_t per_line;		 /* PERCENT: each base line is a line of its own */
	EbQuantity share_of;
	int64_t share_above_u; /* 1e-6 */
	EbRounding round;	   /* of its lines */
} EbComponent;

typedef struct EbTariff
{
	uint32_t format;						  /* EB_TARIFF_FORMAT */
	uint32_t size;							  /* bytes of the block */
	uint8_t fingerprint[EB_FINGERPRINT_SIZE]; /* of what classifies usage; set by the caller */
	EbSlice code;
	EbSlice label; /* EbLabel */
	EbSlice currency;
	EbSlice zone;
	int16_t minor_unit;
	int16_t month_day;	/* 1..28 */
	int16_t year_start; /* month * 32 + day */
	uint16_t weekend;	/* bit 0 Monday .. bit 6 Sunday */
	EbRounding round_quantity;
	EbRounding round_price;
	EbRounding round_line;
	EbRounding round_total;
	EbSlice tag;		  /* EbSlice: names of the tags from EB_TAG_NAMED on */
	EbSlice calendar_day; /* EbCalendarDay */
	EbSlice season;		  /* EbSlice: names; season i (from 1) is element i - 1 */
	EbSlice season_range; /* EbSeasonRange */
	EbSlice period_name;  /* EbSlice: unique over all schedules */
	EbSlice schedule;	  /* EbSchedule, ascending name */
	EbSlice slot;		  /* EbSlot; none when there is no schedule */
	EbSlice node;		  /* EbPriceNode */
	EbSlice component;	  /* EbComponent */
} EbTariff;

#endif
