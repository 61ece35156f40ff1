/*
 * tariff_plane.h -- what usage has to keep for a compiled tariff
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_TARIFF_PLANE_H
#define EB_TARIFF_PLANE_H

#include "rating/tariff.h"

#define EB_MAX_PLANES (EB_NCHANNELS * (1 + EB_MAX_SERIES))

typedef struct EbPlanes
{
	int32_t n;
	int8_t by_day; /* as in EbTariff */
	int8_t in_order;
	int8_t sessions;
	int8_t unused;
	EbPlane plane[EB_MAX_PLANES]; /* channels first, then channel x series, both ascending */
} EbPlanes;

/* All but planes and flags of the tariff must be there, price nodes too. */
extern void eb_tariff_planes(const EbTariff *tariff, EbPlanes *planes);

#endif
