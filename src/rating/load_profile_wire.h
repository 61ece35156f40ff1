/*
 * load_profile_wire.h -- load profiles on their way between machines
 * The bytes of load_profile.h with every number in network order (most significant byte first); the
 * first byte says the version of this form.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_LOAD_PROFILE_WIRE_H
#define EB_LOAD_PROFILE_WIRE_H

#include "rating/load_profile.h"

#define EB_PROFILE_WIRE 1

/* Turns the bytes of a profile into those to be sent, in their place. */
extern void eb_profile_to_wire(uint8_t *bytes, size_t size);

/*
 * Turns bytes that came into those of a profile, in their place, and opens it. EB_BAD_ARGUMENT for
 * everything that eb_profile_to_wire() does not give; the bytes are spoilt then.
 */
extern EbStatus
eb_profile_from_wire(uint8_t *bytes, size_t size, EbProfile *profile, EbFault *fault);

#endif
