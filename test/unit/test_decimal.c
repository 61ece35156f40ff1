/*
 * test_decimal.c -- exact decimals: every rounding mode by hand, then against a plain restatement
 */
#include "base/decimal.h"
#include "check.h"

static const EbRoundMode modes[] = {EB_HALF_UP, EB_HALF_EVEN, EB_UP, EB_DOWN, EB_FLOOR, EB_CEIL};

static EbText
text(const char *s)
{
	return (EbText){.data = s, .len = (int) strlen(s)};
}

static const char *
shown(eb_int128 value, int scale)
{
	static char buf[EB_DECIMAL_TEXT];

	CHECK(eb_decimal_format(value, scale, buf) == (int) strlen(buf));
	return buf;
}

/* One row of the table in doc/rating.md: num / den in all modes */
static void
check_modes(int num, int den, int half_up, int half_even, int up, int down, int floor, int ceil)
{
	const int want[] = {half_up, half_even, up, down, floor, ceil};

	for (int i = 0; i < 6; i++)
		CHECK_INT(eb_div_round(num, den, modes[i]), want[i]);
}

static void
test_div_round(void)
{
	check_modes(0, 7, 0, 0, 0, 0, 0, 0);
	check_modes(14, 7, 2, 2, 2, 2, 2, 2);
	check_modes(-14, 7, -2, -2, -2, -2, -2, -2);
	check_modes(5, 2, 3, 2, 3, 2, 2, 3);
	check_modes(7, 2, 4, 4, 4, 3, 3, 4);
	check_modes(-5, 2, -3, -2, -3, -2, -3, -2);
	check_modes(-1, 8, 0, 0, -1, 0, -1, 0);
	check_modes(1, 3, 0, 0, 1, 0, 0, 1);
	check_modes(2, 3, 1, 1, 1, 0, 0, 1);
	check_modes(-2, 3, -1, -1, -1, 0, -1, 0);

	/* -0.125 to the cent is -0.13: away from zero */
	CHECK_INT(eb_div_round(-125, 10, EB_HALF_UP), -13);
	/* the ends of the range */
	CHECK(eb_div_round(-eb_pow10(38), 1, EB_UP) == -eb_pow10(38));
	CHECK(eb_div_round(eb_pow10(38) + 5, 10, EB_HALF_EVEN) == eb_pow10(37));
}

/* Another way to say the same: by doubling, over a dense range */
static void
test_div_round_dense(void)
{
	int wrong = 0;

	for (int num = -60; num <= 60; num++)
		for (int den = 1; den <= 12; den++)
		{
			int low = (num - (((num % den) + den) % den)) / den;
			int high = num % den == 0 ? low : low + 1;
			int twice = 2 * num;
			int middle = (low + high) * den;
			int nearest = twice > middle ? high : low;

			if (high != low && twice == middle)
				nearest = num > 0 ? high : low;
			wrong += eb_div_round(num, den, EB_FLOOR) != low;
			wrong += eb_div_round(num, den, EB_CEIL) != high;
			wrong += eb_div_round(num, den, EB_DOWN) != (num >= 0 ? low : high);
			wrong += eb_div_round(num, den, EB_UP) != (num >= 0 ? high : low);
			wrong += eb_div_round(num, den, EB_HALF_UP) != nearest;
			if (high != low && twice == middle)
				nearest = low % 2 == 0 ? low : high;
			wrong += eb_div_round(num, den, EB_HALF_EVEN) != nearest;
		}
	CHECK_INT(wrong, 0);
}

static void
test_checked(void)
{
	eb_int128 big = eb_pow10(38);
	eb_int128 smallest = -big - (eb_int128) 70141183460469231 * eb_pow10(21);
	eb_int128 result;
	int64_t small;

	CHECK(eb_add64(INT64_MAX, 0, &small) && small == INT64_MAX);
	CHECK(!eb_add64(INT64_MAX, 1, &small));
	CHECK(!eb_mul64(INT64_MAX / 2 + 1, 2, &small));
	CHECK(eb_add128(big, -big, &result) && result == 0);
	CHECK(!eb_add128(big, big, &result));
	CHECK(eb_mul128(eb_pow10(19), -eb_pow10(19), &result) && result == -big);
	CHECK(!eb_mul128(eb_pow10(19), eb_pow10(20), &result));
	CHECK(!eb_mul128(-eb_pow10(20), eb_pow10(19), &result));
	CHECK(eb_mul128(0, smallest, &result) && result == 0);
	CHECK(eb_mul128(smallest, 1, &result) && result == smallest);

	CHECK(eb_muldiv64(INT64_MAX, INT64_MAX, INT64_MAX, &small) && small == INT64_MAX);
	CHECK(!eb_muldiv64(INT64_MAX, 2, 1, &small));
	CHECK(eb_muldiv64(1, 1, 2, &small) && small == 1);
	CHECK(eb_muldiv64(-1, 1, 2, &small) && small == -1);
	CHECK(eb_muldiv64(200 * EB_KWH, 20, 30, &small) && small == 133333333);
	CHECK(eb_muldiv64(400 * EB_KWH, 20, 30, &small) && small == 266666667);
}

static void
test_round_step(void)
{
	eb_int128 result;

	/* 231.55 to whole yen, 8.28032 to the cent, 0.62 to nickels */
	CHECK(eb_round_step(23155, 100, EB_FLOOR, &result) && result == 23100);
	CHECK(eb_round_step(828032, 1000, EB_HALF_UP, &result) && result == 828000);
	CHECK(eb_round_step(62, 5, EB_HALF_UP, &result) && result == 60);
	CHECK(eb_round_step(-62, 5, EB_UP, &result) && result == -65);
	CHECK(!eb_round_step(16 * eb_pow10(37), eb_pow10(38), EB_UP, &result));
}

static void
test_parse(void)
{
	static const struct
	{
		const char *input;
		int scale;
		EbStatus status;
		const char *output;
	} row[] = {
		{"0", 6, EB_OK, "0"},
		{"-0.000", 2, EB_OK, "0"},
		{"150", 6, EB_OK, "150"},
		{"+0.4883", 9, EB_OK, "0.4883"},
		{"-12.50", 1, EB_OK, "-12.5"},
		{"1.25e2", 0, EB_OK, "125"},
		{"1000E-3", 0, EB_OK, "1"},
		{"0.000000001", 9, EB_OK, "0.000000001"},
		{"00012.340000000000000000000000000000000000000000", 2, EB_OK, "12.34"},
		{"0e999999999999", 9, EB_OK, "0"},
		{"170141183460469231731687303715884105727", 0, EB_OK,
		 "170141183460469231731687303715884105727"},
		{"-170141183460469231731687303715884105728", 0, EB_OK,
		 "-170141183460469231731687303715884105728"},
		{"170141183460469231731687303715884105728", 0, EB_OUT_OF_RANGE, NULL},
		{"1e38", 1, EB_OUT_OF_RANGE, NULL},
		{"1e999999999999999999999", 0, EB_OUT_OF_RANGE, NULL},
		{"1e-999999999999999999999", 18, EB_TOO_PRECISE, NULL},
		{"0.0000001", 6, EB_TOO_PRECISE, NULL},
		{"1.0000000000000000000000000000000000000000001", 9, EB_TOO_PRECISE, NULL},
		{"10000000000000000000000000000000000000000001", 9, EB_OUT_OF_RANGE, NULL},
		{"", 6, EB_BAD_ARGUMENT, NULL},
		{"-", 6, EB_BAD_ARGUMENT, NULL},
		{".5", 6, EB_BAD_ARGUMENT, NULL},
		{"5.", 6, EB_BAD_ARGUMENT, NULL},
		{"1e", 6, EB_BAD_ARGUMENT, NULL},
		{"1e+", 6, EB_BAD_ARGUMENT, NULL},
		{" 1", 6, EB_BAD_ARGUMENT, NULL},
		{"1 ", 6, EB_BAD_ARGUMENT, NULL},
		{"1,5", 6, EB_BAD_ARGUMENT, NULL},
		{"--1", 6, EB_BAD_ARGUMENT, NULL},
		{"NaN", 6, EB_BAD_ARGUMENT, NULL},
		{"Infinity", 6, EB_BAD_ARGUMENT, NULL},
		{"0x10", 6, EB_BAD_ARGUMENT, NULL},
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
	{
		eb_int128 value = 1;
		EbStatus status = eb_decimal_parse(text(row[i].input), row[i].scale, &value);

		if (!CHECK_INT(status, row[i].status))
			printf("    input \"%s\"\n", row[i].input);
		if (status == EB_OK)
			CHECK_STR(shown(value, row[i].scale), row[i].output);
	}
}

static void
test_parse64(void)
{
	int64_t value;

	CHECK_INT(eb_decimal_parse64(text("9223372036854.775807"), 6, &value), EB_OK);
	CHECK_INT(value, INT64_MAX);
	CHECK_INT(eb_decimal_parse64(text("-9223372036854.775808"), 6, &value), EB_OK);
	CHECK_INT(value, INT64_MIN);
	CHECK_INT(eb_decimal_parse64(text("9223372036854.775808"), 6, &value), EB_OUT_OF_RANGE);
	/* a text without terminator */
	CHECK_INT(eb_decimal_parse64((EbText){.data = "12345", .len = 2}, 0, &value), EB_OK);
	CHECK_INT(value, 12);
}

static void
test_format(void)
{
	CHECK_STR(shown(0, 0), "0");
	CHECK_STR(shown(0, 15), "0");
	CHECK_STR(shown(-1, 15), "-0.000000000000001");
	CHECK_STR(shown(100, 2), "1");
	CHECK_STR(shown(100, 0), "100");
	CHECK_STR(shown(1250, 3), "1.25");
	CHECK_STR(shown(-eb_pow10(38), 38), "-1");
	CHECK_STR(shown(1 - eb_pow10(38), 38), "-0.99999999999999999999999999999999999999");
}

int
main(void)
{
	test_div_round();
	test_div_round_dense();
	test_checked();
	test_round_step();
	test_parse();
	test_parse64();
	test_format();
	return check_done("test_decimal");
}
