/*
 * kit_usage.h -- random usages with shapes, for tests of storing and merging them
 * Names are few and parts lie near each other, so that what two usages share is common.
 */
#ifndef ELECBILL_TEST_KIT_USAGE_H
#define ELECBILL_TEST_KIT_USAGE_H

#include <stdlib.h>
#include <time.h>

#include "rating/usage_block.h"

#define KIT_MOST 12 /* parts, peaks, pieces, ... of a random usage */
#define KIT_VERSIONS 2

static uint64_t kit_state;

/* splitmix64 */
static inline uint64_t
kit_next(void)
{
	uint64_t z = kit_state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static inline int
kit_below(int n)
{
	return (int) (kit_next() % (uint64_t) n);
}

/* Reads EB_SEED or takes the time, and prints it. */
static inline void
kit_seed(void)
{
	const char *seed = getenv("EB_SEED");

	kit_state = seed != NULL ? strtoull(seed, NULL, 10) : (uint64_t) time(NULL);
	printf("EB_SEED=%llu\n", (unsigned long long) kit_state);
}

/* A shape that is being written */
typedef struct KitShape
{
	_Alignas(8) char bytes[4096];
	size_t size;
} KitShape;

static inline const EbUsageShape *
kit_shape_of(const KitShape *kit)
{
	return (const EbUsageShape *) (const void *) kit->bytes;
}

static inline void
kit_bytes(KitShape *kit, const void *bytes, size_t size)
{
	memcpy(kit->bytes + kit->size, bytes, size);
	kit->size += size;
}

static inline void
kit_byte(KitShape *kit, int byte)
{
	kit->bytes[kit->size++] = (char) byte;
}

/* A name and its NUL */
static inline void
kit_name(KitShape *kit, const char *name)
{
	kit_bytes(kit, name, strlen(name) + 1);
}

/* Puts the head before the names that were written since start. */
static inline void
kit_close(KitShape *kit, size_t start, EbUsageShape *head)
{
	while (kit->size % 8 != 0)
		kit_byte(kit, 0);
	head->size = (int32_t) (kit->size - start);
	memcpy(kit->bytes + start, head, sizeof(*head));
}

/* Two schedules of 2 and 3 periods or none, up to four planes of energy, up to two of money */
static inline void
kit_plain_shape(KitShape *kit, int id)
{
	size_t start = kit->size;
	bool money = kit_below(2) == 0;
	EbUsageShape head = {
		.fingerprint = {(uint8_t) id, 7},
		.nslots = 1,
		.nenergy = 1 + kit_below(3),
		.nmoney = money ? 2 : 0,
		.nseries = money ? 2 : 0,
		.ndemands = kit_below(3),
	};

	kit->size += sizeof(head);
	for (int i = 0; i < head.nenergy; i++)
		kit_bytes(kit, (char[]){(char) i, (char) EB_SHAPE_ENERGY}, 2);
	if (money)
		kit_bytes(kit, (char[]){EB_IMPORT_KWH, 1, EB_EXPORT_KWH, 0}, 4);
	if (kit_below(3) > 0)
	{
		head.nschedules = 2;
		head.nslots = 5;
		kit_name(kit, "day");
		kit_byte(kit, 2);
		kit_name(kit, "peak");
		kit_name(kit, "valley");
		kit_name(kit, "week");
		kit_byte(kit, 3);
		kit_name(kit, "a");
		kit_name(kit, "b");
		kit_name(kit, "c");
	}
	if (money)
	{
		kit_name(kit, "feed");
		kit_name(kit, "spot");
	}
	for (int i = 0; i < head.ndemands; i++)
	{
		kit_name(kit, i == 0 ? "main" : "night");
		kit_byte(kit, 0);
		kit_byte(kit, kit_below(4));
	}
	kit_close(kit, start, &head);
}

/* A shape of any kind; changes: of a tariff that has versions */
static inline void
kit_shape(KitShape *kit, bool changes)
{
	EbUsageShape head = {.fingerprint = {9}, .nslots = 1, .nversions = KIT_VERSIONS};

	memset(kit, 0, sizeof(*kit));
	if (!changes)
	{
		kit_plain_shape(kit, 1);
		return;
	}
	kit->size = sizeof(head);
	for (int i = 0; i < KIT_VERSIONS; i++)
	{
		EbShapeVersion version = {100 * i, 100 * i + 100, i + 1, 0};

		kit_bytes(kit, &version, sizeof(version));
		kit_plain_shape(kit, 10 + i);
	}
	kit_close(kit, 0, &head);
}

/* The arrays of a random usage */
typedef struct KitUsage
{
	EbUsage usage;
	int32_t part_day[KIT_MOST];
	int64_t cell[KIT_MOST * 5 * 8];
	EbPeak peak[KIT_MOST];
	EbPiece piece[KIT_MOST];
	EbNamedQuantity qty[3];
	int64_t item_u[KIT_MOST];
} KitUsage;

static inline int
kit_compare_peaks(const void *x, const void *y)
{
	const EbPeak *a = x;
	const EbPeak *b = y;

	if (a->demand != b->demand)
		return a->demand - b->demand;
	if (a->part_day != b->part_day)
		return a->part_day - b->part_day;
	if (a->ukw != b->ukw)
		return a->ukw > b->ukw ? -1 : 1;
	return (a->at_us > b->at_us) - (a->at_us < b->at_us);
}

static inline int
kit_compare_numbers(const void *x, const void *y)
{
	int64_t a = *(const int64_t *) x;
	int64_t b = *(const int64_t *) y;

	return (a > b) - (a < b);
}

/* By all members, which stand in the order they are compared in */
static inline int
kit_compare_pieces(const void *x, const void *y)
{
	const EbPiece *a = x;
	const EbPiece *b = y;
	int order = kit_compare_numbers(&a->at_us, &b->at_us);

	order = order != 0 ? order : kit_compare_numbers(&a->interval_us, &b->interval_us);
	return order != 0 ? order : kit_compare_numbers(&a->energy_ukwh, &b->energy_ukwh);
}

/* As many of the sorted peaks as their demand keeps in a part, of one instant the highest */
static inline int
kit_prune(const EbUsageShape *shape, EbPeak *peak, int n)
{
	int stay = 0;

	for (int i = 0; i < n; i++)
	{
		EbShapeNames names = eb_shape_after_schedules(shape);
		int keep = 0;
		int better = 0;
		bool twin = false;

		for (int k = 0; k < shape->nseries; k++)
			eb_shape_next(&names);
		for (int k = 0; k <= peak[i].demand; k++)
			eb_shape_next_demand(&names, &keep);
		for (int k = 0; k < stay; k++)
		{
			bool beside = peak[k].demand == peak[i].demand && peak[k].part_day == peak[i].part_day;

			better += beside;
			twin = twin || (beside && peak[k].at_us == peak[i].at_us);
		}
		if (!twin && (keep == 0 || better < keep))
			peak[stay++] = peak[i];
	}
	return stay;
}

static inline void
kit_fill_cells(const EbUsageShape *shape, KitUsage *kit)
{
	int ncells = eb_shape_cells(shape);
	int energy = shape->nenergy * shape->nslots;

	kit->usage.nparts = kit_below(5);
	for (int i = 0, day = -2; i < kit->usage.nparts; i++)
	{
		day += 1 + kit_below(3);
		kit->part_day[i] = i == 0 && kit_below(4) == 0 ? EB_NO_DAY : day;
		for (int k = 0; k < ncells; k++)
			kit->cell[i * ncells + k] = k < energy || (k - energy) % 2 == 0
											? kit_below(1000000)
											: (int64_t) (kit_next() % EB_MONEY_LOW);
	}
}

/* A usage of the shape; a tariff that changes: without its versions */
static inline void
kit_usage(const EbUsageShape *shape, KitUsage *kit)
{
	static const char *const name[3] = {"meters", "sessions", "washes"};
	EbUsage *usage = &kit->usage;

	*usage = (EbUsage){
		.from_us = INT64_MIN,
		.to_us = INT64_MIN,
		.missing_s = kit_below(3),
		.held = kit_below(3),
		.quality = kit_below(3),
		.nslots = shape->nslots,
		.ncells = eb_shape_cells(shape),
		.channels = (uint32_t) kit_below(16) * (kit_below(2) == 0 ? 1 : EB_UNDIVIDED(0)),
		.days_u = kit_below(3),
		.months_u = kit_below(3),
		.pf_u = kit_below(2) == 0 ? EB_NO_PF : 930000,
		.part_day = kit->part_day,
		.cell = kit->cell,
		.peak = kit->peak,
		.piece = kit->piece,
		.qty = kit->qty,
		.item_u = kit->item_u,
	};
	memcpy(usage->fingerprint, shape->fingerprint, EB_FINGERPRINT_SIZE);
	if (kit_below(3) > 0)
	{
		usage->from_us = kit_below(100);
		usage->to_us = usage->from_us + kit_below(100);
	}
	for (int i = 0; i < 3; i++)
		if (kit_below(2) == 0)
			kit->qty[usage->nqty++] =
				(EbNamedQuantity){{name[i], (int) strlen(name[i])}, kit_below(100) - 50};
	usage->nitems = kit_below(KIT_MOST);
	for (int i = 0; i < usage->nitems; i++)
		kit->item_u[i] = kit_below(9);
	qsort(kit->item_u, (size_t) usage->nitems, sizeof(int64_t), kit_compare_numbers);
	if (shape->nversions > 0)
		return;
	kit_fill_cells(shape, kit);
	usage->npieces = kit_below(KIT_MOST);
	for (int i = 0; i < usage->npieces; i++)
		kit->piece[i] = (EbPiece){kit_below(9), kit_below(2), kit_below(3)};
	qsort(kit->piece, (size_t) usage->npieces, sizeof(EbPiece), kit_compare_pieces);
	usage->npeaks = shape->ndemands > 0 ? kit_below(KIT_MOST) : 0;
	for (int i = 0; i < usage->npeaks; i++)
		kit->peak[i] =
			(EbPeak){kit_below(shape->ndemands), kit_below(2), kit_below(9), kit_below(5)};
	qsort(kit->peak, (size_t) usage->npeaks, sizeof(EbPeak), kit_compare_peaks);
	usage->npeaks = kit_prune(shape, kit->peak, usage->npeaks);
}

/* ... with them: whole has room for the versions' arrays behind its own */
static inline const EbUsage *
kit_any_usage(const EbUsageShape *shape, KitUsage whole[1 + KIT_VERSIONS],
			  EbUsage sub[KIT_VERSIONS])
{
	kit_usage(shape, &whole[0]);
	for (int i = 0; i < shape->nversions; i++)
	{
		const EbShapeVersion *version;

		kit_usage(eb_shape_version(shape, i, &version), &whole[1 + i]);
		sub[i] = whole[1 + i].usage;
	}
	whole[0].usage.sub = sub;
	whole[0].usage.nsub = shape->nversions;
	return &whole[0].usage;
}

/* The usage as a block; the caller frees it */
static inline EbUsageBlock *
kit_block(const EbUsageShape *shape, const EbUsage *usage)
{
	EbUsageBlock *block = malloc(eb_usage_block_size(shape, usage));

	eb_usage_block_write(shape, usage, block);
	return block;
}

#endif /* ELECBILL_TEST_KIT_USAGE_H */
