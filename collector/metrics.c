/*
 * metrics.c -- how the collector fares, as Prometheus text
 * In:  counts and states of buses, meters, spool and sink. Out: families of samples, in pieces.
 * Source: Prometheus text format 0.0.4.
 */
#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "run_state.h"

/* Samples of one piece. */
#define SAMPLES_AT_ONCE 200

#define NO_SAMPLE INT64_MIN

/* Values are whole numbers, or thousandths where a family says so. */
typedef struct MeterFamily
{
	const char *name;
	const char *type;
	const char *help;
	int64_t (*value)(const EbMeter *meter);
	bool thousandths;
} MeterFamily;

typedef struct PortFamily
{
	const char *name;
	const char *type;
	const char *help;
	int64_t (*value)(const EbBus *bus, const EbCounts *counts, bool open);
	bool thousandths;
} PortFamily;

typedef struct RunFamily
{
	const char *name;
	const char *type;
	const char *help;
	int64_t (*value)(const EbRun *run, const EbSpoolState *spool);
	bool thousandths;
} RunFamily;

static int64_t
age_ms(int64_t at_ms)
{
	int64_t now_ms = eb_clock_real_ms();

	if (at_ms == EB_NO_INSTANT)
		return NO_SAMPLE;
	return now_ms > at_ms ? now_ms - at_ms : 0;
}

#define COUNT_OF_METER(function, field)           \
	static int64_t function(const EbMeter *meter) \
	{                                             \
		return (int64_t) meter->field;            \
	}

COUNT_OF_METER(m_failures, breaker.failures)
COUNT_OF_METER(m_breaker, breaker.open)
COUNT_OF_METER(m_foreign_device, identity.foreign)
COUNT_OF_METER(m_reads, counts.replies)
COUNT_OF_METER(m_rows, counts.rows)
COUNT_OF_METER(m_timeouts, counts.silence)
COUNT_OF_METER(m_checksum, counts.error[EB_FRAME_CHECKSUM])
COUNT_OF_METER(m_exceptions, counts.exceptions)
COUNT_OF_METER(m_foreign, counts.foreign)
COUNT_OF_METER(m_gaps, counts.gaps)

static int64_t
m_last_ok(const EbMeter *meter)
{
	return age_ms(meter->last_ok_ms);
}

static const MeterFamily meter_family[] = {
	{"elecbill_meter_last_ok_age_seconds", "gauge", "Age of the last answer of the meter.",
	 m_last_ok, true},
	{"elecbill_meter_failures", "gauge", "Slots in a row without any answer.", m_failures, false},
	{"elecbill_meter_breaker_open", "gauge", "1: it is not asked in its slots, only probed.",
	 m_breaker, false},
	{"elecbill_meter_foreign_device", "gauge",
	 "1: another device answers; nothing of it is stored.", m_foreign_device, false},
	{"elecbill_meter_reads_total", "counter", "Answers that were booked.", m_reads, false},
	{"elecbill_meter_rows_total", "counter", "Readings made of them.", m_rows, false},
	{"elecbill_meter_timeouts_total", "counter", "Requests without any answer.", m_timeouts, false},
	{"elecbill_meter_checksum_errors_total", "counter", "Frames with a wrong checksum.", m_checksum,
	 false},
	{"elecbill_meter_exceptions_total", "counter", "Requests the meter refused.", m_exceptions,
	 false},
	{"elecbill_meter_foreign_total", "counter", "Frames of others, or to another question.",
	 m_foreign, false},
	{"elecbill_meter_gaps_total", "counter", "Slots without a reading.", m_gaps, false},
};

static int64_t
p_open(const EbBus *bus, const EbCounts *counts, bool open)
{
	(void) bus;
	(void) counts;
	return open;
}

static int64_t
p_utilisation(const EbBus *bus, const EbCounts *counts, bool open)
{
	(void) counts;
	(void) open;
	return bus->busy_permille >= 0 ? bus->busy_permille : NO_SAMPLE;
}

static int64_t
p_reopens(const EbBus *bus, const EbCounts *counts, bool open)
{
	(void) bus;
	(void) open;
	return counts->opens > 0 ? (int64_t) counts->opens - 1 : 0;
}

#define COUNT_OF_PORT(function, field)                                           \
	static int64_t function(const EbBus *bus, const EbCounts *counts, bool open) \
	{                                                                            \
		(void) bus;                                                              \
		(void) open;                                                             \
		return (int64_t) counts->field;                                          \
	}

COUNT_OF_PORT(p_bytes_in, bytes_in)
COUNT_OF_PORT(p_bytes_out, bytes_out)
COUNT_OF_PORT(p_resyncs, resyncs)
COUNT_OF_PORT(p_stray, stray)
COUNT_OF_PORT(p_unknown, unknown)
COUNT_OF_PORT(p_busy, busy_ms)

static const PortFamily port_family[] = {
	{"elecbill_port_open", "gauge", "1: the port is open.", p_open, false},
	{"elecbill_port_utilisation_ratio", "gauge", "Share of the last minute in which it was busy.",
	 p_utilisation, true},
	{"elecbill_port_busy_seconds_total", "counter", "Time a request was out.", p_busy, true},
	{"elecbill_port_received_bytes_total", "counter", "Bytes received.", p_bytes_in, false},
	{"elecbill_port_sent_bytes_total", "counter", "Bytes sent.", p_bytes_out, false},
	{"elecbill_port_resyncs_total", "counter", "Good frames behind noise.", p_resyncs, false},
	{"elecbill_port_stray_bytes_total", "counter", "Bytes nobody asked for.", p_stray, false},
	{"elecbill_port_unknown_total", "counter", "Frames of meters that are not configured.",
	 p_unknown, false},
	{"elecbill_port_reopens_total", "counter", "Times the port was lost and came back.", p_reopens,
	 false},
};

static int64_t
r_healthy(const EbRun *run, const EbSpoolState *spool)
{
	char buf[300];

	(void) spool;
	return eb_run_problem(run, 0, buf, sizeof(buf)) == NULL;
}

static int64_t
r_synced(const EbRun *run, const EbSpoolState *spool)
{
	(void) run;
	(void) spool;
	return eb_clock_synced();
}

static int64_t
r_oldest(const EbRun *run, const EbSpoolState *spool)
{
	(void) run;
	return spool->oldest_ms == EB_NO_INSTANT ? 0 : age_ms(spool->oldest_ms);
}

static int64_t
r_up(const EbRun *run, const EbSpoolState *spool)
{
	(void) spool;
	return eb_sink_is_up(&run->sink);
}

#define VALUE_OF_RUN(function, value)                                    \
	static int64_t function(const EbRun *run, const EbSpoolState *spool) \
	{                                                                    \
		(void) run;                                                      \
		(void) spool;                                                    \
		return (int64_t) (value);                                        \
	}

VALUE_OF_RUN(r_start, run->started_ms)
VALUE_OF_RUN(r_loaded, run->loaded_ms)
VALUE_OF_RUN(r_reloads, run->reloads)
VALUE_OF_RUN(r_refused, run->reloads_refused)
VALUE_OF_RUN(r_spool_bytes, spool->bytes)
VALUE_OF_RUN(r_spool_records, spool->records)
VALUE_OF_RUN(r_spool_full, spool->full)
VALUE_OF_RUN(r_spool_rows, spool->counts.rows)
VALUE_OF_RUN(r_spool_lost, spool->counts.lost)
VALUE_OF_RUN(r_spool_damaged, spool->counts.damaged)
VALUE_OF_RUN(r_spool_torn, spool->counts.torn_bytes)
VALUE_OF_RUN(r_spool_rejected, spool->counts.rejected)
VALUE_OF_RUN(r_spool_failures, spool->counts.failures)
VALUE_OF_RUN(r_held, run->sink.held)
VALUE_OF_RUN(r_batches, run->sink.counts.batches)
VALUE_OF_RUN(r_accepted, run->sink.counts.accepted)
VALUE_OF_RUN(r_duplicate, run->sink.counts.duplicate)
VALUE_OF_RUN(r_conflict, run->sink.counts.conflict)
VALUE_OF_RUN(r_rejected, run->sink.counts.rejected)
VALUE_OF_RUN(r_failures, run->sink.counts.failures)
VALUE_OF_RUN(r_commands, run->commands.counts.taken)
VALUE_OF_RUN(r_dropped, run->health.dropped)

static const RunFamily run_family[] = {
	{"elecbill_collector_healthy", "gauge", "0: somebody has to look; status says why.", r_healthy,
	 false},
	{"elecbill_collector_start_time_seconds", "gauge", "Start, in Unix time.", r_start, true},
	{"elecbill_collector_config_time_seconds", "gauge",
	 "When the configuration was read, in Unix time.", r_loaded, true},
	{"elecbill_collector_reloads_total", "counter", "Configurations taken while running.",
	 r_reloads, false},
	{"elecbill_collector_reloads_refused_total", "counter", "Configurations refused while running.",
	 r_refused, false},
	{"elecbill_collector_clock_synced", "gauge", "1: the clock was synchronised since boot.",
	 r_synced, false},
	{"elecbill_collector_commands_total", "counter", "Commands taken from the database.",
	 r_commands, false},
	{"elecbill_collector_health_dropped_total", "counter",
	 "Clients of the health sockets that were too slow.", r_dropped, false},
	{"elecbill_spool_bytes", "gauge", "Size of the spool.", r_spool_bytes, false},
	{"elecbill_spool_records", "gauge", "Records that wait for the database.", r_spool_records,
	 false},
	{"elecbill_spool_oldest_age_seconds", "gauge", "Age of the oldest of them; 0: none waits.",
	 r_oldest, true},
	{"elecbill_spool_full", "gauge", "1: readings are being lost.", r_spool_full, false},
	{"elecbill_spool_rows_total", "counter", "Records taken.", r_spool_rows, false},
	{"elecbill_spool_lost_total", "counter", "Readings that found no room.", r_spool_lost, false},
	{"elecbill_spool_damaged_total", "counter", "Records that can no longer be read.",
	 r_spool_damaged, false},
	{"elecbill_spool_torn_bytes_total", "counter", "Bytes of the files that are no record.",
	 r_spool_torn, false},
	{"elecbill_spool_rejected_total", "counter", "Records set aside in rejected.seg.",
	 r_spool_rejected, false},
	{"elecbill_spool_failures_total", "counter", "Failures of writing or syncing.",
	 r_spool_failures, false},
	{"elecbill_database_up", "gauge", "1: connected.", r_up, false},
	{"elecbill_database_waits_for_a_person", "gauge",
	 "1: the database refuses for a reason that does not go away by itself.", r_held, false},
	{"elecbill_database_batches_total", "counter", "Batches committed.", r_batches, false},
	{"elecbill_database_accepted_total", "counter", "Readings stored.", r_accepted, false},
	{"elecbill_database_duplicate_total", "counter", "Readings that were there already.",
	 r_duplicate, false},
	{"elecbill_database_conflict_total", "counter",
	 "Readings of an instant that has another value; kept beside it.", r_conflict, false},
	{"elecbill_database_rejected_total", "counter", "Readings and frames in reading_inbox.",
	 r_rejected, false},
	{"elecbill_database_failures_total", "counter", "Connections and batches that failed.",
	 r_failures, false},
};

#define COUNTOF(array) ((int) (sizeof(array) / sizeof((array)[0])))

static void
put_family(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
put_label(FILE *out, const char *name, const char *value)
{
	fprintf(out, "%s=\"", name);
	for (; *value != '\0'; value++)
	{
		if (*value == '\\' || *value == '"')
			fputc('\\', out);
		if (*value == '\n')
			fputs("\\n", out);
		else
			fputc(*value, out);
	}
	fputc('"', out);
}

static void
put_value(FILE *out, int64_t value, bool thousandths)
{
	if (thousandths)
		fprintf(out, " %" PRId64 ".%03d\n", value / 1000, (int) (value % 1000));
	else
		fprintf(out, " %" PRId64 "\n", value);
}

static void
put_run(const EbRun *run, FILE *out)
{
	EbSpoolState spool = {0};

	if (!run->mode.dry_run)
		spool = eb_spool_state(&run->spool);
	put_family(out, "elecbill_collector_info", "gauge", "Who this is.");
	fputs("elecbill_collector_info{version=\"" ELECBILL_VERSION "\",", out);
	put_label(out, "collector", run->conf->id);
	fputs("} 1\n", out);
	for (int i = 0; i < COUNTOF(run_family); i++)
	{
		const RunFamily *family = &run_family[i];

		if (run->mode.dry_run && strncmp(family->name, "elecbill_collector_", 19) != 0)
			continue;
		put_family(out, family->name, family->type, family->help);
		fputs(family->name, out);
		put_value(out, family->value(run, &spool), family->thousandths);
	}
}

/* False when the family has no further sample. */
static bool
put_ports(const EbRun *run, const PortFamily *family, int *at, FILE *out)
{
	if (*at == 0)
		put_family(out, family->name, family->type, family->help);
	for (int i = 0; i < SAMPLES_AT_ONCE; i++, (*at)++)
	{
		EbCounts counts;
		bool open;
		const EbBus *bus = eb_run_port(run, *at, &counts, &open);
		int64_t value = bus != NULL ? family->value(bus, &counts, open) : NO_SAMPLE;

		if (bus == NULL)
			return false;
		if (value == NO_SAMPLE)
			continue;
		fprintf(out, "%s{", family->name);
		put_label(out, "port", bus->conf->name);
		fputc('}', out);
		put_value(out, value, family->thousandths);
	}
	return true;
}

static bool
put_meters(const EbRun *run, const MeterFamily *family, int *at, FILE *out)
{
	if (*at == 0)
		put_family(out, family->name, family->type, family->help);
	for (int i = 0; i < SAMPLES_AT_ONCE; i++, (*at)++)
	{
		const EbBus *bus;
		const EbMeter *meter = eb_run_meter(run, *at, &bus);
		int64_t value = meter != NULL ? family->value(meter) : NO_SAMPLE;

		if (meter == NULL)
			return false;
		if (value == NO_SAMPLE)
			continue;
		fprintf(out, "%s{", family->name);
		put_label(out, "meter", meter->conf->serial);
		fputc(',', out);
		put_label(out, "port", bus->conf->name);
		fputc('}', out);
		put_value(out, value, family->thousandths);
	}
	return true;
}

bool
eb_run_metrics(const EbRun *run, EbHealthCursor *cursor, FILE *out)
{
	int nports = COUNTOF(port_family);
	bool more = false;

	if (cursor->part == 0)
		put_run(run, out);
	else if (cursor->part <= nports)
		more = put_ports(run, &port_family[cursor->part - 1], &cursor->at, out);
	else
		more = put_meters(run, &meter_family[cursor->part - 1 - nports], &cursor->at, out);
	if (more)
		return true;
	cursor->part++;
	cursor->at = 0;
	return cursor->part < 1 + nports + COUNTOF(meter_family);
}
