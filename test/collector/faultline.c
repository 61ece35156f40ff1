/*
 * faultline.c -- a line between two pseudo-terminals on which things go wrong as they are told to
 * In:  what a master and a meter send; rules (fault_rule.c) from the command line and from stdin.
 * Out: what the rules make of it; a log of every message and its fate.
 *
 * Bytes that follow one another without a pause of --gap are one message. The log has a line for
 * each, in this order: reply or request, whole or moved or hurt or lost, its number, milliseconds, the
 * actions, the bytes as they came.
 */
#define _GNU_SOURCE
#include "faultline.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* How often a terminal that nobody has open is looked at again, and the speed of one that is. */
#define CLOSED_US 5000
#define SPEED_US 20000

typedef struct End
{
	int fd; /* -1: unplugged */
	char link[256];
	bool closed; /* nobody has it open */
	uint8_t held[MAX_MESSAGE];
	size_t nheld;
	int64_t last_us; /* of the last byte held */
	Piece *first, *last;
	int64_t free_us; /* when all that waits is sent */
	long count;		 /* messages from here */
	long lost;		 /* bytes for here that nobody was there to take */
} End;

static End end[NSIDES];
static const char *const word[NSIDES] = {"request", "reply"};
static FILE *log_file;
static int gap_ms = 5;
static int64_t started_us;
static volatile sig_atomic_t stopped;

static void
stop(int signal_number)
{
	(void) signal_number;
	stopped = 1;
}

static void __attribute__((noreturn)) die(const char *what, const char *why)
{
	fprintf(stderr, "faultline: %s: %s\n", what, why);
	exit(1);
}

static int64_t
now_us(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * INT64_C(1000000) + time.tv_nsec / 1000;
}

/* A new terminal under the end's name; its other side is opened and closed, so that it is raw. */
static void
plug(End *e)
{
	char slave_name[64];
	struct termios tio;
	int slave;

	e->fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (e->fd < 0 || grantpt(e->fd) != 0 || unlockpt(e->fd) != 0 ||
		ptsname_r(e->fd, slave_name, sizeof(slave_name)) != 0 ||
		(slave = open(slave_name, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0 ||
		tcgetattr(slave, &tio) != 0)
		die("pseudo-terminal", strerror(errno));
	cfmakeraw(&tio);
	tcsetattr(slave, TCSANOW, &tio);
	close(slave);
	unlink(e->link);
	if (symlink(slave_name, e->link) != 0)
		die(e->link, strerror(errno));
	e->closed = true;
}

static void
unplug(End *e)
{
	if (e->fd < 0)
		return;
	unlink(e->link);
	close(e->fd);
	e->fd = -1;
	e->nheld = 0;
}

/* A line has one speed: that of the master is the meter's too, which some meters look at. */
static void
follow_speed(void)
{
	struct termios master, meter;

	if (end[SIDE_MASTER].fd < 0 || tcgetattr(end[SIDE_MASTER].fd, &master) != 0 ||
		tcgetattr(end[SIDE_METER].fd, &meter) != 0 || cfgetospeed(&master) == cfgetospeed(&meter))
		return;
	cfsetspeed(&meter, cfgetospeed(&master));
	tcsetattr(end[SIDE_METER].fd, TCSANOW, &meter);
}

static void
push_piece(End *e, PieceKind kind, const void *bytes, size_t n, int64_t delay_us)
{
	Piece *piece = calloc(1, sizeof(Piece));
	int64_t now = now_us();

	if (piece == NULL || (n > 0 && (piece->bytes = malloc(n)) == NULL))
		die("memory", "none left");
	if (n > 0)
		memcpy(piece->bytes, bytes, n);
	piece->kind = kind;
	piece->n = n;
	piece->due_us = e->free_us = (e->free_us > now ? e->free_us : now) + delay_us;
	*(e->first == NULL ? &e->first : &e->last->next) = piece;
	e->last = piece;
}

void
line_send(Side to, const uint8_t *bytes, size_t n, int64_t delay_us)
{
	if (n > 0)
		push_piece(&end[to], PIECE_BYTES, bytes, n, delay_us);
}

void
line_unplug(int ms, const char *link)
{
	/* A little later: the bytes in front of it would be taken away again with the terminal. */
	push_piece(&end[SIDE_MASTER], PIECE_UNPLUG, NULL, 0, 20000);
	push_piece(&end[SIDE_MASTER], PIECE_PLUG, link, link != NULL ? strlen(link) + 1 : 0,
			   ms * INT64_C(1000));
}

/* Writes what is due; a terminal takes what fits, the rest is tried again. */
static void
run_pieces(End *e)
{
	while (e->first != NULL && e->first->due_us <= now_us())
	{
		Piece *piece = e->first;

		if (piece->kind == PIECE_UNPLUG)
			unplug(e);
		else if (piece->kind == PIECE_PLUG && e->fd < 0)
		{
			if (piece->bytes != NULL)
				snprintf(e->link, sizeof(e->link), "%s", (char *) piece->bytes);
			plug(e);
		}
		else if (piece->kind == PIECE_BYTES && (e->fd < 0 || e->closed))
			e->lost += (long) piece->n;
		else if (piece->kind == PIECE_BYTES)
		{
			ssize_t put = write(e->fd, piece->bytes, piece->n);

			if (put < (ssize_t) piece->n && (put >= 0 || errno == EAGAIN || errno == EINTR))
			{
				piece->n -= put > 0 ? (size_t) put : 0;
				memmove(piece->bytes, piece->bytes + (put > 0 ? put : 0), piece->n);
				piece->due_us = now_us() + 1000;
				return;
			}
		}
		e->first = piece->next;
		free(piece->bytes);
		free(piece);
	}
}

/* What is held of a side is a message now. */
static void
close_message(Side from)
{
	End *e = &end[from];
	static const char *const fate_word[] = {"whole", "moved", "hurt", "lost"};
	const End *to = &end[from == SIDE_METER ? SIDE_MASTER : SIDE_METER];
	char actions[256];
	Fate fate;

	if (e->nheld == 0)
		return;
	e->count++;
	fate = rule_apply(from, e->held, e->nheld, actions, sizeof(actions));
	if (to->fd < 0 || to->closed)
		fate = FATE_LOST;
	if (log_file != NULL)
	{
		fprintf(log_file, "%s %s %ld %lld %s ", word[from], fate_word[fate], e->count,
				(long long) ((now_us() - started_us) / 1000), actions[0] != '\0' ? actions : "-");
		for (size_t i = 0; i < e->nheld; i++)
			fprintf(log_file, "%02x", e->held[i]);
		fputc('\n', log_file);
		fflush(log_file);
	}
	e->nheld = 0;
}

static void
take_bytes(Side from)
{
	End *e = &end[from];
	ssize_t got = read(e->fd, e->held + e->nheld, sizeof(e->held) - e->nheld);

	if (got <= 0)
		return;
	/* The other side has spoken before: its message is over, whatever the gap says. */
	close_message(from == SIDE_METER ? SIDE_MASTER : SIDE_METER);
	e->nheld += (size_t) got;
	e->last_us = now_us();
	if (e->nheld == sizeof(e->held))
		close_message(from);
}

/* A command of stdin; the answer is one line. */
static void
obey(char *line)
{
	const char *wrong = NULL;
	char link[256];

	line[strcspn(line, "\n")] = '\0';
	if (strcmp(line, "clear") == 0)
		rule_clear();
	else if (strcmp(line, "unplug") == 0)
		unplug(&end[SIDE_MASTER]);
	else if (sscanf(line, "plug %255s", link) == 1 || strcmp(line, "plug") == 0)
	{
		if (end[SIDE_MASTER].fd < 0)
		{
			if (strcmp(line, "plug") != 0)
				snprintf(end[SIDE_MASTER].link, sizeof(end[0].link), "%s", link);
			plug(&end[SIDE_MASTER]);
		}
		else
			wrong = "it is plugged in";
	}
	else if (strcmp(line, "count") == 0)
	{
		printf("requests %ld replies %ld lost %ld %ld\n", end[SIDE_MASTER].count,
			   end[SIDE_METER].count, end[SIDE_MASTER].lost, end[SIDE_METER].lost);
		fflush(stdout);
		return;
	}
	else
		wrong = rule_add(line);
	printf("%s%s\n", wrong != NULL ? "wrong: " : "ok", wrong != NULL ? wrong : "");
	fflush(stdout);
}

/* Lines of stdin as they become whole; false: it has ended. */
static bool
take_commands(void)
{
	static char held[8192];
	static size_t nheld;
	ssize_t got = read(STDIN_FILENO, held + nheld, sizeof(held) - 1 - nheld);
	char *next = held;
	char *newline;

	if (got <= 0)
		return false;
	nheld += (size_t) got;
	held[nheld] = '\0';
	while ((newline = strchr(next, '\n')) != NULL)
	{
		*newline = '\0';
		obey(next);
		next = newline + 1;
	}
	nheld -= (size_t) (next - held);
	memmove(held, next, nheld);
	return nheld < sizeof(held) - 1;
}

/* Until something is due or comes. */
static int
wait_ms(void)
{
	int64_t until = now_us() + SPEED_US;

	for (Side side = 0; side < NSIDES; side++)
	{
		const End *e = &end[side];

		if (e->first != NULL && e->first->due_us < until)
			until = e->first->due_us;
		if (e->nheld > 0 && e->last_us + gap_ms * 1000 < until)
			until = e->last_us + gap_ms * 1000;
		if (e->fd >= 0 && e->closed && now_us() + CLOSED_US < until)
			until = now_us() + CLOSED_US;
	}
	until -= now_us();
	return until <= 0 ? 0 : (int) ((until + 999) / 1000);
}

static void
run(bool commands)
{
	while (!stopped)
	{
		struct pollfd poller[NSIDES + 1] = {{-1, POLLIN, 0}, {-1, POLLIN, 0}, {-1, POLLIN, 0}};

		for (Side side = 0; side < NSIDES; side++)
			poller[side].fd = end[side].closed ? -1 : end[side].fd;
		poller[NSIDES].fd = commands ? STDIN_FILENO : -1;
		if (poll(poller, NSIDES + 1, wait_ms()) < 0 && errno != EINTR)
			die("poll", strerror(errno));
		follow_speed();
		for (Side side = 0; side < NSIDES; side++)
		{
			End *e = &end[side];
			struct pollfd one = {e->fd, POLLIN, 0};

			/* Asked anew: a terminal nobody has open says so at once, and would never let us wait. */
			if (e->fd >= 0 && poll(&one, 1, 0) >= 0)
			{
				e->closed = (one.revents & POLLHUP) != 0;
				if ((one.revents & POLLIN) != 0)
					take_bytes(side);
			}
			if (e->nheld > 0 && now_us() - e->last_us >= gap_ms * 1000)
				close_message(side);
		}
		for (Side side = 0; side < NSIDES; side++)
			run_pieces(&end[side]);
		if ((poller[NSIDES].revents & (POLLIN | POLLHUP)) != 0)
			commands = take_commands();
	}
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{"master", 1, NULL, 'm'}, {"meter", 1, NULL, 'd'}, {"log", 1, NULL, 'L'},
		{"gap", 1, NULL, 'g'},	  {"seed", 1, NULL, 's'},  {"help", 0, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct sigaction action = {.sa_handler = stop};
	const char *wrong;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
	{
		if (option == 'm' || option == 'd')
			snprintf(end[option == 'd'].link, sizeof(end[0].link), "%s", optarg);
		else if (option == 'L' && (log_file = fopen(optarg, "a")) == NULL)
			die(optarg, strerror(errno));
		else if (option == 'g')
			gap_ms = (int) strtol(optarg, NULL, 10);
		else if (option == 's')
			rule_seed(strtoull(optarg, NULL, 10));
		else if (option == 'h')
			return printf(
					   "faultline --master LINK --meter LINK [--log FILE] [--gap MS] [--seed N] "
					   "[RULE...]\nReads rules and the commands clear, unplug, plug [LINK], count "
					   "from stdin.\n%s",
					   rule_help) < 0;
		else if (option == '?')
			return 1;
	}
	if (end[0].link[0] == '\0' || end[1].link[0] == '\0')
		die("usage", "give --master LINK and --meter LINK; see --help");
	for (; optind < argc; optind++)
		if ((wrong = rule_add(argv[optind])) != NULL)
			die(argv[optind], wrong);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	started_us = now_us();
	plug(&end[SIDE_MASTER]);
	plug(&end[SIDE_METER]);
	puts("READY");
	fflush(stdout);
	run(true);
	for (Side side = 0; side < NSIDES; side++)
		unplug(&end[side]);
	return 0;
}
