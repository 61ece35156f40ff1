/*
 * intake.c -- from a frame to rows: which register, how many Wh, which flags
 * In:  frames of a bus with the instant of their first byte.
 * Out: rows of the queue; JSON lines for --once. Numbers stay decimal text or integers of Wh.
 * Source: doc/collector.md, doc/architecture.md.
 */
#include "intake.h"

#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "clock.h"

/* The meter's clock may be this far off before its time is flagged. */
#define CLOCK_OFF_MS INT64_C(300000)

/* A daily freeze older than this is not the one that was asked for. */
#define FREEZE_OLD_MS (2 * INT64_C(86400000))

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
	eb_json_text(out, row->serial);
	fputs(",\"register\":", out);
	eb_json_text(out, row->code);
	fprintf(out, ",\"read_at\":\"%s\",\"kwh\":\"%s\",\"quality\":%d",
			eb_clock_text(instant, row->read_at_ms), kwh, row->quality);
	if (row->meter_at_ms != EB_NO_INSTANT)
		fprintf(out, ",\"meter_at\":\"%s\"", eb_clock_text(instant, row->meter_at_ms));
	if (row->frame != NULL)
		print_hex(out, (EbBytes){row->frame, row->frame_len});
	fputs("}\n", out);
}

/*
 * kWh as text to whole Wh, cut toward zero to the decimals that are kept. Cumulative registers:
 * what is cut here is in a later reading.
 */
static bool
to_wh(const char *kwh, int decimals, int64_t *wh, bool *cut)
{
	static const int64_t step_of[] = {1000000, 100000, 10000, 1000};
	int64_t ukwh;

	if (eb_decimal_parse64((EbText){kwh, (int) strlen(kwh)}, EB_ENERGY_SCALE, &ukwh) != EB_OK)
		return false;
	*cut = ukwh % step_of[decimals] != 0;
	*wh = (ukwh - ukwh % step_of[decimals]) / EB_WH;
	return true;
}

static void
deliver(EbIntake *intake, const EbRow *row)
{
	if (intake->queue == NULL)
		return;
	if (eb_queue_put(intake->queue, row))
		intake->booked(intake->owner);
	else
		eb_log(EB_LOG_ERROR, "queue is full: readings are lost until the database takes some");
}

/* One value of a frame, unless the meter says that it has none. */
static void
book(EbIntake *intake, const Origin *origin, const EbFrameItem *item, const char *code)
{
	EbRow row;
	bool cut;

	memset(&row, 0, sizeof(row));
	if (item->absent || !to_wh(item->value, origin->meter->conf->decimals, &row.register_wh, &cut))
		return;
	row.serial = origin->meter->conf->serial;
	memcpy(row.code, code, EB_CODE_SIZE);
	row.read_at_ms = origin->read_at_ms;
	row.meter_at_ms = origin->meter_at_ms;
	row.quality = origin->quality | (cut ? EB_QUALITY_TRUNCATED : 0);
	if (row.quality != 0 || intake->conf->keep_frames)
	{
		row.frame = (uint8_t *) origin->bytes.data;
		row.frame_len = origin->bytes.len;
	}
	origin->meter->counts.rows++;
	if (intake->lines != NULL)
		print_row(intake->lines, &row);
	deliver(intake, &row);
}

/* Two values of one register never share an instant; see eb_intake_frame. */
static int64_t
own_instant(EbMeter *meter, int64_t at_ms)
{
	if (meter->last_read_ms != EB_NO_INSTANT && at_ms <= meter->last_read_ms &&
		at_ms > meter->last_read_ms - 1000)
		at_ms = meter->last_read_ms + 1;
	meter->last_read_ms = at_ms;
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

/* The register of an item: by its identifier, or the one of a CSV line. */
static bool
code_of(const EbIntake *intake, const EbMeterConf *conf, const EbFrameItem *item,
		char code[EB_CODE_SIZE])
{
	if (conf->port->protocol == EB_PROTOCOL_DLT645)
		return eb_config_code(intake->conf, conf, (uint32_t) strtoul(item->id, NULL, 16), code);
	snprintf(code, EB_CODE_SIZE, "%s", conf->ncodes > 0 ? conf->code[0] : "1.8.0");
	return true;
}

/* The meter's own time of a line, and whether it can be right. */
static void
take_meter_time(Origin *origin, const char *time, int64_t at_ms)
{
	origin->meter_at_ms = eb_clock_parse(time, 0);
	if (origin->meter_at_ms == EB_NO_INSTANT || llabs(origin->meter_at_ms - at_ms) > CLOCK_OFF_MS)
		origin->quality |= EB_QUALITY_METER_CLOCK_OFF;
}

void
eb_intake_frame(EbIntake *intake, EbMeter *meter, const EbFrame *frame, EbBytes bytes,
				int64_t at_ms, int quality)
{
	Origin origin = {meter, bytes, 0, EB_NO_INSTANT, quality};

	if (!clock_is_set(at_ms))
		return;
	origin.read_at_ms = own_instant(meter, at_ms);
	if (!frame->codec->checked)
		origin.quality |= EB_QUALITY_UNCHECKED;
	meter->counts.replies++;
	for (int i = 0; i < frame->nitems; i++)
	{
		const EbFrameItem *item = &frame->items[i];
		char code[EB_CODE_SIZE];

		if (meter->conf->port->protocol == EB_PROTOCOL_CSVLINE && item->time[0] != '\0')
			take_meter_time(&origin, item->time, at_ms);
		if (code_of(intake, meter->conf, item, code))
			book(intake, &origin, item, code);
	}
}

void
eb_intake_freeze(EbIntake *intake, EbMeter *meter, const EbFrame *frame, EbBytes bytes,
				 const char *frozen_at, int64_t at_ms, int quality)
{
	int64_t frozen_ms = eb_clock_parse(frozen_at, meter->conf->utc_offset_s);
	Origin origin = {meter, bytes, frozen_ms, frozen_ms, quality};

	if (!clock_is_set(at_ms))
		return;
	if (frozen_ms == EB_NO_INSTANT || frozen_ms > at_ms + CLOCK_OFF_MS ||
		frozen_ms < at_ms - FREEZE_OLD_MS)
	{
		meter->counts.error[EB_FRAME_VALUE]++;
		eb_log(EB_LOG_WARNING, "meter %s: daily freeze of \"%s\" is not booked",
			   meter->conf->serial, frozen_at);
		eb_intake_bad(intake, meter->conf->port, meter, "value", bytes, at_ms);
		return;
	}
	meter->counts.replies++;
	for (int i = 0; i < frame->nitems; i++)
	{
		const char *dot = strchr(frame->items[i].id, '.');
		uint32_t tariff = dot != NULL ? (uint32_t) strtoul(dot + 1, NULL, 10) : 0;
		char code[EB_CODE_SIZE];

		if (eb_config_code(intake->conf, meter->conf, 0x00010000 | tariff << 8, code))
			book(intake, &origin, &frame->items[i], code);
	}
}

/*
 * A line that is broken must fill neither the log nor the database: the rest of the minute is
 * counted only.
 */
static bool
may_tell(EbIntake *intake)
{
	int64_t minute = eb_clock_mono_ms() / 60000;

	if (minute != intake->bad_minute)
	{
		intake->bad_minute = minute;
		intake->bad_count = 0;
	}
	intake->bad_count++;
	if (intake->bad_count == BAD_PER_MINUTE + 1)
		eb_log(EB_LOG_WARNING, "%d refused frames within a minute: more are only counted",
			   BAD_PER_MINUTE);
	return intake->bad_count <= BAD_PER_MINUTE;
}

/* Half of the queue is for readings: noise must not take their place while the database is away. */
static bool
may_keep(const EbIntake *intake)
{
	return intake->queue != NULL && intake->conf->keep_bad_frames &&
		   intake->queue->count < intake->queue->size / 2;
}

void
eb_intake_bad(EbIntake *intake, const EbPortConf *port, const EbMeter *meter, const char *word,
			  EbBytes bytes, int64_t at_ms)
{
	const char *serial = meter != NULL ? meter->conf->serial : NULL;
	bool told = may_tell(intake);
	char shown[200];

	if (told)
		eb_log(EB_LOG_WARNING, "port %s meter %s: %s: %s", port->name,
			   serial != NULL ? serial : "unknown", word,
			   eb_log_bytes(shown, sizeof(shown), bytes.data, bytes.len));
	if (intake->lines != NULL)
	{
		fputs("{\"port\":", intake->lines);
		eb_json_text(intake->lines, port->name);
		fputs(",\"meter\":", intake->lines);
		eb_json_text(intake->lines, serial);
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
		row.frame = (uint8_t *) bytes.data;
		row.frame_len = bytes.len;
		deliver(intake, &row);
	}
}
