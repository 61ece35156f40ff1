/*
 * load_sim.c -- many buses of many DL/T 645-2007 meters in one process, for load
 *   load_sim DIRECTORY PORTS METERS DELAY_MS
 * The pseudo-terminals DIRECTORY/p1, p2, ... each carry METERS meters, of addresses
 * PPPPPPMMMMMM. The k-th reply of a meter says k hundredths of a kWh in its total and in each of its four
 * tariffs. Prints READY; SIGTERM ends it: then it prints a line "ADDRESS COUNT" per meter.
 * Shares no code with src/: a mistake there must not hide in here.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define MAX_PORTS 256
#define REQUEST 16 /* bytes from the first 68 on */
#define REPLY 36

typedef struct Port
{
	int fd;
	uint8_t held[64];
	size_t nheld;
	uint8_t reply[REPLY];
	int64_t due_ms; /* of the reply; 0: none waits */
	long *count;	/* per meter */
} Port;

static Port port[MAX_PORTS];
static long nports, nmeters, delay_ms;
static volatile sig_atomic_t stopped;

static void
stop(int signal_number)
{
	(void) signal_number;
	stopped = 1;
}

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "load_sim: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
put_bcd(uint8_t *out, int n, long value)
{
	for (int i = 0; i < n; i++, value /= 100)
		out[i] = (uint8_t) (value / 10 % 10 << 4 | value % 10);
}

static long
get_bcd(const uint8_t *in, int n)
{
	long value = 0;

	while (n-- > 0)
		value = value * 100 + (in[n] >> 4) * 10 + (in[n] & 15);
	return value;
}

/* The slave side is opened once and closed: a hang-up then says that nobody has it open. */
static void
open_port(Port *p, const char *link)
{
	char name[64];
	struct termios tio;
	int slave;

	p->fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (p->fd < 0 || grantpt(p->fd) != 0 || unlockpt(p->fd) != 0 ||
		ptsname_r(p->fd, name, sizeof(name)) != 0 || (slave = open(name, O_RDWR | O_NOCTTY)) < 0 ||
		tcgetattr(slave, &tio) != 0)
		die("pseudo-terminal");
	cfmakeraw(&tio);
	tcsetattr(slave, TCSANOW, &tio);
	close(slave);
	unlink(link);
	if (symlink(name, link) != 0)
		die(link);
	p->count = calloc((size_t) nmeters, sizeof(*p->count));
	if (p->count == NULL)
		die("memory");
}

/* The block of total and tariffs of one meter. */
static void
make_reply(Port *p, const uint8_t *request)
{
	uint8_t data[24] = {0x00, 0xFF, 0x01, 0x00};
	uint8_t *out = p->reply;
	long which = get_bcd(request + 1, 3);
	unsigned sum = 0;

	if (get_bcd(request + 4, 3) != p - port + 1 || which < 1 || which > nmeters ||
		request[8] != 0x11 || memcmp(request + 10, "\x33\x32\x34\x33", 4) != 0)
		return;
	p->count[which - 1]++;
	for (int i = 0; i < 5; i++)
		put_bcd(data + 4 + 4 * i, 4, p->count[which - 1]);
	memcpy(out, request, 8);
	out[8] = 0x91;
	out[9] = sizeof(data);
	for (size_t i = 0; i < sizeof(data); i++)
		out[10 + i] = (uint8_t) (data[i] + 0x33);
	for (int i = 0; i < REPLY - 2; i++)
		sum += out[i];
	out[REPLY - 2] = (uint8_t) sum;
	out[REPLY - 1] = 0x16;
	p->due_ms = now_ms() + delay_ms;
}

static void
take(Port *p)
{
	ssize_t n = read(p->fd, p->held + p->nheld, sizeof(p->held) - p->nheld);
	size_t at = 0;

	if (n <= 0)
		return;
	p->nheld += (size_t) n;
	while (p->nheld - at >= 1 && (p->held[at] != 0x68 || p->nheld - at >= REQUEST))
	{
		if (p->held[at] != 0x68)
			at++;
		else
		{
			make_reply(p, p->held + at);
			at += REQUEST;
		}
	}
	memmove(p->held, p->held + at, p->nheld - at);
	p->nheld -= at;
}

/* Sends what is due; returns how long nothing will be, in ms. */
static int
send_due(void)
{
	int64_t now = now_ms(), wait = 50;

	for (long i = 0; i < nports; i++)
	{
		Port *p = &port[i];

		if (p->due_ms == 0)
			continue;
		if (p->due_ms <= now)
		{
			if (write(p->fd, p->reply, REPLY) != REPLY)
				die("a reply");
			p->due_ms = 0;
		}
		else if (p->due_ms - now < wait)
			wait = p->due_ms - now;
	}
	return (int) wait;
}

static void
run(void)
{
	struct pollfd poller[MAX_PORTS];

	while (!stopped)
	{
		int wait_ms = send_due();
		bool any = false;

		for (long i = 0; i < nports; i++)
			poller[i] = (struct pollfd){port[i].fd, POLLIN, 0};
		if (poll(poller, (nfds_t) nports, wait_ms) <= 0)
			continue;
		for (long i = 0; i < nports; i++)
			if ((poller[i].revents & POLLIN) != 0)
			{
				any = true;
				take(&port[i]);
			}
		if (!any) /* nobody has them open: poll would not wait */
			nanosleep(&(struct timespec){0, 20000000}, NULL);
	}
}

int
main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = stop};
	char link[512];

	if (argc != 5)
	{
		fputs("usage: load_sim DIRECTORY PORTS METERS DELAY_MS\n", stderr);
		return 2;
	}
	nports = strtol(argv[2], NULL, 10);
	nmeters = strtol(argv[3], NULL, 10);
	delay_ms = strtol(argv[4], NULL, 10);
	if (nports < 1 || nports > MAX_PORTS || nmeters < 1)
		return 2;
	for (long i = 0; i < nports; i++)
	{
		snprintf(link, sizeof(link), "%s/p%ld", argv[1], i + 1);
		open_port(&port[i], link);
	}
	sigaction(SIGTERM, &action, NULL);
	puts("READY");
	fflush(stdout);
	run();
	for (long i = 0; i < nports; i++)
		for (long k = 0; k < nmeters; k++)
			printf("%06ld%06ld %ld\n", i + 1, k + 1, port[i].count[k]);
	return 0;
}
