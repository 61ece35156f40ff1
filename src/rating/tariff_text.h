/*
 * tariff_text.h -- what the canonical text (tariff_text.c) and the classifier (tariff_classify.c)
 * share: writing JSON into a buffer of a fixed size
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_TARIFF_TEXT_H
#define EB_TARIFF_TEXT_H

#include "rating/tariff_json.h"

typedef struct EbWriter
{
	const EbNode *root; /* the tariff: defaults hang on it */
	char *buf;
	size_t size;
	size_t len;
	bool full;	   /* something did not fit; nothing is written any more */
	bool classify; /* of a demand, only what classifies */
} EbWriter;

extern void eb_put(EbWriter *writer, const char *data, size_t len);
extern void eb_put_string(EbWriter *writer, const char *text);
extern void eb_put_json_text(EbWriter *writer, EbText text);
extern void eb_put_decimal(EbWriter *writer, const EbNode *node, int scale);

/* Is the value of the key, which may have faults, the default it has in the object? */
extern bool eb_field_is_initial(const EbField *field, const EbNode *value, const EbNode *object,
								const EbNode *root);

/* Writes "key":value and returns true, or nothing when the value is the default. */
extern bool eb_write_field(EbWriter *writer, const EbField *field, const EbNode *value,
						   const EbNode *object, bool first);

#endif
