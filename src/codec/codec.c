/*
 * codec.c -- the meter protocols this version speaks
 * In:  the name of a protocol as frame_decode and the collector's configuration give it.
 * Out: its codec. A protocol is added here and nowhere else.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 */
#include "codec/csvline.h"
#include "codec/dlt645.h"

#include <string.h>

static const EbCodec *const codecs[] = {&eb_csvline_codec, &eb_dlt645_codec};

const EbCodec *
eb_codec_at(size_t i)
{
	return i < sizeof(codecs) / sizeof(codecs[0]) ? codecs[i] : NULL;
}

const EbCodec *
eb_codec_find(const char *name, size_t n)
{
	const EbCodec *codec;

	for (size_t i = 0; (codec = eb_codec_at(i)) != NULL; i++)
		if (strlen(codec->name) == n && memcmp(codec->name, name, n) == 0)
			return codec;
	return NULL;
}
