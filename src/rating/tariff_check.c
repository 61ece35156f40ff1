/*
 * tariff_check.c -- is a stored block a tariff that can be read without harm?
 * In:  bytes that say they are a compiled tariff: from disk, perhaps damaged.
 * Out: yes, or what is wrong. The rest of rating relies on what is looked at here: texts and arrays
 *      inside the block, indexes inside their arrays, price nodes that refer to lower ones only,
 *      planes for everything that reads them.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include "base/civil.h"
#include "rating/fault.h"
#include "rating/tariff_check.h"
#include "rating/tariff_check_state.h"
#include "rating/tariff_plane.h"

/* ---------------------------------------------------------------- common parts */

bool
eb_check_slice(EbCheck *check, EbSlice slice, size_t element, int max, const char *why)
{
	size_t at = (size_t) slice.at;

	if (slice.n == 0)
		return eb_check_that(check, slice.at == 0, why);
	return eb_check_that(check,
						 slice.n > 0 && slice.n <= max && slice.at > 0 && at % 8 == 0 &&
							 at >= sizeof(EbTariff) && at <= check->size &&
							 (size_t) slice.n * element <= check->size - at,
						 why);
}

bool
eb_check_text(EbCheck *check, EbSlice text, const char *why)
{
	return eb_check_slice(check, text, 1, EB_CHECK_MAX_TEXT, why);
}

bool
eb_check_labels(EbCheck *check, EbSlice slice)
{
	const EbLabel *label = EB_ARRAY(check->tariff, EbLabel, slice);

	if (!eb_check_slice(check, slice, sizeof(EbLabel), EB_CHECK_MAX_LIST, "label"))
		return false;
	for (int i = 0; i < slice.n; i++)
		if (!eb_check_text(check, label[i].lang, "label") ||
			!eb_check_text(check, label[i].text, "label"))
			return false;
	return true;
}

bool
eb_check_round(EbCheck *check, const EbRounding *round)
{
	return eb_check_that(
		check, round->step_n >= 0 && eb_check_within(round->mode, EB_HALF_UP, EB_CEIL), "rounding");
}

/* ---------------------------------------------------------------- head and planes */

static bool
check_head(EbCheck *check)
{
	const EbTariff *tariff = check->tariff;
	bool sound = eb_check_within(tariff->minor_unit, 0, 6) &&
				 eb_check_within(tariff->month_day, 1, 28) &&
				 eb_check_within(tariff->year_start / 32, 1, 12) &&
				 eb_check_within(tariff->year_start % 32, 1, 31) && tariff->weekend < 1 << 7;

	return eb_check_that(check, sound, "head") && eb_check_text(check, tariff->code, "code") &&
		   eb_check_labels(check, tariff->label) &&
		   eb_check_text(check, tariff->currency, "currency") &&
		   eb_check_text(check, tariff->zone, "zone") &&
		   eb_check_round(check, &tariff->round_quantity) &&
		   eb_check_round(check, &tariff->round_price) &&
		   eb_check_round(check, &tariff->round_line) &&
		   eb_check_round(check, &tariff->round_total);
}

/* They follow from the rest, so they must be what the rest makes of them. */
static bool
check_planes(EbCheck *check)
{
	const EbTariff *tariff = check->tariff;
	const EbPlane *plane = EB_ARRAY(tariff, EbPlane, tariff->plane);
	EbPlanes planes;

	if (!eb_check_slice(check, tariff->plane, sizeof(EbPlane), EB_MAX_PLANES, "planes"))
		return false;
	eb_tariff_planes(tariff, &planes);
	return eb_check_that(check,
						 tariff->plane.n == planes.n &&
							 memcmp(plane, planes.plane, (size_t) planes.n * sizeof(EbPlane)) == 0,
						 "planes") &&
		   eb_check_that(check,
						 tariff->by_day == planes.by_day && tariff->in_order == planes.in_order &&
							 tariff->sessions == planes.sessions,
						 "flags");
}

/* ---------------------------------------------------------------- a tariff, its versions */

static bool
check_block(EbCheck *check, const void *block, size_t size)
{
	check->tariff = block;
	check->size = size;
	return eb_check_that(check,
						 size >= sizeof(EbTariff) && size <= EB_TARIFF_MAX_SIZE && size % 8 == 0,
						 "size") &&
		   eb_check_that(check, check->tariff->format == EB_TARIFF_FORMAT, "format") &&
		   eb_check_that(check, check->tariff->size == size, "size") && check_head(check);
}

static bool
check_plain(EbCheck *check)
{
	return eb_check_that(check, check->tariff->version.n == 0 && check->tariff->version.at == 0,
						 "versions") &&
		   eb_check_time(check) && eb_check_nodes(check) && eb_check_measures(check) &&
		   eb_check_components(check) && check_planes(check);
}

/* A tariff that changes has nothing of its own but its head. */
static bool
check_empty(EbCheck *check)
{
	const EbTariff *tariff = check->tariff;
	EbTariff bare = {.format = tariff->format, .size = tariff->size};

	memcpy(bare.fingerprint, tariff->fingerprint, EB_FINGERPRINT_SIZE);
	bare.code = tariff->code;
	bare.label = tariff->label;
	bare.currency = tariff->currency;
	bare.zone = tariff->zone;
	bare.minor_unit = tariff->minor_unit;
	bare.month_day = tariff->month_day;
	bare.year_start = tariff->year_start;
	bare.weekend = tariff->weekend;
	bare.round_quantity = tariff->round_quantity;
	bare.round_price = tariff->round_price;
	bare.round_line = tariff->round_line;
	bare.round_total = tariff->round_total;
	bare.version = tariff->version;
	return eb_check_that(check, memcmp(&bare, tariff, sizeof(bare)) == 0, "head of versions");
}

static bool
check_version(EbCheck *check, const EbVersion *version, int32_t *before)
{
	EbCheck inner = {NULL, 0, NULL};

	if (!eb_check_that(check, version->number >= 1 && version->valid_from == *before, "versions") ||
		!eb_check_dates(check, version->valid_from, version->valid_to, "versions") ||
		!eb_check_slice(check, version->block, 1, EB_TARIFF_MAX_SIZE, "block of a version"))
		return false;
	*before = version->valid_to;
	return eb_check_that(
		check,
		check_block(&inner, eb_version_tariff(check->tariff, version), (size_t) version->block.n) &&
			check_plain(&inner),
		inner.why);
}

static bool
check_versions(EbCheck *check)
{
	EbSlice list = check->tariff->version;
	const EbVersion *version = EB_ARRAY(check->tariff, EbVersion, list);
	int32_t before;

	if (!check_empty(check) ||
		!eb_check_slice(check, list, sizeof(EbVersion), EB_MAX_VERSIONS, "versions"))
		return false;
	before = version->valid_from;
	for (int i = 0; i < list.n; i++)
		if (!check_version(check, &version[i], &before))
			return false;
	return true;
}

EbStatus
eb_tariff_check(const void *block, size_t size, EbFault *fault)
{
	EbCheck check = {NULL, 0, NULL};

	if (check_block(&check, block, size) &&
		(check.tariff->version.n != 0 ? check_versions(&check) : check_plain(&check)))
		return EB_OK;
	eb_fault_set(fault, EB_BAD_ARGUMENT, "stored tariff is damaged",
				 "Write the value anew from its JSON definition.");
	return eb_fault_detail(fault, EB_BAD_ARGUMENT, "What is wrong: %s.", check.why);
}
