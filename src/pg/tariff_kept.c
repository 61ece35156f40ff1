/*
 * tariff_kept.c -- tariffs that were read from text a short while ago
 * In:  texts, and the datums that were made of them (tariff.c).
 * Out: copies of these.
 * Floor: pg.
 *
 * In one backend a text gives the same bytes each time: it is compiled by its own words alone and by
 * its time zone, which is read once (zone.c).
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "pg/tariff_kept.h"

#define NKEPT 4

/* Bytes of a text and its datum; larger ones are not kept. */
#define MAX_KEPT (256 * 1024)

typedef struct Kept
{
	char *text; /* NULL: nothing is kept here; the datum stands in the same piece of memory */
	Size text_size;
	const EbTariffDatum *datum;
} Kept;

static Kept kept[NKEPT];
static int next_kept = 0;

EbTariffDatum *
eb_pg_tariff_kept(const char *text)
{
	Size size = strlen(text) + 1;

	for (int i = 0; i < NKEPT; i++)
	{
		EbTariffDatum *copy;

		if (kept[i].text == NULL || kept[i].text_size != size ||
			memcmp(kept[i].text, text, size) != 0)
			continue;
		copy = palloc(VARSIZE(kept[i].datum));
		memcpy(copy, kept[i].datum, VARSIZE(kept[i].datum));
		return copy;
	}
	return NULL;
}

void
eb_pg_tariff_keep(const char *text, const EbTariffDatum *datum)
{
	Size text_size = strlen(text) + 1;
	Size at = MAXALIGN(text_size);
	char *room;

	if (at + VARSIZE(datum) > MAX_KEPT)
		return;
	room = MemoryContextAlloc(TopMemoryContext, at + VARSIZE(datum));
	memcpy(room, text, text_size);
	memcpy(room + at, datum, VARSIZE(datum));
	if (kept[next_kept].text != NULL)
		pfree(kept[next_kept].text);
	kept[next_kept] = (Kept){room, text_size, (const EbTariffDatum *) (room + at)};
	next_kept = (next_kept + 1) % NKEPT;
}
