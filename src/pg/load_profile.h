/*
 * load_profile.h -- the SQL type elecbill.load_profile as the rest of the glue sees it
 * A datum is the varlena header and the bytes of rating/load_profile.h behind it, which have no
 * alignment: a row holds short ones as they are, so that opening one copies nothing.
 */
#ifndef ELECBILL_PG_LOAD_PROFILE_H
#define ELECBILL_PG_LOAD_PROFILE_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/timestamp.h"

#include "rating/load_profile.h"

/* Raises that a stored value is damaged. */
extern void eb_pg_profile_damaged(const EbFault *fault) pg_attribute_noreturn();

/* Opens a datum; the view points into it, or into a copy when it was stored out of line. */
static inline void
eb_pg_profile(Datum datum, EbProfile *profile)
{
	struct varlena *stored = (struct varlena *) DatumGetPointer(datum);
	EbFault fault;

	if (unlikely(VARATT_IS_COMPRESSED(stored) || VARATT_IS_EXTERNAL(stored)))
		stored = pg_detoast_datum_packed(stored);
	if (unlikely(eb_profile_open((const uint8 *) VARDATA_ANY(stored), VARSIZE_ANY_EXHDR(stored),
								 profile, &fault) != EB_OK))
		eb_pg_profile_damaged(&fault);
}

#define PG_GETARG_EB_PROFILE(n, profile) eb_pg_profile(PG_GETARG_DATUM(n), (profile))

/* A datum in the current memory context; raises what the check of the draft says. */
extern Datum eb_pg_profile_make(const EbProfileDraft *draft);

#define PG_RETURN_EB_PROFILE(draft) PG_RETURN_DATUM(eb_pg_profile_make(draft))

/* Room for n values in the current memory context */
extern EbProfileValue *eb_pg_profile_values(int32 n);

/* A step in seconds; UB400 unless it divides the day. A day is 24 hours. */
extern int32 eb_pg_profile_step(const Interval *step);

/* The channel that a direction names; UB400 when there is none. */
extern int32 eb_pg_profile_channel(const text *direction);

#endif /* ELECBILL_PG_LOAD_PROFILE_H */
