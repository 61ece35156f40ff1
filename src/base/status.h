/*
 * status.h -- how pure code says what went wrong
 * Floor: base. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_STATUS_H
#define EB_STATUS_H

#include <stdbool.h>

/* src/pg/errors.h maps each to a SQLSTATE; the collector to an exit code or a counter. */
typedef enum EbStatus
{
	EB_OK = 0,
	EB_BAD_ARGUMENT,  /* UB400: the caller's value is wrong */
	EB_UNKNOWN,		  /* UB404: a name or determinant that does not exist */
	EB_CONFLICT,	  /* UB409: two values that do not belong together */
	EB_OUT_OF_RANGE,  /* UB422: overflow, implausible amount */
	EB_TOO_PRECISE,	  /* UB400: more digits than the unit holds */
	EB_NOT_SUPPORTED, /* 0A000: nothing is wrong with it, but this program does not do it */
	EB_NO_SPACE,	  /* the caller's buffer is too small: give a larger one */
	EB_STOPPED,		  /* the caller asked for it (EbStop) */
} EbStatus;

/* Long work asks it now and then; true: give up, the answer is EB_STOPPED. NULL never stops. */
typedef bool (*EbStop)(void);

/* Text for a person, filled by whoever returns another status than EB_OK, EB_NO_SPACE, EB_STOPPED. */
typedef struct EbFault
{
	char message[160];
	char detail[240];
	char hint[160];
} EbFault;

/* A piece of text that is not terminated; never NULL when len > 0. */
typedef struct EbText
{
	const char *data;
	int len;
} EbText;

#endif
