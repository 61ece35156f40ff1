/*
 * meter_sim.c -- meters for tests and the demo: DL/T 645-2007 on a bus, or lines of text
 * In:  a command line (--help), requests on a pseudo-terminal of its own or on a given terminal.
 * Out: what sim_dlt645.c and sim_line.c send; a log of what was asked and what was served.
 */
#define _GNU_SOURCE
#include "sim.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

Sim sim = {.port = -1, .preambles = 4, .delay_ms = 20, .gap_ms = 30};

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

/* "1234.56" in hundredths */
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
open_pty(const char *name)
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
open_tty(const char *name)
{
	sim.port = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (sim.port < 0)
		sim_die(name, strerror(errno));
	make_raw(sim.port);
}

/* One step of the script: from its start when the line was opened, and anew after every_ms. */
static void
run_script(bool just_opened)
{
	static int at;

	if (just_opened)
	{
		sim_nap(600); /* longer than a reader's pause after opening */
		at = 0;
	}
	else if (at == sim_nsteps())
	{
		if (sim.every_ms == 0)
			return;
		sim_nap(sim.every_ms);
		at = 0;
	}
	sim_run_step(at++);
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
		else if ((poller.revents & POLLIN) != 0 && (n = read(sim.port, bytes, sizeof(bytes))) > 0)
			sim_take_bytes(bytes, (size_t) n);
		if (is_open && sim_nsteps() > 0)
			run_script(!was_open);
		was_open = is_open;
	}
}

static const char help[] =
	"meter_sim: meters on a pseudo-terminal, for tests and the demo\n"
	"  --pty LINK                 make a pseudo-terminal and link its name to LINK\n"
	"  --tty PATH                 use this terminal instead\n"
	"  --log FILE                 requests, replies served whole, faults planted, lines sent\n"
	"  --grow N                   each reply or line is N hundredths of a kWh higher\n"
	"DL/T 645-2007:\n"
	"  --dlt645 ADDRESS=KWH[,T1,T2,T3,T4]   a meter; may be repeated\n"
	"  --freeze ADDRESS=YYYY-MM-DDThh:mm,KWH[,T1...]\n"
	"  --fault ADDRESS=KIND[,KIND...]       what happens to its replies, in order:\n"
	"        good silent checksum cut garbage noise foreign exception nibble late slow twice\n"
	"  --fe N                     preambles in front of a reply (4)\n"
	"  --delay MS                 before a reply (20)\n"
	"  --echo                     requests come back, as on a two-wire adapter\n"
	"  --no-block, --parts        no block identifiers; blocks in two frames\n"
	"Lines, sent in this order each time the terminal is opened:\n"
	"  --csv METER=KWH            METER,KWH and a line end\n"
	"  --line TEXT, --raw TEXT    with and without line end; \\r \\n \\t \\\\ \\xNN are bytes\n"
	"  --wait MS                  pause\n"
	"  --gap MS, --every MS       pause between lines (30); begin again after this long\n"
	"Prints READY when it listens. SIGTERM ends it.\n";

static const struct option options[] = {
	{"pty", 1, NULL, 'p'},	 {"tty", 1, NULL, 't'},		 {"log", 1, NULL, 'L'},
	{"grow", 1, NULL, 'g'},	 {"dlt645", 1, NULL, 'd'},	 {"freeze", 1, NULL, 'z'},
	{"fault", 1, NULL, 'f'}, {"fe", 1, NULL, 'F'},		 {"delay", 1, NULL, 'D'},
	{"echo", 0, NULL, 'e'},	 {"no-block", 0, NULL, 'n'}, {"parts", 0, NULL, 'P'},
	{"csv", 1, NULL, 'm'},	 {"line", 1, NULL, 'l'},	 {"raw", 1, NULL, 'r'},
	{"wait", 1, NULL, 'w'},	 {"gap", 1, NULL, 'G'},		 {"every", 1, NULL, 'E'},
	{"help", 0, NULL, 'h'},	 {NULL, 0, NULL, 0},
};

static void
take_option(int option)
{
	switch (option)
	{
		case 'p':
			open_pty(optarg);
			break;
		case 't':
			open_tty(optarg);
			break;
		case 'L':
			sim.log = fopen(optarg, "a");
			if (sim.log == NULL)
				sim_die(optarg, strerror(errno));
			break;
		case 'g':
			sim.grow = strtol(optarg, NULL, 10);
			break;
		case 'd':
			sim_add_meter(optarg);
			break;
		case 'z':
			sim_add_freeze(optarg);
			break;
		case 'f':
			sim_add_faults(optarg);
			break;
		case 'F':
			sim.preambles = (int) strtol(optarg, NULL, 10);
			break;
		case 'D':
			sim.delay_ms = (int) strtol(optarg, NULL, 10);
			break;
		case 'G':
			sim.gap_ms = (int) strtol(optarg, NULL, 10);
			break;
		case 'E':
			sim.every_ms = (int) strtol(optarg, NULL, 10);
			break;
		case 'e':
			sim.echo = true;
			break;
		case 'n':
			sim.no_blocks = true;
			break;
		case 'P':
			sim.in_parts = true;
			break;
		case 'm':
		case 'l':
		case 'r':
		case 'w':
			sim_add_step((char) option, optarg);
			break;
		case 'h':
			fputs(help, stdout);
			exit(0);
		default:
			exit(1);
	}
}

int
main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = stop};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		take_option(option);
	if (sim.port < 0 || optind < argc)
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
