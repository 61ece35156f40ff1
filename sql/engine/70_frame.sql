-- 70_frame.sql: frames of meters (src/pg/frame.c, src/codec)

CREATE FUNCTION elecbill.frame_decode(protocol text, frame bytea) RETURNS jsonb
AS 'MODULE_PATHNAME', 'elecbill_frame_decode'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.frame_decode(text, bytea) IS
'meter bytes as {protocol, valid, error, frames}, by the same code as the collector; never raises for bad bytes.
protocol: csvline (meter,usage[,time] lines), dlt645 and dlt645-1997 (DL/T 645 of 2007 and 1997), modbus (RTU), iec62056
(IEC 62056-21), p1 (DSMR), mbus (EN 13757), sml (sml-quirks: also files of meters known to break the norm), dlt698 (DL/T
698.45), hdlc (DLMS push); else UB404. modbus:INDEX=TYPE[/ORDER][*SCALE][,...] names the registers of a reply, INDEX from 0;
TYPE u16 s16 u32 s32 u64 float32; ORDER ABCD (default) CDAB BADC DCBA; SCALE a decimal or, of pulses, decimal/divisor,
cut to three places more; a broken map is UB400. A float32 becomes the shortest decimal that reads back as the same bits.
frames: every frame found, in order, with offset and length in bytes, what the protocol adds, and items {id, value, unit,
time}: value is decimal text in the scale the meter sends, null when the meter says it has none; unit and time only where
there are any. id is as sent: DI, register index, OBIS code, record number, OAD. A byte above 7E in a text is its Latin-1
character; where the server encoding is neither UTF8 nor LATIN1 it is ?.
csvline: meter. dlt645, dlt645-1997: address, control, from_meter, more, di, seq, error_word, read_address, raw. modbus: unit,
fc, exception, request, addr, count, registers, data. iec62056: kind (request, ack, ident, telegram, data, command),
manufacturer, baud_char, baud, mode, ident, command, text, bcc. p1: ident, has_crc. mbus: kind (ack, short, long), control,
address, ci, meter_id, manufacturer, medium, application_error, more, encrypted. sml: server_id. dlt698: address,
from_meter, service, oads, dar. hdlc: dst, src, control, information, time.
valid: at least one frame is no echo (a request in front of further bytes). error, when not valid, is the reason at the first
place where a frame could have started: no_start, truncated, structure, checksum, parity, too_long, control_byte, value';
