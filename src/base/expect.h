/*
 * expect.h -- which way a branch mostly goes, where a few instructions per row count
 * Floor: base. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_EXPECT_H
#define EB_EXPECT_H

#define EB_LIKELY(x) __builtin_expect((x) != 0, 1)
#define EB_UNLIKELY(x) __builtin_expect((x) != 0, 0)

#endif /* EB_EXPECT_H */
