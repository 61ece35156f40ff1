/*
 * load_profile_pack.c -- single values with their instants as one load profile
 * In:  values as they come, a slot for each.
 * Out: the values of a profile, in order, what is missing between them too.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include "rating/fault.h"
#include "rating/load_profile_pack.h"

static EbStatus
too_many(EbFault *fault)
{
	return eb_fault_set(fault, EB_BAD_ARGUMENT,
						"values of a load profile lie 1048576 steps or more apart",
						"Pack days or months on their own.");
}

EbStatus
eb_profile_slot(int64_t start_us, int32_t step_s, int64_t at_us, int32_t *slot, EbFault *fault)
{
	int64_t step_us = step_s * EB_SECOND_US;
	int64_t steps = (at_us - start_us) / step_us;
	char a[EB_INSTANT_TEXT];
	char b[EB_INSTANT_TEXT];

	if (start_us + steps * step_us != at_us)
	{
		eb_format_instant(at_us < start_us ? at_us : start_us, a);
		eb_format_instant(at_us < start_us ? start_us : at_us, b);
		eb_fault_set(fault, EB_BAD_ARGUMENT, "instant is off the grid of the load profile",
					 "All instants must be a whole number of steps apart.");
		return eb_fault_detail(fault, EB_BAD_ARGUMENT,
							   "Between %s and %s is no whole number of %d s.", a, b, step_s);
	}
	if (steps <= -EB_PROFILE_MOST_VALUES || steps >= EB_PROFILE_MOST_VALUES)
		return too_many(fault);
	*slot = (int32_t) steps;
	return EB_OK;
}

static void
value_text(const EbProfileEntry *entry, char *text)
{
	if (entry->energy_wh == EB_PROFILE_NO_WH)
		snprintf(text, EB_DECIMAL_TEXT, "missing");
	else
		snprintf(text, EB_DECIMAL_TEXT, "%lld Wh", (long long) entry->energy_wh);
}

static EbStatus
two_values(int64_t at_us, const EbProfileEntry *a, const EbProfileEntry *b, EbFault *fault)
{
	char at[EB_INSTANT_TEXT];
	char text[2][EB_DECIMAL_TEXT];

	eb_format_instant(at_us, at);
	value_text(a, text[0]);
	value_text(b, text[1]);
	eb_fault_set(fault, EB_CONFLICT, "one interval of a load profile has two values",
				 "GROUP BY what makes a profile, or take one row of each instant.");
	return eb_fault_detail(fault, EB_CONFLICT, "At %s they are %s, quality %d, and %s, quality %d.",
						   at, text[0], a->quality, text[1], b->quality);
}

EbStatus
eb_profile_pack_count(const EbProfileEntry *entry, int64_t n, EbProfileDraft *draft, EbFault *fault)
{
	int64_t step_us = draft->step_s * EB_SECOND_US;

	if (entry[n - 1].slot - entry[0].slot >= EB_PROFILE_MOST_VALUES)
		return too_many(fault);
	for (int64_t i = 1; i < n; i++)
		if (entry[i].slot == entry[i - 1].slot &&
			eb_profile_entry_compare(&entry[i], &entry[i - 1]) != 0)
		{
			bool falls = eb_profile_entry_compare(&entry[i], &entry[i - 1]) < 0;

			return two_values(draft->start_us + entry[i].slot * step_us, &entry[falls ? i : i - 1],
							  &entry[falls ? i - 1 : i], fault);
		}
	draft->n = entry[n - 1].slot - entry[0].slot + 1;
	draft->start_us += entry[0].slot * step_us;
	return EB_OK;
}

void
eb_profile_pack(const EbProfileEntry *entry, int64_t n, EbProfileValue *value)
{
	int32_t next = entry[0].slot;

	for (int64_t i = 0; i < n; i++)
	{
		bool missing = entry[i].energy_wh == EB_PROFILE_NO_WH;

		if (entry[i].slot < next)
			continue; /* the same once more */
		for (; next < entry[i].slot; next++)
			*value++ = (EbProfileValue){.missing = 1};
		*value++ = (EbProfileValue){missing ? 0 : entry[i].energy_wh, entry[i].quality, missing};
		next++;
	}
}
