/*
 * spool_dump.h -- what stands in a spool, as JSON lines, without changing it
 */
#ifndef EB_SPOOL_DUMP_H
#define EB_SPOOL_DUMP_H

#include <stdio.h>

#include "config.h"

/*
 * Every record of every segment, then those set aside: {"seq":1,"state":"acknowledged"|"waiting"|
 * "rejected","meter":...,"register":...,"read_at":...,"kwh":"...","quality":0,"meter_at":...,
 * "frame":"hex"}; bytes that are no record as {"segment":...,"at":...,"damaged":n}. Works beside a
 * running collector. False: the directory cannot be read (said in the log).
 */
extern bool eb_spool_dump(const EbConfig *conf, FILE *out);

#endif
