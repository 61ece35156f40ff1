-- 70_frame.sql: frames of meters (src/pg/frame.c, src/codec)

CREATE FUNCTION elecbill.frame_decode(protocol text, frame bytea) RETURNS jsonb
AS 'MODULE_PATHNAME', 'elecbill_frame_decode'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.frame_decode(text, bytea) IS
'meter bytes as {protocol, valid, error, frames}, by the same code as the collector; never raises for bad bytes.
protocol: csvline (meter,usage[,time] lines) or dlt645 (DL/T 645-2007), else UB404.
frames: every frame found, in order, with offset and length in bytes, what the protocol adds (meter; address, control,
from_meter, more, di, seq, error_word, read_address, raw) and items {id, value, unit, time}: value is decimal text in
the scale the meter sends, null when the meter says it has none; unit and time only where there are any.
valid: at least one frame is no echo (a request in front of further bytes). error, when not valid, is the reason at the
first place where a frame could have started: no_start, truncated, structure, checksum, too_long, control_byte, value';
