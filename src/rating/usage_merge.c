/*
 * usage_merge.c -- two usages as one
 * In:  usage of two ranges or of two meters, classified by the same tariff.
 * Out: EbUsage; in any order and grouping the same bytes.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include <string.h>

#include "rating/fault.h"
#include "rating/usage_merge.h"

/* The two and what they become; memory: what the caller gave, from at on still free */
typedef struct Merge
{
	const EbUsageShape *shape;
	const EbUsage *a;
	const EbUsage *b;
	EbUsage *usage;
	EbFault *fault;
	char *at;
} Merge;

static size_t
pad(size_t bytes)
{
	return (bytes + 7) & ~(size_t) 7;
}

static void *
take(Merge *merge, size_t n, size_t element)
{
	void *array = merge->at;

	merge->at += pad(n * element);
	return array;
}

size_t
eb_usage_merge_size(const EbUsage *a, const EbUsage *b)
{
	size_t nparts = (size_t) a->nparts + (size_t) b->nparts;
	size_t ncells = (size_t) (a->ncells > b->ncells ? a->ncells : b->ncells);
	int nsub = a->nsub < b->nsub ? a->nsub : b->nsub;
	size_t size = pad(nparts * sizeof(int32_t)) + nparts * ncells * sizeof(int64_t);

	size += ((size_t) a->npeaks + (size_t) b->npeaks) * sizeof(EbPeak);
	size += ((size_t) a->npieces + (size_t) b->npieces) * sizeof(EbPiece);
	size += ((size_t) a->nqty + (size_t) b->nqty) * sizeof(EbNamedQuantity);
	size += ((size_t) a->nitems + (size_t) b->nitems) * sizeof(int64_t);
	size += pad((size_t) nsub * sizeof(EbUsage));
	for (int i = 0; i < nsub; i++)
		size += eb_usage_merge_size(&a->sub[i], &b->sub[i]);
	return size;
}

/* ---------------------------------------------------------------- parts */

/* The cells of a part that both have: money carries from the low cell to the high one. */
static bool
add_cells(const EbUsageShape *shape, const int64_t *b, int64_t *cell)
{
	int energy = shape->nenergy * shape->nslots;

	for (int i = 0; i < energy; i++)
		if (!eb_add64(cell[i], b[i], &cell[i]))
			return false;
	for (int i = energy; i < eb_shape_cells(shape); i += 2)
		if (!eb_money_add(&cell[i], eb_money_cells(&b[i])))
			return false;
	return true;
}

/* The parts of a and b in order, those of the same day added */
static EbStatus
merge_parts(Merge *merge)
{
	const EbUsage *a = merge->a;
	const EbUsage *b = merge->b;
	size_t ncells = (size_t) a->ncells;
	size_t room = (size_t) a->nparts + (size_t) b->nparts;
	int64_t *cell = take(merge, room * ncells, sizeof(int64_t));
	int32_t *part_day = take(merge, room, sizeof(int32_t));
	int n = 0;

	merge->usage->cell = cell;
	merge->usage->part_day = part_day;
	for (int i = 0, j = 0; i < a->nparts || j < b->nparts; n++, cell += ncells)
	{
		bool take_a = i < a->nparts && (j == b->nparts || a->part_day[i] <= b->part_day[j]);
		bool take_b = j < b->nparts && (i == a->nparts || b->part_day[j] <= a->part_day[i]);
		const EbUsage *from = take_a ? a : b;
		size_t row = (size_t) (take_a ? i : j);

		part_day[n] = from->part_day[row];
		memcpy(cell, from->cell + row * ncells, ncells * sizeof(*cell));
		if (take_a && take_b && !add_cells(merge->shape, b->cell + (size_t) j * ncells, cell))
			return eb_usage_overflow(merge->fault);
		i += take_a ? 1 : 0;
		j += take_b ? 1 : 0;
	}
	merge->usage->nparts = n;
	return EB_OK;
}

/* ---------------------------------------------------------------- peaks */

int
eb_peak_compare(const EbPeak *a, const EbPeak *b)
{
	if (a->demand != b->demand)
		return a->demand < b->demand ? -1 : 1;
	if (a->part_day != b->part_day)
		return a->part_day < b->part_day ? -1 : 1;
	if (a->ukw != b->ukw)
		return a->ukw > b->ukw ? -1 : 1;
	return (a->at_us > b->at_us) - (a->at_us < b->at_us);
}

static void
read_keep(const EbUsageShape *shape, int *keep)
{
	EbShapeNames names = eb_shape_after_schedules(shape);

	for (int i = 0; i < shape->nseries; i++)
		eb_shape_next(&names);
	for (int i = 0; i < shape->ndemands; i++)
		eb_shape_next_demand(&names, &keep[i]);
}

int
eb_peak_settle(const EbUsageShape *shape, EbPeak *peak, int n)
{
	int keep[EB_MAX_DEMANDS];
	int first = 0; /* of those that stay, of the demand and part in work */
	int stay = 0;

	read_keep(shape, keep);
	for (int i = 0; i < n; i++)
	{
		int same;

		if (stay > first &&
			(peak[first].demand != peak[i].demand || peak[first].part_day != peak[i].part_day))
			first = stay;
		if (keep[peak[i].demand] > 0 && stay - first == keep[peak[i].demand])
			continue;
		for (same = first; same < stay && peak[same].at_us != peak[i].at_us; same++)
			;
		if (same == stay)
			peak[stay++] = peak[i];
	}
	return stay;
}

static void
merge_peaks(Merge *merge)
{
	const EbUsage *a = merge->a;
	const EbUsage *b = merge->b;
	EbPeak *peak = take(merge, (size_t) a->npeaks + (size_t) b->npeaks, sizeof(EbPeak));
	int n = a->npeaks + b->npeaks;

	for (int i = 0, j = 0; i + j < n;)
	{
		bool take_a =
			j == b->npeaks || (i < a->npeaks && eb_peak_compare(&a->peak[i], &b->peak[j]) <= 0);

		peak[i + j] = take_a ? a->peak[i] : b->peak[j];
		i += take_a;
		j += !take_a;
	}
	merge->usage->peak = peak;
	merge->usage->npeaks = eb_peak_settle(merge->shape, peak, n);
}

/* ---------------------------------------------------------------- pieces, quantities, items */

static int
compare_pieces(const EbPiece *a, const EbPiece *b)
{
	if (a->at_us != b->at_us)
		return a->at_us < b->at_us ? -1 : 1;
	if (a->interval_us != b->interval_us)
		return a->interval_us < b->interval_us ? -1 : 1;
	return (a->energy_ukwh > b->energy_ukwh) - (a->energy_ukwh < b->energy_ukwh);
}

static void
merge_pieces(Merge *merge)
{
	const EbUsage *a = merge->a;
	const EbUsage *b = merge->b;
	EbPiece *piece = take(merge, (size_t) a->npieces + (size_t) b->npieces, sizeof(EbPiece));
	int i = 0;
	int j = 0;

	merge->usage->piece = piece;
	merge->usage->npieces = a->npieces + b->npieces;
	for (int n = 0; n < merge->usage->npieces; n++)
	{
		bool take_a =
			j == b->npieces || (i < a->npieces && compare_pieces(&a->piece[i], &b->piece[j]) <= 0);

		piece[n] = take_a ? a->piece[i++] : b->piece[j++];
	}
}

static int
compare_names(EbText a, EbText b)
{
	int shorter = a.len < b.len ? a.len : b.len;
	int order = shorter > 0 ? memcmp(a.data, b.data, (size_t) shorter) : 0;

	return order != 0 ? order : a.len - b.len;
}

/* Quantities of the same name add. */
static EbStatus
merge_qty(Merge *merge)
{
	const EbUsage *a = merge->a;
	const EbUsage *b = merge->b;
	EbNamedQuantity *qty = take(merge, (size_t) a->nqty + (size_t) b->nqty, sizeof(*qty));
	int n = 0;

	merge->usage->qty = qty;
	for (int i = 0, j = 0; i < a->nqty || j < b->nqty; n++)
	{
		int order = i == a->nqty   ? 1
					: j == b->nqty ? -1
								   : compare_names(a->qty[i].name, b->qty[j].name);

		qty[n] = order <= 0 ? a->qty[i] : b->qty[j];
		if (order == 0 && !eb_add64(a->qty[i].value_u, b->qty[j].value_u, &qty[n].value_u))
			return eb_fault_set(merge->fault, EB_OUT_OF_RANGE, "a named quantity is out of range",
								NULL);
		i += order <= 0 ? 1 : 0;
		j += order >= 0 ? 1 : 0;
	}
	merge->usage->nqty = n;
	return EB_OK;
}

static void
merge_items(Merge *merge)
{
	const EbUsage *a = merge->a;
	const EbUsage *b = merge->b;
	int64_t *item_u = take(merge, (size_t) a->nitems + (size_t) b->nitems, sizeof(int64_t));
	int i = 0;
	int j = 0;

	merge->usage->item_u = item_u;
	merge->usage->nitems = a->nitems + b->nitems;
	for (int n = 0; n < merge->usage->nitems; n++)
	{
		bool take_a = j == b->nitems || (i < a->nitems && a->item_u[i] <= b->item_u[j]);

		item_u[n] = take_a ? a->item_u[i++] : b->item_u[j++];
	}
}

/* ---------------------------------------------------------------- the whole */

/* The range of both; one without a range gives way */
static void
merge_range(const EbUsage *a, const EbUsage *b, EbUsage *usage)
{
	bool only_b = a->from_us == INT64_MIN;
	bool only_a = b->from_us == INT64_MIN;

	usage->from_us = only_b || (!only_a && b->from_us < a->from_us) ? b->from_us : a->from_us;
	usage->to_us = only_b || (!only_a && b->to_us > a->to_us) ? b->to_us : a->to_us;
}

/* What is one number for all of a usage */
static EbStatus
merge_head(Merge *merge)
{
	const EbUsage *a = merge->a;
	const EbUsage *b = merge->b;
	EbUsage *usage = merge->usage;

	if (a->pf_u != EB_NO_PF && b->pf_u != EB_NO_PF && a->pf_u != b->pf_u)
		return eb_fault_set(merge->fault, EB_CONFLICT, "usage has two power factors",
							"Give kWh and kvarh: they add, and the power factor follows.");
	if (!eb_add64(a->missing_s, b->missing_s, &usage->missing_s) || a->held > INT32_MAX - b->held)
		return eb_usage_overflow(merge->fault);
	usage->held = a->held + b->held;
	usage->pf_u = a->pf_u != EB_NO_PF ? a->pf_u : b->pf_u;
	usage->channels = a->channels | b->channels;
	usage->quality = a->quality > b->quality ? a->quality : b->quality;
	usage->days_u = a->days_u > b->days_u ? a->days_u : b->days_u;
	usage->months_u = a->months_u > b->months_u ? a->months_u : b->months_u;
	merge_range(a, b, usage);
	return EB_OK;
}

static bool
fits(const EbUsageShape *shape, const EbUsage *usage)
{
	return memcmp(shape->fingerprint, usage->fingerprint, EB_FINGERPRINT_SIZE) == 0 &&
		   usage->nslots == shape->nslots && usage->ncells == eb_shape_cells(shape) &&
		   usage->nsub == shape->nversions;
}

static bool
counts_fit(const EbUsage *a, const EbUsage *b)
{
	return a->nparts <= INT32_MAX - b->nparts && a->npeaks <= INT32_MAX - b->npeaks &&
		   a->npieces <= INT32_MAX - b->npieces && a->nqty <= INT32_MAX - b->nqty &&
		   a->nitems <= INT32_MAX - b->nitems;
}

static EbStatus
merge_one(Merge *merge)
{
	EbStatus status;

	if (!fits(merge->shape, merge->a) || !fits(merge->shape, merge->b))
		return eb_usage_conflict(merge->fault);
	if (!counts_fit(merge->a, merge->b))
		return eb_usage_overflow(merge->fault);
	*merge->usage = *merge->a;
	status = merge_head(merge);
	if (status == EB_OK)
		status = merge_parts(merge);
	if (status == EB_OK)
		status = merge_qty(merge);
	if (status != EB_OK)
		return status;
	merge_peaks(merge);
	merge_pieces(merge);
	merge_items(merge);
	return EB_OK;
}

EbStatus
eb_usage_merge(const EbUsageShape *shape, const EbUsage *a, const EbUsage *b, void *memory,
			   EbUsage *usage, EbFault *fault)
{
	Merge merge = {shape, a, b, usage, fault, memory};
	EbStatus status = merge_one(&merge);
	EbUsage *sub;

	if (status != EB_OK || shape->nversions == 0)
		return status;
	sub = take(&merge, (size_t) shape->nversions, sizeof(EbUsage));
	usage->sub = sub;
	for (int i = 0; i < shape->nversions && status == EB_OK; i++)
	{
		const EbShapeVersion *version;

		merge.shape = eb_shape_version(shape, i, &version);
		merge.a = &a->sub[i];
		merge.b = &b->sub[i];
		merge.usage = &sub[i];
		status = merge_one(&merge);
	}
	return status;
}
