/*
 * status.c -- how the collector fares, as JSON
 * In:  counts and states of buses, meters, spool and sink. Out: one object, in pieces.
 *
 * Ages, not only values: a meter that was silent since yesterday must look so.
 */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "json.h"
#include "run_state.h"

/* Meters of one piece: some 15 KiB. */
#define METERS_AT_ONCE 50

const EbMeter *
eb_run_meter(const EbRun *run, int n, const EbBus **bus)
{
	for (int i = 0; i < run->buses.nbuses; i++)
	{
		*bus = run->buses.bus[i];
		if ((*bus)->borrows)
			continue;
		if (n < (*bus)->nmeters)
			return &(*bus)->meter[n];
		n -= (*bus)->nmeters;
	}
	return NULL;
}

static void
add_counts(EbCounts *sum, const EbCounts *counts)
{
	sum->resyncs += counts->resyncs;
	sum->stray += counts->stray;
	sum->unknown += counts->unknown;
	sum->bytes_in += counts->bytes_in;
	sum->bytes_out += counts->bytes_out;
	sum->opens += counts->opens;
	sum->busy_ms += counts->busy_ms;
	for (int i = 0; i < EB_FRAME_NERRORS; i++)
		sum->error[i] += counts->error[i];
}

const EbBus *
eb_run_port(const EbRun *run, int n, EbCounts *counts, bool *open)
{
	for (int i = 0; i < run->buses.nbuses; i++)
	{
		const EbBus *bus = run->buses.bus[i];

		if (bus->borrows || n-- > 0)
			continue;
		*counts = bus->counts;
		*open = bus->is_open;
		for (int k = i + 1; k < run->buses.nbuses && run->buses.bus[k]->borrows; k++)
		{
			add_counts(counts, &run->buses.bus[k]->counts);
			*open = *open || run->buses.bus[k]->is_open;
		}
		for (int k = 0; k < bus->nmeters; k++)
			counts->resyncs += bus->meter[k].counts.resyncs;
		return bus;
	}
	return NULL;
}

static int
foreign_meters(const EbRun *run)
{
	int n = 0;

	for (int i = 0; i < run->buses.nbuses; i++)
		for (int k = 0; k < run->buses.bus[i]->nmeters && !run->buses.bus[i]->borrows; k++)
			n += run->buses.bus[i]->meter[k].identity.foreign;
	return n;
}

const char *
eb_run_problem(const EbRun *run, int n, char *buf, size_t size)
{
	int foreign = foreign_meters(run);

	if (foreign > 0 && n-- == 0)
	{
		snprintf(buf, size, "%d meters are other devices than configured", foreign);
		return buf;
	}
	if (run->mode.dry_run)
		return NULL;
	if (run->spool.full && n-- == 0)
		return "the spool is full: readings are lost";
	if (run->spool.failing != 0 && n-- == 0)
	{
		snprintf(buf, size, "the spool cannot be written: %s", strerror(run->spool.failing));
		return buf;
	}
	if (run->sink.held && n-- == 0)
	{
		snprintf(buf, size, "the database refuses: %s", run->sink.last_error);
		return buf;
	}
	return NULL;
}

/* Seconds since an instant of UTC; null when there was none. A clock set back makes no age negative. */
static void
put_age(FILE *out, const char *key, int64_t at_ms)
{
	int64_t age_ms = eb_clock_real_ms() - at_ms;

	if (at_ms == EB_NO_INSTANT)
		fprintf(out, ",\"%s\":null", key);
	else
		fprintf(out, ",\"%s\":%" PRId64, key, age_ms > 0 ? age_ms / 1000 : 0);
}

static void
put_count(FILE *out, const char *key, uint64_t value)
{
	fprintf(out, ",\"%s\":%" PRIu64, key, value);
}

static void
put_head(const EbRun *run, FILE *out)
{
	char instant[EB_CLOCK_TEXT];
	char buf[300];
	const char *problem;

	fputs("{\"program\":\"elecbill-collector\",\"version\":\"" ELECBILL_VERSION "\",\"collector\":",
		  out);
	eb_json_put_text(out, run->conf->id);
	fprintf(out, ",\"pid\":%d,\"now\":\"%s\"", (int) getpid(),
			eb_clock_text(instant, eb_clock_real_ms()));
	put_age(out, "uptime_s", run->started_ms);
	fputs(",\"config\":", out);
	eb_json_put_text(out, run->file);
	put_age(out, "config_age_s", run->loaded_ms);
	put_count(out, "reloads", run->reloads);
	put_count(out, "reloads_refused", run->reloads_refused);
	fprintf(out, ",\"clock_synced\":%s", eb_clock_synced() ? "true" : "false");
	fprintf(out, ",\"healthy\":%s,\"problems\":[",
			eb_run_problem(run, 0, buf, sizeof(buf)) == NULL ? "true" : "false");
	for (int i = 0; (problem = eb_run_problem(run, i, buf, sizeof(buf))) != NULL; i++)
	{
		if (i > 0)
			fputc(',', out);
		eb_json_put_text(out, problem);
	}
	fputc(']', out);
}

static void
put_spool(const EbRun *run, FILE *out)
{
	EbSpoolState state = eb_spool_state(&run->spool);

	fprintf(out, ",\"spool\":{\"bytes\":%" PRId64 ",\"records\":%" PRId64, state.bytes,
			state.records);
	put_age(out, "oldest_age_s", state.oldest_ms);
	fprintf(out, ",\"full\":%s,\"failing\":", state.full ? "true" : "false");
	eb_json_put_text(out, state.failing != 0 ? strerror(state.failing) : NULL);
	put_count(out, "rows", state.counts.rows);
	put_count(out, "lost", state.counts.lost);
	put_count(out, "damaged", state.counts.damaged);
	put_count(out, "torn_bytes", state.counts.torn_bytes);
	put_count(out, "rejected", state.counts.rejected);
	put_count(out, "failures", state.counts.failures);
	fputc('}', out);
}

static void
put_database(const EbRun *run, FILE *out)
{
	const EbSink *sink = &run->sink;

	fprintf(out, ",\"database\":{\"up\":%s,\"waits_for_a_person\":%s",
			eb_sink_is_up(sink) ? "true" : "false", sink->held ? "true" : "false");
	put_count(out, "batches", sink->counts.batches);
	put_count(out, "accepted", sink->counts.accepted);
	put_count(out, "duplicate", sink->counts.duplicate);
	put_count(out, "conflict", sink->counts.conflict);
	put_count(out, "rejected", sink->counts.rejected);
	put_count(out, "failures", sink->counts.failures);
	fprintf(out, ",\"acked_seq\":%" PRId64 ",\"last_error\":", sink->db_acked);
	eb_json_put_text(out, sink->last_error[0] != '\0' ? sink->last_error : NULL);
	fputs("},\"commands\":{", out);
	fprintf(out, "\"taken\":%" PRIu64, run->commands.counts.taken);
	put_count(out, "done", run->commands.counts.done);
	put_count(out, "failed", run->commands.counts.failed);
	put_count(out, "expired", run->commands.counts.expired);
	fprintf(out, "},\"events\":{\"waiting\":%d", run->events.n);
	put_count(out, "told", run->events.told);
	fputc('}', out);
}

static void
put_ports(const EbRun *run, FILE *out)
{
	const EbBus *bus;
	EbCounts counts;
	bool open;

	fputs(",\"ports\":[", out);
	for (int i = 0; (bus = eb_run_port(run, i, &counts, &open)) != NULL; i++)
	{
		fputs(i > 0 ? ",{\"name\":" : "{\"name\":", out);
		eb_json_put_text(out, bus->conf->name);
		fputs(",\"path\":", out);
		eb_json_put_text(out, bus->conf->path);
		fprintf(out, ",\"protocol\":\"%s\",\"open\":%s", bus->protocol->codec->name,
				open ? "true" : "false");
		put_age(out, "opened_age_s", bus->opened_ms);
		put_count(out, "reopens", counts.opens > 0 ? counts.opens - 1 : 0);
		put_count(out, "bytes_in", counts.bytes_in);
		put_count(out, "bytes_out", counts.bytes_out);
		put_count(out, "resyncs", counts.resyncs);
		put_count(out, "stray", counts.stray);
		put_count(out, "unknown", counts.unknown);
		if (bus->busy_permille >= 0)
			fprintf(out, ",\"utilisation\":%d.%03d", bus->busy_permille / 1000,
					bus->busy_permille % 1000);
		else
			fputs(",\"utilisation\":null", out);
		fputc('}', out);
	}
	fputc(']', out);
}

static void
put_meter(FILE *out, const EbBus *bus, const EbMeter *meter)
{
	const EbCounts *counts = &meter->counts;

	fputs("{\"serial\":", out);
	eb_json_put_text(out, meter->conf->serial);
	fputs(",\"port\":", out);
	eb_json_put_text(out, bus->conf->name);
	put_age(out, "last_ok_age_s", meter->last_ok_ms);
	fprintf(out, ",\"failures\":%d,\"breaker\":\"%s\"", meter->breaker.failures,
			meter->breaker.open ? "open" : "closed");
	put_count(out, "reads", counts->replies);
	put_count(out, "rows", counts->rows);
	put_count(out, "timeouts", counts->silence);
	put_count(out, "checksum_errors", counts->error[EB_FRAME_CHECKSUM]);
	put_count(out, "exceptions", counts->exceptions);
	put_count(out, "foreign", counts->foreign);
	put_count(out, "gaps", counts->gaps);
	if (meter->identity.foreign)
	{
		fputs(",\"foreign_device\":", out);
		eb_json_put_text(out, meter->identity.seen);
	}
	fputc('}', out);
}

bool
eb_run_status(const EbRun *run, EbHealthCursor *cursor, FILE *out)
{
	const EbBus *bus;
	const EbMeter *meter;

	if (cursor->part == 0)
	{
		put_head(run, out);
		if (!run->mode.dry_run)
		{
			put_spool(run, out);
			put_database(run, out);
		}
		put_ports(run, out);
		fputs(",\"meters\":[", out);
		cursor->part = 1;
		return true;
	}
	for (int i = 0; i < METERS_AT_ONCE; i++, cursor->at++)
	{
		meter = eb_run_meter(run, cursor->at, &bus);
		if (meter == NULL)
		{
			fputs("]}\n", out);
			return false;
		}
		if (cursor->at > 0)
			fputc(',', out);
		put_meter(out, bus, meter);
	}
	return true;
}
