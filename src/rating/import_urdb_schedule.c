/*
 * import_urdb_schedule.c -- months and hours of a URDB record as the JSON form writes them
 * In:  matrices of periods by weekday or weekend, month and hour.
 * Out: schedules: a rule for each period of the days that a group of equal months shares.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include <stdio.h>
#include <string.h>

#include "rating/import_urdb.h"

void
eb_urdb_write_period(EbUrdb *urdb, int period)
{
	char name[EB_URDB_NAME];

	snprintf(name, sizeof(name), "p%d", period);
	eb_json_string(urdb->json, name);
}

void
eb_urdb_write_months(EbUrdb *urdb, const char *key, unsigned months)
{
	if (months == EB_URDB_ALL_MONTHS)
		return;
	eb_json_key(urdb->json, key);
	eb_json_open_array(urdb->json);
	for (int m = 0; m < 12; m++)
		if (months >> m & 1)
			eb_json_int(urdb->json, m + 1);
	eb_json_close_array(urdb->json);
}

void
eb_urdb_write_when(EbUrdb *urdb, unsigned months)
{
	if (months == EB_URDB_ALL_MONTHS)
		return;
	eb_json_key(urdb->json, "when");
	eb_json_open_object(urdb->json);
	eb_urdb_write_months(urdb, "months", months);
	eb_json_close_object(urdb->json);
}

/* The runs of hours that a day of the matrix has in the period; none are written for all 24. */
static void
write_spans(EbUrdb *urdb, const int8_t at[24], int period)
{
	EbJson *json = urdb->json;
	int all = 0;

	for (int h = 0; h < 24; h++)
		all += at[h] == period;
	if (all == 24)
		return;
	eb_json_key(json, "spans");
	eb_json_open_array(json);
	for (int h = 0; h < 24; h++)
	{
		int from = h;

		if (at[h] != period)
			continue;
		while (h + 1 < 24 && at[h + 1] == period)
			h++;
		eb_json_open_array(json);
		eb_json_minute(json, from * 60);
		eb_json_minute(json, (h + 1) * 60);
		eb_json_close_array(json);
	}
	eb_json_close_array(json);
}

/* A rule for each period of the days that a group of months shares */
static void
write_rules(EbUrdb *urdb, const int8_t at[24], unsigned months, const char *days)
{
	EbJson *json = urdb->json;
	uint64_t done = 0;

	for (int h = 0; h < 24; h++)
	{
		if (done >> at[h] & 1)
			continue;
		done |= UINT64_C(1) << at[h];
		eb_json_open_object(json);
		eb_json_key(json, "period");
		eb_urdb_write_period(urdb, at[h]);
		write_spans(urdb, at, at[h]);
		eb_urdb_write_months(urdb, "months", months);
		if (days != NULL)
		{
			eb_json_key(json, "days");
			eb_json_open_array(json);
			eb_json_string(json, days);
			eb_json_close_array(json);
		}
		eb_json_close_object(json);
	}
}

static void
write_days(EbUrdb *urdb, const int8_t at[12][24], const char *days)
{
	unsigned done = 0;

	for (int m = 0; m < 12; m++)
	{
		unsigned months = 0;

		if (done >> m & 1)
			continue;
		for (int other = m; other < 12; other++)
			if (memcmp(at[m], at[other], sizeof(at[m])) == 0)
				months |= 1u << other;
		done |= months;
		write_rules(urdb, at[m], months, days);
	}
}

void
eb_urdb_write_schedule(EbUrdb *urdb, const char *name, const EbUrdbMatrix *matrix)
{
	eb_json_key(urdb->json, name);
	eb_json_open_array(urdb->json);
	if (memcmp(matrix->at[0], matrix->at[1], sizeof(matrix->at[0])) == 0)
		write_days(urdb, matrix->at[0], NULL);
	else
	{
		write_days(urdb, matrix->at[0], "weekday");
		write_days(urdb, matrix->at[1], "weekend");
	}
	eb_json_close_array(urdb->json);
}
