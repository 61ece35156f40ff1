/*
 * unit_exchange.c -- one request and its answer: echoes, parts, floods, late and foreign replies
 * A meter is read once, by a demand; a script says what comes back.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus_kit.h"
#include "check.h"
#include "clock.h"
#include "log.h"

#define ME "000000000001"

static Kit kit;
static EbDemand demand;

static void
ended(EbDemand *of, EbDemandEnd end)
{
	of->owner = end == EB_DEMAND_DONE ? "done" : of->owner;
	kit.loop.stop = true;
}

/* Reads meter 1 by that script; true when it was answered. The kit stays open. */
static bool
read_by(EbEcho echo, int retries, bool (*script)(Kit *kit, const uint8_t *request, size_t n))
{
	kit_begin(&kit, 1);
	kit.meter[0].interval_s = 86400;
	kit.meter[0].offset_s = 40000; /* no slot comes in between, whenever the test runs */
	kit.meter[0].reads = false;
	kit.port.echo = echo;
	kit.port.retries = retries;
	kit.script = script;
	kit_start(&kit);
	demand = (EbDemand){.kind = EB_DEMAND_READ, .ended = ended};
	demand.deadline_ms = eb_clock_mono_ms() + 5000;
	CHECK(eb_buses_demand(&kit.buses, ME, &demand));
	kit_run(&kit, 8000);
	return demand.owner != NULL;
}

static EbCounts *
counts(void)
{
	return &kit.bus->meter[0].counts;
}

/* The answer of a block with one value, 7 kWh. */
static void
send_block(uint8_t control, uint8_t tariff)
{
	const uint8_t data[] = {0x00, 0xFF, (uint8_t) (1 + tariff), 0x00, 0x00, 0x07, 0x00, 0x00};

	kit_reply(&kit, ME, control, data, sizeof(data));
}

static bool
echo_whole(Kit *of, const uint8_t *request, size_t n)
{
	kit_send(of, "\xFE\xFE\xFE\xFE", 4);
	kit_send(of, request, n);
	return false;
}

/* One preamble is eaten by the adapter. */
static bool
echo_short(Kit *of, const uint8_t *request, size_t n)
{
	kit_send(of, "\xFE\xFE\xFE", 3);
	kit_send(of, request, n);
	return false;
}

static bool
echo_damaged(Kit *of, const uint8_t *request, size_t n)
{
	uint8_t bytes[64];

	memcpy(bytes, request, n);
	bytes[3] ^= 0x10;
	kit_send(of, "\xFE\xFE\xFE\xFE", 4);
	kit_send(of, bytes, n);
	return false;
}

static void
test_echo(void)
{
	CHECK(read_by(EB_ECHO_AUTO, 0, NULL)); /* the reply begins as the request does */
	CHECK_INT(counts()->echoes, 0);
	CHECK_INT(counts()->resyncs, 0);
	kit_end(&kit);
	CHECK(read_by(EB_ECHO_AUTO, 0, echo_whole));
	CHECK_INT(counts()->echoes, 1);
	CHECK_INT(counts()->resyncs, 0);
	kit_end(&kit);
	CHECK(read_by(EB_ECHO_AUTO, 0, echo_short));
	CHECK_INT(counts()->echoes, 1);
	kit_end(&kit);
	CHECK(read_by(EB_ECHO_OFF, 0, echo_whole)); /* still known as a request by the codec */
	CHECK_INT(counts()->echoes, 1);
	kit_end(&kit);
	CHECK(read_by(EB_ECHO_ON, 0, echo_damaged));
	CHECK_INT(counts()->echoes, 1);
	CHECK_INT(counts()->resyncs, 0);
	kit_end(&kit);
	CHECK(read_by(EB_ECHO_AUTO, 0, echo_damaged));
	CHECK_INT(counts()->resyncs, 1);
	kit_end(&kit);
	CHECK(!read_by(EB_ECHO_ON, 0, NULL)); /* an echo that never comes takes the reply */
	kit_end(&kit);
}

/* Parts: DI, four bytes of the block each, and the number behind them from the second on. */
static void
send_part(uint8_t control, uint8_t value, uint8_t seq)
{
	uint8_t data[9] = {0x00, 0xFF, 0x01, 0x00, 0x00, value, 0x00, 0x00, seq};

	kit_reply(&kit, ME, control, data, seq > 0 ? 9 : 8);
}

/* The requests as the script sees them: R read, 1, 2, ... the part that is asked for. */
static char parts[16];

static unsigned
note_part(const uint8_t *request)
{
	unsigned seq = request[8] == 0x12 ? (unsigned) (uint8_t) (request[14] - 0x33) : 0;
	size_t n = strlen(parts);

	if (n + 1 < sizeof(parts))
		parts[n] = (char) (seq > 0 ? '0' + seq : 'R');
	return seq;
}

static void
send_good(unsigned seq)
{
	send_part(seq == 0 ? 0xB1 : seq == 1 ? 0xB2 : 0x92, (uint8_t) (1 + seq), (uint8_t) seq);
}

static bool
parts_good(Kit *of, const uint8_t *request, size_t n)
{
	(void) of, (void) n;
	send_good(note_part(request));
	return true;
}

/* The second part is answered by the third, always. */
static bool
parts_skipped(Kit *of, const uint8_t *request, size_t n)
{
	unsigned seq = note_part(request);

	(void) of, (void) n;
	send_part(seq == 0 ? 0xB1 : 0x92, (uint8_t) (1 + seq), (uint8_t) (seq > 0 ? seq + 1 : 0));
	return true;
}

/* The first part once more in front of the second. */
static bool
parts_repeated(Kit *of, const uint8_t *request, size_t n)
{
	unsigned seq = note_part(request);

	(void) of, (void) n;
	if (seq > 1)
		send_part(0xB2, (uint8_t) seq, (uint8_t) (seq - 1));
	send_good(seq);
	return true;
}

/* The second part is lost once; then the whole is read anew. */
static bool
parts_lost(Kit *of, const uint8_t *request, size_t n)
{
	unsigned seq = note_part(request);

	(void) n;
	if (seq != 1 || of->step++ >= 2)
		send_good(seq);
	return true;
}

static void
test_parts(void)
{
	memset(parts, 0, sizeof(parts));
	CHECK(read_by(EB_ECHO_AUTO, 0, parts_good));
	CHECK_STR(parts, "R12");
	CHECK_INT(kit_count(&kit, "\"register\""), 3);
	CHECK_INT(kit_count(&kit, "\"register\":\"1.8.2\""), 1);
	CHECK_INT(kit_count(&kit, "\"kwh\":\"3\""), 1);
	kit_end(&kit);

	memset(parts, 0, sizeof(parts));
	CHECK(!read_by(EB_ECHO_AUTO, 0, parts_skipped));
	CHECK_STR(parts, "R1");
	CHECK_INT(kit_count(&kit, "\"register\""), 0);
	CHECK_INT(counts()->foreign, 1);
	kit_end(&kit);

	memset(parts, 0, sizeof(parts));
	CHECK(read_by(EB_ECHO_AUTO, 0, parts_repeated));
	CHECK_STR(parts, "R12");
	CHECK_INT(kit_count(&kit, "\"register\""), 3);
	CHECK_INT(counts()->foreign, 1);
	kit_end(&kit);

	memset(parts, 0, sizeof(parts));
	CHECK(read_by(EB_ECHO_AUTO, 1, parts_lost)); /* asked twice for part 1, then anew */
	CHECK_STR(parts, "R11R12");
	CHECK_INT(kit_count(&kit, "\"register\""), 3);
	kit_end(&kit);
}

static bool
babble(Kit *of, const uint8_t *request, size_t n)
{
	uint8_t bytes[1200];

	(void) request, (void) n;
	memset(bytes, 0x55, sizeof(bytes));
	kit_send(of, bytes, sizeof(bytes));
	return true;
}

/* The answer of another meter, and of another question, in front of the right one. */
static bool
foreign_first(Kit *of, const uint8_t *request, size_t n)
{
	(void) of, (void) request, (void) n;
	kit_reply(&kit, "000000000002", 0x91, (const uint8_t[]){0, 0xFF, 1, 0, 0, 9, 0, 0}, 8);
	send_block(0x91, 1); /* 0002FF00 */
	send_block(0x91, 0);
	return true;
}

/* An answer cut in the middle, the whole at the second attempt. */
static bool
cut_once(Kit *of, const uint8_t *request, size_t n)
{
	(void) request, (void) n;
	if (of->step++ > 0)
		return false;
	kit_send(of, "\x68\x01\x00\x00\x00\x00\x00\x68\x91\x08\x33", 11);
	return true;
}

static void
test_line(void)
{
	CHECK(!read_by(EB_ECHO_AUTO, 2, babble));
	CHECK_INT(counts()->flood, 1);
	CHECK_INT(counts()->requests, 1); /* not worth another try */
	CHECK_INT((int64_t) (kit.bus->counts.stray + 2 * (4 + 267) + 64), 1200);
	kit_end(&kit);

	CHECK(read_by(EB_ECHO_AUTO, 2, foreign_first));
	CHECK_INT(counts()->foreign, 2);
	CHECK_INT(counts()->requests, 1);
	CHECK_INT(kit_count(&kit, "\"kwh\":\"7\""), 1);
	CHECK_INT(kit_count(&kit, "\"register\""), 1);
	kit_end(&kit);

	CHECK(read_by(EB_ECHO_AUTO, 2, cut_once));
	CHECK_INT(counts()->error[EB_FRAME_TRUNCATED], 1);
	CHECK_INT(counts()->retries, 1);
	CHECK(kit.bus->counts.busy_ms > 0);
	kit_end(&kit);
}

int
main(void)
{
	eb_log_level(EB_LOG_ERROR);
	test_echo();
	test_parts();
	test_line();
	return check_done("collector exchange");
}
