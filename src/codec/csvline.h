/*
 * csvline.h -- meters that print a line: meter,usage[,time[,...]] LF or CR LF
 * In:  text bytes; out: one frame per line with the item "usage" (see codec/frame.h).
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 * meter [A-Za-z0-9_.:-]{1,64}, usage [0-9]{1,12}(.[0-9]{1,6})?, at most 256 bytes with the line
 * end, bytes 20H..7EH and TAB; blanks around a column are dropped. The unit is not on the wire. A
 * third column that is an ISO 8601 instant (with Z or an offset) is the item's time, anything else
 * there is ignored. There is no checksum: a flipped digit cannot be seen, and a line whose head was
 * lost (port opened in the middle of a line) looks whole; who opens a port drops its first line
 * unless silence came before it.
 */
#ifndef EB_CODEC_CSVLINE_H
#define EB_CODEC_CSVLINE_H

#include "codec/frame.h"

#define EB_CSVLINE_MAX_LINE 256

extern const EbCodec eb_csvline_codec;

#endif /* EB_CODEC_CSVLINE_H */
