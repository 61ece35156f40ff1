/*
 * kit_session.h -- a charging session in one call, as text, for tests of session rating
 * A session is written "START; STATE MINUTES KWH [kw=N] [amp=N]; ...": the parts follow each other
 * from START on; STATE is charge, idle, reserve, or gap for time without a segment. KWH "-": not
 * measured. Lines come back as kit_rate() gives them, tax lines as "vat ...".
 */
#ifndef ELECBILL_TEST_KIT_SESSION_H
#define ELECBILL_TEST_KIT_SESSION_H

#include "kit_rate.h"
#include "rating/session.h"

#define KIT_MAX_SEGMENTS 64
#define KIT_MAX_GROUPS 400

static EbSessionSegment kit_segment[KIT_MAX_SEGMENTS];
static EbSession kit_session_of;
static EbSessionGroup kit_group[KIT_MAX_GROUPS];

static inline int64_t
kit_micro(const char *number)
{
	int64_t value;

	if (eb_decimal_parse64(kit_text(number), 6, &value) != EB_OK)
		abort();
	return value;
}

/* "kw=N", "amp=N" behind a part */
static inline void
kit_more(EbSessionSegment *segment, const char *part)
{
	char number[40];
	const char *kw = strstr(part, "kw=");
	const char *amp = strstr(part, "amp=");

	if (kw != NULL && sscanf(kw, "kw=%39[0-9.]", number) == 1)
		segment->ukw = kit_micro(number);
	if (amp != NULL && sscanf(amp, "amp=%39[0-9.]", number) == 1)
		segment->uamp = kit_micro(number);
}

/* The session of the text, with the attributes of kit_begin() */
static inline const EbSession *
kit_session(const char *text)
{
	static const char *const state[] = {"charge", "idle", "reserve"};
	char copy[1000];
	char *part;
	int64_t at_us;

	snprintf(copy, sizeof(copy), "%s", text);
	kit_session_of = (EbSession){
		.segment = kit_segment,
		.expired = strstr(text, "expired") != NULL,
		.attr = kit_attr,
		.nattrs = kit_ctx.nattrs,
	};
	part = strtok(copy, ";");
	kit_session_of.start_us = at_us = kit_instant(part);
	while ((part = strtok(NULL, ";")) != NULL)
	{
		EbSessionSegment *segment = &kit_segment[kit_session_of.nsegments];
		char name[20];
		char minutes[40];
		char kwh[40];

		if (sscanf(part, " %19s %39s %39s", name, minutes, kwh) != 3)
			continue;
		*segment = (EbSessionSegment){
			at_us, at_us + 60 * kit_micro(minutes), 0, EB_SESSION_UNKNOWN, EB_SESSION_UNKNOWN, -1,
			0};
		at_us = segment->to_us;
		for (int i = 0; i < 3; i++)
			if (strcmp(name, state[i]) == 0)
				segment->state = i;
		if (strcmp(kwh, "-") != 0)
			*segment = (EbSessionSegment){segment->from_us,
										  segment->to_us,
										  kit_micro(kwh),
										  segment->ukw,
										  segment->uamp,
										  segment->state,
										  1};
		kit_more(segment, part);
		if (segment->state >= 0)
			kit_session_of.nsegments++;
	}
	return &kit_session_of;
}

static inline void
kit_session_text(const EbTariff *tariff)
{
	for (int i = 0; i < kit_nlines; i++)
	{
		if (i > 0)
			kit_add("; ");
		if (kit_line[i].role == EB_LINE_VAT)
			kit_add("vat ");
		kit_write_line(tariff, &kit_line[i]);
	}
}

/* Lines of a session, or "status message: detail" */
static inline const char *
kit_rate_session(const char *json, const char *session)
{
	const EbTariff *tariff = kit_json_tariff(json, &kit_fault);
	EbSessionSpace space = {kit_group, KIT_MAX_GROUPS, kit_line, KIT_MAX_LINES};
	EbStatus status = EB_BAD_ARGUMENT;

	kit_bill[kit_length = 0] = '\0';
	kit_nlines = 0;
	if (tariff != NULL)
		status = eb_session_rate(tariff, &kit_zone, kit_session(session), &space, &kit_nlines,
								 &kit_fault);
	if (status != EB_OK)
		kit_add("%d %s%s%s", (int) status, kit_fault.message,
				kit_fault.detail[0] != '\0' ? ": " : "", kit_fault.detail);
	else
		kit_session_text(tariff);
	return kit_bill;
}

/* "excl incl" */
static inline const char *
kit_session_total(const char *json, const char *session)
{
	EbSessionTotal total;
	const char *lines = kit_rate_session(json, session);
	const EbTariff *tariff = kit_json_tariff(json, &kit_fault);

	if (lines[0] >= '1' && lines[0] <= '9')
		return lines;
	if (eb_session_total(tariff, kit_line, kit_nlines, &total, &kit_fault) != EB_OK)
		return "overflow";
	kit_bill[kit_length = 0] = '\0';
	kit_number("", total.excl, EB_AMOUNT_SCALE);
	kit_number(" ", total.incl, EB_AMOUNT_SCALE);
	return kit_bill;
}

#endif /* ELECBILL_TEST_KIT_SESSION_H */
