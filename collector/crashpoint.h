/*
 * crashpoint.h -- places where a test lets the collector die
 * Only in builds with -DEB_CRASH_POINTS: when ELECBILL_CRASH_AT is "name" or "name:N", the process
 * kills itself when it passes EB_CRASH_POINT("name") for the first (the N-th) time, as SIGKILL from
 * outside would. In every other build there is nothing.
 */
#ifndef EB_CRASHPOINT_H
#define EB_CRASHPOINT_H

#ifdef EB_CRASH_POINTS

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* passed: of this place */
static inline void
eb_crash_point(const char *name, long *passed)
{
	const char *at = getenv("ELECBILL_CRASH_AT");
	size_t len = strlen(name);
	long wanted;

	if (at == NULL || strncmp(at, name, len) != 0 || (at[len] != '\0' && at[len] != ':'))
		return;
	wanted = at[len] == ':' ? strtol(at + len + 1, NULL, 10) : 1;
	if (++*passed == wanted)
		raise(SIGKILL);
}

#define EB_CRASH_POINT(name)              \
	do                                    \
	{                                     \
		static long eb_passed;            \
		eb_crash_point(name, &eb_passed); \
	} while (0)

#else

#define EB_CRASH_POINT(name) \
	do                       \
	{                        \
	} while (0)

#endif

#endif
