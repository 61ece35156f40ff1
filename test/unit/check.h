/*
 * check.h -- what a unit test needs: checks that count, and the closing line
 * A test program calls CHECK...() any number of times and ends main() with
 *     return check_done("topic");
 * which prints "topic: N passed, N failed" and is 1 when something failed.
 */
#ifndef ELECBILL_TEST_CHECK_H
#define ELECBILL_TEST_CHECK_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int check_passed = 0;
static int check_failed = 0;

static inline int
check_that(int ok, const char *file, int line, const char *what)
{
	if (ok)
		check_passed++;
	else
	{
		check_failed++;
		printf("%s:%d: failed: %s\n", file, line, what);
	}
	return ok;
}

static inline int
check_int(int64_t is, int64_t want, const char *file, int line, const char *what)
{
	int ok = check_that(is == want, file, line, what);

	if (!ok)
		printf("    is %" PRId64 ", wanted %" PRId64 "\n", is, want);
	return ok;
}

static inline int
check_str(const char *is, const char *want, const char *file, int line, const char *what)
{
	int same = is == want || (is != NULL && want != NULL && strcmp(is, want) == 0);

	if (!check_that(same, file, line, what))
		printf("    is \"%s\", wanted \"%s\"\n", is ? is : "(null)", want ? want : "(null)");
	return same;
}

static inline int
check_mem(const void *is, const void *want, size_t size, const char *file, int line,
		  const char *what)
{
	const unsigned char *bytes = is;
	const unsigned char *wanted = want;
	int ok = check_that(memcmp(is, want, size) == 0, file, line, what);

	for (size_t i = 0; !ok && i < size; i++)
		if (bytes[i] != wanted[i])
			printf("    byte %zu is %02x, wanted %02x\n", i, bytes[i], wanted[i]);
	return ok;
}

static inline int
check_done(const char *name)
{
	printf("%s: %d passed, %d failed\n", name, check_passed, check_failed);
	return check_failed > 0 || check_passed == 0;
}

/* Each is 1 when it holds, so that a test can stop where going on makes no sense. */
#define CHECK(cond) check_that((cond) ? 1 : 0, __FILE__, __LINE__, #cond)
#define CHECK_INT(is, want) \
	check_int((int64_t) (is), (int64_t) (want), __FILE__, __LINE__, #is " = " #want)
#define CHECK_STR(is, want) check_str((is), (want), __FILE__, __LINE__, #is " = " #want)
#define CHECK_MEM(is, want, size) \
	check_mem((is), (want), (size), __FILE__, __LINE__, #is " = " #want)

#endif /* ELECBILL_TEST_CHECK_H */
