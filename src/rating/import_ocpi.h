/*
 * import_ocpi.h -- what the files of the OCPI importer share
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_IMPORT_OCPI_H
#define EB_IMPORT_OCPI_H

#include "rating/import.h"

/* Room for "elements[255].price_components[255].step_size" */
#define EB_OCPI_PATH 64

/* What a price component is for; each has a lane, in which the first that applies prices */
typedef enum EbOcpiLane
{
	EB_OCPI_ENERGY,
	EB_OCPI_FLAT,
	EB_OCPI_TIME,
	EB_OCPI_PARKING_TIME,
	EB_OCPI_RESERVATION_FLAT,
	EB_OCPI_RESERVATION_TIME,
	EB_OCPI_LANES
} EbOcpiLane;

typedef struct EbOcpi
{
	const EbNode *root;
	EbJson *json;
	EbFault *fault;
	int count[EB_OCPI_LANES]; /* price components so far */
	int64_t vat_n;			  /* of all price components so far, percent 1e-9 */
	bool any;				  /* there are some */
	bool vat_differs;
} EbOcpi;

/* import_ocpi_read.c: faults by path, and values; absent ones and null are *found false */
extern EbStatus __attribute__((format(printf, 4, 5)))
eb_ocpi_refuse(const EbOcpi *ocpi, EbStatus status, const char *path, const char *format, ...);
/* Every member must be in known or in idle, which may be NULL: those touch no price. */
extern EbStatus eb_ocpi_keys(const EbOcpi *ocpi, const EbNode *object, const char *path,
							 const char *const *known, const char *const *idle);
/* Member of object, a number in 10^-scale */
extern EbStatus eb_ocpi_number(const EbOcpi *ocpi, const EbNode *object, const char *path,
							   const char *key, int scale, bool *found, int64_t *value);

/* import_ocpi_restrict.c: restrictions as "when"; *reservation: they are about one */
extern EbStatus eb_ocpi_restrictions(EbOcpi *ocpi, const EbNode *restrictions, const char *path);
extern EbStatus
eb_ocpi_reservation(const EbOcpi *ocpi, const EbNode *restrictions, const char *path, bool *is);

#endif /* EB_IMPORT_OCPI_H */
