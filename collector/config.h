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

#include "log.h"
#include "port.h"

#define EB_CONFIG_MAX_READ 16
#define EB_CONFIG_MAX_CODES 32
#define EB_CODE_SIZE 32

typedef enum EbProtocol
{
	EB_PROTOCOL_DLT645,	 /* asked in turn, one request in flight */
	EB_PROTOCOL_CSVLINE, /* meters speak by themselves */
} EbProtocol;

typedef struct EbPortConf
{
	const char *name;
	const char *path;
	EbProtocol protocol;
	EbBackend backend;
	EbLine line;
	int pause_ms;	   /* silence between a reply and the next request */
	int open_pause_ms; /* silence after opening */
	int reply_ms;	   /* longest delay of a reply after the request */
	int retries;
	const config_setting_t *source;
} EbPortConf;

typedef struct EbMeterConf
{
	const char *serial;
	const char *address; /* DL/T 645: 12 digits or all A; CSV: the first column */
	const EbPortConf *port;
	int interval_s; /* CSV: 0 books every line, else the first of each interval */
	int offset_s;
	int utc_offset_s; /* of the meter's wall clock */
	int decimals;	  /* of kWh that are kept, 0..3 */
	bool freeze;	  /* read the daily freeze too */
	int nread;
	uint32_t read[EB_CONFIG_MAX_READ]; /* data identifiers, in this order */
	int ncodes;						   /* 0: every register that has a code */
	const char *code[EB_CONFIG_MAX_CODES];
	const config_setting_t *source;
} EbMeterConf;

/* A data identifier and the register code its value is stored under. */
typedef struct EbRegisterConf
{
	uint32_t di;
	const char *code;
} EbRegisterConf;

typedef struct EbConfig
{
	config_t source; /* owns all text below */
	const char *file;
	const char *id; /* uuid of this collector, lower case as configured */
	EbLogLevel log_level;
	const char *conninfo;
	int batch_rows;
	int flush_ms;
	int queue_rows;
	bool keep_frames;	  /* send the frame of every row, not only of flagged ones */
	bool keep_bad_frames; /* send frames that could not be read */
	int nports;
	EbPortConf *port;
	int nmeters;
	EbMeterConf *meter;
	int nregisters;
	EbRegisterConf *reg;
	int nerrors; /* printed so far */
} EbConfig;

/* Reads and checks the file; every error goes to stderr as "file:line: text". */
extern bool eb_config_load(EbConfig *conf, const char *file);
extern void eb_config_free(EbConfig *conf);

/*
 * Register code of a data identifier into buf: that of the registers section, else 1.8.t for
 * 0001tt00 and 2.8.t for 0002tt00. False when it has none, or the meter does not deliver it.
 */
extern bool
eb_config_code(const EbConfig *conf, const EbMeterConf *meter, uint32_t di, char buf[EB_CODE_SIZE]);

/* Inside the configuration: notes an error at a setting. */
extern void eb_config_error(EbConfig *conf, const config_setting_t *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Values against each other: names, addresses, passwords, bus budget. config_check.c */
extern void eb_config_check(EbConfig *conf);

/* Refuses @include of anything but plain files of the same directory. config_include.c */
extern bool eb_config_includes_ok(const char *file);

#endif
