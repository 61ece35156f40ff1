/*
 * register.h -- which register an item of a frame is stored as, and how many Wh it says
 */
#ifndef EB_REGISTER_H
#define EB_REGISTER_H

#include "config.h"

/*
 * Register code of an item into code: that of the meter's model, else of the registers section,
 * else the built-in one: forward energy 1.8.t and reverse energy 2.8.t, t = 0 the total. False when
 * it has none, or the meter's list does not name it. *unit is what the configuration says of its
 * unit, NULL when nothing. Modbus: items are named by their codes.
 */
extern bool eb_register_code(const EbConfig *conf, const EbMeterConf *meter, const char *item,
							 char code[EB_CODE_SIZE], const char **unit);

/* Whether the meter's list of registers names the code, or is empty. */
extern bool eb_register_wanted(const EbMeterConf *meter, const char *code);

/* Wh, kWh or MWh. */
extern bool eb_register_is_energy(const char *unit);

/*
 * A value in that unit as whole Wh, cut toward zero to that many decimals of kWh (0..3). *cut:
 * digits other than 0 were cut; registers are cumulative, what is cut is in a later reading. False
 * when it is no number, out of range, or no energy.
 */
extern bool
eb_register_wh(const char *value, const char *unit, int decimals, int64_t *wh, bool *cut);

#endif
