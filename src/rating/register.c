/*
 * register.c -- cumulative values of a meter give the energy between them
 * In:  register values at instants, in order.
 * Out: energy per interval, summed as usage (usage.h).
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include "rating/fault.h"
#include "rating/register.h"

bool
eb_register_delta(int64_t prev_wh, int64_t cur_wh, int64_t wrap_wh, int64_t max_wh,
				  int64_t *delta_wh)
{
	if (cur_wh >= prev_wh)
	{
		*delta_wh = cur_wh - prev_wh;
		return true;
	}
	*delta_wh = wrap_wh - prev_wh + cur_wh;
	return prev_wh > wrap_wh / 10 * 9 && cur_wh < wrap_wh / 10 && *delta_wh <= max_wh;
}

/* The one value of an instant */
typedef struct Boundary
{
	int64_t at_us;
	int64_t register_wh;
	bool restart;
	bool disputed; /* there are several */
} Boundary;

/* Reads the values of the next instant, *at moves behind them */
static Boundary
next_boundary(const EbRegisterValue *value, size_t n, size_t *at)
{
	Boundary boundary = {value[*at].boundary_us, value[*at].code / 2, false, false};

	for (; *at < n && value[*at].boundary_us == boundary.at_us; (*at)++)
	{
		boundary.restart |= (value[*at].code & 1) != 0;
		boundary.disputed |= value[*at].code / 2 != boundary.register_wh;
	}
	return boundary;
}

EbStatus
eb_register_add(EbUsageSum *sum, const EbClassifier *by, EbChannel channel, int64_t from_us,
				int64_t to_us, int64_t wh, EbFault *fault)
{
	EbUsageRow row = {
		.from_us = from_us, .to_us = to_us, .price_n = EB_NO_PRICE, .channel = channel};
	EbStatus status;

	if (!eb_mul64(wh, EB_WH, &row.energy_ukwh))
		return eb_fault_set(fault, EB_OUT_OF_RANGE, "register difference is out of range",
							"It must stay below 9223372036854775 Wh.");
	if (eb_usage_is_near(sum, channel, from_us, to_us - from_us))
	{
		eb_usage_extend(sum, channel, from_us, to_us);
		return eb_usage_put(sum->now, channel, row.energy_ukwh, to_us - from_us)
				   ? EB_OK
				   : eb_usage_overflow(fault);
	}
	row.guess = to_us - from_us > EB_REGISTER_EXACT_US;
	status = eb_usage_add(sum, by, &row, fault);
	if (row.crossed && row.guess && sum->quality < EB_ESTIMATED)
		sum->quality = EB_ESTIMATED;
	return status;
}

EbStatus
eb_register_usage(const EbRegisterValue *value, size_t n, int64_t wrap_wh, EbChannel channel,
				  EbUsageSum *sum, const EbClassifier *by, EbFault *fault)
{
	EbStatus status = EB_OK;
	Boundary last = {0};
	bool broken = true; /* no difference leads from last to the next value */

	for (size_t at = 0; at < n && status == EB_OK;)
	{
		Boundary next = next_boundary(value, n, &at);
		int64_t wh;

		eb_usage_mark(sum, by, channel, next.at_us);
		broken = broken || next.restart;
		if (next.disputed)
		{
			sum->held++;
			if (sum->quality < EB_ESTIMATED)
				sum->quality = EB_ESTIMATED;
			continue;
		}
		if (!broken)
		{
			if (eb_register_delta(last.register_wh, next.register_wh, wrap_wh, wrap_wh / 10, &wh))
				status = eb_register_add(sum, by, channel, last.at_us, next.at_us, wh, fault);
			else
				sum->held++;
		}
		last = next;
		broken = false;
	}
	return status;
}
