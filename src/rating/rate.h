/*
 * rate.h -- determinants and a tariff give bill lines
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md; doc/architecture.md.
 */
#ifndef EB_RATE_H
#define EB_RATE_H

#include "base/civil.h"
#include "rating/usage.h"

typedef struct EbAttr
{
	EbText name;
	EbText value; /* numbers as their decimal text */
} EbAttr;

/* What was rated before in the scope that holds the first service day */
typedef struct EbBefore
{
	EbTierScope scope;
	EbText period; /* empty: all periods together */
	int64_t ukwh;
} EbBefore;

/* The peak of a demand in an earlier month */
typedef struct EbPastPeak
{
	EbText demand;
	int32_t year;
	int32_t month; /* 1..12 */
	int64_t ukw;
} EbPastPeak;

/* What rating needs besides tariff and usage (ctx of the SQL function) */
typedef struct EbRateContext
{
	const EbAttr *attr;
	int nattrs;
	const EbNamedQuantity *qty;
	int nqty;
	const EbBefore *before;
	int nbefore;
	const EbPastPeak *past;
	int npast;
	const EbNamedQuantity *credit; /* kWh carried from earlier bills, by period; "" = all */
	int ncredit;
	eb_int128 credit_money;		   /* money carried, 1e-15 */
	eb_int128 charged[EB_NSCOPES]; /* billed before in the scope, 1e-15: yearly minimum */
	int64_t service_days_u;		   /* days in service, 1e-6; 0: all days of the bill */
	int64_t from_us;			   /* service range; INT64_MIN both: that of the usage */
	int64_t to_us;
	const EbTariff *bill_tariff; /* set by rating: the tariff whose version is in work, and the */
	const EbUsage *bill_usage;	 /* usage of all versions, where demands look for windows */
	bool final;					 /* minimum and maximum lines are due */
	EbStop stop;				 /* NULL: rate to the end */
	struct EbKeptRuns *kept;	 /* rate_service.h; rating writes it. NULL: nothing is kept */
} EbRateContext;

typedef enum EbUnit
{
	EB_UNIT_KWH,
	EB_UNIT_BILL,
	EB_UNIT_DAY,
	EB_UNIT_MONTH,
	EB_UNIT_PIECE,
	EB_UNIT_PERCENT, /* of the quantity, which is money then */
	EB_UNIT_KVARH,
	EB_UNIT_KW,
	EB_UNIT_KVA,
	EB_UNIT_SESSION,
	EB_UNIT_HOUR,
	EB_UNIT_MINUTE,
	EB_UNIT_MONEY, /* of the currency */
} EbUnit;

/* Lines that no component makes */
typedef enum EbLineRole
{
	EB_LINE_COMPONENT,
	EB_LINE_ROUNDING,  /* of the total */
	EB_LINE_VAT,	   /* price: the percentage */
	EB_LINE_NET,	   /* credit used: kWh cancelled (amount 0), or money, negative */
	EB_LINE_NET_CARRY, /* of amount 0: what the next bill begins with, kWh, or money in amount_raw */
	EB_LINE_NET_EARNED, /* money of credit lines that goes on the account instead, positive */
	EB_LINE_NET_PAID,	/* account paid out, negative; kWh at the true-up price, or money */
	EB_LINE_NET_LOST,	/* of amount 0: account that expired */
} EbLineRole;

typedef struct EbLine
{
	int32_t component;	  /* index; EB_NONE: see role */
	int32_t role;		  /* EbLineRole */
	int32_t version;	  /* index of the tariff's version; EB_NONE: it has none */
	int32_t slot;		  /* EB_NONE: not split by period */
	int32_t tier;		  /* from 1; 0 = no tier */
	int32_t unit;		  /* EbUnit */
	int64_t quantity_u;	  /* 1e-6 of the unit, after quantity rounding */
	int64_t price_n;	  /* 1e-9 currency per unit, after price rounding */
	int64_t factor_n;	  /* 1e-9; EB_ONE = none */
	eb_int128 amount_raw; /* 1e-15, not rounded */
	eb_int128 amount;	  /* 1e-15, rounded by the rule of the component */
	int64_t from_us;	  /* what the line covers; INT64_MIN both: unknown */
	int64_t to_us;
	int32_t quality;  /* EbQuality */
	int32_t last_run; /* where in the service range it ends; of rating alone */
} EbLine;

/*
 * Rates usage under tariff into line[0..*nlines), in the order of the components; the sum of
 * line.amount is the total. EB_NO_SPACE: capacity was too small, *nlines is no promise.
 * EB_UNKNOWN: the tariff needs a determinant the usage lacks (named). EB_CONFLICT: the usage was
 * classified by another tariff (fingerprint). EB_OUT_OF_RANGE: overflow.
 */
extern EbStatus
eb_rate(const EbTariff *tariff, const EbZone *zone, const EbUsage *usage, const EbRateContext *ctx,
		EbLine *line, int capacity, int *nlines, EbFault *fault);

/*
 * The price of the next kWh at an instant, in 1e-15 currency: energy components summed, each at
 * the step that begins after before_ukwh units of its scope. A tier scope of a bill is read as the
 * tier month that holds the instant. EB_NOT_SUPPORTED: packages have no price of the next kWh.
 */
extern EbStatus
eb_rate_marginal(const EbTariff *tariff, const EbZone *zone, int64_t at_us, int64_t before_ukwh,
				 const EbAttr *attr, int nattrs, eb_int128 *price, EbFault *fault);

#endif
