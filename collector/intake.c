/*
 * intake.c -- from a frame to rows: which register, how many Wh, which flags
 * In:  frames of a bus with the instant of their first byte.
 * Out: rows of the spool; JSON lines for --once. Numbers stay decimal text or integers of Wh.
 * Source: doc/collector.md, doc/architecture.md.
 */
#include "intake.h"

#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/decimal.h"
#include "clock.h"
#include "codec/p1.h"
#include "register.h"

/* The meter's clock may be this far off before its time is flagged. */
#define CLOCK_OFF_MS INT64_C(300000)

/* A daily freeze older than this is not the one that was asked for. */
#define FREEZE_OLD_MS (2 * INT64_C(86400000))

/* A line that is broken must fill neither the log nor the database. */
#define BAD_PER_MINUTE 120

/* What all rows of one frame have in common. */
typedef struct Origin
{
	EbMeter *meter;
	EbBytes bytes;
	int64_t read_at_ms;
	int64_t meter_at_ms;
	int quality;
} Origin;

static void
print_hex(FILE *out, EbBytes bytes)
{
	fputs(",\"frame\":\"", out);
	for (size_t i = 0; i < bytes.len; i++)
		fprintf(out, "%02x", bytes.data[i]);
	fputc('"', out);
}

static void
print_row(FILE *out, const EbRow *row)
{
	char instant[EB_CLOCK_TEXT];
	char kwh[EB_DECIMAL_TEXT];

	eb_decimal_format(row->register_wh, 3, kwh);
	fputs("{\"meter\":", out);
	eb_json_put_text(out, row->serial);
	fputs(",\"register\":", out);
	eb_json_put_text(out, row->code);
	fprintf(out, ",\"read_at\":\"%s\",\"kwh\":\"%s\",\"quality\":%d",
			eb_clock_text(instant, row->read_at_ms), kwh, row->quality);
	if (row->meter_at_ms != EB_NO_INSTANT)
		fprintf(out, ",\"meter_at\":\"%s\"", eb_clock_text(instant, row->meter_at_ms));
	if (row->frame != NULL)
		print_hex(out, (EbBytes){row->frame, row->frame_len});
	fputs("}\n", out);
}

static void
deliver(EbIntake *intake, const EbRow *row)
{
	if (intake->spool != NULL)
		eb_spool_put(intake->spool, row); /* what finds no room is counted and told there */
}

/* The last value of a register of a meter; NULL: there is no memory. */
static EbLast *
last_of(EbMeter *meter, const char *code)
{
	EbLast *last;

	for (int i = 0; i < meter->nlast; i++)
		if (strcmp(meter->last[i].code, code) == 0)
			return &meter->last[i];
	last = realloc(meter->last, ((size_t) meter->nlast + 1) * sizeof(EbLast));
	if (last == NULL)
		return NULL;
	meter->last = last;
	last = &meter->last[meter->nlast++];
	snprintf(last->code, sizeof(last->code), "%s", code);
	last->read_at_ms = EB_NO_INSTANT;
	return last;
}

/*
 * More than the meter can have drawn since the value before, and a fifth: W times ms are Wh times
 * 3,600,000. Also a value that comes before the former one, or after a day's gap, is compared with it.
 */
static bool
is_jump(EbMeter *meter, const EbRow *row)
{
	EbLast *last = meter->conf->max_kw > 0 ? last_of(meter, row->code) : NULL;
	bool jump = false;

	if (last == NULL || row->read_at_ms <= last->read_at_ms)
		return false;
	if (last->read_at_ms != EB_NO_INSTANT)
	{
		__int128 grown = (__int128) row->register_wh - last->register_wh;
		__int128 most =
			(__int128) meter->conf->max_kw * 1200 * (row->read_at_ms - last->read_at_ms);

		jump = grown * 3600000 > most;
	}
	last->register_wh = row->register_wh;
	last->read_at_ms = row->read_at_ms;
	return jump;
}

/* One value of a frame; empty: the meter says that it has none. True when it is booked. */
static bool
book(EbIntake *intake, const Origin *origin, const char *value, const char *unit, const char *code)
{
	EbRow row;
	bool cut;

	memset(&row, 0, sizeof(row));
	if (value[0] == '\0' ||
		!eb_register_wh(value, unit, origin->meter->conf->decimals, &row.register_wh, &cut))
		return false;
	row.serial = origin->meter->conf->serial;
	snprintf(row.code, sizeof(row.code), "%s", code);
	row.read_at_ms = origin->read_at_ms;
	row.meter_at_ms = origin->meter_at_ms;
	row.quality = origin->quality | (cut ? EB_QUALITY_TRUNCATED : 0) |
				  (is_jump(origin->meter, &row) ? EB_QUALITY_JUMP : 0);
	if (row.quality != 0 || intake->conf->keep_frames)
	{
		row.frame = origin->bytes.data;
		row.frame_len = origin->bytes.len;
	}
	origin->meter->counts.rows++;
	if (intake->lines != NULL)
		print_row(intake->lines, &row);
	deliver(intake, &row);
	return true;
}

/* Two values of one register never share an instant; see eb_intake_frame. */
static int64_t
own_instant(EbMeter *meter, int64_t at_ms)
{
	int64_t came_ms = at_ms;

	/* a clock that was set back by a second and more is believed */
	if (meter->last_read_ms != EB_NO_INSTANT && at_ms <= meter->last_read_ms &&
		at_ms > meter->last_came_ms - 1000)
		at_ms = meter->last_read_ms + 1;
	meter->last_read_ms = at_ms;
	meter->last_came_ms = came_ms;
	return at_ms;
}

static bool
clock_is_set(int64_t at_ms)
{
	if (at_ms >= EB_CLOCK_EARLIEST_MS)
		return true;
	eb_log(EB_LOG_ERROR, "the clock of this computer is not set: nothing is booked");
	return false;
}

/* The meter's own time of a frame, and whether it can be right. */
static void
take_meter_time(Origin *origin, int64_t meter_at_ms, int64_t at_ms)
{
	origin->meter_at_ms = meter_at_ms;
	if (meter_at_ms == EB_NO_INSTANT || llabs(meter_at_ms - at_ms) > CLOCK_OFF_MS)
		origin->quality |= EB_QUALITY_METER_CLOCK_OFF;
}

/* Time of a P1 telegram, whose letter says whether it is summer. */
static int64_t
p1_time(const EbMeterConf *conf, const char *text)
{
	int64_t at_us;

	if (!eb_p1_instant(text, conf->utc_offset_s, &at_us))
		return EB_NO_INSTANT;
	return at_us / 1000 + EB_UNIX_TO_2000_S * 1000;
}

/* What a frame says of its time: a CSV line always tells the zone, the others need it configured. */
static void
find_meter_time(Origin *origin, const EbFrame *frame, int64_t at_ms)
{
	const EbMeterConf *conf = origin->meter->conf;
	EbProtocol protocol = conf->port->protocol;

	if (protocol == EB_PROTOCOL_CSVLINE && frame->items[0].time != 0)
		take_meter_time(origin, eb_clock_parse(eb_frame_get(frame, frame->items[0].time), 0),
						at_ms);
	if (!conf->has_offset)
		return;
	if (protocol == EB_PROTOCOL_HDLC && frame->hdlc.time != 0)
		take_meter_time(origin,
						eb_clock_parse(eb_frame_get(frame, frame->hdlc.time), conf->utc_offset_s),
						at_ms);
	for (int i = 0; i < frame->nitems && protocol == EB_PROTOCOL_P1; i++)
		if (strcmp(eb_frame_get(frame, frame->items[i].id), EB_P1_TIME_ID) == 0)
			take_meter_time(origin, p1_time(conf, eb_frame_get(frame, frame->items[i].value)),
							at_ms);
}

/* Whether the code was booked from a former item of the frame: two channels of one quantity. */
static bool
is_repeated(const EbIntake *intake, const EbMeterConf *conf, const EbFrame *frame, int item,
			const char *code)
{
	char other[EB_CODE_SIZE];
	const char *unit;

	for (int i = 0; i < item; i++)
		if (!frame->items[i].absent &&
			eb_register_code(intake->conf, conf, eb_frame_get(frame, frame->items[i].id), other,
							 &unit) &&
			strcmp(other, code) == 0)
			return true;
	return false;
}

int
eb_intake_frame(EbIntake *intake, EbMeter *meter, const EbFrame *frame, EbBytes bytes,
				int64_t at_ms, int quality)
{
	Origin origin = {meter, bytes, 0, EB_NO_INSTANT, quality};
	int rows = 0;

	if (!clock_is_set(at_ms))
		return 0;
	origin.read_at_ms = own_instant(meter, at_ms);
	if (!frame->checked)
		origin.quality |= EB_QUALITY_UNCHECKED;
	if (intake->conf->ntp && !eb_clock_synced())
		origin.quality |= EB_QUALITY_CLOCK_UNSYNCED;
	find_meter_time(&origin, frame, at_ms);
	meter->counts.replies++;
	for (int i = 0; i < frame->nitems; i++)
	{
		const EbFrameItem *item = &frame->items[i];
		char code[EB_CODE_SIZE];
		const char *unit;

		if (!item->absent &&
			eb_register_code(intake->conf, meter->conf, eb_frame_get(frame, item->id), code,
							 &unit) &&
			!is_repeated(intake, meter->conf, frame, i, code))
			rows += book(intake, &origin, eb_frame_get(frame, item->value),
						 unit != NULL ? unit : eb_frame_get(frame, item->unit), code);
	}
	return rows;
}

int
eb_intake_freeze(EbIntake *intake, EbMeter *meter, const EbFrame *frame, EbBytes bytes,
				 const char *frozen_at, int64_t at_ms, int quality)
{
	int64_t frozen_ms = eb_clock_parse(frozen_at, meter->conf->utc_offset_s);
	Origin origin = {meter, bytes, frozen_ms, frozen_ms, quality};
	int rows = 0;

	if (!clock_is_set(at_ms))
		return 0;
	if (frozen_ms == EB_NO_INSTANT || frozen_ms > at_ms + CLOCK_OFF_MS ||
		frozen_ms < at_ms - FREEZE_OLD_MS)
	{
		meter->counts.error[EB_FRAME_VALUE]++;
		eb_log(EB_LOG_WARNING, "meter %s: daily freeze of \"%s\" is not booked",
			   meter->conf->serial, frozen_at);
		eb_intake_bad(intake, meter->conf->port, meter, "value", bytes, at_ms);
		return 0;
	}
	if (intake->conf->ntp && !eb_clock_synced())
		origin.quality |= EB_QUALITY_CLOCK_UNSYNCED;
	meter->counts.replies++;
	for (int i = 0; i < frame->nitems; i++)
	{
		const EbFrameItem *item = &frame->items[i];
		const char *dot = strchr(eb_frame_get(frame, item->id), '.');
		unsigned tariff = dot != NULL ? (unsigned) strtoul(dot + 1, NULL, 10) : 0;
		char as[16];
		char code[EB_CODE_SIZE];
		const char *unit;

		/* 0506 01nn is the block 0001FF00 of that midnight */
		snprintf(as, sizeof(as), "0001%02X00", tariff & 0xFF);
		if (!item->absent && eb_register_code(intake->conf, meter->conf, as, code, &unit))
			rows += book(intake, &origin, eb_frame_get(frame, item->value),
						 eb_frame_get(frame, item->unit), code);
	}
	return rows;
}

/* Half of the spool is for readings: noise must not take their place while the database is away. */
static bool
may_keep(const EbIntake *intake)
{
	return intake->spool != NULL && intake->conf->keep_bad_frames && eb_spool_roomy(intake->spool);
}

void
eb_intake_bad(EbIntake *intake, const EbPortConf *port, const EbMeter *meter, const char *word,
			  EbBytes bytes, int64_t at_ms)
{
	const char *serial = meter != NULL ? meter->conf->serial : NULL;
	bool told = eb_log_share(&intake->bad, BAD_PER_MINUTE, "refused frames");
	char shown[200];

	if (told)
		eb_log(EB_LOG_WARNING, "port %s meter %s: %s: %s", port->name,
			   serial != NULL ? serial : "unknown", word,
			   eb_log_bytes(shown, sizeof(shown), bytes.data, bytes.len));
	if (intake->lines != NULL)
	{
		fputs("{\"port\":", intake->lines);
		eb_json_put_text(intake->lines, port->name);
		fputs(",\"meter\":", intake->lines);
		eb_json_put_text(intake->lines, serial);
		fprintf(intake->lines, ",\"error\":\"%s\"", word);
		print_hex(intake->lines, bytes);
		fputs("}\n", intake->lines);
	}
	if (told && bytes.len > 0 && may_keep(intake) && clock_is_set(at_ms))
	{
		EbRow row;

		memset(&row, 0, sizeof(row));
		row.serial = serial;
		row.read_at_ms = at_ms;
		row.meter_at_ms = EB_NO_INSTANT;
		row.frame = bytes.data;
		row.frame_len = bytes.len;
		deliver(intake, &row);
	}
}
