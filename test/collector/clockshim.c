/*
 * clockshim.c -- another time of day, for tests: preloaded into the collector
 * $CLOCKSHIM is a file with two numbers: milliseconds that are added to the clock of the day, and
 * whether the clock is synchronised (1) or not (0). It is read anew whenever the time is asked for;
 * when the first has changed, a timer of the clock of the day is cancelled, as the kernel does.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

/* Milliseconds to add; *synced stays as it is when the file does not say. */
static long long
offset_ms(bool *synced)
{
	const char *name = getenv("CLOCKSHIM");
	char text[64];
	int fd = name != NULL ? open(name, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n = fd >= 0 ? pread(fd, text, sizeof(text) - 1, 0) : -1;
	char *end;
	long long ms;

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	ms = strtoll(text, &end, 10);
	if (*end == ' ')
		*synced = end[1] == '1';
	return ms;
}

int
clock_gettime(clockid_t id, struct timespec *now)
{
	static int (*real)(clockid_t, struct timespec *);
	bool synced = true;
	long long ns;
	int status;

	if (real == NULL)
		*(void **) &real = dlsym(RTLD_NEXT, "clock_gettime");
	status = real(id, now);
	if (status != 0 || id != CLOCK_REALTIME)
		return status;
	ns = ((long long) now->tv_sec * 1000 + offset_ms(&synced)) * 1000000 + now->tv_nsec;
	now->tv_sec = (time_t) (ns / 1000000000);
	now->tv_nsec = (long) (ns % 1000000000);
	return 0;
}

time_t
time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out != NULL)
		*out = now.tv_sec;
	return now.tv_sec;
}

int
adjtimex(struct timex *state)
{
	bool synced = true;

	offset_ms(&synced);
	*state = (struct timex){.status = synced ? 0 : STA_UNSYNC};
	return synced ? TIME_OK : TIME_ERROR;
}

static int timer = -1; /* an event in place of the timer of the clock of the day */

static void *
watch(void *unused)
{
	bool synced = true;
	long long before = offset_ms(&synced);

	for (;; nanosleep(&(struct timespec){0, 20000000}, NULL))
	{
		long long now = offset_ms(&synced);

		if (now != before && eventfd_write(timer, 1) != 0)
			abort();
		before = now;
	}
	return unused;
}

int
timerfd_create(clockid_t id, int flags)
{
	static int (*real)(clockid_t, int);
	pthread_t thread;
	sigset_t all, former;

	if (real == NULL)
		*(void **) &real = dlsym(RTLD_NEXT, "timerfd_create");
	if (id != CLOCK_REALTIME || timer >= 0)
		return real(id, flags);
	timer = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &former);
	pthread_create(&thread, NULL, watch, NULL);
	pthread_sigmask(SIG_SETMASK, &former, NULL);
	return timer;
}

int
timerfd_settime(int fd, int flags, const struct itimerspec *new, struct itimerspec *old)
{
	static int (*real)(int, int, const struct itimerspec *, struct itimerspec *);

	if (real == NULL)
		*(void **) &real = dlsym(RTLD_NEXT, "timerfd_settime");
	return fd == timer ? 0 : real(fd, flags, new, old);
}

ssize_t
read(int fd, void *bytes, size_t n)
{
	static ssize_t (*real)(int, void *, size_t);
	ssize_t got;

	if (real == NULL)
		*(void **) &real = dlsym(RTLD_NEXT, "read");
	got = real(fd, bytes, n);
	if (fd < 0 || fd != timer || got <= 0)
		return got;
	errno = ECANCELED;
	return -1;
}
