/*
 * ptyshim.c -- lets libserialport 0.1.1 open pseudo-terminals (LD_PRELOAD, tests only)
 * The library asks sysfs for the port and the descriptor for modem lines, and a pseudo-terminal
 * has neither; parity and 7 data bits make the C library's tcsetattr fail there. These four things
 * are faked for pseudo-terminals, everything else is passed on.
 * Source: doc/collector.md.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define SYSFS "/sys/class/tty/pts/"
#define MAX_FD 1024

/* What <stdio.h>'s owner would declare; the library imports the old name. */
int __lxstat(int version, const char *path, struct stat *st);

static int modem[MAX_FD];
static bool known[MAX_FD];

static bool
is_pts_fd(int fd)
{
	char name[64];
	int saved = errno;
	bool is_pts = ttyname_r(fd, name, sizeof(name)) == 0 && strncmp(name, "/dev/pts/", 9) == 0;

	errno = saved;
	return is_pts;
}

static int
a_symlink(struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_mode = S_IFLNK | 0777;
	return 0;
}

int
lstat(const char *path, struct stat *st)
{
	int (*real)(const char *, struct stat *) = dlsym(RTLD_NEXT, "lstat");

	return strncmp(path, SYSFS, strlen(SYSFS)) == 0 ? a_symlink(st) : real(path, st);
}

int
__lxstat(int version, const char *path, struct stat *st)
{
	int (*real)(int, const char *, struct stat *) = dlsym(RTLD_NEXT, "__lxstat");

	return strncmp(path, SYSFS, strlen(SYSFS)) == 0 ? a_symlink(st) : real(version, path, st);
}

ssize_t
readlink(const char *path, char *buf, size_t size)
{
	static const char target[] = "../../devices/virtual/tty/pts";
	ssize_t (*real)(const char *, char *, size_t) = dlsym(RTLD_NEXT, "readlink");
	size_t n = strlen(target) < size ? strlen(target) : size;

	if (strncmp(path, SYSFS, strlen(SYSFS)) != 0)
		return real(path, buf, size);
	memcpy(buf, target, n);
	return (ssize_t) n;
}

static int
fake_modem(int fd, unsigned long request, int *word)
{
	if (!known[fd])
	{
		known[fd] = true;
		modem[fd] = TIOCM_CTS | TIOCM_DSR | TIOCM_CAR;
	}
	if (request == TIOCMGET)
		*word = modem[fd];
	else if (request == TIOCMSET)
		modem[fd] = *word;
	else if (request == TIOCMBIS)
		modem[fd] |= *word;
	else
		modem[fd] &= ~*word;
	return 0;
}

int
ioctl(int fd, unsigned long request, ...)
{
	int (*real)(int, unsigned long, ...) = dlsym(RTLD_NEXT, "ioctl");
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if ((request == TIOCMGET || request == TIOCMSET || request == TIOCMBIS ||
		 request == TIOCMBIC) &&
		fd >= 0 && fd < MAX_FD && is_pts_fd(fd))
		return fake_modem(fd, request, arg);
	return real(fd, request, arg);
}

int
tcsetattr(int fd, int when, const struct termios *wanted)
{
	int (*real)(int, int, const struct termios *) = dlsym(RTLD_NEXT, "tcsetattr");
	struct termios tio = *wanted;

	if (is_pts_fd(fd))
		tio.c_cflag = (tio.c_cflag & ~(tcflag_t) (CSIZE | PARENB | PARODD)) | CS8;
	return real(fd, when, &tio);
}
