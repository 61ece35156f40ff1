/*
 * config.h -- the configuration file, read once and checked whole
 * libconfig syntax; an unknown key, a number where text belongs or a value out of range is an
 * error with file and line. Passwords are refused. Meaning of each key: doc/collector.md.
 */
#ifndef EB_CONFIG_H
#define EB_CONFIG_H

#include <libconfig.h>
#include <stdbool.h>
#include <stdint.h>

#include "codec/modbus.h"
#include "log.h"
#include "port.h"

#define EB_CONFIG_MAX_READ 16
#define EB_CONFIG_MAX_CODES 32
#define EB_CONFIG_MAX_REGISTERS 125
#define EB_CODE_SIZE 32
#define EB_BATCH_ROWS 20000 /* of one call of ingest() at most */

/* Members named source: where in the file; of use only while it is read and checked. */

/* What a line speaks. */
typedef enum EbProtocol
{
	EB_PROTOCOL_DLT645,
	EB_PROTOCOL_DLT645_1997,
	EB_PROTOCOL_MODBUS,
	EB_PROTOCOL_MBUS,
	EB_PROTOCOL_IEC62056, /* mode D speaks by itself too: EbPortConf.listens */
	EB_PROTOCOL_DLT698,
	EB_PROTOCOL_CSVLINE,
	EB_PROTOCOL_P1,
	EB_PROTOCOL_SML,
	EB_PROTOCOL_SML_QUIRKS, /* takes what some meters send against the norm */
	EB_PROTOCOL_HDLC,
	EB_PROTOCOLS
} EbProtocol;

/* Whether requests come back, as on two-wire adapters. */
typedef enum EbEcho
{
	EB_ECHO_AUTO, /* dropped when what comes first is the request */
	EB_ECHO_ON,	  /* as many bytes are dropped, also damaged ones */
	EB_ECHO_OFF
} EbEcho;

/* A TCP port on which terminal units call. */
typedef struct EbServerConf
{
	const char *name;
	const char *listen; /* "HOST:PORT" */
	int register_s;		/* a unit must have told its id after this long */
	int idle_s;			/* a connection that is silent for longer is dead; 0: never */
	uint64_t print;		/* of its settings: another one when one of them was changed */
	const config_setting_t *source;
} EbServerConf;

typedef struct EbPortConf
{
	const char *name;
	const char *path; /* a device, "usb:SERIAL", "tcp:HOST:PORT", "unit:SERVER/ID" */
	EbProtocol protocol;
	bool listens; /* its meters speak by themselves */
	EbBackend backend;
	EbLine line;
	int pause_ms;	   /* silence between a reply and the next request */
	int open_pause_ms; /* silence after opening */
	int reply_ms;	   /* longest delay of a reply after the request */
	int gap_ms;		   /* longest pause inside a reply */
	int retries;
	EbEcho echo;
	bool low_latency;
	bool rs485;
	bool gateway; /* something between passes requests on by the meter's address */

	bool has_ack; /* IEC 62056-21: the six bytes that answer an identification are given */
	uint8_t ack[6];
	int switch_ms;	  /* from the last bit of the acknowledgement to the new speed */
	int switch_speed; /* to which meters switch, for the budget */
	int readout;	  /* bytes of the longest readout */

	const EbServerConf *server; /* of "unit:" */
	const char *unit;			/* what the unit says first; empty: connections of any meter */
	const char *heartbeat;		/* what it says now and then */
	int connections;			/* with an empty unit: at most so many at a time */
	uint64_t print;				/* of its settings: another one when one of them was changed */
	const config_setting_t *source;
} EbPortConf;

/* What a line calls a register, and the code it is stored under. */
typedef struct EbRegisterConf
{
	EbProtocol protocol;
	const char
		*item; /* as the codec writes it: "0001FF00", "1-0:1.8.0", number of an M-Bus record */
	const char *code;
	const char *unit; /* NULL: as the frame says */
	const config_setting_t *source;
} EbRegisterConf;

/* The registers of a kind of meter. */
typedef struct EbModelConf
{
	const char *name; /* NULL: the map of one meter */
	EbProtocol protocol;
	int nregisters; /* protocols whose frames name their items */
	EbRegisterConf *reg;
	int nmodbus; /* Modbus, by function and address */
	const EbModbusRegister *modbus;
	int max_count;	/* Modbus: registers of one reply */
	uint64_t print; /* of its settings: another one when one of them was changed */
	const config_setting_t *source;
} EbModelConf;

typedef struct EbMeterConf
{
	const char *serial;
	const char *address; /* as its protocol has it; "" where the line names nobody */
	const EbPortConf *port;
	int interval_s; /* listening: 0 books every frame, else the first of each interval */
	int offset_s;
	int utc_offset_s; /* of the meter's wall clock, in winter */
	bool has_offset;  /* it was configured: the meter's own times can be read */
	int decimals;	  /* of kWh that are kept, 0..3 */
	int max_kw;		  /* more than this flags a jump; 0: no limit */
	bool freeze;	  /* read the daily freeze too */
	bool reads;		  /* it is asked for something else than the freeze */
	int nread;
	const uint32_t *read; /* identifiers or objects, in this order */
	int ncodes;			  /* 0: every register that has a code */
	const char *const *code;
	const EbModelConf *model;		/* or NULL */
	int nmodbus;					/* those of the model that are read */
	const EbModbusRegister *modbus; /* by function and address */
	const char *identity;			/* what the device calls itself; NULL: it is not asked */
	uint64_t print;					/* of its settings: another one when one of them was changed */
	const config_setting_t *source;
} EbMeterConf;

/* What the disk holds between the meters and the database: spool.h. */
typedef struct EbSpoolConf
{
	const char *directory; /* NULL: see eb_spool_directory() */
	int size_mib;		   /* of all segments */
	int free_mib;		   /* left free on the file system */
	int keep_days;		   /* of acknowledged records */
	int sync_ms;
	int sync_records;
	bool drop_oldest; /* when it is full; else the newest are refused */
} EbSpoolConf;

/* Where the collector tells how it fares: health.h. */
typedef struct EbHealthConf
{
	const char *socket; /* NULL: in the runtime directory; empty: none */
	const char *listen; /* "HOST:PORT" of the loopback; NULL: none */
} EbHealthConf;

typedef struct EbConfig
{
	config_t source; /* while the file is read */
	const char *file;
	const char *id; /* uuid of this collector, lower case as configured */
	EbLogLevel log_level;
	const char *conninfo;
	int batch_rows;
	int flush_ms;
	EbSpoolConf spool;
	EbHealthConf health;
	bool keep_frames;	  /* send the frame of every row, not only of flagged ones */
	bool keep_bad_frames; /* send frames that could not be read */
	bool ntp;			  /* readings carry a flag until the clock was synchronised */
	int nservers;
	EbServerConf *server;
	int nports;
	EbPortConf *port;
	int nmodels;
	EbModelConf *model;
	int nmeters;
	EbMeterConf *meter;
	int nregisters;
	EbRegisterConf *reg;
	uint64_t registers_print; /* of the section, see EbPortConf.print */
	void **block;			  /* memory of the texts and lists inside the above */
	int nblocks;
	char *room; /* of the last block of texts */
	size_t room_left;
	int nerrors; /* printed so far */
} EbConfig;

/* Reads and checks the file; every error goes to stderr as "file:line: text". */
extern bool eb_config_load(EbConfig *conf, const char *file);
extern void eb_config_free(EbConfig *conf);

/* Inside the configuration: notes an error at a setting. */
extern void eb_config_error(EbConfig *conf, const config_setting_t *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Inside the configuration: zeroed memory that lives as long as it; NULL: there is none, and told. */
extern void *eb_config_memory(EbConfig *conf, size_t size);

/* Inside the configuration: a copy of a text, that lives as long as it. NULL as above. */
extern const char *eb_config_text(EbConfig *conf, const char *text);

/* Values against each other: names, passwords, bus budget. config_check.c */
extern void eb_config_check(EbConfig *conf);

/* Refuses @include of anything but plain files of the same directory. config_include.c */
extern bool eb_config_includes_ok(const char *file);

#endif
