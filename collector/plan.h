/*
 * plan.h -- the questions of one turn to one meter, in their order, and what they cost
 */
#ifndef EB_PLAN_H
#define EB_PLAN_H

#include "config.h"

typedef enum EbPlanKind
{
	EB_PLAN_REGISTERS, /* what the meter is configured to be read for */
	EB_PLAN_FREEZE,	   /* the values of last midnight */
	EB_PLAN_RELAY,	   /* whether its relay is open */
} EbPlanKind;

/* What an answer is for. */
typedef enum EbStepKind
{
	EB_STEP_VALUES,
	EB_STEP_OPEN,	  /* nothing is booked: the line is made ready */
	EB_STEP_ADDRESS,  /* where the meter is asked */
	EB_STEP_IDENTITY, /* who it is */
	EB_STEP_RELAY,
	EB_STEP_FREEZE_TIME,
	EB_STEP_FREEZE_VALUES,
} EbStepKind;

typedef struct EbStep
{
	EbStepKind kind;
	uint32_t what;	  /* the protocol's: identifier, first register, first object */
	uint16_t count;	  /* of registers or objects */
	uint16_t request; /* bytes on the wire */
	uint16_t reply;	  /* bytes of the answer as expected, for the budget */
	uint16_t most;	  /* bytes of the longest answer there can be */
	int speed;		  /* of the answer; 0: that of the port */
} EbStep;

/*
 * The longest: address, identity, and each identifier as a block and as total and tariffs; or each
 * of as many Modbus registers as a model has by itself.
 */
#define EB_PLAN_STEPS (2 + EB_CONFIG_MAX_REGISTERS)

typedef struct EbPlan
{
	EbPlanKind kind;
	bool identity; /* the device is asked who it is */
	int nsteps;
	int step; /* the one in hand */
	EbStep steps[EB_PLAN_STEPS];
} EbPlan;

struct EbMeter;

/* Questions of that kind from the first on. meter NULL: for a budget. */
extern void eb_plan_make(EbPlan *plan, EbPlanKind kind, bool identity, const EbMeterConf *conf,
						 const struct EbMeter *meter);

/* One more; one that finds no room is left out. */
extern void eb_plan_add(EbPlan *plan, EbStep step);

/* No further question. */
extern void eb_plan_end(EbPlan *plan);

/* Worst case of a bus: every meter silent until its last retry. */
typedef struct EbBudget
{
	int nmeters;
	int64_t cost_ms;	 /* within the shortest interval of the bus */
	int64_t interval_ms; /* the shortest interval; 0: nothing is asked on this bus */
} EbBudget;

extern EbBudget eb_plan_budget(const EbConfig *conf, const EbPortConf *port);

#endif
