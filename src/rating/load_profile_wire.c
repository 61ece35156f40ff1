/*
 * load_profile_wire.c -- load profiles on their way between machines
 * In:  bytes of profiles, or of anybody.
 * Out: bytes in network order, or profiles that were checked.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include "rating/fault.h"
#include "rating/load_profile_bytes.h"
#include "rating/load_profile_wire.h"

/* Of native order, or of network order: the same on machines that store the highest byte first */
#define IS_NETWORK_ORDER (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)

/* n numbers of width bytes, each turned round */
static void
turn(uint8_t *at, size_t n, size_t width)
{
	if (IS_NETWORK_ORDER)
		return;
	for (; n > 0; n--, at += width)
		for (size_t i = 0; i < width / 2; i++)
		{
			uint8_t byte = at[i];

			at[i] = at[width - 1 - i];
			at[width - 1 - i] = byte;
		}
}

static void
turn_header(uint8_t *bytes)
{
	turn(bytes + EB_AT_START, 1, 8);
	turn(bytes + EB_AT_STEP, 1, 4);
	turn(bytes + EB_AT_N, 1, 4);
	turn(bytes + EB_AT_BASE, 1, 8);
}

/*
 * What stands behind the header, whose numbers are native here. It may be of anybody: nothing
 * outside of size is touched, and what does not fit is left for the check to find.
 */
static void
turn_body(uint8_t *bytes, size_t size)
{
	size_t width = bytes[EB_AT_WIDTH];
	size_t at = EB_PROFILE_HEADER;
	int32_t n;

	memcpy(&n, bytes + EB_AT_N, 4);
	if (n < 0 || n > EB_PROFILE_MOST_VALUES || (size_t) n * width > size - at)
		return;
	turn(bytes + at, (size_t) n, width);
	at += (size_t) n * width;
	if ((bytes[EB_AT_FLAGS] & EB_PROFILE_HAS_MISSING) != 0)
		at += eb_profile_bitmap_size(n);
	if (at < size)
		turn(bytes + at, (size - at) / 4, 4);
}

void
eb_profile_to_wire(uint8_t *bytes, size_t size)
{
	turn_body(bytes, size);
	turn_header(bytes);
	bytes[EB_AT_FORMAT] = EB_PROFILE_WIRE;
}

EbStatus
eb_profile_from_wire(uint8_t *bytes, size_t size, EbProfile *profile, EbFault *fault)
{
	if (size >= EB_PROFILE_HEADER)
	{
		if (bytes[EB_AT_FORMAT] != EB_PROFILE_WIRE)
		{
			eb_fault_set(fault, EB_BAD_ARGUMENT, "binary form of a load profile is not known",
						 "This version reads form 1.");
			return eb_fault_detail(fault, EB_BAD_ARGUMENT, "The form is %d.", bytes[EB_AT_FORMAT]);
		}
		bytes[EB_AT_FORMAT] = EB_PROFILE_FORMAT;
		turn_header(bytes);
		turn_body(bytes, size);
	}
	return eb_profile_check(bytes, size, profile, fault);
}
