/*
 * tariff_lint.h -- what the parts of the tariff check share
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_TARIFF_LINT_H
#define EB_TARIFF_LINT_H

#include "rating/tariff_compile.h"
#include "rating/tariff_json.h"
#include "rating/tariff_types.h"

/* Where a value is: a chain from the leaf to the root, on the stack of the walker */
typedef struct EbPath
{
	const struct EbPath *up; /* NULL: the tariff itself */
	EbText key;				 /* member; data NULL: element index */
	int index;
	int depth; /* below the tariff; below its version when it changes */
} EbPath;

typedef struct EbLint
{
	const EbNode *root;		  /* the tariff, one version of it */
	const struct EbPath *top; /* where that is */
	EbLintSink sink;
	void *arg;
	int nfindings;
	int nerrors;
	int ntime_errors;		 /* those in what sorts time: calendar, seasons, schedules */
	int64_t cover_work;		 /* spent on looking whether schedules cover the week */
	int64_t bound_work;		 /* members of maps visited to see whether bounds rise */
	int64_t name_work;		 /* rules visited to see whether the periods of prices are theirs */
	int64_t price_parts;	 /* of all prices together */
	const EbNode *tags_of;	 /* the tariff whose calendar tags are in tag[] */
	EbText tag[EB_MAX_TAGS]; /* names besides the known ones */
	int ntags;
} EbLint;

/* Texts longer than a name may be are not shown in messages and paths */
#define EB_SHOWN_BYTES EB_MAX_NAME
#define EB_SHOWN(text)                               \
	((text).len <= EB_SHOWN_BYTES ? (text).len : 6), \
		((text).len <= EB_SHOWN_BYTES ? (text).data : "(long)")

static inline EbPath
eb_path_key(const EbPath *up, EbText key)
{
	return (EbPath){up, key, 0, up->depth + 1};
}

static inline EbPath
eb_path_name(const EbPath *up, const char *key)
{
	return (EbPath){up, {key, (int) strlen(key)}, 0, up->depth + 1};
}

static inline EbPath
eb_path_index(const EbPath *up, int index)
{
	return (EbPath){up, {NULL, 0}, index, up->depth + 1};
}

/* Findings; error, warning and note take a message like printf. */
extern void eb_lint_error(EbLint *lint, const EbPath *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
extern void eb_lint_warning(EbLint *lint, const EbPath *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
extern void eb_lint_note(EbLint *lint, const EbPath *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* tariff_lint_value.c: a value that is no container */
extern void
eb_lint_scalar(EbLint *lint, const EbPath *path, const EbNode *node, const EbType *type);
/* An instant as eb_parse_instant() reads it, in UTC when it has no offset */
extern bool eb_instant_us(EbText text, int64_t *at_us);

/* tariff_lint_time.c: calendar, seasons, rules */
extern void eb_lint_time(EbLint *lint, const EbPath *path);
extern void eb_lint_rule(EbLint *lint, const EbPath *path, const EbNode *rule);
extern void eb_lint_months(EbLint *lint, const EbPath *path, const EbNode *months);
/* A warning for tags of this tariff's own that no day of its calendar has */
extern void eb_lint_tags(EbLint *lint, const EbPath *path, const EbNode *tags);
extern void eb_lint_span(EbLint *lint, const EbPath *path, const EbNode *span);
extern void eb_lint_seasons(EbLint *lint, const EbPath *path, const EbNode *names);
extern bool eb_season_known(const EbNode *root, EbText name);
extern bool eb_period_known(const EbNode *schedule, EbText name);

/*
 * Season of each day of a leap year: 0 = none, i = the i-th of the map "seasons"; where two meet,
 * the first. Returns false and the name of the second when two do.
 */
#define EB_LEAP_DAYS 366
extern bool eb_season_days(const EbNode *root, int8_t season[EB_LEAP_DAYS], EbText *second);
/* Position in a leap year, from 0; -1 when the text is no "MM-DD" */
extern int eb_leap_day(EbText month_day);

/* tariff_lint_cover.c: minutes without a rule, rules without a minute */
extern void eb_lint_cover(EbLint *lint, const EbPath *path, const EbNode *schedule);

/* tariff_lint_price.c */
typedef struct EbValueCost
{
	int32_t nodes; /* visited by one evaluation; 0 = not looked at */
	int16_t depth;
	bool busy;
	bool broken; /* reported: cycle, too deep, too large */
} EbValueCost;

extern void eb_lint_price(EbLint *lint, const EbPath *path, const EbNode *price);
/* Named prices: cycles, size, names. False: prices cannot be followed safely. */
extern bool eb_lint_values(EbLint *lint, const EbPath *path, EbValueCost cost[EB_MAX_VALUES]);
/* Evaluating price is not too much work; false when it is, or cannot be followed. */
extern bool eb_lint_price_size(EbLint *lint, const EbPath *path, const EbNode *price,
							   EbValueCost cost[EB_MAX_VALUES]);
/* Does it read a period, refs followed? */
extern bool eb_price_reads_period(const EbNode *root, const EbNode *price);
/* Every period of the schedule (of filter, when given) has a price, and no other one. */
extern void eb_lint_price_periods(EbLint *lint, const EbPath *path, const EbNode *price,
								  const EbNode *schedule, const EbNode *filter);
extern int eb_value_index(const EbNode *root, EbText name);

/* tariff_lint_component.c, tariff_lint_tier.c, tariff_lint_condition.c, tariff_lint_measure.c */
extern void eb_lint_components(EbLint *lint, const EbPath *path, bool prices_sound,
							   EbValueCost cost[EB_MAX_VALUES]);
extern void eb_lint_condition(EbLint *lint, const EbPath *path, const EbNode *condition);
extern void eb_lint_range(EbLint *lint, const EbPath *path, const EbNode *range);
extern void
eb_lint_tier(EbLint *lint, const EbPath *path, const EbNode *tier, const EbNode *component);
/* tariff_lint_use.c: keys that nothing would read */
extern void
eb_lint_use(EbLint *lint, const EbPath *path, const EbNode *component, bool reads_period);
extern void
eb_lint_tier_use(EbLint *lint, const EbPath *path, const EbNode *tier, const EbNode *component);
/* tariff_lint_measure.c, tariff_lint_condition.c */
extern void eb_lint_points(EbLint *lint, const EbPath *path, const EbNode *points);
extern void eb_lint_instants(EbLint *lint, const EbPath *path, const EbNode *ranges);
extern void eb_lint_series(EbLint *lint, const EbPath *path);
extern void eb_lint_pf_rows(EbLint *lint, const EbPath *path, const EbNode *rows);
extern void eb_lint_pf_linear(EbLint *lint, const EbPath *path, const EbNode *linear);
extern void eb_lint_demand(EbLint *lint, const EbPath *path, const EbNode *demand);
extern void eb_lint_loss(EbLint *lint, const EbPath *path, const EbNode *loss);
extern void eb_lint_each(EbLint *lint, const EbPath *path, const EbNode *each);
extern void eb_lint_net(EbLint *lint, const EbPath *path, const EbNode *net);

/* tariff_lint_version.c: versions that follow each other and are in one currency and zone */
extern void eb_lint_versions(EbLint *lint, const EbPath *path, const EbNode *versions);

/*
 * The schedule a component or demand reads: the one it names, else the only one. NULL: there is
 * none, the name is unknown, or it must be named.
 */
extern const EbNode *eb_schedule_of(const EbNode *root, const EbNode *reader);

#endif
