/*
 * import.h -- tariffs of other formats as the JSON form of a tariff
 * An importer reads a tree that anybody may have written and writes JSON text; the text then goes
 * through the same door as any tariff. What the JSON form cannot say is refused by its path
 * (EB_NOT_SUPPORTED), a value of the wrong type or range too (EB_BAD_ARGUMENT); keys that do not
 * touch prices are known by name and left out; unknown keys are refused.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/import.md.
 */
#ifndef EB_RATING_IMPORT_H
#define EB_RATING_IMPORT_H

#include "rating/json_write.h"
#include "rating/node.h"

/*
 * One importer. zone: IANA name, checked by the caller. json: see json_write.h; when the text does
 * not fit, call again with more memory.
 */
typedef EbStatus (*EbImport)(const EbNode *source, EbText zone, EbJson *json, EbFault *fault);

/* A record of the Utility Rate Database of OpenEI, versions 3 to 8, or its answer with one item */
extern EbStatus eb_import_urdb(const EbNode *source, EbText zone, EbJson *json, EbFault *fault);

/*
 * The days [from, to) in which such a record is valid: from startdate to the day after enddate, its
 * last day; INT32_MIN, INT32_MAX: open.
 */
extern EbStatus
eb_import_urdb_valid(const EbNode *source, int32_t *from, int32_t *to, EbFault *fault);

/* A Tariff object of OCPI 2.2.1 */
extern EbStatus eb_import_ocpi(const EbNode *source, EbText zone, EbJson *json, EbFault *fault);

/* When such a tariff is valid, by its start_date_time and end_date_time; INT64_MIN, INT64_MAX: open. */
extern EbStatus
eb_import_ocpi_valid(const EbNode *source, int64_t *from_us, int64_t *to_us, EbFault *fault);

#endif /* EB_RATING_IMPORT_H */
