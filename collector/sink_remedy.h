/*
 * sink_remedy.h -- what to do about an error of the database
 */
#ifndef EB_SINK_REMEDY_H
#define EB_SINK_REMEDY_H

#include <stdbool.h>

typedef enum EbRemedy
{
	EB_REMEDY_RETRY,  /* connection, shutdown, resources, serialization: soon, then ever later */
	EB_REMEDY_HALVE,  /* the statement took too long: with fewer rows */
	EB_REMEDY_BISECT, /* data: a row of the batch is bad; the others must not wait for it */
	EB_REMEDY_HOLD,	  /* schema, rights, wrong call: somebody has to look; once a minute */
} EbRemedy;

/* By SQLSTATE; NULL or empty: there is no connection. Source: doc/collector.md */
extern EbRemedy eb_sink_remedy(const char *state);

/* Whether the connection is still of use after it. */
extern bool eb_sink_stays(const char *state);

#endif
