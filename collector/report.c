/*
 * report.c -- what is counted per meter and per port, and how it is told
 * In:  counters of intake, bus and exchange. Out: log lines and JSON lines.
 */
#include "report.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "json.h"
#include "log.h"

#define REPORT_TEXT 480

static const struct
{
	const char *word;
	size_t offset;
} counter[] = {
	{"requests", offsetof(EbCounts, requests)},
	{"replies", offsetof(EbCounts, replies)},
	{"rows", offsetof(EbCounts, rows)},
	{"retries", offsetof(EbCounts, retries)},
	{"silence", offsetof(EbCounts, silence)},
	{"flood", offsetof(EbCounts, flood)},
	{"exception", offsetof(EbCounts, exceptions)},
	{"foreign", offsetof(EbCounts, foreign)},
	{"unknown", offsetof(EbCounts, unknown)},
	{"surplus", offsetof(EbCounts, surplus)},
	{"echo", offsetof(EbCounts, echoes)},
	{"resync", offsetof(EbCounts, resyncs)},
	{"stray", offsetof(EbCounts, stray)},
	{"gap", offsetof(EbCounts, gaps)},
	{"bytes_in", offsetof(EbCounts, bytes_in)},
	{"bytes_out", offsetof(EbCounts, bytes_out)},
	{"opens", offsetof(EbCounts, opens)},
};

#define NCOUNTERS (sizeof(counter) / sizeof(counter[0]))

/* The i-th counter of all: the named ones, then the reasons of refused frames. */
static bool
nth_count(const EbCounts *counts, size_t i, const char **word, uint64_t *value)
{
	if (i < NCOUNTERS)
	{
		*word = counter[i].word;
		memcpy(value, (const char *) counts + counter[i].offset, sizeof(*value));
		return true;
	}
	i = i - NCOUNTERS + 1; /* 0 is "ok" */
	if (i >= EB_FRAME_NERRORS)
		return false;
	*word = eb_frame_error_word((EbFrameError) i);
	*value = counts->error[i];
	return true;
}

void
eb_report_log(const char *kind, const char *name, const EbCounts *counts)
{
	char text[REPORT_TEXT] = "";
	size_t used = 0;
	const char *word;
	uint64_t value;

	for (size_t i = 0; nth_count(counts, i, &word, &value); i++)
		if (value > 0 && used < sizeof(text))
			used += (size_t) snprintf(text + used, sizeof(text) - used, " %s %llu", word,
									  (unsigned long long) value);
	eb_log(EB_LOG_INFO, "%s %s:%s", kind, name, used > 0 ? text : " nothing");
}

void
eb_report_json(FILE *out, const char *kind, const char *name, const EbCounts *counts)
{
	const char *word;
	uint64_t value;

	fprintf(out, "{\"report\":\"%s\",\"name\":", kind);
	eb_json_put_text(out, name);
	for (size_t i = 0; nth_count(counts, i, &word, &value); i++)
		if (value > 0)
			fprintf(out, ",\"%s\":%llu", word, (unsigned long long) value);
	fputs("}\n", out);
}
