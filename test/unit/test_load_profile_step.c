/*
 * test_load_profile_step.c -- groups of runs by steps, against the values one by one
 * Groups up to the most values that one may have, all of them as large as can be; steps as the
 * machine has instructions for them, and as machines without those add them.
 */
#include "check.h"
#include "kit_random.h"
#include "rating/load_profile_sum.h"

/* as machines without these instructions have it */
#undef __SSE2__
#include "rating/load_profile_step.h"

#define CASES 3000
#define MOST_RUNS 256

static uint8_t value[2 * EB_PROFILE_FITTING];
static EbProfileRun run[MOST_RUNS];
static EbProfileStep step[EB_PROFILE_FITTING / 16 + MOST_RUNS];

static uint64_t
sum_one_by_one(int nruns, int width)
{
	uint64_t sum = 0;

	for (int i = 0; i < nruns; i++)
		for (int j = run[i].from; j < run[i].to; j++)
		{
			uint16_t two;

			memcpy(&two, value + 2 * j, sizeof(two));
			sum += width == 1 ? value[j] : two;
		}
	return sum;
}

/* Runs of one group over n values, and how many these are */
static int
draw_runs(int n, int *nruns)
{
	int at = (int) kit_below(3);
	int some = 0;

	for (*nruns = 0; *nruns < MOST_RUNS && at < n; (*nruns)++)
	{
		int most = (int) kit_below(2) == 0 ? 20 : n;
		int to = at + 1 + (int) kit_below(most);

		run[*nruns] = (EbProfileRun){at, to < n ? to : n, 0};
		some += run[*nruns].to - at;
		at = run[*nruns].to + 1 + (int) kit_below(20);
	}
	return some;
}

static void
check_group(int n, int nruns, int some, int width)
{
	EbProfile profile = {.n = n, .width = width, .value = value};
	int nsteps = eb_profile_steps(run, nruns, n, width, step);
	uint64_t want = sum_one_by_one(nruns, width);

	if (n * width < 16)
	{
		CHECK_INT(nsteps, 0);
		return;
	}
	CHECK(nsteps <= some * width / 32 + nruns + 1);
	CHECK_INT(eb_profile_sum_steps(&profile, 0, step, nsteps, some), want);
	CHECK_INT(width == 1 ? eb_steps_sum(value, step, step + nsteps, 1)
						 : eb_steps_sum(value, step, step + nsteps, 2),
			  want);
}

int
main(void)
{
	kit_seed("load_profile_step");
	for (int i = 0; i < CASES; i++)
	{
		int n = 1 + (int) kit_below(kit_below(4) == 0 ? EB_PROFILE_FITTING : 200);
		int nruns;
		int some = draw_runs(n, &nruns);

		for (size_t j = 0; j < sizeof(value); j++)
			value[j] = (uint8_t) (kit_below(5) == 0 ? 255 : kit_below(256));
		for (int width = 1; width <= 2 && nruns > 0; width++)
			check_group(n, nruns, some, width);
	}
	memset(value, 255, sizeof(value));
	run[0] = (EbProfileRun){0, EB_PROFILE_FITTING, 0};
	for (int width = 1; width <= 2; width++)
		check_group(EB_PROFILE_FITTING, 1, EB_PROFILE_FITTING, width);
	/* many short runs whose values would fill one place of a vector */
	for (int i = 0; i < MOST_RUNS; i++)
		run[i] = (EbProfileRun){16 * i, 16 * i + (i < 240 ? 16 : 1), 0};
	for (int width = 1; width <= 2; width++)
		check_group(EB_PROFILE_FITTING, MOST_RUNS, 240 * 16 + 16, width);
	return check_done("test_load_profile_step");
}
