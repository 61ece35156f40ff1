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

#include "rating/tariff_component.h"
#include "rating/tariff_time.h"

#define EB_TARIFF_FORMAT 2
#define EB_TARIFF_MAX_SIZE (8 << 20)
#define EB_MAX_SCHEDULES 16
#define EB_MAX_SLOTS 64 /* periods, counted per schedule */
#define EB_MAX_SEASONS 31
#define EB_MAX_TAGS 63
#define EB_MAX_COMPONENTS 256
#define EB_MAX_STEPS 64
#define EB_MAX_DEMANDS 32
#define EB_MAX_SERIES 16
#define EB_MAX_EVENTS 64
#define EB_MAX_LOSSES 16
#define EB_MAX_VERSIONS 64
#define EB_FINGERPRINT_SIZE 16

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
	EbSlice event;		  /* EbEvent */
	EbSlice series;		  /* EbSeries */
	EbSlice plane;		  /* EbPlane; see eb_usage_cells() */
	EbSlice demand;		  /* EbDemand */
	EbSlice loss;		  /* EbLoss */
	EbNet net;
	int8_t by_day;	 /* parts are days: a tier or a condition looks at single days */
	int8_t in_order; /* usage keeps its pieces: a tier fills in time order, or by interval */
	int8_t sessions; /* a component is of a session */
	int8_t unused[5];
	EbSlice version; /* EbVersion; when there are any, the rest but the head is empty */
} EbTariff;

/* One version of a tariff that changes: a compiled tariff of its own inside the block */
typedef struct EbVersion
{
	int32_t valid_from; /* local days [from, to); they follow each other without gap */
	int32_t valid_to;
	int32_t number; /* as the plan counts them */
	int32_t unused;
	EbSlice block; /* bytes, at a multiple of 8; an EbTariff whose offsets count from there */
} EbVersion;

static inline const EbTariff *
eb_version_tariff(const EbTariff *tariff, const EbVersion *version)
{
	return (const EbTariff *) (const void *) ((const char *) tariff + version->block.at);
}

#endif
