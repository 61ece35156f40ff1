/*
 * tariff_compile.h -- from the JSON form of a tariff to the compiled block
 * Input everywhere: the root of a node tree (node.h) whose objects have their members in byte order
 * of the key; whoever makes the tree sorts them.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/tariff.md.
 */
#ifndef EB_TARIFF_COMPILE_H
#define EB_TARIFF_COMPILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/civil.h"
#include "rating/tariff.h"

typedef enum EbLintLevel
{
	EB_LINT_ERROR,	 /* the tariff is refused */
	EB_LINT_WARNING, /* it is rated, but hardly as meant */
	EB_LINT_NOTE,
} EbLintLevel;

typedef struct EbFinding
{
	EbLintLevel level;
	const char *path;	 /* "components[0].tier.steps[1].up_to"; empty: the tariff itself */
	const char *message; /* one line; both end with the call */
} EbFinding;

/* Findings that are reported, and the first error; a note says that there are more */
#define EB_LINT_MAX_FINDINGS 100

typedef void (*EbLintSink)(void *arg, const EbFinding *finding);

/*
 * Every fault that can be found without knowing time zones and attributes, by path. Keys and
 * types, names that are used but not there, tiers that do not rise, minutes no rule covers (all
 * dates of 28 years, with any set of the calendar tags the rules ask for), rules and spans that
 * can never match, prices that lack a period or season, bases that do not precede.
 */
extern void eb_tariff_lint(const EbNode *root, EbLintSink sink, void *arg);

/*
 * Compiles into buf, which must be aligned to 8 bytes; *used is the size of the block, a multiple
 * of 8. The fingerprint is left zero. EB_NO_SPACE: size is too small, try twice as much up to
 * EB_TARIFF_MAX_SIZE, where the status is EB_OUT_OF_RANGE. EB_BAD_ARGUMENT: lint finds an error,
 * the first stands in the fault.
 */
extern EbStatus
eb_tariff_compile(const EbNode *root, void *buf, size_t size, size_t *used, EbFault *fault);

/*
 * What compiling cannot know without the zone of the tariff: dates and wall clocks of events and
 * series become instants; series that only change at local midnights become EB_SERIES_DAYS. To be
 * called once, right after compiling. EB_BAD_ARGUMENT: ranges or points out of order, or a series
 * that changes inside days in a price that is not linear in it; the detail begins with the path.
 */
extern EbStatus eb_tariff_localize(EbTariff *tariff, const EbZone *zone, EbFault *fault);

/*
 * Canonical JSON text of a tariff without lint errors, no terminator. EB_NO_SPACE: as above.
 * Compiling the text gives the same block, its text is the same text.
 */
extern EbStatus eb_tariff_text(const EbNode *root, char *buf, size_t size, size_t *used);

/*
 * What decides how usage is cut and sorted, as a text: two tariffs with the same text share
 * summaries. Zone, tier year and month, calendar, seasons, schedules, events, what is measured as
 * demand; tier scopes and dates of components; planes, and of their series all points, of series by
 * day the dates alone; no price, no label, no order of components. The compiled tariff must be
 * localized; of one that changes, the versions must have their fingerprints.
 */
extern EbStatus eb_tariff_classifier(const EbNode *root, const EbTariff *tariff, char *buf,
									 size_t size, size_t *used);

#endif
