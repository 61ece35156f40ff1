/*
 * transformer.h -- what a transformer between the user and the meter uses up
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (losses).
 */
#ifndef EB_RATING_TRANSFORMER_H
#define EB_RATING_TRANSFORMER_H

#include "base/decimal.h"

/* A transformer over the hours of a bill */
typedef struct EbTransformer
{
	int64_t active_ukwh; /* what the meter counted in these hours, any sign */
	int64_t reactive_ukvarh;
	int64_t kva_u;	   /* rated power, 1e-6 kVA, > 0 */
	int64_t hours_n;   /* 1e-9 hours, > 0 */
	int64_t no_load_n; /* iron: 1e-9 kW, >= 0; 0: copper alone */
	int64_t load_n;	   /* copper at rated power: 1e-9 kW, >= 0 */
	int64_t k_n;	   /* shape of the load, 1e-9: 1 = the same all the time; >= 0 */
} EbTransformer;

/*
 * Energy lost, in 1e-6 kWh: no_load x hours + k x load x (P^2 + Q^2) / (kva^2 x hours), exact and
 * rounded half-up once. False on overflow.
 */
extern bool eb_transformer_loss(const EbTransformer *transformer, int64_t *loss_ukwh);

#endif /* EB_RATING_TRANSFORMER_H */
