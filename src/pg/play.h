/*
 * play.h -- the clock and the login while a demonstration is played
 */
#ifndef ELECBILL_PG_PLAY_H
#define ELECBILL_PG_PLAY_H

#include "datatype/timestamp.h"

/* Whether something is played; then its instant. */
extern bool eb_play_now(TimestampTz *now);

/* Who works in what is played, "" for the DBA; NULL when nothing is played. */
extern char *eb_play_login(void);

#endif /* ELECBILL_PG_PLAY_H */
