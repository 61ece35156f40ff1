/*
 * tariff_types.h -- types of the grammar that its files share
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_TARIFF_TYPES_H
#define EB_TARIFF_TYPES_H

#include "rating/tariff_grammar.h"

/* tariff_grammar.c */
extern const EbType eb_bool_type;
extern const EbType eb_name_type;
extern const EbType eb_names_type;
extern const EbType eb_label_type;
extern const EbType eb_date_type;
extern const EbType eb_date_range_type;
extern const EbType eb_month_day_type;
extern const EbType eb_months_type;
extern const EbType eb_minute_type;
extern const EbType eb_instant_type;
extern const EbType eb_instant_ranges_type;
extern const EbType eb_quantity_type;
extern const EbType eb_scalar_type;
extern const EbType eb_decimal_type;	  /* 1e-9, any sign */
extern const EbType eb_amount_type;		  /* 1e-9, not negative */
extern const EbType eb_positive_type;	  /* 1e-9, positive */
extern const EbType eb_kwh_type;		  /* 1e-6, not negative */
extern const EbType eb_positive_kwh_type; /* 1e-6, positive */
extern const EbType eb_milli_type;		  /* 1e-3, not negative */
extern const EbType eb_positive_milli_type;
extern const EbType eb_round_type;

/* tariff_grammar_component.c */
extern const EbType eb_component_type;
extern const EbType eb_linear_type; /* "linear" of power_factor */

/* tariff_grammar_tier.c */
extern const EbType eb_condition_type;
extern const EbType eb_tier_type;

/* tariff_grammar_measure.c */
extern const EbType eb_series_type;
extern const EbType eb_series_object_type; /* a series with "by" */
extern const EbType eb_demands_type;
extern const EbType eb_demand_type;
extern const EbType eb_ratchet_type;
extern const EbType eb_losses_type;
extern const EbType eb_loss_type;
extern const EbType eb_net_type;

#endif
