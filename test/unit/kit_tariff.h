/*
 * kit_tariff.h -- a compiled tariff laid out by hand, for tests of what reads it
 * Summer (1 June to 1 October): peak 08:00-11:30, deep 12:00-13:00 on spring_festival only, valley
 * 23:00-01:00 (of the day it began). Else peak 17:00-21:00 on workdays, valley 22:00-06:00. All
 * that remains is flat. A second schedule tells weekends apart. Tier months begin on the 5th, tier
 * years on 1 December.
 */
#ifndef ELECBILL_TEST_KIT_TARIFF_H
#define ELECBILL_TEST_KIT_TARIFF_H

#include <stddef.h>

#include "rating/usage.h"

enum
{
	KIT_WEEKDAY,
	KIT_WEEKEND,
	KIT_DEEP,
	KIT_FLAT,
	KIT_PEAK,
	KIT_VALLEY,
	KIT_SLOTS
};

#define KIT_FESTIVAL EB_TAG_NAMED
#define KIT_BIT(n) (UINT64_C(1) << (n))

typedef struct KitTariff
{
	EbTariff tariff;
	EbSeasonRange season[1];
	EbCalendarDay calendar[5];
	EbSchedule schedule[2];
	EbSlot slot[KIT_SLOTS];
	EbRule rule[8];
	EbSpan span[6];
	EbComponent component[1];
	EbPlane plane[1];
} KitTariff;

#define KIT_SLICE(member, first, count)                                             \
	((EbSlice){(int32_t) (offsetof(KitTariff, member) +                             \
						  (size_t) (first) * sizeof(((KitTariff *) 0)->member[0])), \
			   (count)})

static inline EbRule
kit_rule(int slot, uint32_t seasons, int span, int nspans)
{
	return (EbRule){.slot = (int16_t) slot,
					.seasons = seasons,
					.valid_from = INT32_MIN,
					.valid_to = INT32_MAX,
					.event = EB_NONE,
					.span = KIT_SLICE(span, span, nspans)};
}

static inline void
kit_schedules(KitTariff *kit)
{
	kit->schedule[0] = (EbSchedule){{0, 0}, KIT_WEEKDAY, 2, KIT_SLICE(rule, 0, 2)};
	kit->schedule[1] = (EbSchedule){{0, 0}, KIT_DEEP, 4, KIT_SLICE(rule, 2, 6)};
	for (int i = 0; i < KIT_SLOTS; i++)
		kit->slot[i] = (EbSlot){(int16_t) (i >= KIT_DEEP), (int16_t) i};

	kit->span[0] = (EbSpan){8 * 60, 11 * 60 + 30};
	kit->span[1] = (EbSpan){12 * 60, 13 * 60};
	kit->span[2] = (EbSpan){23 * 60, 60};
	kit->span[3] = (EbSpan){17 * 60, 21 * 60};
	kit->span[4] = (EbSpan){22 * 60, 6 * 60};

	kit->rule[0] = kit_rule(KIT_WEEKEND, 0, 0, 0);
	kit->rule[0].days = KIT_BIT(EB_TAG_WEEKEND);
	kit->rule[1] = kit_rule(KIT_WEEKDAY, 0, 0, 0);
	kit->rule[2] = kit_rule(KIT_DEEP, 1 << 1, 1, 1);
	kit->rule[2].days = KIT_BIT(KIT_FESTIVAL);
	kit->rule[3] = kit_rule(KIT_PEAK, 1 << 1, 0, 1);
	kit->rule[4] = kit_rule(KIT_VALLEY, 1 << 1, 2, 1);
	kit->rule[4].anchor_start = 1;
	kit->rule[5] = kit_rule(KIT_PEAK, 1 << 0, 3, 1);
	kit->rule[5].days = KIT_BIT(EB_TAG_WORKDAY);
	kit->rule[6] = kit_rule(KIT_VALLEY, 1 << 0, 4, 1);
	kit->rule[7] = kit_rule(KIT_FLAT, 0, 0, 0);
}

static inline KitTariff
kit_tariff(void)
{
	KitTariff kit = {0};

	kit.tariff = (EbTariff){
		.format = EB_TARIFF_FORMAT,
		.size = sizeof(KitTariff),
		.month_day = 5,
		.year_start = 12 * 32 + 1,
		.weekend = 1 << 5 | 1 << 6,
		.season_range = KIT_SLICE(season, 0, 1),
		.calendar_day = KIT_SLICE(calendar, 0, 5),
		.schedule = KIT_SLICE(schedule, 0, 2),
		.slot = KIT_SLICE(slot, 0, KIT_SLOTS),
		.component = KIT_SLICE(component, 0, 1),
		.plane = KIT_SLICE(plane, 0, 1),
	};
	kit.season[0] = (EbSeasonRange){.season = 1, .from_md = 6 * 32 + 1, .to_md = 10 * 32 + 1};
	kit.calendar[0] = (EbCalendarDay){eb_day_from_date(2026, 1, 1), 0, KIT_BIT(EB_TAG_HOLIDAY)};
	kit.calendar[1] = (EbCalendarDay){eb_day_from_date(2026, 1, 4), 0, KIT_BIT(EB_TAG_MAKEUP)};
	kit.calendar[2] = (EbCalendarDay){eb_day_from_date(2026, 6, 19), 0,
									  KIT_BIT(EB_TAG_HOLIDAY) | KIT_BIT(KIT_FESTIVAL)};
	kit.calendar[3] = (EbCalendarDay){eb_day_from_date(2026, 6, 20), 0, KIT_BIT(KIT_FESTIVAL)};
	kit.calendar[4] = (EbCalendarDay){eb_day_from_date(2026, 10, 1), 0, KIT_BIT(EB_TAG_HOLIDAY)};
	kit_schedules(&kit);
	kit.plane[0] = (EbPlane){EB_IMPORT_KWH, EB_NONE, 0};
	kit.component[0].valid_from = INT32_MIN;
	kit.component[0].valid_to = eb_day_from_date(2026, 8, 20);
	return kit;
}

#endif /* ELECBILL_TEST_KIT_TARIFF_H */
