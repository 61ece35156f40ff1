/*
 * config_include.c -- what a configuration file may include: plain files of its own directory
 * In:  the file as text, before libconfig opens anything it names.
 * Out: a verdict; errors with file and line on stderr.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config.h"

#define INCLUDE_DEPTH 8

static bool check_file(const char *file, int depth);

/* Name between the quotes of an @include line; false when the line is none. */
static bool
include_name(const char *line, char name[256])
{
	const char *from;
	const char *to;

	line += strspn(line, " \t");
	if (strncmp(line, "@include", 8) != 0)
		return false;
	name[0] = '\0';
	from = strchr(line, '"');
	to = from != NULL ? strchr(from + 1, '"') : NULL;
	if (to != NULL && to - from - 1 < 256)
	{
		memcpy(name, from + 1, (size_t) (to - from - 1));
		name[to - from - 1] = '\0';
	}
	return true;
}

static bool
check_include(const char *file, int line_no, const char *name, int depth)
{
	const char *slash = strrchr(file, '/');
	int dir_len = slash != NULL ? (int) (slash - file) + 1 : 0;
	char path[1024];

	if (name[0] == '\0' || strchr(name, '/') != NULL)
	{
		fprintf(stderr, "%s:%d: only files of the same directory can be included\n", file, line_no);
		return false;
	}
	if (depth >= INCLUDE_DEPTH)
	{
		fprintf(stderr, "%s:%d: included files are nested deeper than %d\n", file, line_no,
				INCLUDE_DEPTH);
		return false;
	}
	snprintf(path, sizeof(path), "%.*s%s", dir_len, file, name);
	return check_file(path, depth + 1);
}

static bool
check_file(const char *file, int depth)
{
	struct stat st;
	char *line = NULL;
	size_t size = 0;
	int line_no = 0;
	bool ok = true;
	FILE *stream;

	/* a device or a pipe would never end */
	if (stat(file, &st) != 0 || !S_ISREG(st.st_mode) || (stream = fopen(file, "r")) == NULL)
	{
		fprintf(stderr, "%s: cannot be read as a plain file\n", file);
		return false;
	}
	while (ok && getline(&line, &size, stream) >= 0)
	{
		char name[256];

		line_no++;
		if (include_name(line, name))
			ok = check_include(file, line_no, name, depth);
	}
	free(line);
	fclose(stream);
	return ok;
}

bool
eb_config_includes_ok(const char *file)
{
	return check_file(file, 0);
}
