/*
 * test_usage_merge.c -- two usages as one: any order and grouping, nothing is neutral
 * 20,000 random cases; the seed is printed, EB_SEED=n repeats a run. Compared are the bytes that
 * would be stored; the sums are compared with those of a map from (part, cell) to number.
 * Properties of the tariff reference, section 7: 2.
 */
#include "check.h"
#include "kit_usage.h"
#include "rating/usage_merge.h"

#define CASES 20000

/* Merges into memory that is kept until the next case */
static void *kept[8];
static int nkept;
static EbFault fault;

static EbStatus
merge(const EbUsageShape *shape, const EbUsage *a, const EbUsage *b, EbUsage *merged)
{
	kept[nkept] = malloc(eb_usage_merge_size(a, b) + 1);
	return eb_usage_merge(shape, a, b, kept[nkept++], merged, &fault);
}

static void
forget(void)
{
	while (nkept > 0)
		free(kept[--nkept]);
}

static bool
same(const EbUsageShape *shape, const EbUsage *a, const EbUsage *b)
{
	EbUsageBlock *x = kit_block(shape, a);
	EbUsageBlock *y = kit_block(shape, b);
	bool equal = x->size == y->size && memcmp(x, y, x->size) == 0;

	free(x);
	free(y);
	return equal;
}

/* The sum over all of a part and a cell, money cells as one number by the first of the two */
static eb_int128
cell_sum(const EbUsageShape *shape, const EbUsage *usage, int32_t day, int cell)
{
	eb_int128 sum = 0;

	for (int i = 0; i < usage->nparts; i++)
	{
		const int64_t *at = &usage->cell[i * usage->ncells + cell];

		if (usage->part_day[i] == day)
			sum += cell < shape->nenergy * shape->nslots ? at[0] : eb_money_cells(at);
	}
	return sum;
}

static bool
sums_hold(const EbUsageShape *shape, const EbUsage *a, const EbUsage *b, const EbUsage *merged)
{
	int energy = shape->nenergy * shape->nslots;

	for (int i = 0; i < merged->nparts; i++)
		for (int cell = 0; cell < merged->ncells; cell += cell < energy ? 1 : 2)
		{
			int32_t day = merged->part_day[i];

			if (cell_sum(shape, merged, day, cell) !=
				cell_sum(shape, a, day, cell) + cell_sum(shape, b, day, cell))
				return false;
			if (cell >= energy && (merged->cell[i * merged->ncells + cell + 1] < 0 ||
								   merged->cell[i * merged->ncells + cell + 1] >= EB_MONEY_LOW))
				return false;
		}
	for (int i = 1; i < merged->nparts; i++)
		if (merged->part_day[i] <= merged->part_day[i - 1])
			return false;
	return true;
}

/* The peaks of both put together, sorted and cut anew */
static bool
peaks_hold(const EbUsageShape *shape, const EbUsage *a, const EbUsage *b, const EbUsage *merged)
{
	EbPeak all[2 * KIT_MOST];
	int n = a->npeaks + b->npeaks;

	memcpy(all, a->peak, (size_t) a->npeaks * sizeof(EbPeak));
	memcpy(all + a->npeaks, b->peak, (size_t) b->npeaks * sizeof(EbPeak));
	qsort(all, (size_t) n, sizeof(EbPeak), kit_compare_peaks);
	n = kit_prune(shape, all, n);
	return n == merged->npeaks && memcmp(all, merged->peak, (size_t) n * sizeof(EbPeak)) == 0;
}

/* Pieces and items of both, sorted anew */
static bool
lists_hold(const EbUsage *a, const EbUsage *b, const EbUsage *merged)
{
	EbPiece piece[2 * KIT_MOST];
	int64_t item_u[2 * KIT_MOST];

	memcpy(piece, b->piece, (size_t) b->npieces * sizeof(EbPiece));
	memcpy(piece + b->npieces, a->piece, (size_t) a->npieces * sizeof(EbPiece));
	memcpy(item_u, b->item_u, (size_t) b->nitems * sizeof(int64_t));
	memcpy(item_u + b->nitems, a->item_u, (size_t) a->nitems * sizeof(int64_t));
	if (merged->npieces != a->npieces + b->npieces || merged->nitems != a->nitems + b->nitems)
		return false;
	qsort(piece, (size_t) merged->npieces, sizeof(EbPiece), kit_compare_pieces);
	qsort(item_u, (size_t) merged->nitems, sizeof(int64_t), kit_compare_numbers);
	return memcmp(piece, merged->piece, (size_t) merged->npieces * sizeof(EbPiece)) == 0 &&
		   memcmp(item_u, merged->item_u, (size_t) merged->nitems * sizeof(int64_t)) == 0;
}

static int64_t
qty_sum(const EbUsage *usage)
{
	int64_t sum = 0;

	for (int i = 0; i < usage->nqty; i++)
		sum += usage->qty[i].value_u * usage->qty[i].name.data[0];
	return sum;
}

static bool
all_holds(const EbUsageShape *shape, const EbUsage *a, const EbUsage *b, const EbUsage *merged)
{
	bool good = lists_hold(a, b, merged) && qty_sum(merged) == qty_sum(a) + qty_sum(b) &&
				merged->missing_s == a->missing_s + b->missing_s &&
				merged->held == a->held + b->held &&
				merged->channels == (a->channels | b->channels);

	if (shape->nversions == 0)
		return good && sums_hold(shape, a, b, merged) && peaks_hold(shape, a, b, merged);
	for (int i = 0; i < shape->nversions && good; i++)
	{
		const EbShapeVersion *version;

		good = all_holds(eb_shape_version(shape, i, &version), &a->sub[i], &b->sub[i],
						 &merged->sub[i]);
	}
	return good;
}

/* A usage of nothing at all */
static const EbUsage *
empty_usage(const EbUsageShape *shape, EbUsage *usage, EbUsage sub[KIT_VERSIONS])
{
	*usage = (EbUsage){.from_us = INT64_MIN,
					   .to_us = INT64_MIN,
					   .nslots = shape->nslots,
					   .ncells = eb_shape_cells(shape),
					   .pf_u = EB_NO_PF,
					   .sub = sub,
					   .nsub = shape->nversions};
	memcpy(usage->fingerprint, shape->fingerprint, EB_FINGERPRINT_SIZE);
	for (int i = 0; i < shape->nversions; i++)
	{
		const EbShapeVersion *version;

		empty_usage(eb_shape_version(shape, i, &version), &sub[i], NULL);
	}
	return usage;
}

static bool
random_case(void)
{
	static KitShape shape_kit;
	static KitUsage kit[3][1 + KIT_VERSIONS];
	const EbUsageShape *shape;
	EbUsage sub[4][KIT_VERSIONS], room;
	const EbUsage *u[3];
	const EbUsage *nothing;
	EbUsage ab, ba, bc, ab_c, a_bc, same_a, a_same;
	bool good;

	kit_shape(&shape_kit, kit_below(4) == 0);
	shape = kit_shape_of(&shape_kit);
	for (int i = 0; i < 3; i++)
		u[i] = kit_any_usage(shape, kit[i], sub[i]);
	nothing = empty_usage(shape, &room, sub[3]);
	good = merge(shape, u[0], u[1], &ab) == EB_OK && merge(shape, u[1], u[0], &ba) == EB_OK &&
		   merge(shape, u[1], u[2], &bc) == EB_OK && merge(shape, &ab, u[2], &ab_c) == EB_OK &&
		   merge(shape, u[0], &bc, &a_bc) == EB_OK &&
		   merge(shape, u[0], nothing, &a_same) == EB_OK &&
		   merge(shape, nothing, u[0], &same_a) == EB_OK;
	good = good && same(shape, &ab, &ba) && same(shape, &ab_c, &a_bc) &&
		   same(shape, &a_same, u[0]) && same(shape, &same_a, u[0]) &&
		   all_holds(shape, u[0], u[1], &ab);
	forget();
	return good;
}

/* What must not be merged, and what no longer fits */
static void
test_refused(void)
{
	static KitShape shape_kit;
	static KitUsage kit[2];
	const EbUsageShape *shape;
	EbUsage merged;

	memset(&shape_kit, 0, sizeof(shape_kit));
	do
	{
		shape_kit.size = 0;
		kit_plain_shape(&shape_kit, 1);
		shape = kit_shape_of(&shape_kit);
	} while (shape->nmoney == 0);
	for (int i = 0; i < 2; i++)
	{
		kit_usage(shape, &kit[i]);
		kit[i].usage.nparts = 1;
		kit[i].part_day[0] = 5;
		memset(kit[i].cell, 0, sizeof(kit[i].cell));
		kit[i].usage.pf_u = EB_NO_PF;
		kit[i].usage.nqty = 1;
		kit[i].qty[0] = (EbNamedQuantity){{"x", 1}, 1};
	}
	CHECK_INT(merge(shape, &kit[0].usage, &kit[1].usage, &merged), EB_OK);
	kit[0].usage.pf_u = 900000;
	CHECK_INT(merge(shape, &kit[0].usage, &kit[1].usage, &merged), EB_OK);
	CHECK_INT(merged.pf_u, 900000);
	kit[1].usage.pf_u = 910000;
	CHECK_INT(merge(shape, &kit[0].usage, &kit[1].usage, &merged), EB_CONFLICT);
	CHECK_STR(fault.message, "usage has two power factors");
	kit[1].usage.pf_u = 900000;

	kit[0].cell[0] = INT64_MAX;
	CHECK_INT(merge(shape, &kit[0].usage, &kit[1].usage, &merged), EB_OK);
	kit[1].cell[0] = 1;
	CHECK_INT(merge(shape, &kit[0].usage, &kit[1].usage, &merged), EB_OUT_OF_RANGE);
	forget();
	kit[1].cell[0] = 0;

	/* money: the low cells carry into the high one, which then is full */
	kit[0].cell[shape->nenergy * shape->nslots] = INT64_MAX;
	kit[0].cell[shape->nenergy * shape->nslots + 1] = EB_MONEY_LOW - 1;
	CHECK_INT(merge(shape, &kit[0].usage, &kit[1].usage, &merged), EB_OK);
	kit[1].cell[shape->nenergy * shape->nslots + 1] = 1;
	CHECK_INT(merge(shape, &kit[0].usage, &kit[1].usage, &merged), EB_OUT_OF_RANGE);
	kit[1].cell[shape->nenergy * shape->nslots + 1] = 0;

	kit[0].qty[0].value_u = INT64_MAX;
	CHECK_INT(merge(shape, &kit[0].usage, &kit[1].usage, &merged), EB_OUT_OF_RANGE);
	CHECK_STR(fault.message, "a named quantity is out of range");
	kit[0].qty[0].value_u = 0;
	kit[0].usage.held = INT32_MAX;
	kit[1].usage.held = 1;
	CHECK_INT(merge(shape, &kit[0].usage, &kit[1].usage, &merged), EB_OUT_OF_RANGE);
	kit[0].usage.held = 0;
	kit[1].usage.fingerprint[3] ^= 1;
	CHECK_INT(merge(shape, &kit[0].usage, &kit[1].usage, &merged), EB_CONFLICT);
	forget();
}

int
main(void)
{
	int good = 0;

	kit_seed();
	for (int i = 0; i < CASES; i++)
	{
		uint64_t state = kit_state;

		if (random_case())
			good++;
		else
			printf("    EB_SEED=%llu is the case\n", (unsigned long long) state);
	}
	CHECK_INT(good, CASES);
	test_refused();
	return check_done("usage_merge");
}
