/*
 * tariff_component.h -- the compiled tariff: prices, conditions, components, demands, losses, net
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/tariff.md.
 */
#ifndef EB_TARIFF_COMPONENT_H
#define EB_TARIFF_COMPONENT_H

#include "rating/tariff_base.h"

typedef enum EbPriceKind
{
	EB_PRICE_CONST,
	EB_PRICE_PERIOD, /* entries by period name */
	EB_PRICE_SEASON, /* entries by season */
	EB_PRICE_ATTR,	 /* entries by the text of an attribute */
	EB_PRICE_SERIES, /* index: the series */
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
	int32_t series;	  /* SERIES: its index */
	int32_t unused;
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
	EB_QTY_IMPORT_KWH, /* the first four are the channels, in their order */
	EB_QTY_EXPORT_KWH,
	EB_QTY_IMPORT_KVARH,
	EB_QTY_EXPORT_KVARH,
	EB_QTY_NET_KWH, /* import less export */
	EB_QTY_DAYS,
	EB_QTY_MONTHS,
	EB_QTY_ONE,	  /* the bill itself */
	EB_QTY_ATTR,  /* attr:NAME */
	EB_QTY_NAMED, /* a name of ctx.qty or of the usage's qty; also meters, sessions */
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
	/* sessions only: what the session has come to, or is at, minimum inclusive, maximum exclusive */
	EB_TEST_TIME,		 /* local time in [from_min, to_min) */
	EB_TEST_KWH,		 /* 1e-6 kWh so far */
	EB_TEST_KW,			 /* 1e-6 kW now */
	EB_TEST_AMP,		 /* 1e-6 A now */
	EB_TEST_SECONDS,	 /* 1e-6 s so far */
	EB_TEST_RESERVATION, /* reservation: EbReservation */
} EbTestKind;

typedef enum EbReservation
{
	EB_RESERVATION_HELD,
	EB_RESERVATION_EXPIRED,
} EbReservation;

typedef struct EbTest
{
	int32_t kind;  /* EbTestKind */
	EbQuantity of; /* quantity; attributes: kind ATTR with the name */
	EbQuantity to; /* RATIO */
	EbSlice value; /* ATTR_IN: EbSlice texts */
	EbRange range;
	int16_t from_min; /* TIME */
	int16_t to_min;
	int32_t reservation; /* RESERVATION */
} EbTest;

/* All must hold */
typedef struct EbCondition
{
	uint32_t seasons; /* as in EbRule; 0 = any */
	uint16_t months;
	uint16_t unused;
	int32_t date_from; /* local days [from, to) */
	int32_t date_to;
	uint64_t days;	   /* any of these tags; 0 = any day */
	uint64_t not_days; /* none of these tags */
	EbSlice test;	   /* EbTest */
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
	EB_SCOPE_INTERVAL, /* each metered interval */
	EB_SCOPE_DAY,
	EB_SCOPE_BILL,
	EB_SCOPE_MONTH,
	EB_SCOPE_QUARTER,
	EB_SCOPE_YEAR,
	EB_SCOPE_SESSION,
	EB_NSCOPES
} EbTierScope;

typedef enum EbTierOrder
{
	EB_ORDER_PRORATA,
	EB_ORDER_PER_PERIOD,
	EB_ORDER_TIME, /* energy fills the steps as it was used */
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
	EB_STEP_KWH, /* or the unit of the quantity: kvarh, kw, money, unit */
	EB_STEP_KWH_PER_DAY,
	EB_STEP_KWH_PER_KW, /* of the billing demand named by the step */
	EB_STEP_KWH_PER_KW_DAY,
	EB_STEP_KWH_PER_KVA,  /* of attr:contract_kva */
	EB_STEP_PCT_CONTRACT, /* percent of attr:contract_kw */
} EbStepUnit;

typedef struct EbStep
{
	int32_t up_to;	/* price node read as 1e-9 of the unit; EB_NONE = unlimited (last step only) */
	int32_t unit;	/* EbStepUnit */
	int32_t price;	/* price node; EB_NONE = 0 */
	int32_t flat;	/* price node, money; EB_NONE = 0 */
	int32_t demand; /* KWH_PER_KW, KWH_PER_KW_DAY: index of the demand; else EB_NONE */
	int32_t unused;
	int64_t factor_n; /* multiplies the price; EB_ONE = none */
	EbSlice step;	  /* EbStep inside this one, by bounds of their own; one level */
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
	EB_KIND_REACTIVE,
	EB_KIND_CREDIT, /* export; amounts are negative */
	EB_KIND_FIXED,
	EB_KIND_CAPACITY,
	EB_KIND_CUSTOM,
	EB_KIND_DEMAND,
	EB_KIND_PERCENT,
	EB_KIND_POWER_FACTOR,
	EB_KIND_MINIMUM,
	EB_KIND_MAXIMUM,
	EB_KIND_SESSION_FLAT, /* from here on in sessions only; energy is in both */
	EB_KIND_SESSION_TIME,
	EB_KIND_IDLE,
	EB_KIND_RESERVE_FLAT,
	EB_KIND_RESERVE_TIME,
} EbComponentKind;

typedef enum EbPer
{
	EB_PER_KWH,
	EB_PER_KVARH,
	EB_PER_KW,
	EB_PER_KVA,
	EB_PER_BILL,
	EB_PER_DAY,
	EB_PER_MONTH,
	EB_PER_SESSION,
	EB_PER_HOUR,
	EB_PER_MINUTE,
	EB_PER_UNIT,
} EbPer;

typedef enum EbMinScope
{
	EB_MIN_BILL,
	EB_MIN_MONTH, /* the amount x months of the bill */
	EB_MIN_YEAR, /* due with the last bill of the tier year, against ctx.year_charged and this bill */
	EB_MIN_SESSION,
} EbMinScope;

/* The tables of the power factor adjustment of China, and "cn": by attr:pf_standard */
typedef enum EbPfTable
{
	EB_PF_CN_090,
	EB_PF_CN_085,
	EB_PF_CN_080,
	EB_PF_CN,
	EB_PF_OWN, /* rows of the tariff */
	EB_PF_LINEAR,
} EbPfTable;

/* At this power factor and below the next higher row's */
typedef struct EbPfRow
{
	int64_t pf_n;	   /* 1e-9 */
	int64_t percent_n; /* 1e-9: 0.5 means 0.5 %; + is a surcharge */
} EbPfRow;

/* percent per step of power factor away from target, up to cap */
typedef struct EbPfLinear
{
	int64_t target_n;
	int64_t step_n;
	int64_t percent_n;
	int64_t cap_n; /* INT64_MAX: none */
} EbPfLinear;

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
	int32_t per_line;		 /* PERCENT, POWER_FACTOR: each base line is a line of its own */
	EbQuantity share_of;
	int64_t share_above_u; /* 1e-6 */
	EbRounding round;	   /* of its lines */
	int32_t demand;		   /* DEMAND: index of what is measured */
	int32_t pf_table;	   /* POWER_FACTOR: EbPfTable */
	EbSlice pf_row;		   /* OWN: EbPfRow, descending pf */
	EbPfLinear pf_linear;  /* LINEAR */
	EbSlice lane; /* sessions: the first of a lane that applies prices; = code if not named */
	int32_t amount_incl; /* MINIMUM, MAXIMUM: price node, money with VAT; EB_NONE */
	int32_t each_min;	 /* 1: every item costs at least each_min_n */
	int32_t each_max;
	int32_t offset;		/* its energy takes part in offset_kwh */
	int64_t each_min_n; /* 1e-9 money */
	int64_t each_max_n;
	int64_t step_mwh; /* sessions: step_wh in 1e-3 Wh = 1e-6 kWh; 0 = none */
	int64_t step_ms;  /* ... and times in milliseconds */
	int64_t grace_ms;
	int64_t cap_n; /* 1e-9 money; EB_NO_CAP */
	int64_t vat_n; /* percent, 1e-9 */
} EbComponent;

#define EB_NO_CAP INT64_MAX

typedef enum EbPowerKind
{
	EB_IMPORT_KW,
	EB_EXPORT_KW,
	EB_IMPORT_KVA, /* from import_kwh and import_kvarh of the same window */
	EB_IMPORT_KVAR,
} EbPowerKind;

typedef enum EbDistinct
{
	EB_DISTINCT_WINDOW,
	EB_DISTINCT_DAY,
	EB_DISTINCT_WEEK, /* from Monday */
	EB_DISTINCT_MONTH,
} EbDistinct;

/* Billing demand from the peaks of earlier months */
typedef struct EbRatchet
{
	int32_t lookback; /* months; 0 = no ratchet */
	uint16_t months;  /* which peaks count: bit 1..12; 0 = all */
	uint16_t unused;
	int64_t percent_n[12]; /* of a peak, by the month in which it occurred; 1e-9 */
	int64_t current_n[12]; /* of this month's peak */
} EbRatchet;

/* What is measured: kW of windows, 1e-6 */
typedef struct EbDemand
{
	EbSlice name;
	int8_t quantity; /* EbPowerKind */
	int8_t top_mean; /* mean of the n highest; else the highest */
	int8_t distinct; /* EbDistinct */
	int8_t per;		 /* EbTierScope: BILL, MONTH, QUARTER, YEAR */
	int16_t window_min;
	int16_t slide_min; /* = window_min: block windows */
	int32_t n;		   /* top_mean; else 1 */
	int32_t schedule;  /* EB_NONE: periods do not matter */
	uint64_t slots;	   /* windows that start in these; all bits = all */
	uint32_t seasons;  /* as in EbRule */
	uint16_t months;
	uint16_t unused;
	int32_t event; /* EB_NONE = any time */
	int8_t has_floor;
	int8_t has_floor_pct;
	int8_t has_cap;
	int8_t unused2;
	int64_t floor_ukw;
	int64_t floor_pct_n; /* percent of attr:contract_kw, 1e-9 */
	int64_t cap_ukw;
	EbRounding round;
	EbRatchet ratchet;
} EbDemand;

typedef enum EbLossKind
{
	EB_LOSS_PERCENT,
	EB_LOSS_FACTOR,
	EB_LOSS_CONSTANT,
	EB_LOSS_COPPER,
} EbLossKind;

/* Energy that is billed though the meter does not see it; doc/rating.md */
typedef struct EbLoss
{
	EbSlice code;
	int32_t kind; /* EbLossKind */
	int32_t sign; /* 1 or -1 */
	int32_t has_minus;
	int32_t has_cap;
	int64_t percent_n;
	int64_t factor_n;
	EbQuantity kva;
	EbQuantity minus;
	int64_t hours_n; /* 0: the hours of the bill */
	int64_t cap_pct_n;
	int64_t load_kw_n;
	int64_t k_n;
} EbLoss;

typedef enum EbNetMode
{
	EB_NET_NONE,
	EB_NET_ROLLOVER_KWH,
	EB_NET_ROLLOVER_MONEY,
	EB_NET_BILLING,
	EB_NET_BILLING_CARRY,
	EB_NET_BUY_ALL_SELL_ALL,
	EB_NET_OFFSET_KWH,
} EbNetMode;

typedef enum EbNetExcess
{
	EB_EXCESS_CARRY,
	EB_EXCESS_PAY,
	EB_EXCESS_LOST,
} EbNetExcess;

typedef struct EbNet
{
	int8_t mode; /* EbNetMode */
	int8_t settle_month;
	int8_t settle_carry; /* else the settlement pays */
	int8_t expire;
	int8_t same_month;
	int8_t match_time_of_day; /* else by period */
	int8_t excess;			  /* EbNetExcess */
	int8_t unused;
	int64_t true_up_n; /* 1e-9 */
	EbSlice order;	   /* OFFSET_KWH: int32_t indexes of period_name */
} EbNet;

#endif
