/*
 * meter.c -- a meter while the collector runs: breaker, identity
 * In:  how its slots ended, what it called itself, the time. Out: whether to ask it, and to book it.
 * Source: doc/collector.md.
 */
#include "meter.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

#define DAY_MS INT64_C(86400000)
#define FAILURES 3
#define PROBE_FIRST_MS INT64_C(5000)
#define PROBE_LAST_MS INT64_C(900000)

void
eb_meter_init(EbMeter *meter, const EbMeterConf *conf)
{
	memset(meter, 0, sizeof(*meter));
	meter->conf = conf;
	meter->tariffs = -1;
	meter->last_read_ms = meter->last_came_ms = meter->last_ok_ms = EB_NO_INSTANT;
	meter->identity.known_ms = EB_NO_INSTANT;
	if (strlen(conf->address) < sizeof(meter->address))
		memcpy(meter->address, conf->address, strlen(conf->address) + 1);
}

void
eb_meter_free(EbMeter *meter)
{
	free(meter->last);
	meter->last = NULL;
	meter->nlast = 0;
}

/* Where it is asked otherwise than before, what failed there says nothing. */
void
eb_meter_inherit(EbMeter *meter, EbMeter *old)
{
	bool same_line = meter->conf->port->protocol == old->conf->port->protocol &&
					 strcmp(meter->conf->address, old->conf->address) == 0;
	bool same_name = meter->conf->identity != NULL && old->conf->identity != NULL &&
					 strcmp(meter->conf->identity, old->conf->identity) == 0;

	meter->counts = old->counts;
	meter->last_read_ms = old->last_read_ms;
	meter->last_came_ms = old->last_came_ms;
	meter->last_ok_ms = old->last_ok_ms;
	meter->last = old->last;
	meter->nlast = old->nlast;
	old->last = NULL;
	old->nlast = 0;
	if (same_name)
		meter->identity = old->identity;
	if (!same_line)
		return;
	meter->breaker = old->breaker;
	meter->tariffs = old->tariffs;
	memcpy(meter->address, old->address, sizeof(meter->address));
}

bool
eb_breaker_failed(EbBreaker *breaker, int64_t now_ms)
{
	bool opens = !breaker->open && breaker->failures + 1 >= FAILURES;

	breaker->failures++;
	if (opens)
	{
		breaker->open = true;
		breaker->delay_ms = PROBE_FIRST_MS;
	}
	else if (breaker->open)
		breaker->delay_ms =
			breaker->delay_ms < PROBE_LAST_MS / 2 ? 2 * breaker->delay_ms : PROBE_LAST_MS;
	breaker->probe_ms = now_ms + breaker->delay_ms;
	return opens;
}

bool
eb_breaker_answered(EbBreaker *breaker)
{
	bool was_open = breaker->open;

	memset(breaker, 0, sizeof(*breaker));
	return was_open;
}

/* While another device answers it is asked each time, so that the right one is known at once. */
bool
eb_identity_due(const EbMeter *meter, int64_t now_ms)
{
	const EbIdentity *identity = &meter->identity;

	if (meter->conf->identity == NULL)
		return false;
	return identity->foreign || identity->known_ms == EB_NO_INSTANT ||
		   llabs(now_ms - identity->known_ms) >= DAY_MS ||
		   (meter->last_ok_ms != EB_NO_INSTANT && llabs(now_ms - meter->last_ok_ms) >= DAY_MS);
}

/* Without case, and without zeros in front: a number on a label has as many as it has room for. */
static bool
same_name(const char *a, const char *b)
{
	a += strspn(a, "0");
	b += strspn(b, "0");
	while (*a != '\0' && toupper((unsigned char) *a) == toupper((unsigned char) *b))
		a++, b++;
	return *a == '\0' && *b == '\0';
}

bool
eb_identity_take(EbMeter *meter, const char *name, int64_t now_ms, bool *changed)
{
	EbIdentity *identity = &meter->identity;
	bool was_foreign = identity->foreign;
	bool tells = name[strspn(name, "0 ")] != '\0'; /* a number of zeros was never set */

	if (meter->conf->identity == NULL)
		return true;
	identity->known_ms = now_ms;
	identity->foreign = tells && !same_name(name, meter->conf->identity);
	snprintf(identity->seen, sizeof(identity->seen), "%s", tells ? name : "");
	*changed = identity->foreign != was_foreign;
	return !identity->foreign;
}

const char *
eb_identity_of(const EbFrame *frame)
{
	static const char *const ids[] = {"0-0:96.1.1",	   "0-0:96.1.0", "0-0:42.0.0", "1-0:96.1.0*255",
									  "1-0:0.0.9*255", "C.1.0",		 "C.1",		   "0.0.0",
									  "0-0:96.1.0*255"};

	for (size_t k = 0; k < sizeof(ids) / sizeof(ids[0]); k++)
		for (int i = 0; i < frame->nitems; i++)
			if (strcmp(eb_frame_get(frame, frame->items[i].id), ids[k]) == 0)
				return eb_frame_get(frame, frame->items[i].value);
	return frame->address;
}
