/*
 * meter_sim.c -- meters for tests and the demo, on a pseudo-terminal or on a given terminal
 * In:  a command line (--help), requests.
 * Out: what the sim_*.c of the protocols send; a log of what was asked and what was served.
 */
#define _GNU_SOURCE
#include "sim.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

Sim sim = {.port = -1, .delay_ms = 20};

static bool is_pty;
static const char *link_name;

static void
stop(int signal_number)
{
	(void) signal_number;
	sim.stopped = true;
}

void
sim_die(const char *what, const char *why)
{
	fprintf(stderr, "meter_sim: %s: %s\n", what, why);
	exit(1);
}

void
sim_nap(int ms)
{
	struct timespec time = {ms / 1000, ms % 1000 * 1000000L};

	while (!sim.stopped && nanosleep(&time, &time) != 0 && errno == EINTR)
		continue;
}

void
sim_send(const void *bytes, size_t n)
{
	const char *next = bytes;

	while (n > 0 && !sim.stopped)
	{
		ssize_t put = write(sim.port, next, n);

		if (put < 0 && errno != EAGAIN && errno != EINTR)
			return;
		if (put <= 0)
			sim_nap(5);
		else
		{
			next += put;
			n -= (size_t) put;
		}
	}
}

void
sim_log_hex(const char *what, const uint8_t *bytes, size_t n)
{
	if (sim.log == NULL)
		return;
	fprintf(sim.log, "%s ", what);
	for (size_t i = 0; i < n; i++)
		fprintf(sim.log, "%02x", bytes[i]);
	fputc('\n', sim.log);
	fflush(sim.log);
}

void
sim_asked(const uint8_t *bytes, size_t n)
{
	sim_log_hex("request", bytes, n);
	if (sim.echo)
		sim_send(bytes, n);
}

void
sim_serve(const uint8_t *bytes, size_t n)
{
	sim_nap(sim.delay_ms);
	sim_send(bytes, n);
	sim_log_hex("served", bytes, n);
}

long
sim_parse_kwh(const char *text, char **end)
{
	long value = strtol(text, end, 10) * 100;
	int unit = 10;

	if (**end == '.')
		for ((*end)++; **end >= '0' && **end <= '9'; (*end)++, unit /= 10)
			value += (**end - '0') * unit;
	return value;
}

long
sim_speed(void)
{
	static const struct
	{
		speed_t code;
		long speed;
	} known[] = {{B300, 300},	{B600, 600},   {B1200, 1200},	{B2400, 2400},
				 {B4800, 4800}, {B9600, 9600}, {B19200, 19200}, {B115200, 115200}};
	struct termios tio;

	if (tcgetattr(sim.port, &tio) != 0)
		return 0;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (cfgetospeed(&tio) == known[i].code)
			return known[i].speed;
	return 0;
}

void
sim_collect(const uint8_t *bytes, size_t n, long (*length)(const uint8_t *, size_t),
			void (*take)(const uint8_t *, size_t))
{
	static uint8_t held[512];
	static size_t nheld;
	size_t at = 0;

	if (nheld + n > sizeof(held))
		nheld = 0;
	memcpy(held + nheld, bytes, n);
	nheld += n;
	while (at < nheld)
	{
		long whole = length(held + at, nheld - at);

		if (whole == 0)
			break;
		if (whole > 0)
			take(held + at, (size_t) whole);
		at += (size_t) labs(whole);
	}
	memmove(held, held + at, nheld - at);
	nheld -= at;
}

static void
make_raw(int fd)
{
	struct termios tio;

	if (tcgetattr(fd, &tio) != 0)
		sim_die("tcgetattr", strerror(errno));
	cfmakeraw(&tio);
	tcsetattr(fd, TCSANOW, &tio);
}

/* The slave side is opened once and closed: from then on POLLHUP says that nobody has it open. */
static void
open_pty(char *name)
{
	char slave_name[64];
	int slave;

	sim.port = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (sim.port < 0 || grantpt(sim.port) != 0 || unlockpt(sim.port) != 0 ||
		ptsname_r(sim.port, slave_name, sizeof(slave_name)) != 0 ||
		(slave = open(slave_name, O_RDWR | O_NOCTTY)) < 0)
		sim_die("pseudo-terminal", strerror(errno));
	make_raw(slave);
	close(slave);
	unlink(name);
	if (symlink(slave_name, name) != 0)
		sim_die(name, strerror(errno));
	link_name = name;
	is_pty = true;
}

static void
open_tty(char *name)
{
	sim.port = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (sim.port < 0)
		sim_die(name, strerror(errno));
	make_raw(sim.port);
}

/* Serves requests, and speaks by itself while somebody has the line open. */
static void
run(void)
{
	bool was_open = false;

	while (!sim.stopped)
	{
		struct pollfd poller = {sim.port, POLLIN, 0};
		bool is_open = poll(&poller, 1, 20) >= 0 && (poller.revents & POLLHUP) == 0;
		uint8_t bytes[256];
		ssize_t n;

		if (!is_open)
			sim_nap(10);
		else if ((poller.revents & POLLIN) != 0 && (n = read(sim.port, bytes, sizeof(bytes))) > 0 &&
				 sim.take_bytes != NULL)
			sim.take_bytes(bytes, (size_t) n);
		if (is_open && sim.speak != NULL)
			sim.speak(!was_open);
		was_open = is_open;
	}
}

static void
take_log(char *name)
{
	sim.log = fopen(name, "a");
	if (sim.log == NULL)
		sim_die(name, strerror(errno));
}

static void
take_grow(char *value)
{
	sim.grow = strtol(value, NULL, 10);
}

static void
take_delay(char *value)
{
	sim.delay_ms = (int) strtol(value, NULL, 10);
}

static void
take_every(char *value)
{
	sim.every_ms = (int) strtol(value, NULL, 10);
}

static void
take_echo(char *value)
{
	(void) value;
	sim.echo = true;
}

static void print_help(char *value) __attribute__((noreturn));

static const SimOption own_options[] = {
	{"pty", true, open_pty, "LINK: make a pseudo-terminal and link its name to LINK"},
	{"tty", true, open_tty, "PATH: use this terminal instead"},
	{"log", true, take_log, "FILE: requests, replies served whole, faults planted, lines sent"},
	{"grow", true, take_grow, "N: each reply, line or telegram is N hundredths of a kWh higher"},
	{"delay", true, take_delay, "MS: before a reply (20)"},
	{"echo", false, take_echo, "requests come back, as on a two-wire adapter"},
	{"every", true, take_every, "MS: what is sent without being asked is sent again (once)"},
	{"help", false, print_help, "this"},
	{NULL, false, NULL, NULL},
};

static const SimOption *const options[] = {
	own_options,	  sim_dlt645_options,	sim_dlt698_options, sim_modbus_options,
	sim_mbus_options, sim_iec62056_options, sim_push_options,	sim_line_options};

static void
print_help(char *value)
{
	(void) value;
	puts("meter_sim: meters on a pseudo-terminal, for tests and the demo. Prints READY when it\n"
		 "listens; SIGTERM ends it. One protocol at a time, any number of its meters.");
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		for (const SimOption *option = options[i]; option->name != NULL; option++)
			printf("  --%s %s\n", option->name, option->help);
	exit(0);
}

/* argv[0] is an option; returns how many words it took. */
static int
take_option(char **argv)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		for (const SimOption *option = options[i]; option->name != NULL; option++)
		{
			if (strncmp(argv[0], "--", 2) != 0 || strcmp(argv[0] + 2, option->name) != 0)
				continue;
			if (option->has_value && argv[1] == NULL)
				sim_die(argv[0], "needs a value");
			option->take(option->has_value ? argv[1] : argv[0]);
			return option->has_value ? 2 : 1;
		}
	sim_die(argv[0], "no such option; see --help");
}

int
main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = stop};

	for (int i = 1; i < argc;)
		i += take_option(argv + i);
	if (sim.port < 0)
		sim_die("usage", "give --pty LINK or --tty PATH, and meters; see --help");
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	puts("READY");
	fflush(stdout);
	run();
	if (is_pty)
		unlink(link_name);
	return 0;
}
