/*
 * diskshim.c -- a disk that fails, for tests: preloaded into the collector
 * While the file $DISKSHIM exists, what would write to a regular file, sync one or make one fails
 * with the error whose number the file holds.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/* The error of now; 0: the disk works. */
static int
error_now(void)
{
	const char *flag = getenv("DISKSHIM");
	FILE *file = flag != NULL ? fopen(flag, "r") : NULL;
	int error = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%d", &error) != 1)
		error = 0;
	fclose(file);
	return error;
}

static bool
fails(int fd)
{
	struct stat file;
	int error = error_now();

	if (error == 0 || fstat(fd, &file) != 0 || !S_ISREG(file.st_mode))
		return false;
	errno = error;
	return true;
}

/* Segments, acked and the others are all opened below their directory. */
int
openat(int dir, const char *path, int flags, ...)
{
	static int (*real)(int, const char *, int, ...);
	va_list args;
	mode_t mode;
	int error = (flags & O_ACCMODE) != O_RDONLY ? error_now() : 0;

	if (real == NULL)
		*(void **) &real = dlsym(RTLD_NEXT, "openat");
	if (error != 0)
	{
		errno = error;
		return -1;
	}
	va_start(args, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(args, mode_t) : 0;
	va_end(args);
	return real(dir, path, flags, mode);
}

ssize_t
pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	static ssize_t (*real)(int, const void *, size_t, off_t);

	if (real == NULL)
		*(void **) &real = dlsym(RTLD_NEXT, "pwrite");
	return fails(fd) ? -1 : real(fd, bytes, n, at);
}

int
fdatasync(int fd)
{
	static int (*real)(int);

	if (real == NULL)
		*(void **) &real = dlsym(RTLD_NEXT, "fdatasync");
	return fails(fd) ? -1 : real(fd);
}

int
fsync(int fd)
{
	static int (*real)(int);

	if (real == NULL)
		*(void **) &real = dlsym(RTLD_NEXT, "fsync");
	return fails(fd) ? -1 : real(fd);
}
