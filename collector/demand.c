/*
 * demand.c -- reads outside the schedule, as they wait for their turn
 * In:  demands with a deadline. Out: the next one; those whose time is over are told so in time, also
 *      while their port is away.
 */
#include "demand.h"

#include "clock.h"

void
eb_demand_end(EbDemand *demand, EbDemandEnd end, const char *reason)
{
	demand->reason = reason;
	demand->ended(demand, end);
}

/* Takes those out whose time is over, in their order; wakes up again for the next to expire. */
static EbDemand *
take_expired(EbDemands *demands)
{
	int64_t now_ms = eb_clock_mono_ms();
	EbDemand **at = &demands->first;
	EbDemand *over = NULL;
	EbDemand **last = &over;

	eb_timer_stop(&demands->expiry);
	while (*at != NULL)
	{
		EbDemand *demand = *at;

		if (demand->deadline_ms <= now_ms)
		{
			*at = demand->next;
			demand->next = NULL;
			*last = demand;
			last = &demand->next;
			continue;
		}
		if (!demands->expiry.armed || demand->deadline_ms < demands->expiry.due_ms)
			eb_timer_after(&demands->expiry, demand->deadline_ms - now_ms);
		at = &demand->next;
	}
	return over;
}

static void
expire(void *owner)
{
	EbDemands *demands = owner;

	for (EbDemand *over = take_expired(demands), *next; over != NULL; over = next)
	{
		next = over->next;
		eb_demand_end(over, EB_DEMAND_EXPIRED, "its turn did not come in time");
	}
}

void
eb_demands_open(EbDemands *demands, EbLoop *loop)
{
	demands->loop = loop;
	demands->first = NULL;
	eb_loop_add_timer(loop, &demands->expiry, expire, demands);
}

void
eb_demands_close(EbDemands *demands)
{
	if (demands->loop == NULL)
		return;
	while (demands->first != NULL)
		eb_demand_end(eb_demands_take(demands), EB_DEMAND_FAILED, "the collector ends");
	eb_loop_drop_timer(demands->loop, &demands->expiry);
}

void
eb_demands_add(EbDemands *demands, EbDemand *demand)
{
	EbDemand **last = &demands->first;

	while (*last != NULL)
		last = &(*last)->next;
	demand->next = NULL;
	*last = demand;
	expire(demands);
}

void
eb_demands_back(EbDemands *demands, EbDemand *demand)
{
	demand->next = demands->first;
	demands->first = demand;
	expire(demands);
}

EbDemand *
eb_demands_take(EbDemands *demands)
{
	EbDemand *demand = demands->first;

	if (demand != NULL)
		demands->first = demand->next;
	return demand;
}
