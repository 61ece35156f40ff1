/*
 * sink_remedy.c -- what to do about an error of the database
 * In:  a SQLSTATE. Out: the remedy; unknown ones wait for a person.
 */
#include "sink_remedy.h"

#include <stddef.h>
#include <string.h>

typedef struct Class
{
	const char *begins; /* with it begins the SQLSTATE */
	EbRemedy remedy;
	bool stays;
} Class;

/* the first that fits */
static const Class classes[] = {
	{"08", EB_REMEDY_RETRY, false},	   {"57014", EB_REMEDY_HALVE, true},
	{"57P", EB_REMEDY_RETRY, false},   {"53", EB_REMEDY_RETRY, false},
	{"40", EB_REMEDY_RETRY, true},	   {"25006", EB_REMEDY_RETRY, false},
	{"22", EB_REMEDY_BISECT, true},	   {"23", EB_REMEDY_BISECT, true},
	{"UB409", EB_REMEDY_BISECT, true}, {"UB422", EB_REMEDY_BISECT, true},
};

static const Class *
class_of(const char *state)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strncmp(state, classes[i].begins, strlen(classes[i].begins)) == 0)
			return &classes[i];
	return NULL;
}

EbRemedy
eb_sink_remedy(const char *state)
{
	const Class *class;

	if (state == NULL || state[0] == '\0')
		return EB_REMEDY_RETRY;
	class = class_of(state);
	return class != NULL ? class->remedy : EB_REMEDY_HOLD;
}

bool
eb_sink_stays(const char *state)
{
	const Class *class = state != NULL ? class_of(state) : NULL;

	return class != NULL && class->stays;
}
