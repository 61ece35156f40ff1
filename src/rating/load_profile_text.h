/*
 * load_profile_text.h -- load profiles as a person writes them
 *     import 2025-02-28T16:00:00Z/PT15M 120 130 - 140~2 0*92
 * Direction, start and step, then the values in Wh: "-" is missing, ~ leads the quality when it is not
 * 0, * a number of equal ones. Between them stands white space.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/load_profile.md.
 */
#ifndef EB_LOAD_PROFILE_TEXT_H
#define EB_LOAD_PROFILE_TEXT_H

#include "rating/load_profile.h"

/* A step as ISO 8601 has it, with its terminator: PT15M, PT1H30M, P1D */
#define EB_STEP_TEXT 16

/* Writes a step that divides the day; returns the length. */
extern int eb_profile_step_text(int32_t step_s, char *buf);

/* "P1D" or "PT[nH][nM][nS]", at most a day, in seconds; false when it is none. */
extern bool eb_profile_parse_step(EbText text, int32_t *step_s);

/*
 * Writes the text, without terminator, and returns its length; what is behind size bytes is counted,
 * not written. One profile has one text.
 */
extern size_t eb_profile_text(const EbProfile *profile, char *buf, size_t size);

/*
 * Reads a text. value NULL: only counts the values, into draft->n. Else value has room for as many,
 * and the draft is complete but for the check of eb_profile_size(). EB_BAD_ARGUMENT with the fault
 * for what is no such text, EB_OUT_OF_RANGE for a value of more than 17 digits.
 */
extern EbStatus
eb_profile_parse(EbText text, EbProfileDraft *draft, EbProfileValue *value, EbFault *fault);

#endif
