/*
 * tariff_channel.h -- channels by the names that SQL has for them
 */
#ifndef ELECBILL_PG_TARIFF_CHANNEL_H
#define ELECBILL_PG_TARIFF_CHANNEL_H

#include "rating/tariff.h"

extern const char *const eb_pg_channel_name[EB_NCHANNELS];

#endif /* ELECBILL_PG_TARIFF_CHANNEL_H */
