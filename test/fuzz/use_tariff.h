/*
 * use_tariff.h -- a tariff used for all that reads one: periods, parts, prices, a bill, a session
 * The usage is made up; answers only have to be answers. For fuzzers: nothing may be read or
 * written outside, no sum may overflow unseen.
 */
#ifndef ELECBILL_TEST_USE_TARIFF_H
#define ELECBILL_TEST_USE_TARIFF_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rating/rate.h"
#include "rating/session.h"

/* Stops the fuzzer with the input when a property is broken; stays in optimised builds. */
#define HOLD(cond)                                                             \
	do                                                                         \
	{                                                                          \
		if (!(cond))                                                           \
		{                                                                      \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #cond); \
			abort();                                                           \
		}                                                                      \
	} while (0)

#define MAX_LINES 2000
#define MAX_PARTS 8
#define MAX_CELLS 10000 /* of a part */
#define MAX_PIECES 50
#define FIRST_DAY 9497 /* 2026-01-01 */
#define DAYS 40
#define USE_VERSIONS 3 /* bills of tariffs with more of them are left out */

/* ---------------------------------------------------------------- usage */

static EbFault use_fault;
static const EbNamedQuantity qty[] = {{{"meters", 6}, 2000000}, {{"sessions", 8}, 3000000}};
static const int64_t item[] = {1000000, 7000000};
static const EbAttr attr[] = {{{"persons", 7}, {"6", 1}},
							  {{"contract_kva", 12}, {"400", 3}},
							  {{"contract_kw", 11}, {"300", 3}},
							  {{"kv", 2}, {"10", 2}},
							  {{"pf_standard", 11}, {"0.90", 4}}};

/* All that a bill may ask of the usage of one tariff */
typedef struct Made
{
	int64_t cell[MAX_PARTS * MAX_CELLS];
	int64_t spare[MAX_PARTS * MAX_CELLS];
	int32_t part_day[MAX_PARTS];
	EbPeak peak[EB_MAX_DEMANDS * MAX_PARTS];
	EbPiece piece[MAX_PIECES];
} Made;

static inline void
make_parts(const EbTariff *of, Made *made, EbUsage *usage)
{
	for (int32_t day = FIRST_DAY; day < FIRST_DAY + DAYS && usage->nparts < MAX_PARTS; day += 5)
	{
		EbDayRange range = eb_part_range(of, day);

		HOLD(range.from <= day && range.to > day);
		if (usage->nparts == 0 || range.from > made->part_day[usage->nparts - 1])
			made->part_day[usage->nparts++] = range.from;
	}
	for (int i = 0; i < usage->nparts * usage->ncells; i++)
		made->cell[i] = (i % 7 + 1) * INT64_C(20000000);
	for (int demand = 0; demand < of->demand.n; demand++)
		for (int part = 0; part < usage->nparts; part++)
			made->peak[usage->npeaks++] =
				(EbPeak){demand, made->part_day[part], made->part_day[part] * EB_DAY_US,
						 (demand + part + 1) * INT64_C(30000000)};
}

static inline EbUsage
make_usage(const EbTariff *of, Made *made)
{
	EbUsage usage = {.from_us = FIRST_DAY * EB_DAY_US - 480 * EB_MINUTE_US,
					 .nslots = eb_tariff_slots(of),
					 .ncells = eb_usage_cells(of),
					 .channels = (1u << EB_NCHANNELS) - 1,
					 .pf_u = EB_NO_PF,
					 .qty = qty,
					 .nqty = 2,
					 .item_u = item,
					 .nitems = 2,
					 .part_day = made->part_day,
					 .cell = made->cell,
					 .spare = made->spare,
					 .peak = made->peak,
					 .piece = made->piece};

	usage.to_us = usage.from_us + DAYS * EB_DAY_US;
	memcpy(usage.fingerprint, of->fingerprint, EB_FINGERPRINT_SIZE);
	HOLD(usage.ncells > 0 && usage.ncells <= MAX_CELLS);
	make_parts(of, made, &usage);
	for (int i = 0; of->in_order && i < MAX_PIECES; i++)
	{
		int64_t at_us = usage.from_us + i * 1020 * EB_MINUTE_US;

		made->piece[usage.npieces++] = (EbPiece){at_us, at_us, INT64_C(9000000)};
	}
	return usage;
}

/* ---------------------------------------------------------------- using a tariff */

static inline void
use_bill(const EbTariff *of, const EbZone *zone)
{
	static Made made[1 + USE_VERSIONS];
	static EbUsage sub[USE_VERSIONS];
	static EbLine line[MAX_LINES];
	const EbVersion *version = EB_ARRAY(of, EbVersion, of->version);
	EbRateContext ctx = {
		.attr = attr, .nattrs = 5, .final = true, .from_us = INT64_MIN, .to_us = INT64_MIN};
	EbUsage usage;
	int nlines;
	EbStatus status;

	if (of->version.n > USE_VERSIONS)
		return;
	usage =
		of->version.n == 0 ? make_usage(of, &made[0]) : (EbUsage){.nslots = 1, .pf_u = EB_NO_PF};
	for (int i = 0; i < of->version.n; i++)
	{
		sub[i] = make_usage(eb_version_tariff(of, &version[i]), &made[1 + i]);
		usage.from_us = sub[i].from_us;
		usage.to_us = sub[i].to_us;
	}
	usage.sub = sub;
	usage.nsub = of->version.n;
	memcpy(usage.fingerprint, of->fingerprint, EB_FINGERPRINT_SIZE);
	use_fault.message[0] = '\0';
	status = eb_rate(of, zone, &usage, &ctx, line, MAX_LINES, &nlines, &use_fault);
	HOLD(status == EB_OK || status == EB_NO_SPACE || use_fault.message[0] != '\0');
}

static inline void
use_session(const EbTariff *of, const EbZone *zone)
{
	static EbSessionGroup group[500];
	static EbLine line[500];
	EbSessionSpace space = {group, 500, line, 500};
	int64_t start_us = FIRST_DAY * EB_DAY_US + 360 * EB_MINUTE_US;
	EbSessionSegment segment[] = {{start_us, start_us + 90 * EB_MINUTE_US, 25000000,
								   EB_SESSION_UNKNOWN, EB_SESSION_UNKNOWN, EB_SESSION_CHARGE, 1},
								  {start_us + 90 * EB_MINUTE_US, start_us + 140 * EB_MINUTE_US, 0,
								   EB_SESSION_UNKNOWN, EB_SESSION_UNKNOWN, EB_SESSION_IDLE, 0}};
	EbSession session = {
		.start_us = start_us, .segment = segment, .nsegments = 2, .attr = attr, .nattrs = 5};
	int nlines;
	EbStatus status;

	use_fault.message[0] = '\0';
	status = eb_session_rate(of, zone, &session, &space, &nlines, &use_fault);
	HOLD(status == EB_OK || status == EB_NO_SPACE || use_fault.message[0] != '\0');
}

static inline void
use_plain(const EbTariff *of, const EbZone *zone)
{
	EbSegment segment;
	eb_int128 price;

	for (int64_t at_us = FIRST_DAY * EB_DAY_US; at_us < (FIRST_DAY + DAYS) * EB_DAY_US;
		 at_us += 2220 * EB_MINUTE_US)
		if (eb_tou_segment(of, zone, at_us, &segment, &use_fault) == EB_OK)
			HOLD(segment.from_us <= at_us && at_us < segment.to_us);
	eb_rate_marginal(of, zone, FIRST_DAY * EB_DAY_US, 150000000, attr, 5, &price, &use_fault);
	use_session(of, zone);
}

/* Everything that reads a tariff; it must be localized, or have been checked. */
static inline void
use_tariff(const EbTariff *of, const EbZone *zone)
{
	const EbVersion *version = EB_ARRAY(of, EbVersion, of->version);

	use_bill(of, zone);
	for (int i = 0; i < of->version.n; i++)
		use_plain(eb_version_tariff(of, &version[i]), zone);
	if (of->version.n == 0)
		use_plain(of, zone);
}

#endif /* ELECBILL_TEST_USE_TARIFF_H */
