/*
 * config_key.h -- keys of the configuration file: which exist, of which kind, in which range
 * A table per group, so that a key nobody reads is an error, never a silent mistake.
 */
#ifndef EB_CONFIG_KEY_H
#define EB_CONFIG_KEY_H

#include <stddef.h>

#include "config.h"

typedef enum EbKeyKind
{
	EB_KEY_TEXT,
	EB_KEY_INT,
	EB_KEY_BOOL,
	EB_KEY_OTHER, /* read by its own function */
} EbKeyKind;

typedef struct EbKey
{
	const char *name; /* NULL: the end of the table */
	EbKeyKind kind;
	bool required;
	size_t offset; /* of const char *, int or bool in the structure filled */
	int min;
	int max;
} EbKey;

#define EB_KEY_TEXT_OF(name, type, field, required)              \
	{                                                            \
		name, EB_KEY_TEXT, required, offsetof(type, field), 0, 0 \
	}
#define EB_KEY_INT_OF(name, type, field, min, max)               \
	{                                                            \
		name, EB_KEY_INT, false, offsetof(type, field), min, max \
	}
#define EB_KEY_BOOL_OF(name, type, field)                     \
	{                                                         \
		name, EB_KEY_BOOL, false, offsetof(type, field), 0, 0 \
	}
#define EB_KEY_OTHER_OF(name)              \
	{                                      \
		name, EB_KEY_OTHER, false, 0, 0, 0 \
	}
#define EB_KEY_END                         \
	{                                      \
		NULL, EB_KEY_OTHER, false, 0, 0, 0 \
	}

/* Fills a structure from a group; keys that are not in the table are errors. */
extern bool
eb_key_group(EbConfig *conf, const config_setting_t *group, const EbKey *keys, void *into);

/* A member of a group, or NULL. */
extern const config_setting_t *eb_key_member(const config_setting_t *group, const char *name);

/*
 * A number of a setting and all in it, names, kinds and values (FNV-1a): another one when something
 * was changed. 0 for NULL.
 */
extern uint64_t eb_key_print(const config_setting_t *at);

/* Text of a key read by its own function, or the default. */
extern const char *
eb_key_text(EbConfig *conf, const config_setting_t *group, const char *name, const char *otherwise);

/* Place of text in words, which end with NULL; an error and 0 when it is none of them. */
extern int eb_key_choice(EbConfig *conf, const config_setting_t *group, const char *name,
						 const char *const *words);

/*
 * The texts of a list [ "...", "..." ] of at most max; NULL and *n = 0 when the key is not there or
 * is none.
 */
extern const char *const *
eb_key_texts(EbConfig *conf, const config_setting_t *group, const char *name, int max, int *n);

/* The groups of a list ( { ... }, { ... } ); *n is 0 when at is NULL or, after an error, no list. */
extern const config_setting_t *
eb_key_list(EbConfig *conf, const config_setting_t *at, const char *name, int *n);

/* A list of the file as a zeroed array. */
extern void *
eb_key_array(EbConfig *conf, const char *name, size_t size, int *n, const config_setting_t **list);

/* The groups of the file that config_port.c and config_meter.c read. */
extern void eb_config_read_ports(EbConfig *conf);
extern void eb_config_read_meters(EbConfig *conf);

/* Meters, models and registers against each other. config_check_meter.c */
extern void eb_config_check_meters(EbConfig *conf);

#endif
