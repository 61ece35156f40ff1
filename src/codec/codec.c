/*
 * codec.c -- the meter protocols this version speaks
 * In:  the name of a protocol as frame_decode and the collector's configuration give it.
 * Out: its codec. A protocol is added here and nowhere else.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 */
#include "codec/csvline.h"
#include "codec/dlt645.h"
#include "codec/dlt698.h"
#include "codec/hdlc.h"
#include "codec/iec62056.h"
#include "codec/mbus.h"
#include "codec/modbus.h"
#include "codec/p1.h"
#include "codec/sml.h"

#include <string.h>

static const EbCodec *const codecs[] = {
	&eb_csvline_codec,	  &eb_dlt645_codec, &eb_dlt645_1997_codec, &eb_modbus_codec,
	&eb_iec62056_codec,	  &eb_p1_codec,		&eb_mbus_codec,		   &eb_sml_codec,
	&eb_sml_quirks_codec, &eb_dlt698_codec, &eb_hdlc_codec,
};

const EbCodec *
eb_codec_at(size_t i)
{
	return i < sizeof(codecs) / sizeof(codecs[0]) ? codecs[i] : NULL;
}

const EbCodec *
eb_codec_find(const char *name, size_t n)
{
	const EbCodec *codec;
	const char *colon = memchr(name, ':', n);

	/* A register map may follow the name of Modbus; other protocols have nothing to say there. */
	if (colon != NULL)
		n = (size_t) (colon - name) == strlen("modbus") && memcmp(name, "modbus", 6) == 0 ? 6 : 0;
	for (size_t i = 0; (codec = eb_codec_at(i)) != NULL; i++)
		if (strlen(codec->name) == n && memcmp(codec->name, name, n) == 0)
			return codec;
	return NULL;
}
