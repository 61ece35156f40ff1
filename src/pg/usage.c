/*
 * usage.c -- the SQL type elecbill.usage_summary: what was used, classified, no money yet
 * In:  EbUsage from the aggregates and usage_from().
 * Out: datums for rate(); text (usage_json.c), binary form, merge.
 * Floor: pg.
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "pg/errors.h"
#include "pg/fault.h"
#include "pg/usage.h"

/* Bytes of the name of a slot's period */
static EbText
slot_name(const EbTariff *tariff, int slot)
{
	int period = EB_ARRAY(tariff, EbSlot, tariff->slot)[slot].name;
	EbSlice name = EB_ARRAY(tariff, EbSlice, tariff->period_name)[period];

	return (EbText){EB_ARRAY(tariff, char, name), name.n};
}

static bool
is_before(EbText a, EbText b)
{
	int order = memcmp(a.data, b.data, Min(a.len, b.len));

	return order < 0 || (order == 0 && a.len < b.len);
}

/* Where each slot of the tariff stands when the periods of each schedule are in byte order */
static void
rank_slots(const EbTariff *tariff, int16 *rank)
{
	const EbSlot *slot = EB_ARRAY(tariff, EbSlot, tariff->slot);

	for (int i = 0; i < tariff->slot.n; i++)
	{
		rank[i] = 0;
		for (int j = 0; j < tariff->slot.n; j++)
			if (slot[j].schedule < slot[i].schedule ||
				(slot[j].schedule == slot[i].schedule &&
				 is_before(slot_name(tariff, j), slot_name(tariff, i))))
				rank[i]++;
	}
}

EbTariff *
eb_pg_usage_tariff(const EbTariff *tariff)
{
	EbTariff *copy = palloc(tariff->size);
	EbSlot *slot = (EbSlot *) ((char *) copy + tariff->slot.at);
	int16 rank[EB_MAX_SLOTS];

	memcpy(copy, tariff, tariff->size);
	rank_slots(tariff, rank);
	for (int i = 0; i < tariff->slot.n; i++)
		slot[rank[i]] = EB_ARRAY(tariff, EbSlot, tariff->slot)[i];
	for (int i = 0; i < tariff->schedule.n; i++)
	{
		EbSlice rules = EB_ARRAY(tariff, EbSchedule, tariff->schedule)[i].rule;
		EbRule *rule = (EbRule *) ((char *) copy + rules.at);

		for (int j = 0; j < rules.n; j++)
			rule[j].slot = rank[rule[j].slot];
	}
	return copy;
}

static void
append_name(StringInfo out, EbText name)
{
	appendBinaryStringInfo(out, name.data, name.len);
	appendStringInfoChar(out, '\0');
}

EbUsageShape *
eb_pg_usage_shape(const EbTariff *sorted)
{
	const EbSchedule *schedule = EB_ARRAY(sorted, EbSchedule, sorted->schedule);
	EbUsageShape head = {.nschedules = sorted->schedule.n, .nslots = Max(sorted->slot.n, 1)};
	EbUsageShape *shape;
	StringInfoData out;

	memcpy(head.fingerprint, sorted->fingerprint, sizeof(head.fingerprint));
	initStringInfo(&out);
	appendBinaryStringInfo(&out, (char *) &head, offsetof(EbUsageShape, names));
	for (int i = 0; i < sorted->schedule.n; i++)
	{
		EbText name = {EB_ARRAY(sorted, char, schedule[i].name), schedule[i].name.n};

		append_name(&out, sorted->schedule.n > 1 ? name : (EbText){"", 0});
		appendStringInfoChar(&out, (char) schedule[i].nslots);
		for (int j = 0; j < schedule[i].nslots; j++)
			append_name(&out, slot_name(sorted, schedule[i].first_slot + j));
	}
	while (out.len % MAXIMUM_ALIGNOF != 0)
		appendStringInfoChar(&out, '\0');
	shape = (EbUsageShape *) out.data;
	shape->size = out.len;
	return shape;
}

EbUsageName
eb_pg_usage_names(const EbUsageShape *shape)
{
	return (EbUsageName){.next = shape->names};
}

const char *
eb_pg_usage_next_schedule(EbUsageName *name)
{
	name->schedule = name->next;
	name->next += strlen(name->schedule) + 1;
	name->nperiods = (unsigned char) *name->next++;
	return name->schedule;
}

const char *
eb_pg_usage_next_period(EbUsageName *name)
{
	const char *period = name->next;

	name->next += strlen(period) + 1;
	return period;
}

EbUsageDatum *
eb_pg_usage_make(const EbUsageShape *shape, const EbUsage *usage)
{
	Size energy_size = sizeof(int64) * usage->nparts * usage->nslots;
	Size days_size = sizeof(int32) * usage->nparts;
	Size size = offsetof(EbUsageDatum, data) + shape->size + energy_size + days_size;
	EbUsageDatum *datum = palloc0(size);

	Assert(usage->nslots == shape->nslots);
	SET_VARSIZE(datum, size);
	datum->format = EB_USAGE_FORMAT;
	datum->from_us = usage->from_us;
	datum->to_us = usage->to_us;
	datum->missing_s = usage->missing_s;
	datum->days_u = usage->days_u;
	datum->months_u = usage->months_u;
	datum->held = usage->held;
	datum->quality = usage->quality;
	datum->nparts = usage->nparts;
	memcpy(datum->data, shape, shape->size);
	if (usage->nparts > 0)
	{
		memcpy(datum->data + shape->size, usage->energy_ukwh, energy_size);
		memcpy(datum->data + shape->size + energy_size, usage->part_day, days_size);
	}
	return datum;
}

const EbUsageDatum *
eb_pg_usage_datum(Datum value)
{
	const EbUsageDatum *datum = (const EbUsageDatum *) PG_DETOAST_DATUM(value);

	if (datum->format != EB_USAGE_FORMAT)
		elog(ERROR, "unknown format %u of usage_summary", datum->format);
	return datum;
}

const EbUsage *
eb_pg_usage_view(const EbUsageDatum *datum)
{
	const EbUsageShape *shape = eb_pg_usage_shape_of(datum);
	const char *energy = datum->data + shape->size;
	EbUsage *usage = palloc0(sizeof(EbUsage));

	memcpy(usage->fingerprint, shape->fingerprint, sizeof(usage->fingerprint));
	usage->from_us = datum->from_us;
	usage->to_us = datum->to_us;
	usage->missing_s = datum->missing_s;
	usage->days_u = datum->days_u;
	usage->months_u = datum->months_u;
	usage->held = datum->held;
	usage->quality = datum->quality;
	usage->nparts = datum->nparts;
	usage->nslots = shape->nslots;
	usage->energy_ukwh = (const int64 *) energy;
	usage->part_day = (const int32 *) (energy + sizeof(int64) * datum->nparts * shape->nslots);
	return usage;
}

const EbUsage *
eb_pg_usage_for(Datum value, const EbTariff *tariff)
{
	const EbUsage *view = eb_pg_usage(value);
	EbUsage *usage;
	int64 *energy;
	int16 rank[EB_MAX_SLOTS];
	EbFault fault;

	if (memcmp(view->fingerprint, tariff->fingerprint, EB_FINGERPRINT_SIZE) != 0 ||
		view->nslots != Max(tariff->slot.n, 1))
		eb_pg_raise(eb_usage_conflict(&fault), &fault);
	if (tariff->slot.n == 0)
		return view;
	rank_slots(tariff, rank);
	energy = palloc(sizeof(int64) * Max(view->nparts, 1) * view->nslots);
	for (int part = 0; part < view->nparts; part++)
		for (int i = 0; i < view->nslots; i++)
			energy[part * view->nslots + i] = view->energy_ukwh[part * view->nslots + rank[i]];
	usage = palloc(sizeof(EbUsage));
	*usage = *view;
	usage->energy_ukwh = energy;
	return usage;
}

static EbUsageDatum *
read_text(char *text)
{
	Datum json = DirectFunctionCall1(jsonb_in, CStringGetDatum(text));

	return eb_pg_usage_read(DatumGetJsonbP(json));
}

PG_FUNCTION_INFO_V1(elecbill_usage_in);
Datum
elecbill_usage_in(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(read_text(PG_GETARG_CSTRING(0)));
}

PG_FUNCTION_INFO_V1(elecbill_usage_out);
Datum
elecbill_usage_out(PG_FUNCTION_ARGS)
{
	StringInfoData out;

	initStringInfo(&out);
	eb_pg_usage_write(&out, eb_pg_usage_datum(PG_GETARG_DATUM(0)));
	PG_RETURN_CSTRING(out.data);
}

PG_FUNCTION_INFO_V1(elecbill_usage_recv);
Datum
elecbill_usage_recv(PG_FUNCTION_ARGS)
{
	StringInfo buf = (StringInfo) PG_GETARG_POINTER(0);
	int version = pq_getmsgbyte(buf);
	int size;

	if (version != EB_USAGE_FORMAT)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("unknown version %d of usage_summary", version)));
	PG_RETURN_POINTER(read_text(pq_getmsgtext(buf, buf->len - buf->cursor, &size)));
}

PG_FUNCTION_INFO_V1(elecbill_usage_send);
Datum
elecbill_usage_send(PG_FUNCTION_ARGS)
{
	StringInfoData text;
	StringInfoData buf;

	initStringInfo(&text);
	eb_pg_usage_write(&text, eb_pg_usage_datum(PG_GETARG_DATUM(0)));
	pq_begintypsend(&buf);
	pq_sendbyte(&buf, EB_USAGE_FORMAT);
	pq_sendtext(&buf, text.data, text.len);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

PG_FUNCTION_INFO_V1(elecbill_usage_to_jsonb);
Datum
elecbill_usage_to_jsonb(PG_FUNCTION_ARGS)
{
	StringInfoData out;

	initStringInfo(&out);
	eb_pg_usage_write(&out, eb_pg_usage_datum(PG_GETARG_DATUM(0)));
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data));
}

PG_FUNCTION_INFO_V1(elecbill_usage_from_jsonb);
Datum
elecbill_usage_from_jsonb(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(eb_pg_usage_read(PG_GETARG_JSONB_P(0)));
}

PG_FUNCTION_INFO_V1(elecbill_usage_merge);
Datum
elecbill_usage_merge(PG_FUNCTION_ARGS)
{
	const EbUsageDatum *datum;
	const EbUsage *a;
	const EbUsage *b;
	EbUsage merged;
	EbFault fault;
	int64 *energy;
	int32 *part_day;
	Size nparts;

	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_DATUM(PG_GETARG_DATUM(PG_ARGISNULL(0) ? 1 : 0));
	datum = eb_pg_usage_datum(PG_GETARG_DATUM(0));
	a = eb_pg_usage_view(datum);
	b = PG_GETARG_EB_USAGE(1);
	nparts = (Size) a->nparts + b->nparts;
	part_day = palloc(sizeof(int32) * nparts);
	energy = palloc(sizeof(int64) * nparts * a->nslots);
	eb_pg_check(eb_usage_merge(a, b, part_day, energy, &merged, &fault), &fault);
	PG_RETURN_POINTER(eb_pg_usage_make(eb_pg_usage_shape_of(datum), &merged));
}
