/*
 * zone.h -- time zones of the server as tables the pure core reads (base/civil.h)
 */
#ifndef ELECBILL_PG_ZONE_H
#define ELECBILL_PG_ZONE_H

#include "postgres.h"

#include "datatype/timestamp.h"

#include "base/civil.h"
#include "rating/tariff.h"

/* What the tables cover: 1900-01-01 to 2200-01-01 UTC. Instants outside are refused. */
#define EB_ZONE_FROM_US (-36524 * EB_DAY_US)
#define EB_ZONE_TO_US (73049 * EB_DAY_US)

/* Is this the name of a zone in the server's database (pg_timezone_names)? POSIX rules are not. */
extern bool eb_pg_zone_valid(const char *name);

/* The zone of that name; it lives as long as the backend. UB404 when there is none. */
extern const EbZone *eb_pg_zone(const char *name);
extern const EbZone *eb_pg_tariff_zone(const EbTariff *tariff);

/* The instant; UB400 when it is infinite or outside of the tables. what names it in the message. */
extern int64 eb_pg_instant(TimestampTz at, const char *what);

#endif /* ELECBILL_PG_ZONE_H */
