/*
 * kit_session_oracle.h -- a second way to rate a charging session, for test_session_property.c
 * A tariff in a form of its own, that form as JSON, and an oracle that walks a session second by
 * second: it knows no piece, no cut and no group. Sessions run in whole seconds, take all or
 * nothing of one power, and prices per hour are whole in a second, so all of it is exact.
 */
#ifndef ELECBILL_TEST_KIT_SESSION_ORACLE_H
#define ELECBILL_TEST_KIT_SESSION_ORACLE_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rating/session.h"

#define MOST_COMPONENTS 7
#define MOST_SEGMENTS 12
#define UKWH 700 /* 1e-6 kWh in a second when the car takes any */
#define NO_BOUND (-1)

/* ---------------------------------------------------------------- a tariff as the oracle has it */

enum
{
	ENERGY,
	TIME,
	IDLE,
	RESERVE,
	FLAT,
	RESERVE_FLAT,
	KINDS
};

static const char *const kind_name[KINDS] = {"energy",		 "session_time", "idle",
											 "reserve_time", "session_flat", "reserve_flat"};

typedef struct Component
{
	int kind;
	int lane;
	int peak_price; /* 1e-9 x 3600; the other price out of the period "peak" */
	int price;
	int step;  /* Wh or seconds; 0: none */
	int grace; /* seconds */
	int vat;   /* percent */
	int from;  /* minutes of the day; from = to: any time */
	int to;
	int min_seconds; /* NO_BOUND: none */
	int max_seconds;
	int min_units; /* of UKWH */
	int max_units;
	int fast;	  /* 1: only with power, -1: only without, 0: always */
	int weekdays; /* 1: Monday to Friday only */
	int expired;  /* reservations: 1 only when nobody came */
	int bound;	  /* 1e-6 kWh or seconds: from here on at next_price; 0: no steps */
	int next_price;
	int order; /* of the steps: index of order_name */
} Component;

static const char *const order_name[] = {"prorata", "per_period", "time"};

typedef struct Tariff
{
	int n;
	int peak_from; /* minutes of the day */
	int peak_to;
	int minimum; /* 1e-3 currency; 0: none */
	Component component[MOST_COMPONENTS];
} Tariff;

/* A wall clock that is set back by an hour at 2026-01-09 12:00 UTC, and has been ahead before */
#define CHANGE_US (INT64_C(9505) * EB_DAY_US + 12 * 60 * EB_MINUTE_US)
static const EbZoneSpan span[] = {{INT64_MIN, 7200}, {CHANGE_US, 3600}};
static const EbZone zone = {span, 2};

typedef struct Case
{
	EbSession session;
	EbSessionSegment segment[MOST_SEGMENTS + 1];
} Case;

/* ---------------------------------------------------------------- the same as JSON */

typedef struct Text
{
	size_t length;
	char data[8000];
} Text;

static inline void __attribute__((format(printf, 2, 3))) add(Text *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text->length += (size_t) vsnprintf(text->data + text->length, sizeof(text->data) - text->length,
									   format, args);
	va_end(args);
	if (text->length >= sizeof(text->data))
		abort();
}

static inline void
add_money(Text *text, int value, int scale)
{
	char number[EB_DECIMAL_TEXT];

	eb_decimal_format((eb_int128) value * 3600 * scale, EB_PRICE_SCALE, number);
	add(text, "%s", number);
}

/* min <= value < max, in millionths of one */
static inline void
add_range(Text *text, const char *key, int min, int max, int64_t unit)
{
	char number[EB_DECIMAL_TEXT];

	if (min == NO_BOUND && max == NO_BOUND)
		return;
	add(text, "%s'%s':{", text->data[text->length - 1] == '{' ? "" : ",", key);
	if (min != NO_BOUND)
	{
		eb_decimal_format(min * unit, 6, number);
		add(text, "'ge':%s%s", number, max != NO_BOUND ? "," : "");
	}
	if (max != NO_BOUND)
	{
		eb_decimal_format(max * unit, 6, number);
		add(text, "'lt':%s", number);
	}
	add(text, "}");
}

static inline void
add_when(Text *text, const Component *c)
{
	add(text, ",'when':{");
	add_range(text, "seconds", c->min_seconds, c->max_seconds, 1000000);
	add_range(text, "kwh", c->min_units, c->max_units, UKWH);
	add_range(text, "kw", c->fast > 0 ? 1 : NO_BOUND, c->fast < 0 ? 1 : NO_BOUND, 1);
	if (c->from != c->to)
		add(text, "%s'time':['%02d:%02d','%02d:%02d']",
			text->data[text->length - 1] == '{' ? "" : ",", c->from / 60, c->from % 60, c->to / 60,
			c->to % 60);
	if (c->weekdays)
		add(text, "%s'days':['weekday']", text->data[text->length - 1] == '{' ? "" : ",");
	if ((c->kind == RESERVE || c->kind == RESERVE_FLAT) && c->expired)
		add(text, "%s'reservation':'expired'", text->data[text->length - 1] == '{' ? "" : ",");
	add(text, "}");
}

/* Steps of the session instead of one price */
static inline void
add_tier(Text *text, const Component *c, int scale)
{
	char bound[EB_DECIMAL_TEXT];

	/* seconds are multiples of 36, so of 0.01 h */
	eb_decimal_format(c->kind == ENERGY ? c->bound : c->bound / 36 * 10000, 6, bound);
	add(text, ",'tier':{'scope':'session','order':'%s','steps':[{'up_to':%s,'price':",
		order_name[c->order], bound);
	add_money(text, c->price, scale);
	add(text, "},{'price':");
	add_money(text, c->next_price, scale);
	add(text, "}]}");
}

static inline void
add_price(Text *text, const Component *c, int scale)
{
	add(text, ",'price':");
	if (c->peak_price == c->price)
	{
		add_money(text, c->price, scale);
		return;
	}
	add(text, "{'period':{'peak':");
	add_money(text, c->peak_price, scale);
	add(text, ",'*':");
	add_money(text, c->price, scale);
	add(text, "}}");
}

static inline void
add_component(Text *text, const Component *c, int number, int scale)
{
	add(text, "%s{'code':'c%d','kind':'%s','lane':'%d'", number > 0 ? "," : "", number,
		kind_name[c->kind], c->lane);
	if (c->bound > 0)
		add_tier(text, c, scale);
	else
		add_price(text, c, scale);
	if (c->step > 0 && c->kind < FLAT)
		add(text, ",'%s':%d", c->kind == ENERGY ? "step_wh" : "step_s", c->step);
	if (c->grace > 0 && c->kind > ENERGY && c->kind < FLAT)
		add(text, ",'grace_s':%d", c->grace);
	add(text, ",'vat':%d", c->vat);
	add_when(text, c);
	add(text, "}");
}

/* Prices times scale */
static inline const char *
json_of(const Tariff *tariff, int scale)
{
	static Text text;

	text.length = 0;
	add(&text,
		"{'elecbill':1,'currency':'EUR','round':{'line':null},'schedules':{'tou':["
		"{'period':'peak','spans':[['%02d:%02d','%02d:%02d']]},{'period':'valley'}]},'components':[",
		tariff->peak_from / 60, tariff->peak_from % 60, tariff->peak_to / 60, tariff->peak_to % 60);
	for (int i = 0; i < tariff->n; i++)
		add_component(&text, &tariff->component[i], i, scale);
	if (tariff->minimum > 0)
		add(&text, ",{'code':'min','kind':'minimum','scope':'session','amount':%d.%03d}",
			tariff->minimum * scale / 1000, tariff->minimum * scale % 1000);
	add(&text, "]}");
	return text.data;
}

/* ---------------------------------------------------------------- the oracle */

typedef struct Lane
{
	int64_t total; /* 1e-6 kWh or seconds */
	int last;	   /* component; -1: none */
	bool last_peak;
} Lane;

typedef struct Oracle
{
	const Tariff *tariff;
	const Case *c;
	eb_int128 cost[MOST_COMPONENTS];	 /* 1e-15 */
	int64_t counter[MOST_COMPONENTS][2]; /* of those with steps: what they priced, by period */
	int64_t grace[MOST_COMPONENTS];
	Lane lane[FLAT][3];
	bool flat[2][3];
	int64_t last_at[FLAT]; /* the second that was priced last */
} Oracle;

/* What the second that begins at_us is */
typedef struct Second
{
	const EbSessionSegment *segment;
	int64_t at_us;
	int64_t elapsed; /* seconds */
	int64_t units;	 /* of UKWH so far */
	int minute;		 /* of the local day */
	int weekday;	 /* 0 Monday */
	bool peak;
	bool powered;
} Second;

static inline bool
clock_between(int minute, int from, int to)
{
	if (from < to)
		return minute >= from && minute < to;
	return minute >= from || minute < to;
}

static inline bool
oracle_holds(const Oracle *oracle, const Component *c, const Second *second)
{
	if (c->from != c->to && !clock_between(second->minute, c->from, c->to))
		return false;
	if (c->min_seconds != NO_BOUND && second->elapsed < c->min_seconds)
		return false;
	if (c->max_seconds != NO_BOUND && second->elapsed >= c->max_seconds)
		return false;
	if (c->min_units != NO_BOUND && second->units < c->min_units)
		return false;
	if (c->max_units != NO_BOUND && second->units >= c->max_units)
		return false;
	if (c->weekdays && second->weekday > 4)
		return false;
	if (c->fast != 0 && (c->fast > 0) != second->powered)
		return false;
	return !(c->kind == RESERVE || c->kind == RESERVE_FLAT) || !c->expired ||
		   oracle->c->session.expired;
}

/* price is 3600e-9 of currency per kWh, hour or piece */
static inline void
oracle_charge(Oracle *oracle, int index, bool peak, int64_t quantity)
{
	const Component *c = &oracle->tariff->component[index];
	int64_t *counter =
		&oracle->counter[index][strcmp(order_name[c->order], "per_period") == 0 && peak];
	/* a kWh has 1e6 units of 3.6e-6 currency at 1e-15: 3600 x 1e-9 / 1e6; an hour 3600 seconds */
	int64_t each = c->kind == ENERGY ? 3600 : 1000000;

	/* unit by unit where steps are */
	for (; c->bound > 0 && quantity > 0; quantity--)
		oracle->cost[index] += ((*counter)++ < c->bound ? c->price : c->next_price) * each;
	oracle->cost[index] += (eb_int128) (peak ? c->peak_price : c->price) * each * quantity;
}

static inline void
oracle_flat(Oracle *oracle, int index, const Second *second)
{
	const Component *c = &oracle->tariff->component[index];
	bool reserved = second->segment->state == EB_SESSION_RESERVE;
	bool *done = &oracle->flat[c->kind == RESERVE_FLAT][c->lane];

	if (reserved != (c->kind == RESERVE_FLAT) || *done || !oracle_holds(oracle, c, second))
		return;
	*done = true;
	oracle->cost[index] += (eb_int128) c->price * 3600 * 1000000;
}

static inline void
oracle_measured(Oracle *oracle, int index, const Second *second, bool *taken)
{
	static const int32_t state_of[] = {-1, EB_SESSION_CHARGE, EB_SESSION_IDLE, EB_SESSION_RESERVE};
	const Component *c = &oracle->tariff->component[index];
	int64_t quantity = c->kind == ENERGY ? (second->powered ? UKWH : 0)
										 : second->segment->state == state_of[c->kind];
	Lane *lane = &oracle->lane[c->kind][c->lane];

	if (quantity == 0 || taken[c->lane] || !oracle_holds(oracle, c, second))
		return;
	taken[c->lane] = true;
	if (c->kind != ENERGY && oracle->grace[index]-- > 0)
		return;
	oracle_charge(oracle, index, second->peak, quantity);
	lane->total += quantity;
	lane->last = index;
	lane->last_peak = second->peak;
	oracle->last_at[c->kind] = second->at_us;
}

static inline void
oracle_steps(Oracle *oracle)
{
	for (int kind = 0; kind < FLAT; kind++)
		for (int i = 0; i < 3; i++)
		{
			Lane *lane = &oracle->lane[kind][i];
			int64_t step;

			if (lane->last < 0 || (kind == TIME && oracle->last_at[IDLE] > oracle->last_at[TIME]) ||
				(kind == IDLE && oracle->last_at[TIME] > oracle->last_at[IDLE]))
				continue;
			step = oracle->tariff->component[lane->last].step * (kind == ENERGY ? EB_WH : 1);
			while (step > 0 && lane->total % step != 0)
			{
				int64_t missing = step - lane->total % step;

				oracle_charge(oracle, lane->last, lane->last_peak, missing);
				lane->total += missing;
			}
		}
}

static inline Second
second_at(const Tariff *tariff, const EbSessionSegment *segment, int64_t at_us)
{
	int64_t local = at_us / EB_SECOND_US + (at_us < CHANGE_US ? 7200 : 3600);
	Second second = {.segment = segment, .at_us = at_us};

	second.minute = (int) (local % 86400 / 60);
	second.weekday = (int) ((local / 86400 + 5) % 7); /* 2000-01-01 was a Saturday */
	second.peak = clock_between(second.minute, tariff->peak_from, tariff->peak_to);
	second.powered = segment->ukwh > 0;
	return second;
}

static inline void
oracle_rate(const Tariff *tariff, const Case *c, EbSessionTotal *total)
{
	Oracle oracle = {.tariff = tariff, .c = c, .last_at = {-1, -1, -1, -1}};
	int64_t origin_us = c->session.start_us;
	int64_t units = 0;
	bool reserved = c->segment[0].state == EB_SESSION_RESERVE;

	for (int kind = 0; kind < FLAT; kind++)
		for (int i = 0; i < 3; i++)
			oracle.lane[kind][i].last = -1;
	for (int i = 0; i < tariff->n; i++)
		oracle.grace[i] = tariff->component[i].grace;
	for (int s = 0; s < c->session.nsegments; s++)
	{
		const EbSessionSegment *segment = &c->segment[s];

		if (reserved && segment->state != EB_SESSION_RESERVE)
			origin_us = segment->from_us;
		reserved = segment->state == EB_SESSION_RESERVE;
		for (int64_t at = segment->from_us; at < segment->to_us; at += EB_SECOND_US)
		{
			Second second = second_at(tariff, segment, at);
			bool taken[3] = {false, false, false};

			second.elapsed = (at - origin_us) / EB_SECOND_US;
			second.units = units;
			for (int i = 0; i < tariff->n; i++)
				if (tariff->component[i].kind < FLAT)
					oracle_measured(&oracle, i, &second, taken);
				else
					oracle_flat(&oracle, i, &second);
			units += second.powered;
		}
	}
	oracle_steps(&oracle);
	*total = (EbSessionTotal){0, 0};
	for (int i = 0; i < tariff->n; i++)
	{
		total->excl += oracle.cost[i];
		total->incl += oracle.cost[i] + oracle.cost[i] * tariff->component[i].vat / 100;
	}
	if (tariff->minimum > 0 && total->excl < (eb_int128) tariff->minimum * 1000000000000)
	{
		total->incl += (eb_int128) tariff->minimum * 1000000000000 - total->excl;
		total->excl = (eb_int128) tariff->minimum * 1000000000000;
	}
}

#endif /* ELECBILL_TEST_KIT_SESSION_ORACLE_H */
