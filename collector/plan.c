/*
 * plan.c -- the questions of one task to one DL/T 645 meter, in their order
 * In:  a meter, what kind of task, what the meter refused. Out: identifiers to ask for.
 */
#include "plan.h"

#include "codec/dlt645.h"

/* Bit of the error byte. */
#define NO_SUCH_DATA 0x02

static void
add_step(EbPlan *plan, uint32_t di)
{
	if (plan->nsteps < EB_PLAN_STEPS)
		plan->di[plan->nsteps++] = di;
}

/* A block as single identifiers: total, then tariffs. */
static void
add_singles(EbPlan *plan, const EbMeter *meter, uint32_t block)
{
	for (int tariff = 0; tariff <= meter->tariffs; tariff++)
		add_step(plan, (block & 0xFFFF00FF) | (uint32_t) tariff << 8);
}

bool
eb_plan_is_block(uint32_t di)
{
	return (di & 0xFF00) == 0xFF00;
}

void
eb_plan_make(EbPlan *plan, const EbMeter *meter, EbTaskKind kind)
{
	const EbMeterConf *conf = meter->conf;

	plan->nsteps = plan->step = 0;
	if (eb_dlt645_wildcard(meter->address))
		add_step(plan, EB_DI_ASK_ADDRESS);
	if (kind == EB_TASK_FREEZE)
	{
		add_step(plan, EB_DI_FREEZE_TIME);
		add_step(plan, EB_DI_FREEZE_VALUES);
		add_step(plan, EB_DI_FREEZE_TIME);
		return;
	}
	for (int i = 0; i < conf->nread; i++)
		if (eb_plan_is_block(conf->read[i]) && meter->tariffs >= 0)
			add_singles(plan, meter, conf->read[i]);
		else
			add_step(plan, conf->read[i]);
}

bool
eb_plan_refused(EbPlan *plan, EbMeter *meter, int error_word)
{
	uint32_t di = plan->di[plan->step];
	int tariff = (int) (di >> 8 & 0xFF);

	if ((error_word & NO_SUCH_DATA) == 0 || di >> 24 != 0)
		return false;
	if (eb_plan_is_block(di))
	{
		meter->tariffs = EB_PLAN_TARIFFS;
		add_singles(plan, meter, di);
		return true;
	}
	if (tariff == 0 || tariff > meter->tariffs)
		return false;
	meter->tariffs = tariff - 1;
	while (plan->step + 1 < plan->nsteps &&
		   (plan->di[plan->step + 1] >> 8 & 0xFF) > (uint32_t) tariff)
		plan->step++;
	return true;
}
