/*
 * ratchet.c -- billing demand from this month's peak and those before it
 * In:  monthly peaks with their percentages (rate_demand.c, ratchet()).
 * Out: the kW that are billed.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (demand).
 */
#include "rating/ratchet.h"

bool
eb_ratchet(const int64_t *peak_ukw, const int64_t *percent_n, int n, int lookback,
		   int64_t floor_ukw, int64_t current_n, int64_t *billing_ukw)
{
	*billing_ukw = floor_ukw;
	for (int back = 0; back < n && back <= lookback; back++)
	{
		int64_t percent = back == 0 ? current_n : percent_n[n - 1 - back];
		int64_t ukw;

		if (!eb_muldiv64(peak_ukw[n - 1 - back], percent, EB_HUNDRED_PERCENT, &ukw))
			return false;
		if (ukw > *billing_ukw)
			*billing_ukw = ukw;
	}
	return true;
}
