/*
 * fuzz_stored.c -- libFuzzer: a stored tariff with damage
 * The input names one of some tariffs and says what to change in its compiled block. The check of
 * stored tariffs answers for every change; what it lets through is used for all that reads a
 * tariff: periods, parts, prices, bills, sessions. No answer may read or write outside.
 * Input: a byte that chooses the tariff, then 4 bytes for each change: where (2 bytes, in steps of
 * 4), what (1 byte), how (1 byte).
 */
#include "kit_json.h"
#include "stored_tariffs.h"
#include "use_tariff.h"

#define MAX_CHANGES 24

static int64_t *compiled[NTARIFFS];
static size_t compiled_size[NTARIFFS];

static void
compile_all(void)
{
	for (int i = 0; i < NTARIFFS; i++)
	{
		const EbTariff *made = kit_json_tariff(stored_tariff[i], &use_fault);

		if (made == NULL)
			fprintf(stderr, "tariff %d: %s %s\n", i, use_fault.message, use_fault.detail);
		HOLD(made != NULL);
		compiled_size[i] = made->size;
		compiled[i] = malloc(made->size);
		memcpy(compiled[i], made, made->size);
	}
}

/* One change: a byte, a small number, a few more or less, a power of two */
static void
change(char *block, size_t size, const uint8_t *input)
{
	size_t at = (size_t) (input[0] | input[1] << 8) * 4 % size;
	int32_t number;

	memcpy(&number, block + at, sizeof(number));
	switch (input[3] % 4)
	{
		case 0:
			block[at + input[3] / 4 % 4] = (char) input[2];
			return;
		case 1:
			number = (int8_t) input[2];
			break;
		case 2:
			number = (int32_t) ((uint32_t) number + (uint32_t) (int8_t) input[2]);
			break;
		default:
			number = (int32_t) ((uint32_t) input[2] << (input[3] / 4 % 25));
			break;
	}
	memcpy(block + at, &number, sizeof(number));
}

extern int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	const EbTariff *of;
	char *block; /* of exactly its size: a read beyond it is seen */
	int which;

	if (compiled[0] == NULL)
		compile_all();
	if (n == 0)
		return 0;
	which = bytes[0] % NTARIFFS;
	block = malloc(compiled_size[which]);
	memcpy(block, compiled[which], compiled_size[which]);
	for (size_t i = 1; i + 4 <= n && i < 4 * MAX_CHANGES; i += 4)
		change(block, compiled_size[which], bytes + i);
	of = (const EbTariff *) (const void *) block;
	if (eb_tariff_check(block, compiled_size[which], &use_fault) == EB_OK)
		use_tariff(of, &kit_json_zone);
	else
		HOLD(n >= 5 && use_fault.detail[0] != '\0');
	free(block);
	return 0;
}
