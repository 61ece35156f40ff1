/*
 * fault.h -- filling an EbFault
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_RATING_FAULT_H
#define EB_RATING_FAULT_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"

/* A text with its length, for "%.*s" */
#define EB_TEXT_ARG(text) (text).len, (text).data

/* Fills message and hint (may be NULL), empties detail; returns the status it was given. */
static inline EbStatus
eb_fault_set(EbFault *fault, EbStatus status, const char *message, const char *hint)
{
	snprintf(fault->message, sizeof(fault->message), "%s", message);
	snprintf(fault->hint, sizeof(fault->hint), "%s", hint ? hint : "");
	fault->detail[0] = '\0';
	return status;
}

/* Adds the detail to a fault that was set; returns the status it was given. */
static inline EbStatus __attribute__((format(printf, 3, 4)))
eb_fault_detail(EbFault *fault, EbStatus status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(fault->detail, sizeof(fault->detail), format, args);
	va_end(args);
	return status;
}

#endif /* EB_RATING_FAULT_H */
