/*
 * run_report.c -- what was counted, to the log and, with --once, as JSON lines
 * In:  counts of buses, meters, sink and spool. Out: a line for each.
 */
#include "run_state.h"

static void
report_port(void *arg, const EbBus *bus)
{
	const EbRun *run = arg;

	eb_report_log("port", bus->conf->name, &bus->counts);
	if (run->mode.once)
		eb_report_json(stdout, "port", bus->conf->name, &bus->counts);
}

static void
report_meter(void *arg, const EbBus *bus, const EbMeter *meter)
{
	const EbRun *run = arg;

	(void) bus;
	eb_report_log("meter", meter->conf->serial, &meter->counts);
	if (run->mode.once)
		eb_report_json(stdout, "meter", meter->conf->serial, &meter->counts);
}

void
eb_run_report(EbRun *run)
{
	const EbSinkCounts *db = &run->sink.counts;
	long long undelivered;

	eb_buses_tally(&run->buses);
	eb_buses_each(&run->buses, run, report_port, report_meter);
	if (run->mode.dry_run)
		return;
	undelivered = eb_spool_ready(&run->spool);
	eb_log(EB_LOG_INFO,
		   "database: batches %llu accepted %llu duplicate %llu conflict %llu rejected %llu "
		   "failures %llu undelivered %lld lost %llu",
		   (unsigned long long) db->batches, (unsigned long long) db->accepted,
		   (unsigned long long) db->duplicate, (unsigned long long) db->conflict,
		   (unsigned long long) db->rejected, (unsigned long long) db->failures, undelivered,
		   (unsigned long long) run->spool.counts.lost);
	if (run->mode.once)
		printf("{\"report\":\"database\",\"batches\":%llu,\"accepted\":%llu,\"duplicate\":%llu,"
			   "\"conflict\":%llu,\"rejected\":%llu,\"undelivered\":%lld,\"lost\":%llu}\n",
			   (unsigned long long) db->batches, (unsigned long long) db->accepted,
			   (unsigned long long) db->duplicate, (unsigned long long) db->conflict,
			   (unsigned long long) db->rejected, undelivered,
			   (unsigned long long) run->spool.counts.lost);
}
