/*
 * tariff_build.h -- what the parts of the tariff compiler share: the block under construction
 * Arrays and texts grow from the start of the buffer upwards. Price nodes are met one by one, so
 * they wait at the end of the buffer, growing downwards, and are copied behind the rest at last.
 * Every function that takes space returns false when there is none left; the compiler stops then.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_TARIFF_BUILD_H
#define EB_TARIFF_BUILD_H

#include "rating/tariff.h"
#include "rating/tariff_json.h"

typedef struct EbBuild
{
	const EbNode *root;
	EbTariff *tariff; /* start of the buffer */
	size_t low;		  /* bytes used from the start; a multiple of 8 */
	size_t high;	  /* the price nodes stand from here to size */
	size_t size;	  /* a multiple of 8 */
	int nnodes;
	EbText tag[EB_MAX_TAGS]; /* named tags, by bit from EB_TAG_NAMED on */
	int ntags;
	EbText period[EB_MAX_SLOTS]; /* names over all schedules */
	int nperiods;
	EbSlot slot[EB_MAX_SLOTS];
	int nslots;
	int32_t value_node[EB_MAX_VALUES]; /* price node of a named value; EB_NONE: not met yet */
	bool value_reads[EB_MAX_VALUES];
} EbBuild;

/* n zeroed elements of the given size; *array is where they are, slice says it as offset. */
extern bool eb_build_array(EbBuild *build, int n, size_t element, EbSlice *slice, void **array);
extern bool eb_build_bytes(EbBuild *build, EbText text, EbSlice *slice);
/* A list of texts as EbSlice elements */
extern bool eb_build_texts(EbBuild *build, const EbText *text, int n, EbSlice *slice);
extern bool eb_build_label(EbBuild *build, const EbNode *name, EbSlice *slice);

/* Position of a member in a map, EB_NONE when it is not there */
extern int eb_build_index(const EbNode *map, EbText name);
/* The value of a key as an integer of 10^-scale, or initial */
extern int64_t eb_build_decimal(const EbNode *object, const char *key, int scale, int64_t initial);

/* tariff_compile_time.c: calendar, seasons, schedules */
extern bool eb_build_time(EbBuild *build);
/* Bits of a list of tags; named ones get the next free bit when they are new. */
extern uint64_t eb_build_tags(EbBuild *build, const EbNode *list);
/* Bits of the slots of a schedule that have one of the names; all bits without names */
extern uint64_t eb_build_slots(const EbBuild *build, int schedule, const EbNode *names);
/* Position of the schedule a component or demand reads, EB_NONE: none */
extern int eb_build_schedule(const EbBuild *build, const EbNode *reader);
extern uint32_t eb_build_seasons(const EbBuild *build, const EbNode *names);
extern uint16_t eb_build_months(const EbNode *months);
extern int eb_build_period(const EbBuild *build, EbText name);
/* Half-open range of local days; what is left open is INT32_MIN, INT32_MAX. */
extern void eb_build_dates(const EbNode *range, int32_t *from, int32_t *to);

/* tariff_compile_price.c; *reads is set when the price reads a period and left alone otherwise */
extern bool eb_build_price(EbBuild *build, const EbNode *price, int32_t *node, bool *reads);
/* R; initial when the node is NULL, no rounding when it is null */
extern EbRounding eb_build_round(const EbNode *round, EbRounding initial);

/* tariff_compile_condition.c */
extern bool eb_build_quantity(EbBuild *build, EbText name, EbQuantity *quantity);
extern bool eb_build_condition(EbBuild *build, const EbNode *node, EbCondition *condition);

/* tariff_compile_series.c: events and series, points as they are written */
extern bool eb_build_events(EbBuild *build);
extern bool eb_build_series(EbBuild *build);

/* tariff_compile_measure.c: demands, losses, net */
extern bool eb_build_measures(EbBuild *build);

/* tariff_compile_tier.c */
extern bool eb_build_tier(EbBuild *build, const EbNode *node, EbComponent *component, bool *reads);

/* tariff_compile_component.c */
extern bool eb_build_components(EbBuild *build);

/* Value of a word, or of the initial one when text is empty */
extern int eb_build_word(const EbWord *word, EbText text, int initial);

#endif
