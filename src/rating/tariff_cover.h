/*
 * tariff_cover.h -- a schedule as the coverage check reads it
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_TARIFF_COVER_H
#define EB_TARIFF_COVER_H

#include "rating/tariff_lint.h"

#define EB_COVER_GROUPS 12 /* sets of calendar tags are looked at: two to the power of this */
#define EB_RULE_WORDS (EB_MAX_RULES / 64)
#define EB_COVER_TAGS (EB_MAX_TAGS + 1)

/* Tags by bit: those of the date as in EB_TAG_..., groups of calendar tags from bit EB_COVER_BIT on */
#define EB_COVER_BIT 16

typedef struct EbCoverRule
{
	uint16_t months; /* bit 1..12; 0 = all */
	uint32_t seasons;
	uint32_t days;
	uint32_t not_days;
	int32_t valid_from;
	int32_t valid_to;
	int first_span;
	int nspans;
	bool anchor_start;
	bool event; /* covers nothing for sure */
} EbCoverRule;

typedef struct EbCoverSpan
{
	int16_t from;
	int16_t to;
	bool reached;
} EbCoverSpan;

/* A calendar tag and the rules that ask for it */
typedef struct EbCoverTag
{
	EbText name;
	uint64_t in_days[EB_RULE_WORDS];
	uint64_t in_not_days[EB_RULE_WORDS];
	int group;
} EbCoverTag;

typedef struct EbCover
{
	EbLint *lint;
	const EbPath *path;
	EbCoverRule rule[EB_MAX_RULES];
	int nrules;
	EbCoverSpan span[EB_MAX_SCHEDULE_SPANS + EB_MAX_RULES];
	int nspans;
	EbCoverTag tag[EB_COVER_TAGS];
	int ntags;
	int ngroups;
	bool reads_yesterday; /* some span that wraps is anchored at its start */
	bool gap;			  /* reported */
	unsigned weekend;
	int8_t season[EB_LEAP_DAYS];
	int16_t run[EB_LEAP_DAYS];	   /* days of one month and season in a row have one number */
	uint8_t seen[EB_LEAP_DAYS][2]; /* by run: weekdays looked at; [1]: as first day of the run */
} EbCover;

/* Fills all but lint and path, from a schedule whose names and types are sound. */
extern void eb_cover_read(EbCover *cover, const EbNode *schedule);

#endif
