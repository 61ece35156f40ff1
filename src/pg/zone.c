/*
 * zone.c -- time zones of the server as tables the pure core reads (base/civil.h)
 * In:  zone names; PostgreSQL's own zone data.
 * Out: EbZone for all that classifies instants, kept for the life of the backend.
 * Floor: pg.
 */
#include "postgres.h"

#include "pgtime.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "pg/errors.h"
#include "pg/zone.h"

/* No zone was ever so far from UTC; eb_wall_instant() relies on less than two days. */
#define OFFSET_LIMIT_S 86400

typedef struct ZoneEntry
{
	pg_tz *tz; /* key: pg_tzset() gives one per name and keeps it */
	EbZone zone;
} ZoneEntry;

static HTAB *zones = NULL;

/* Is the name in the zone database, letter for letter? Reads all of it: for rare names only. */
static bool
is_listed(const char *name)
{
	pg_tzenum *list = pg_tzenumerate_start();
	bool found = false;
	pg_tz *tz;

	while (!found && (tz = pg_tzenumerate_next(list)) != NULL)
		found = pg_strcasecmp(pg_get_timezone_name(tz), name) == 0;
	pg_tzenumerate_end(list);
	return found;
}

/*
 * pg_tzset() also takes POSIX rules, whose signs are the other way round ("UTC+8" is west of
 * Greenwich) and whose names mean nothing ("CST-8"). They all have a digit; few real names do.
 */
static bool
is_usable(pg_tz *tz, const char *name)
{
	return pg_tz_acceptable(tz) && (strpbrk(name, "0123456789<,") == NULL || is_listed(name));
}

/* Number of spans of the zone; they are written when span is not NULL. */
static int
fill_spans(pg_tz *tz, EbZoneSpan *span)
{
	pg_time_t at = EB_ZONE_FROM_US / USECS_PER_SEC + EB_UNIX_TO_2000_S;
	pg_time_t last = EB_ZONE_TO_US / USECS_PER_SEC + EB_UNIX_TO_2000_S;
	long offset = 0;
	int n = 0;

	for (;;)
	{
		pg_time_t boundary;
		long before;
		long after;
		int is_dst;
		int result = pg_next_dst_boundary(&at, &before, &is_dst, &boundary, &after, &is_dst, tz);

		if (result < 0)
			elog(ERROR, "cannot read time zone \"%s\"", pg_get_timezone_name(tz));
		if (n == 0)
		{
			offset = before;
			if (span != NULL)
				span[n] = (EbZoneSpan){PG_INT64_MIN, (int32) before};
			n++;
		}
		if (result == 0 || boundary >= last)
			return n;
		if (labs(after) >= OFFSET_LIMIT_S || labs(before) >= OFFSET_LIMIT_S)
			elog(ERROR, "time zone \"%s\" is a day from UTC", pg_get_timezone_name(tz));
		if (after != offset)
		{
			if (span != NULL)
				span[n] =
					(EbZoneSpan){(boundary - EB_UNIX_TO_2000_S) * USECS_PER_SEC, (int32) after};
			n++;
			offset = after;
		}
		at = boundary;
	}
}

static HTAB *
make_table(void)
{
	HASHCTL info = {.keysize = sizeof(pg_tz *), .entrysize = sizeof(ZoneEntry)};

	return hash_create("elecbill zones", 16, &info, HASH_ELEM | HASH_BLOBS);
}

/* The zone of that name, NULL when there is none */
static const EbZone *
find_zone(const char *name)
{
	pg_tz *tz = strlen(name) <= TZ_STRLEN_MAX ? pg_tzset(name) : NULL;
	ZoneEntry *entry;
	EbZoneSpan *span;
	int n;

	if (tz == NULL)
		return NULL;
	if (zones == NULL)
		zones = make_table();
	entry = hash_search(zones, &tz, HASH_FIND, NULL);
	if (entry != NULL)
		return &entry->zone;
	if (!is_usable(tz, name))
		return NULL;
	n = fill_spans(tz, NULL);
	span = MemoryContextAlloc(TopMemoryContext, sizeof(EbZoneSpan) * n);
	fill_spans(tz, span);
	entry = hash_search(zones, &tz, HASH_ENTER, NULL);
	entry->zone = (EbZone){span, n};
	return &entry->zone;
}

bool
eb_pg_zone_valid(const char *name)
{
	return find_zone(name) != NULL;
}

const EbZone *
eb_pg_zone(const char *name)
{
	const EbZone *zone = find_zone(name);

	if (zone == NULL)
		ereport(ERROR,
				(errcode(EB_ERRCODE_UNKNOWN), errmsg("time zone \"%.64s\" is not known", name),
				 errhint("pg_timezone_names lists the zones of this server.")));
	return zone;
}

const EbZone *
eb_pg_tariff_zone(const EbTariff *tariff)
{
	char name[TZ_STRLEN_MAX + 1];

	snprintf(name, sizeof(name), "%.*s", tariff->zone.n, EB_ARRAY(tariff, char, tariff->zone));
	return eb_pg_zone(name);
}

int64
eb_pg_instant(TimestampTz at, const char *what)
{
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("%s must be finite", what)));
	if (at < EB_ZONE_FROM_US || at > EB_ZONE_TO_US)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("%s must lie between 1900 and 2200", what)));
	return at;
}
