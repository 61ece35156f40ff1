/*
 * report.h -- what is counted per meter and per port, and how it is told
 */
#ifndef EB_REPORT_H
#define EB_REPORT_H

#include <stdint.h>
#include <stdio.h>

#include "codec/frame.h"
#include "json.h"

typedef struct EbCounts
{
	uint64_t requests;
	uint64_t replies; /* frames that were booked */
	uint64_t rows;	  /* readings made of them */
	uint64_t retries;
	uint64_t silence;				  /* requests without any reply */
	uint64_t error[EB_FRAME_NERRORS]; /* frames refused, by reason */
	uint64_t flood;					  /* more bytes than any reply has */
	uint64_t exceptions;			  /* the meter refused the request */
	uint64_t foreign;				  /* replies of somebody else, or to another question */
	uint64_t unknown;				  /* lines of a meter that is not configured */
	uint64_t surplus;				  /* lines beyond one per interval */
	uint64_t echoes;				  /* own requests heard back */
	uint64_t resyncs;				  /* good frames behind noise */
	uint64_t stray;					  /* bytes nobody asked for */
	uint64_t gaps;					  /* slots without a reading */
	uint64_t bytes_in;
	uint64_t bytes_out;
	uint64_t opens;
	uint64_t busy_ms; /* of a bus: the time a request was out */
} EbCounts;

/*
 * One line for the log, and one JSON object for --once: kind and name say whose counts they are;
 * counts of zero are left out.
 */
extern void eb_report_log(const char *kind, const char *name, const EbCounts *counts);
extern void eb_report_json(FILE *out, const char *kind, const char *name, const EbCounts *counts);

#endif
