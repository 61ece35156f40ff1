/*
 * fuzz_profile_text.c -- libFuzzer: any bytes as the text of a load profile
 * What is read is written in one form, which is read as the same profile.
 */
#include <stdio.h>
#include <stdlib.h>

#include "rating/load_profile_text.h"

/* Stops the fuzzer with the input when a property is broken; stays in optimised builds. */
#define HOLD(cond)                                                             \
	do                                                                         \
	{                                                                          \
		if (!(cond))                                                           \
		{                                                                      \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #cond); \
			abort();                                                           \
		}                                                                      \
	} while (0)

/* Values are made of so many at most: a text of ten bytes can ask for a million. */
#define MOST 20000

extern int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* The block of a text, *size bytes; NULL: it is refused */
static uint8_t *
read_text(EbText text, size_t *size)
{
	EbProfileDraft count;
	EbProfileDraft draft;
	EbProfileValue *value;
	EbFault fault;
	uint8_t *bytes = NULL;

	if (eb_profile_parse(text, &count, NULL, &fault) != EB_OK || count.n > MOST)
		return NULL;
	value = malloc(sizeof(*value) * ((size_t) count.n + 1));
	HOLD(eb_profile_parse(text, &draft, value, &fault) == EB_OK && draft.n == count.n);
	if (eb_profile_size(&draft, size, &fault) == EB_OK)
	{
		bytes = malloc(*size);
		eb_profile_write(&draft, bytes);
	}
	free(value);
	return bytes;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	/* as large as the input, so that reading beyond it is seen */
	char *copy = malloc(n > 0 ? n : 1);
	uint8_t *block;
	uint8_t *again;
	char *text;
	size_t size;
	size_t len;
	EbProfile profile;
	EbFault fault;

	if (n > 0)
		memcpy(copy, bytes, n);
	block = read_text((EbText){copy, (int) n}, &size);
	free(copy);
	if (block == NULL)
		return 0;
	HOLD(eb_profile_check(block, size, &profile, &fault) == EB_OK);
	len = eb_profile_text(&profile, NULL, 0);
	text = malloc(len);
	HOLD(eb_profile_text(&profile, text, len) == len);
	again = read_text((EbText){text, (int) len}, &n);
	HOLD(again != NULL && n == size && memcmp(again, block, n) == 0);
	free(again);
	free(text);
	free(block);
	return 0;
}
