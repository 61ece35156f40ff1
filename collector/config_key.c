/*
 * config_key.c -- keys of the configuration file by their tables
 * In:  groups of a libconfig file. Out: fields of structures, errors with file and line.
 */
#include "config_key.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
eb_config_error(EbConfig *conf, const config_setting_t *at, const char *format, ...)
{
	const char *file = at != NULL ? config_setting_source_file(at) : NULL;
	va_list args;

	fprintf(stderr, "%s:%u: ", file != NULL ? file : conf->file,
			at != NULL ? config_setting_source_line(at) : 0);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	conf->nerrors++;
}

void *
eb_config_memory(EbConfig *conf, size_t size)
{
	void **blocks = realloc(conf->block, ((size_t) conf->nblocks + 1) * sizeof(void *));
	void *memory = blocks != NULL ? calloc(1, size > 0 ? size : 1) : NULL;

	if (blocks != NULL)
		conf->block = blocks;
	if (memory != NULL)
		conf->block[conf->nblocks++] = memory;
	else
		eb_config_error(conf, NULL, "out of memory");
	return memory;
}

/* Texts of a file with 16,000 meters are many and short: they share blocks. */
#define ROOM_BYTES 65536

const char *
eb_config_text(EbConfig *conf, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy;

	if (size > conf->room_left)
	{
		conf->room_left = size > ROOM_BYTES ? size : ROOM_BYTES;
		conf->room = eb_config_memory(conf, conf->room_left);
		if (conf->room == NULL)
			conf->room_left = 0;
	}
	if (size > conf->room_left)
		return NULL;
	copy = conf->room;
	memcpy(copy, text, size);
	conf->room += size;
	conf->room_left -= size;
	return copy;
}

static void
read_key(EbConfig *conf, const config_setting_t *at, const EbKey *key, char *into)
{
	int type = config_setting_type(at);
	int value;

	switch (key->kind)
	{
		case EB_KEY_TEXT:
			if (type != CONFIG_TYPE_STRING)
				eb_config_error(conf, at, "%s must be text in quotes", key->name);
			else
				*(const char **) (into + key->offset) =
					eb_config_text(conf, config_setting_get_string(at));
			break;
		case EB_KEY_INT:
			value = config_setting_get_int(at);
			if (type != CONFIG_TYPE_INT)
				eb_config_error(conf, at, "%s must be a whole number", key->name);
			else if (value < key->min || value > key->max)
				eb_config_error(conf, at, "%s must be between %d and %d", key->name, key->min,
								key->max);
			else
				*(int *) (into + key->offset) = value;
			break;
		case EB_KEY_BOOL:
			if (type != CONFIG_TYPE_BOOL)
				eb_config_error(conf, at, "%s must be true or false", key->name);
			else
				*(bool *) (into + key->offset) = config_setting_get_bool(at) != 0;
			break;
		case EB_KEY_OTHER:
			break;
	}
}

bool
eb_key_group(EbConfig *conf, const config_setting_t *group, const EbKey *keys, void *into)
{
	int before = conf->nerrors;

	if (!config_setting_is_group(group))
	{
		eb_config_error(conf, group, "a group { ... } belongs here");
		return false;
	}
	for (int i = 0; i < config_setting_length(group); i++)
	{
		const config_setting_t *at = config_setting_get_elem((config_setting_t *) group, i);
		const EbKey *key = keys;

		while (key->name != NULL && strcmp(key->name, config_setting_name(at)) != 0)
			key++;
		if (key->name == NULL)
			eb_config_error(conf, at, "unknown key \"%s\"", config_setting_name(at));
		else
			read_key(conf, at, key, into);
	}
	for (const EbKey *key = keys; key->name != NULL; key++)
		if (key->required && eb_key_member(group, key->name) == NULL)
			eb_config_error(conf, group, "\"%s\" is missing", key->name);
	return conf->nerrors == before;
}

const config_setting_t *
eb_key_member(const config_setting_t *group, const char *name)
{
	return config_setting_get_member((config_setting_t *) group, name);
}

static uint64_t
print_bytes(uint64_t print, const void *bytes, size_t n)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < n; i++)
		print = (print ^ byte[i]) * UINT64_C(1099511628211);
	return print;
}

/* Texts with their ends, so that two of them are not one. */
static uint64_t
print_text(uint64_t print, const char *text)
{
	return print_bytes(print, text, strlen(text) + 1);
}

static uint64_t
print_setting(uint64_t print, const config_setting_t *at)
{
	const char *name = config_setting_name(at);
	int type = config_setting_type(at);
	int64_t number = type == CONFIG_TYPE_INT	 ? config_setting_get_int(at)
					 : type == CONFIG_TYPE_INT64 ? config_setting_get_int64(at)
					 : type == CONFIG_TYPE_BOOL	 ? config_setting_get_bool(at)
												 : config_setting_length(at);

	print = print_bytes(print_text(print, name != NULL ? name : ""), &type, sizeof(type));
	print = print_bytes(print, &number, sizeof(number));
	if (type == CONFIG_TYPE_STRING)
		return print_text(print, config_setting_get_string(at));
	for (int i = 0; config_setting_is_aggregate(at) && i < config_setting_length(at); i++)
		print =
			print_setting(print, config_setting_get_elem((config_setting_t *) at, (unsigned) i));
	return print;
}

uint64_t
eb_key_print(const config_setting_t *at)
{
	return at != NULL ? print_setting(UINT64_C(14695981039346656037), at) : 0;
}

const char *
eb_key_text(EbConfig *conf, const config_setting_t *group, const char *name, const char *otherwise)
{
	const config_setting_t *at = eb_key_member(group, name);

	if (at == NULL)
		return otherwise;
	if (config_setting_type(at) == CONFIG_TYPE_STRING)
		return eb_config_text(conf, config_setting_get_string(at));
	eb_config_error(conf, at, "%s must be text in quotes", name);
	return otherwise;
}

int
eb_key_choice(EbConfig *conf, const config_setting_t *group, const char *name,
			  const char *const *words)
{
	const char *text = eb_key_text(conf, group, name, words[0]);

	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(text, words[i]) == 0)
			return i;
	eb_config_error(conf, eb_key_member(group, name), "unknown %s \"%s\"", name, text);
	return 0;
}

const char *const *
eb_key_texts(EbConfig *conf, const config_setting_t *group, const char *name, int max, int *n)
{
	const config_setting_t *at = eb_key_member(group, name);
	const char **texts = NULL;

	*n = 0;
	if (at == NULL)
		return NULL;
	/* text has the length 0 here: it would pass for an empty list */
	if (!config_setting_is_array(at) && !config_setting_is_list(at))
		eb_config_error(conf, at, "%s must be a list [ \"...\", \"...\" ]", name);
	else if (config_setting_length(at) > max)
		eb_config_error(conf, at, "%s takes at most %d", name, max);
	else
		texts = eb_config_memory(conf, (size_t) config_setting_length(at) * sizeof(char *));
	for (int i = 0; texts != NULL && i < config_setting_length(at); i++)
	{
		const char *text = config_setting_get_string_elem(at, i);

		texts[*n] = text != NULL ? eb_config_text(conf, text) : NULL;
		if (texts[*n] != NULL)
			(*n)++;
		else
			eb_config_error(conf, at, "%s must be a list [ \"...\", \"...\" ]", name);
	}
	return texts;
}

const config_setting_t *
eb_key_list(EbConfig *conf, const config_setting_t *at, const char *name, int *n)
{
	*n = 0;
	if (at != NULL && !config_setting_is_list(at))
		eb_config_error(conf, at, "%s must be a list ( { ... }, { ... } )", name);
	else if (at != NULL)
		*n = config_setting_length(at);
	return at;
}

void *
eb_key_array(EbConfig *conf, const char *name, size_t size, int *n, const config_setting_t **list)
{
	void *array;

	*list = eb_key_list(conf, config_lookup(&conf->source, name), name, n);
	array = calloc((size_t) *n + 1, size);
	if (array == NULL)
	{
		*n = 0;
		eb_config_error(conf, *list, "out of memory");
	}
	return array;
}
