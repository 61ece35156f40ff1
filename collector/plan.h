/*
 * plan.h -- the questions of one task to one DL/T 645 meter, in their order
 * A task of registers asks each identifier of the meter's "read". The daily freeze asks its time,
 * its values and its time again. A meter that has no blocks is asked for their parts.
 */
#ifndef EB_PLAN_H
#define EB_PLAN_H

#include "intake.h"
#include "sched.h"

#define EB_DI_FREEZE_TIME 0x05060001
#define EB_DI_FREEZE_VALUES 0x05060101
#define EB_DI_ASK_ADDRESS 0 /* not an identifier: function 13 instead */

/* Tariffs a meter without blocks is asked for until it refuses one. */
#define EB_PLAN_TARIFFS 4

/* The address, and each identifier as a block and as total and tariffs. */
#define EB_PLAN_STEPS (1 + EB_CONFIG_MAX_READ * (2 + EB_PLAN_TARIFFS))

typedef struct EbPlan
{
	int nsteps;
	int step; /* the one in hand */
	uint32_t di[EB_PLAN_STEPS];
} EbPlan;

/* The questions of a task from the first on. */
extern void eb_plan_make(EbPlan *plan, const EbMeter *meter, EbTaskKind kind);

/* Whether di stands for total and tariffs in one reply. */
extern bool eb_plan_is_block(uint32_t di);

/*
 * The meter refused the question in hand. True when it has no blocks, or not so many tariffs: it
 * is remembered in meter->tariffs, and the plan goes on with what the meter has.
 */
extern bool eb_plan_refused(EbPlan *plan, EbMeter *meter, int error_word);

#endif
