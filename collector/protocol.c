/*
 * protocol.c -- what the collector knows of each protocol
 * In:  a protocol of the configuration. Out: its codec, who begins to speak, the usual line.
 * Source: doc/collector.md (timing).
 */
#include "protocol.h"

#include <string.h>

#include "codec/csvline.h"
#include "codec/hdlc.h"
#include "codec/p1.h"
#include "codec/sml.h"

#define PREAMBLE 0xFE

static const EbProtocolInfo protocols[EB_PROTOCOLS] = {
	[EB_PROTOCOL_DLT645] = {.codec = &eb_dlt645_codec,
							.ask = &eb_ask_dlt645,
							.line = {2400, 8, 'E', 1},
							.pause_ms = 20,
							.reply_ms = 500,
							.gap_ms = 500,
							.interval_s = 900,
							.named = true,
							.preamble = PREAMBLE},
	[EB_PROTOCOL_DLT645_1997] = {.codec = &eb_dlt645_1997_codec,
								 .ask = &eb_ask_dlt645,
								 .line = {1200, 8, 'E', 1},
								 .pause_ms = 20,
								 .reply_ms = 500,
								 .gap_ms = 500,
								 .interval_s = 900,
								 .named = true,
								 .preamble = PREAMBLE},
	[EB_PROTOCOL_MODBUS] = {.codec = &eb_modbus_codec,
							.ask = &eb_ask_modbus,
							.line = {9600, 8, 'N', 1},
							.pause_ms = 20,
							.reply_ms = 500,
							.gap_ms = 100,
							.interval_s = 900,
							.preamble = -1},
	[EB_PROTOCOL_MBUS] = {.codec = &eb_mbus_codec,
						  .ask = &eb_ask_mbus,
						  .line = {2400, 8, 'E', 1},
						  .pause_ms = 20,
						  .reply_ms = 500,
						  .gap_ms = 200,
						  .interval_s = 900,
						  .preamble = -1},
	[EB_PROTOCOL_IEC62056] = {.codec = &eb_iec62056_codec,
							  .ask = &eb_ask_iec62056,
							  .line = {300, 7, 'E', 1},
							  .pause_ms = 200,
							  .reply_ms = 1500,
							  .gap_ms = 1500,
							  .interval_s = 900,
							  .preamble = -1},
	[EB_PROTOCOL_DLT698] = {.codec = &eb_dlt698_codec,
							.ask = &eb_ask_dlt698,
							.line = {9600, 8, 'E', 1},
							.pause_ms = 20,
							.reply_ms = 500,
							.gap_ms = 500,
							.interval_s = 900,
							.named = true,
							.preamble = PREAMBLE},
	[EB_PROTOCOL_CSVLINE] = {.codec = &eb_csvline_codec,
							 .line = {9600, 8, 'N', 1},
							 .gap_ms = 2000,
							 .named = true,
							 .preamble = -1},
	[EB_PROTOCOL_P1] = {.codec = &eb_p1_codec,
						.line = {115200, 8, 'N', 1},
						.gap_ms = 1000,
						.interval_s = 900,
						.preamble = -1},
	[EB_PROTOCOL_SML] = {.codec = &eb_sml_codec,
						 .line = {9600, 8, 'N', 1},
						 .gap_ms = 500,
						 .interval_s = 900,
						 .preamble = -1},
	[EB_PROTOCOL_SML_QUIRKS] = {.codec = &eb_sml_quirks_codec,
								.line = {9600, 8, 'N', 1},
								.gap_ms = 500,
								.interval_s = 900,
								.preamble = -1},
	[EB_PROTOCOL_HDLC] = {.codec = &eb_hdlc_codec,
						  .line = {2400, 8, 'E', 1},
						  .gap_ms = 500,
						  .interval_s = 900,
						  .preamble = -1},
};

const EbProtocolInfo *
eb_protocol(EbProtocol protocol)
{
	return &protocols[protocol];
}

bool
eb_protocol_find(const char *name, EbProtocol *protocol)
{
	for (int i = 0; i < EB_PROTOCOLS; i++)
		if (strcmp(protocols[i].codec->name, name) == 0)
		{
			*protocol = (EbProtocol) i;
			return true;
		}
	return false;
}
