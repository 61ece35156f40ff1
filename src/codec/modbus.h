/*
 * modbus.h -- Modbus RTU: the sub-meters of switchboards on RS-485
 * In:  bytes of the line; out: frames, and the values that a register map names in their replies
 *      (see codec/frame.h). The other way: the request that reads, and which reply belongs to it.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 * A meter is only ever read: functions that write have no builder. A reply names neither its
 * registers nor their meaning: both come from the request and from a map (modbus_map.c) or from
 * the register list of a meter (modbus_meter.c).
 */
#ifndef EB_CODEC_MODBUS_H
#define EB_CODEC_MODBUS_H

#include "codec/frame.h"
#include "codec/request.h"

#define EB_MODBUS_MAX_FRAME 256
#define EB_MODBUS_REQUEST 8

/* Most registers of one reply: 250 bytes of data. */
#define EB_MODBUS_MAX_COUNT 125

#define EB_MODBUS_HOLDING 3 /* functions that read registers */
#define EB_MODBUS_INPUT 4

extern const EbCodec eb_modbus_codec;

typedef enum EbModbusType
{
	EB_MODBUS_U16,
	EB_MODBUS_S16,
	EB_MODBUS_U32,
	EB_MODBUS_S32,
	EB_MODBUS_U64,
	EB_MODBUS_FLOAT32
} EbModbusType;

/* How the bytes of a value stand in its registers; A is the most significant. */
typedef enum EbModbusOrder
{
	EB_MODBUS_ABCD, /* as Modbus has it */
	EB_MODBUS_CDAB, /* low register first */
	EB_MODBUS_BADC, /* the two bytes of each register swapped */
	EB_MODBUS_DCBA	/* both: low byte first */
} EbModbusOrder;

/*
 * How a value is read from registers: factor / 10^places times the number in them, divided by the
 * divisor if there is one (the pulses of a kWh), cut to the third place behind those.
 */
typedef struct EbModbusForm
{
	EbModbusType type;
	EbModbusOrder order;
	int64_t factor; /* not 0, less than 10^18 */
	int places;		/* 0 .. 18 */
	bool has_invalid;
	uint64_t invalid; /* bits of the value that say "not available": the item has none */
	const char *unit; /* or NULL */
	int64_t divisor;  /* 1 .. 10^9; 0: none */
} EbModbusForm;

/* One value of a reply. */
typedef struct EbModbusPart
{
	int index;		/* of its first register in the reply, from 0 */
	const char *id; /* of the item; NULL: the index */
	EbModbusForm form;
} EbModbusPart;

/* The values of a reply. Texts belong to whoever filled the map in. */
typedef struct EbModbusMap
{
	int nparts;
	EbModbusPart part[EB_MODBUS_MAX_COUNT];
} EbModbusMap;

/* Registers of a value of that type: 1, 2 or 4. */
extern int eb_modbus_words(EbModbusType type);

/*
 * "INDEX=TYPE[/ORDER][*SCALE][,...]", n bytes: "0=float32/CDAB,2=u32*0.001". TYPE u16 s16 u32 s32
 * u64 float32; ORDER ABCD (default) CDAB BADC DCBA; SCALE a decimal of at most 18 digits, not 0, or
 * such a decimal and a divisor, "1/1600": at most 15 digits, a whole number up to 10^9, no float32.
 * NULL: *map is filled. Else what should stand at text + *at, as words.
 */
extern const char *eb_modbus_map_parse(const char *text, size_t n, EbModbusMap *map, size_t *at);

/*
 * The register map behind the colon of a protocol name, n characters: "modbus:0=u16". Returns map,
 * filled; or NULL, then *wanted is NULL when there is no colon, else what should stand at
 * protocol + *at.
 */
extern const EbModbusMap *eb_modbus_protocol_map(const char *protocol, size_t n, EbModbusMap *map,
												 const char **wanted, size_t *at);

/*
 * The words of a map one by one, for a configuration that has them as keys of their own; false:
 * no such word.
 */
extern bool eb_modbus_type_parse(const char *text, size_t n, EbModbusType *type);
extern bool eb_modbus_order_parse(const char *text, size_t n, EbModbusOrder *order);
extern bool eb_modbus_scale_parse(const char *text, size_t n, EbModbusForm *form);

/*
 * The items of a reply whose registers are in frame->modbus; they replace those of *frame.
 * EB_FRAME_VALUE: the reply has not all registers of the map.
 */
extern EbFrameError eb_modbus_items(const EbModbusMap *map, EbFrame *frame);

/* A request as sent, kept to compare the reply with. */
typedef struct EbModbusRequest
{
	uint8_t unit;
	uint8_t fc;
	uint16_t addr;
	uint16_t count;
	size_t length; /* bytes to send */
	uint8_t bytes[EB_MODBUS_REQUEST];
} EbModbusRequest;

/* Bytes of the reply to a request, and of an exception instead of it. */
extern size_t eb_modbus_reply_length(const EbModbusRequest *request);
#define EB_MODBUS_EXCEPTION 5

/*
 * Asks unit 1..247 for count (1..125) registers from addr on; fc EB_MODBUS_HOLDING or _INPUT.
 * false: out of range; *request is then unchanged.
 */
extern bool
eb_modbus_read(unsigned unit, unsigned fc, unsigned addr, unsigned count, EbModbusRequest *request);

/*
 * Whether the frame answers the request: unit, function and number of registers are those asked.
 * A reply does not name its address, so that a late reply to a request for as many other registers
 * is not told apart: the line has to be silent before the next request goes out.
 */
extern EbMatch eb_modbus_match(const EbModbusRequest *request, const EbFrame *frame);

/* A register of a meter. */
typedef struct EbModbusRegister
{
	const char *code; /* "1.8.0": value group C.D.E of OBIS */
	uint8_t fc;
	uint16_t addr; /* from 0, as on the wire */
	EbModbusForm form;
} EbModbusRegister;

/* What is known of a meter. */
typedef struct EbModbusMeter
{
	const char *name; /* "sdm630" */
	const char *about;
	int max_count; /* registers it gives in one reply */
	int nregisters;
	const EbModbusRegister *registers; /* by function and address */
} EbModbusMeter;

/* A meter by its name, in lower case, or NULL; and all of them in turn, NULL behind the last. */
extern const EbModbusMeter *eb_modbus_meter_find(const char *name);
extern const EbModbusMeter *eb_modbus_meter_at(size_t i);

/*
 * The next reply to ask for: fills map with registers[from] and as many of those behind it as lie
 * in one reply of max_count registers, their codes as ids, and request with what unit is to be
 * asked. The registers rise by function and address. Returns the index of the first one left over,
 * n when none is, or -1 when registers[from] cannot be asked for (see eb_modbus_read).
 */
extern int eb_modbus_gather(const EbModbusRegister *registers, int n, int from, int max_count,
							unsigned unit, EbModbusRequest *request, EbModbusMap *map);

#endif /* EB_CODEC_MODBUS_H */
