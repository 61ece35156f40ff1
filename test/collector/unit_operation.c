/*
 * unit_operation.c -- the parts of the collector that tell others how it fares: JSON, service
 * manager, events, addresses of the health socket, rounds of the loop
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "buses.h"
#include "check.h"
#include "clock.h"
#include "events.h"
#include "health.h"
#include "json.h"
#include "log.h"
#include "loop.h"
#include "sd.h"

static const char *
json_of(const char *text)
{
	static char out[256];
	FILE *stream = fmemopen(out, sizeof(out), "w");

	eb_json_put_text(stream, text);
	fclose(stream);
	return out;
}

static void
test_json(void)
{
	CHECK_STR(json_of(NULL), "null");
	CHECK_STR(json_of(""), "\"\"");
	CHECK_STR(json_of("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"");
	CHECK_STR(json_of("\x01\t\x1f\x7f"), "\"\\u0001\\u0009\\u001f\\u007f\"");
	CHECK_STR(json_of("\xe7\x94\xb5\xe8\xa1\xa8 \xf0\x9f\x94\x8c"),
			  "\"\xe7\x94\xb5\xe8\xa1\xa8 \xf0\x9f\x94\x8c\"");
	/* cut, alone, too long, surrogate, beyond Unicode: each byte by its number */
	CHECK_STR(json_of("\xe7\x94"), "\"\\u00e7\\u0094\"");
	CHECK_STR(json_of("\x80x"), "\"\\u0080x\"");
	CHECK_STR(json_of("\xc0\xaf"), "\"\\u00c0\\u00af\"");
	CHECK_STR(json_of("\xed\xa0\x80"), "\"\\u00ed\\u00a0\\u0080\"");
	CHECK_STR(json_of("\xf4\x90\x80\x80"), "\"\\u00f4\\u0090\\u0080\\u0080\"");
	CHECK_STR(json_of("\xff"), "\"\\u00ff\"");
	CHECK_INT((long) eb_utf8_size(""), 1);
	CHECK_INT((long) eb_utf8_size("\xc3\xa4"), 2);
	CHECK_INT((long) eb_utf8_size("\xc3"), 0);
}

static void
test_listen(void)
{
	static const char *const good[] = {"127.0.0.1:9810", "127.8.9.10:1", "[::1]:65535"};
	static const char *const bad[] = {
		"0.0.0.0:9810", "192.168.1.1:9810", "[::]:9810", "localhost:9810", "127.0.0.1",
		"127.0.0.1:0",	"127.0.0.1:65536",	"",			 "example.org:80", "[::2]:80"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK(eb_health_listen_ok(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!eb_health_listen_ok(bad[i]));
}

/* The next datagram; empty: there is none. */
static const char *
told(int fd)
{
	static char message[512];
	ssize_t n = recv(fd, message, sizeof(message) - 1, MSG_DONTWAIT);

	message[n > 0 ? n : 0] = '\0';
	return message;
}

static void
test_manager(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char name[60];
	char pid[20];
	long long usec = 0;
	EbSd sd;

	unsetenv("NOTIFY_SOCKET");
	eb_sd_open(&sd);
	CHECK_INT(sd.fd, -1);
	eb_sd_ready(&sd);
	CHECK(!eb_sd_hungry(&sd));

	snprintf(name, sizeof(name), "@elecbill-unit-%d", (int) getpid());
	memcpy(at.sun_path + 1, name + 1, strlen(name + 1));
	CHECK(bind(fd, (struct sockaddr *) &at, (socklen_t) (sizeof(at.sun_family) + strlen(name))) ==
		  0);
	setenv("NOTIFY_SOCKET", name, 1);
	setenv("WATCHDOG_USEC", "200000", 1);
	snprintf(pid, sizeof(pid), "%d", (int) getpid());
	setenv("WATCHDOG_PID", pid, 1);
	eb_sd_open(&sd);
	CHECK(sd.fd >= 0);
	CHECK_INT((long) sd.watchdog_ms, 200);
	CHECK(eb_sd_hungry(&sd)); /* never fed */
	eb_sd_ready(&sd);
	CHECK_STR(told(fd), "READY=1\n");
	CHECK_STR(told(fd), "WATCHDOG=1\n");
	CHECK(!eb_sd_hungry(&sd));
	usleep(110000);
	CHECK(eb_sd_hungry(&sd));
	eb_sd_feed(&sd);
	CHECK_STR(told(fd), "WATCHDOG=1\n");
	eb_sd_status(&sd, "%d meters\nREADY=1", 3);
	CHECK_STR(told(fd), "STATUS=3 meters READY=1\n");
	eb_sd_status(&sd, "%d meters\nREADY=1", 3);
	CHECK_STR(told(fd), "");
	eb_sd_reloading(&sd);
	CHECK(sscanf(told(fd), "RELOADING=1\nMONOTONIC_USEC=%lld\n", &usec) == 1);
	CHECK(llabs(usec / 1000 - (long long) eb_clock_mono_ms()) < 10000);
	eb_sd_stopping(&sd);
	CHECK_STR(told(fd), "STOPPING=1\n");
	eb_sd_close(&sd);

	setenv("WATCHDOG_PID", "1", 1);
	eb_sd_open(&sd);
	CHECK_INT((long) sd.watchdog_ms, 0);
	CHECK(!eb_sd_hungry(&sd));
	eb_sd_close(&sd);
	setenv("NOTIFY_SOCKET", "relative/path", 1);
	eb_sd_open(&sd);
	CHECK_INT(sd.fd, -1);
	setenv("NOTIFY_SOCKET", "/nowhere/notify", 1);
	eb_sd_open(&sd);
	CHECK_INT(sd.fd, -1);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	close(fd);
}

/* Without a connection they wait; the oldest make room. */
static void
test_events(void)
{
	static EbEvents events;
	static EbConfig conf;
	EbSink *sink = calloc(1, sizeof(EbSink)); /* off */
	char detail[400];
	EbEvent event = {.code = "breaker_open", .severity = EB_LOG_WARNING, .detail = detail};

	eb_events_open(&events, &conf, sink);
	for (int i = 0; i < EB_EVENTS_MAX + 3; i++)
	{
		snprintf(detail, sizeof(detail), "%d", i);
		event.at_ms = i;
		eb_events_add(&events, &event);
	}
	CHECK_INT(events.n, EB_EVENTS_MAX);
	CHECK_INT((long) events.lost, 3);
	CHECK_STR(events.kept[events.first].detail, "3");
	CHECK(!events.out);

	/* texts that are too long are cut between two characters */
	memset(detail, 'x', 158);
	memcpy(detail + 158, "\xe7\x94\xb5", 4);
	eb_events_add(&events, &event);
	CHECK_INT((long) strlen(events.kept[(events.first + events.n - 1) % EB_EVENTS_MAX].detail),
			  158);
	eb_events_close(&events);
	eb_events_add(&events, &event);
	CHECK_INT(events.n, EB_EVENTS_MAX);
	free(sink);
}

/* So many lines a minute, then none. */
static void
test_share(void)
{
	EbLogShare share = {0, 0};

	for (int i = 0; i < 10; i++)
	{
		bool told = eb_log_share(&share, 3, "a test");

		/* unless the minute changes in between */
		if (share.count == i + 1 || share.count == 5)
			CHECK_INT(told, i < 3);
	}
	share.minute--; /* a minute later */
	CHECK(eb_log_share(&share, 3, "a test"));
	CHECK_INT(share.count, 1);
}

static EbLoop loop;
static EbTimer timer[3];
static int fired;
static int rounds;

static void
fire(void *owner)
{
	(void) owner;
	fired++;
}

static void
round_over(void *owner)
{
	(void) owner;
	rounds++;
	eb_loop_drop_timer(&loop, &timer[1]);
	loop.stop = fired >= 2;
}

static void
test_loop(void)
{
	CHECK(eb_loop_open(&loop));
	for (int i = 0; i < 3; i++)
	{
		eb_loop_add_timer(&loop, &timer[i], fire, NULL);
		eb_timer_after(&timer[i], i * 30);
	}
	loop.round = round_over;
	CHECK(eb_loop_run(&loop));
	/* the second was gone before its time */
	CHECK_INT(fired, 2);
	CHECK(rounds >= 2);
	CHECK(!timer[1].armed);
	eb_loop_drop_timer(&loop, &timer[1]); /* twice does no harm */
	eb_loop_drop_timer(&loop, &timer[2]);
	eb_loop_drop_timer(&loop, &timer[0]);
	CHECK(loop.timers == NULL);
	eb_loop_close(&loop);
}

/* A bus that waits for nothing, or for something that should have come long ago, hangs. */
static void
test_overdue(void)
{
	static EbBus bus;
	static EbPortConf port;
	EbBus *all[] = {&bus};
	EbBuses buses = {.bus = all, .nbuses = 1};

	bus.conf = &port;
	CHECK(eb_buses_overdue(&buses) == NULL); /* not started */
	bus.started = true;
	CHECK(eb_buses_overdue(&buses) == &bus);
	eb_timer_after(&bus.timer, 60000);
	CHECK(eb_buses_overdue(&buses) == NULL);
	bus.timer.due_ms = eb_clock_mono_ms() - 9000; /* the computer was busy */
	CHECK(eb_buses_overdue(&buses) == NULL);
	bus.timer.due_ms = eb_clock_mono_ms() - 10500;
	CHECK(eb_buses_overdue(&buses) == &bus);
	bus.done = true;
	CHECK(eb_buses_overdue(&buses) == NULL);
}

int
main(void)
{
	test_json();
	test_listen();
	test_manager();
	test_events();
	test_share();
	test_loop();
	test_overdue();
	return check_done("collector operation");
}
