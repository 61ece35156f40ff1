/*
 * errors.h -- the SQLSTATEs of a user's mistakes
 * Class UB. A program may rely on them; the message text may change.
 * Source: doc/architecture.md.
 */
#ifndef ELECBILL_PG_ERRORS_H
#define ELECBILL_PG_ERRORS_H

#include "postgres.h"

#define EB_ERRCODE_BAD_ARGUMENT MAKE_SQLSTATE('U', 'B', '4', '0', '0')
#define EB_ERRCODE_NOT_ALLOWED MAKE_SQLSTATE('U', 'B', '4', '0', '3')
#define EB_ERRCODE_UNKNOWN MAKE_SQLSTATE('U', 'B', '4', '0', '4')
#define EB_ERRCODE_CONFLICT MAKE_SQLSTATE('U', 'B', '4', '0', '9')
#define EB_ERRCODE_WRONG_STATE MAKE_SQLSTATE('U', 'B', '4', '1', '2')
#define EB_ERRCODE_WRONG_AMOUNT MAKE_SQLSTATE('U', 'B', '4', '2', '2')

#endif /* ELECBILL_PG_ERRORS_H */
