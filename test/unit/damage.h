/*
 * damage.h -- what the tests of codecs with a checksum share: an input damaged in every single way
 */
#ifndef ELECBILL_TEST_DAMAGE_H
#define ELECBILL_TEST_DAMAGE_H

#include "frames.h"

/* Whether the frame has that item. */
static inline int
has_item(const EbFrame *frame, const EbFrame *from, const EbFrameItem *item)
{
	for (int i = 0; i < frame->nitems; i++)
		if (strcmp(eb_frame_get(frame, frame->items[i].id), eb_frame_get(from, item->id)) == 0 &&
			strcmp(eb_frame_get(frame, frame->items[i].value), eb_frame_get(from, item->value)) ==
				0 &&
			strcmp(eb_frame_get(frame, frame->items[i].unit), eb_frame_get(from, item->unit)) ==
				0 &&
			strcmp(eb_frame_get(frame, frame->items[i].time), eb_frame_get(from, item->time)) == 0)
			return 1;
	return 0;
}

/* Counts items of the bytes that the whole frame does not have. */
static inline int
other_items(const EbCodec *codec, const uint8_t *bytes, size_t n, const EbFrame *whole)
{
	static Decoded damaged;
	int other = 0;

	decode_by(codec, bytes, n, n, &damaged);
	for (int i = 0; i < damaged.n && i < MAX_DECODED; i++)
		for (int k = 0; k < damaged.frame[i].nitems; k++)
			other += !has_item(whole, &damaged.frame[i], &damaged.frame[i].items[k]);
	return other;
}

/*
 * Every single-bit flip and every cut of an input, whose last frame carries a checksum, gives no item
 * that the whole does not give. Bits as in: 8, or 7 where the line has no eighth.
 */
static inline void
check_damage(const EbCodec *codec, const uint8_t *whole, size_t n, int bits)
{
	static Decoded intact;
	static EbFrame last;
	uint8_t bytes[2048];
	int flipped = 0, cut = 0;

	decode_by(codec, whole, n, n, &intact);
	if (!CHECK(intact.n > 0 && n <= sizeof(bytes)))
		return;
	last = intact.frame[intact.n - 1];
	CHECK(last.checked && last.nitems > 0);
	memcpy(bytes, whole, n);
	for (size_t at = 0; at < n; at++)
		for (int bit = 0; bit < bits; bit++)
		{
			bytes[at] ^= (uint8_t) (1 << bit);
			flipped += other_items(codec, bytes, n, &last);
			bytes[at] ^= (uint8_t) (1 << bit);
		}
	for (size_t at = 1; at < n; at++)
		cut += other_items(codec, bytes, at, &last);
	CHECK_INT(flipped, 0);
	CHECK_INT(cut, 0);
}

#endif /* ELECBILL_TEST_DAMAGE_H */
