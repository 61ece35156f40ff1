/*
 * obis.h -- what meters that write text share: the line id(value*unit), and OBIS codes
 * In:  characters of a telegram, or the six bytes of a code; out: items of a frame, text.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 * IEC 62056-21 and DSMR P1 send such lines; SML and DLMS name their values by the six bytes.
 */
#ifndef EB_CODEC_OBIS_H
#define EB_CODEC_OBIS_H

#include "codec/frame.h"

/* Longest id of a line; a line with a longer one is no item. */
#define EB_OBIS_MAX_ID 63

/* "255-255:255.255.255*255" with its terminator. */
#define EB_OBIS_TEXT_SIZE 24

/* "1.8.255" with its terminator. */
#define EB_OBIS_CODE_SIZE 8

/*
 * The lines of a telegram (n characters, each line ended by LF, the last perhaps not) to items of
 * *frame, behind those it has. A line that is not
 *		id(value)		id(value*unit)		id(time)(value*unit)		id(value*unit)(time)
 * or several of these in a row, is no item: more brackets (profiles, lists), none, or an id with a
 * blank, ! or /. Of two brackets the one with a unit is the value (IEC 62056-21 writes a maximum in
 * front of its moment, DSMR behind it), else the second. A value with a unit loses its leading zeros;
 * one without stays as it is sent, but for blanks around it, because serial numbers keep their zeros.
 * Empty brackets give an empty value, which is not "absent". Too many items: frame->full.
 */
extern void eb_obis_lines(EbFrame *frame, const char *text, size_t n);

/*
 * Whether the n bytes of a line (without LF) are an identification: "/", three letters and at least
 * one more character, printable and none of / ! ( ). Bit 7 does not count. A telegram inside of
 * which such a line begins has lost its end.
 */
extern bool eb_obis_is_head(const uint8_t *line, size_t n);

/* Whether an identification begins anywhere in the n bytes of a line. */
extern bool eb_obis_has_head(const uint8_t *line, size_t n);

/* Six bytes as "A-B:C.D.E*F" in decimal. out has EB_OBIS_TEXT_SIZE bytes. */
extern void eb_obis_text(const uint8_t name[6], char *out);

/* The unit of a DLMS unit code (1E: "Wh"), or NULL when it is none of those meters of energy send. */
extern const char *eb_obis_unit(unsigned code);

/* An id taken apart; -1: this part is not said. */
typedef struct EbObis
{
	int a; /* medium: 1 electricity */
	int b; /* channel: 0 none */
	int c;
	int d;
	int e;
	int f; /* 255 the present value; below 100 the value of a previous period */
} EbObis;

/*
 * An id of numbers, [A-B:]C.D[.E[*F]], each 0..255; "." and "&" may stand for "*". false: any other
 * (C.1.0, F.F), *obis is then unchanged.
 */
extern bool eb_obis_parse(const char *id, EbObis *obis);

/*
 * The register code ("1.8.0", "2.8.1") an id stands for when nobody says otherwise: active energy
 * imported (1.8.E) or exported (2.8.E) of the meter itself, present value. false: another id, a
 * previous period ("1.8.0*1"), another medium or channel. code has EB_OBIS_CODE_SIZE bytes.
 */
extern bool eb_obis_register(const char *id, char *code);

#endif /* EB_CODEC_OBIS_H */
