/*
 * dlt698_data.c -- what the APDU of a DL/T 698.45 frame says
 * In:  service, objects and their values, in the types of the standard. Out: items of the frame.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 *		GET     05 01 PIID OAD ..            05 02 PIID n (OAD) ..
 *		reply   85 01 PIID OAD result ..     85 02 PIID n (OAD result) ..
 *		report  88 01 PIID n (OAD result) ..
 *		result  01 value, or 00 DAR when the meter refuses
 *
 * Behind these a follow-up report and a time tag may stand; they say nothing of the values.
 */
#include "codec/dlt698.h"

#include <stdio.h>
#include <string.h>

#define SET_REQUEST 0x06
#define GET_RESPONSE 0x85
#define SET_RESPONSE 0x86
#define REPORT 0x88

#define ONE 1  /* choice: one object */
#define LIST 2 /* choice: several; of a report 1 */

/* Types that only this protocol has. */
#define TYPE_DATE_TIME 0x19	  /* year(2) month day weekday hour minute second ms(2) */
#define TYPE_DATE 0x1A		  /* year(2) month day weekday */
#define TYPE_TIME 0x1B		  /* hour minute second */
#define TYPE_DATE_TIME_S 0x1C /* year(2) month day hour minute second */
#define TYPE_OI 0x50
#define TYPE_OAD 0x51
#define TYPE_OMD 0x53
#define TYPE_TI 0x54 /* unit and count of an interval */
#define TYPE_SCALER_UNIT 0x59
#define TYPE_COMDCB 0x5F /* speed, parity, bits, stop bits, flow control of a port */

/* Arrays in arrays: the deepest object of a meter has three. */
#define MAX_DEPTH 4

/* An OAD, and numbers of elements behind it. */
#define ID_SIZE 32

/* How the numbers of an object are to be read. */
typedef struct Scale
{
	int exponent;
	const char *unit;
} Scale;

/*
 * Energies: active both ways, reactive combined and by quadrant, apparent both ways, each as total
 * and by phase. Attribute 2 has two places, attribute 4 four.
 */
static Scale
scale_of(uint32_t oad)
{
	unsigned oi = oad >> 16;
	unsigned kind = oi >> 4;
	unsigned attribute = oad >> 8 & 0x1F;
	Scale scale = {0, ""};

	if (kind > 0x0A || (oi & 0x0F) > 3 || (attribute != 2 && attribute != 4))
		return scale;
	scale.exponent = attribute == 2 ? -2 : -4;
	scale.unit = kind <= 2 ? "kWh" : kind <= 8 ? "kvarh" : "kVAh";
	return scale;
}

/* Bytes of a type of this protocol alone, or -1. */
static int
own_size(uint8_t type)
{
	switch (type)
	{
		case TYPE_DATE_TIME:
			return 10;
		case TYPE_DATE:
			return 5;
		case TYPE_TIME:
		case TYPE_TI:
			return 3;
		case TYPE_DATE_TIME_S:
			return 7;
		case TYPE_COMDCB:
			return 5;
		case TYPE_OI:
		case TYPE_SCALER_UNIT:
			return 2;
		case TYPE_OAD:
		case TYPE_OMD:
			return 4;
	}
	return -1;
}

/* As eb_axdr_value, with the types of this protocol. */
static EbFrameError
take_value(EbAxdr *in, EbAxdrValue *value)
{
	int size = in->left > 0 ? own_size(in->at[0]) : -1;

	if (size < 0)
		return eb_axdr_value(in, value);
	eb_axdr_byte(in, &value->type);
	value->n = (size_t) size;
	return eb_axdr_take(in, value->n, &value->bytes) ? EB_FRAME_OK : EB_FRAME_STRUCTURE;
}

/* A date alone has no time of day, so that of midnight is written and cut off again. */
static EbFrameRef
keep_date(EbFrame *frame, const uint8_t *date)
{
	static const uint8_t midnight[3] = {0, 0, 0};
	EbFrameRef ref = eb_axdr_keep_moment(frame, date, midnight);

	if (ref != 0)
		frame->text[ref + 10] = '\0';
	return ref;
}

static EbFrameRef
keep_clock(EbFrame *frame, const uint8_t *clock)
{
	if (clock[0] > 23 || clock[1] > 59 || clock[2] > 59)
		return 0;
	return eb_frame_keep_as(frame, "%02d:%02d:%02d", clock[0], clock[1], clock[2]);
}

/* A value that is no list, as an item; an impossible date is absent, not a value. */
static EbFrameError
keep_plain(EbFrame *frame, EbFrameItem *item, const EbAxdrValue *value, Scale scale)
{
	switch (value->type)
	{
		case EB_AXDR_NULL:
			item->unit = eb_frame_keep(frame, scale.unit, strlen(scale.unit));
			break;
		case EB_AXDR_FLOAT32:
			item->unit = eb_frame_keep(frame, scale.unit, strlen(scale.unit));
			return eb_axdr_keep_float32(frame, item, value, 0);
		case EB_AXDR_FLOAT64:
			return EB_FRAME_VALUE;
		case EB_AXDR_VISIBLE:
		case EB_AXDR_UTF8:
			eb_axdr_keep_string(frame, item, value->bytes, value->n);
			break;
		case TYPE_DATE_TIME:
			item->value = eb_axdr_keep_moment(frame, value->bytes, value->bytes + 5);
			break;
		case TYPE_DATE_TIME_S:
			item->value = eb_axdr_keep_moment(frame, value->bytes, value->bytes + 4);
			break;
		case TYPE_DATE:
			item->value = keep_date(frame, value->bytes);
			break;
		case TYPE_TIME:
			item->value = keep_clock(frame, value->bytes);
			break;
		default:
			if (!eb_axdr_is_integer(value->type))
			{
				item->value = eb_frame_keep_hex(frame, value->bytes, value->n);
				break;
			}
			item->unit = eb_frame_keep(frame, scale.unit, strlen(scale.unit));
			return eb_axdr_keep_integer(frame, item, value, scale.exponent);
	}
	item->absent = item->value == 0;
	return EB_FRAME_OK;
}

/*
 * A number and its moment, as maximum demands have them, is one item: *value is then the number.
 * false: another value, nothing is taken and *value stays what it was.
 */
static bool
take_demand(EbAxdr *in, EbAxdrValue *value, EbAxdrValue *moment)
{
	EbAxdr ahead = *in;
	EbAxdrValue number;

	if (value->type != EB_AXDR_STRUCTURE || value->n != 2 ||
		take_value(&ahead, &number) != EB_FRAME_OK || !eb_axdr_is_integer(number.type) ||
		take_value(&ahead, moment) != EB_FRAME_OK || moment->type != TYPE_DATE_TIME_S)
		return false;
	*in = ahead;
	*value = number;
	return true;
}

/* The element's name: arrays of an object count up its index, deeper ones get a number behind. */
static void
name_element(const char *of, uint32_t oad, int depth, unsigned number, char id[ID_SIZE])
{
	if (depth == 0)
		snprintf(id, ID_SIZE, "%08X", (oad & 0xFFFFFF00) | number);
	else
		snprintf(id, ID_SIZE, "%.23s.%u", of, number);
}

static EbFrameError
read_value(EbAxdr *in, EbFrame *frame, const char *id, uint32_t oad, int depth)
{
	EbAxdrValue value, moment;
	EbFrameItem *item;
	EbFrameError error = take_value(in, &value);
	bool demand;

	if (error != EB_FRAME_OK)
		return error;
	demand = take_demand(in, &value, &moment);
	if (!demand && eb_axdr_is_list(value.type))
	{
		char name[ID_SIZE];

		/* An index has one byte, and no list of a meter has more elements. */
		if (depth == MAX_DEPTH || value.n > 255)
			return EB_FRAME_STRUCTURE;
		for (unsigned k = 1; k <= value.n && error == EB_FRAME_OK; k++)
		{
			name_element(id, oad, depth, k, name);
			error = read_value(in, frame, name, oad, depth + 1);
		}
		return error;
	}
	item = eb_frame_item(frame, id);
	if (item == NULL)
		return EB_FRAME_TOO_LONG;
	if (demand)
		item->time = eb_axdr_keep_moment(frame, moment.bytes, moment.bytes + 4);
	return keep_plain(frame, item, &value, scale_of(oad));
}

/* Why there is no value, or that something was set (0). */
static EbFrameError
read_dar(EbAxdr *in, EbFrameDlt698 *own)
{
	uint8_t dar;

	if (!eb_axdr_byte(in, &dar))
		return EB_FRAME_STRUCTURE;
	if (dar != 0 || own->dar < 0)
		own->dar = dar;
	return EB_FRAME_OK;
}

/* A result: a value, or the reason why there is none. */
static EbFrameError
read_result(EbAxdr *in, EbFrame *frame, uint32_t oad)
{
	EbFrameDlt698 *own = &frame->dlt698;
	char id[ID_SIZE];
	uint8_t choice;

	if (!eb_axdr_byte(in, &choice) || choice > 1)
		return EB_FRAME_STRUCTURE;
	if (choice == 1)
	{
		snprintf(id, sizeof(id), "%08X", oad);
		return read_value(in, frame, id, oad, 0);
	}
	return read_dar(in, own);
}

/* The objects of a service, each with what it has behind it. */
static EbFrameError
read_objects(EbAxdr *in, EbFrame *frame, size_t n)
{
	EbFrameDlt698 *own = &frame->dlt698;
	EbFrameError error = EB_FRAME_OK;

	if (n > EB_DLT698_MAX_OADS)
		return EB_FRAME_TOO_LONG;
	for (; n > 0 && error == EB_FRAME_OK; n--)
	{
		const uint8_t *oad;

		if (!eb_axdr_take(in, 4, &oad))
			return EB_FRAME_STRUCTURE;
		own->oad[own->noads] =
			(uint32_t) oad[0] << 24 | (uint32_t) oad[1] << 16 | (uint32_t) oad[2] << 8 | oad[3];
		if (own->service == EB_DLT698_GET_RESPONSE || own->service == EB_DLT698_REPORT)
			error = read_result(in, frame, own->oad[own->noads]);
		else if (own->service == EB_DLT698_SET_RESPONSE)
			error = read_dar(in, own);
		own->noads++;
	}
	return frame->full ? EB_FRAME_TOO_LONG : error;
}

static EbDlt698Service
service_of(int tag)
{
	switch (tag)
	{
		case EB_DLT698_GET:
			return EB_DLT698_GET_REQUEST;
		case GET_RESPONSE:
			return EB_DLT698_GET_RESPONSE;
		case SET_REQUEST:
			return EB_DLT698_SET_REQUEST;
		case SET_RESPONSE:
			return EB_DLT698_SET_RESPONSE;
		case REPORT:
			return EB_DLT698_REPORT;
	}
	return EB_DLT698_OTHER;
}

EbFrameError
eb_dlt698_apdu(const uint8_t *bytes, size_t n, EbFrame *frame)
{
	EbFrameDlt698 *own = &frame->dlt698;
	EbAxdr in = {bytes, n};
	uint8_t choice, piid;
	uint8_t count = 1;

	own->tag = bytes[0];
	own->service = service_of(own->tag);
	if (own->service == EB_DLT698_OTHER)
		return EB_FRAME_OK;
	in.at++;
	in.left--;
	if (!eb_axdr_byte(&in, &choice) || !eb_axdr_byte(&in, &piid))
		return EB_FRAME_STRUCTURE;
	own->piid = piid & 0x3F;
	/* What a SET writes is none of a reader's business: of one object its name, of a list nothing. */
	if (choice != ONE && (choice != LIST || own->service == EB_DLT698_REPORT ||
						  own->service == EB_DLT698_SET_REQUEST))
		return EB_FRAME_OK;
	if ((choice == LIST || own->service == EB_DLT698_REPORT) && !eb_axdr_byte(&in, &count))
		return EB_FRAME_STRUCTURE;
	return read_objects(&in, frame, count);
}
