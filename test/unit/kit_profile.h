/*
 * kit_profile.h -- load profiles for tests: from text, from random draws whose truth is known
 */
#ifndef ELECBILL_TEST_KIT_PROFILE_H
#define ELECBILL_TEST_KIT_PROFILE_H

#include "check.h"
#include "kit_memory.h"
#include "kit_random.h"

#include "rating/load_profile.h"
#include "rating/load_profile_text.h"

/* A block of its own size, so that reading beyond it is seen, and a view of it */
typedef struct KitProfile
{
	uint8_t *bytes;
	size_t size;
	EbProfile view;
} KitProfile;

static inline KitProfile
kit_profile(const EbProfileDraft *draft)
{
	KitProfile made = {0};
	EbFault fault = {.message = ""};

	if (!CHECK(eb_profile_size(draft, &made.size, &fault) == EB_OK))
	{
		printf("    %s: %s\n", fault.message, fault.detail);
		exit(1);
	}
	made.bytes = malloc(made.size);
	eb_profile_write(draft, made.bytes);
	if (!CHECK(eb_profile_check(made.bytes, made.size, &made.view, &fault) == EB_OK))
		printf("    %s\n", fault.detail);
	return made;
}

static inline void
kit_profile_free(KitProfile *made)
{
	free(made->bytes);
	*made = (KitProfile){0};
}

static inline EbText
kit_profile_word(const char *text)
{
	return (EbText){text, (int) strlen(text)};
}

/* From its text, which must be right */
static inline KitProfile
kit_profile_of(const char *text)
{
	EbProfileDraft draft;
	EbProfileValue *value;
	EbFault fault = {.message = ""};
	KitProfile made;

	if (!CHECK(eb_profile_parse(kit_profile_word(text), &draft, NULL, &fault) == EB_OK))
	{
		printf("    %s: %s\n", text, fault.detail);
		exit(1);
	}
	value = malloc(sizeof(*value) * ((size_t) draft.n + 1));
	CHECK(eb_profile_parse(kit_profile_word(text), &draft, value, &fault) == EB_OK);
	made = kit_profile(&draft);
	free(value);
	return made;
}

/* Its text; free it. */
static inline char *
kit_profile_text(const EbProfile *profile)
{
	size_t size = eb_profile_text(profile, NULL, 0);
	char *text = malloc(size + 1);

	CHECK_INT(eb_profile_text(profile, text, size), size);
	text[size] = '\0';
	return text;
}

static inline void
kit_profile_is(const EbProfileDraft *draft, const char *want, const char *file, int line)
{
	KitProfile made = kit_profile(draft);
	char *text = kit_profile_text(&made.view);

	check_str(text, want, file, line, "profile");
	free(text);
	kit_profile_free(&made);
}

#define CHECK_PROFILE(draft, want) kit_profile_is((draft), (want), __FILE__, __LINE__)

/* A profile, and what was really used in each of its intervals */
typedef struct KitTruth
{
	KitProfile made;
	EbProfileValue *value;
	int64_t *truth_wh;
} KitTruth;

static inline int64_t
kit_profile_range(void)
{
	static const int64_t most[] = {
		1, 200, 60000, 70000, INT64_C(4294967295), INT64_C(5000000000), EB_PROFILE_MOST_WH / 256};

	return most[kit_below(7)];
}

/* Gaps without energy, gaps whose energy stands behind them, qualities: some of each, or none */
static inline void
kit_truth_hide(KitTruth *made, int32_t n)
{
	int64_t gaps = kit_below(3) == 0 ? 0 : 4 + kit_below(40);
	int64_t held_wh = 0;
	bool gap = false;

	for (int32_t i = 0; i < n; i++)
	{
		bool missing = gaps > 0 && kit_below(gap ? 2 : gaps) == 0;

		made->value[i] = (EbProfileValue){made->truth_wh[i], 0, missing};
		held_wh += made->truth_wh[i];
		if (!missing && gap && kit_below(2) == 0)
			made->value[i] = (EbProfileValue){held_wh, EB_PROFILE_SPAN, 0};
		if (!missing)
			held_wh = 0;
		gap = missing;
		if (kit_below(20) == 0)
			made->value[i].quality |= 1 << kit_below(9);
	}
}

/* Free with kit_truth_free() */
static inline KitTruth
kit_truth(int64_t start_us, int32_t step_s, int32_t n, int32_t channel)
{
	int64_t most_wh = kit_profile_range();
	int64_t least_wh = kit_below(3) == 0 ? -most_wh : kit_below(2) * most_wh;
	KitTruth made = {.value = malloc(sizeof(EbProfileValue) * ((size_t) n + 1)),
					 .truth_wh = malloc(sizeof(int64_t) * ((size_t) n + 1))};
	EbProfileDraft draft = {start_us, step_s, n, channel, 0, made.value};

	for (int32_t i = 0; i < n; i++)
		made.truth_wh[i] = least_wh + kit_below(most_wh + 1);
	kit_truth_hide(&made, n);
	made.made = kit_profile(&draft);
	return made;
}

static inline void
kit_truth_free(KitTruth *made)
{
	kit_profile_free(&made->made);
	free(made->value);
	free(made->truth_wh);
}

static inline int32_t
kit_profile_step(void)
{
	static const int32_t step[] = {1, 30, 60, 300, 900, 1800, 3600, 86400};

	return step[kit_below(8)];
}

static inline int64_t
kit_profile_start(void)
{
	return (kit_below(3000000000) - 1000000000) * EB_SECOND_US;
}

/* A million days are more than there are */
static inline KitTruth
kit_random_truth(int32_t n)
{
	return kit_truth(kit_profile_start(), n > 1000 ? 60 : kit_profile_step(), n,
					 (int32_t) kit_below(EB_NCHANNELS));
}

static inline int32_t
kit_profile_count(void)
{
	return (int32_t) (kit_below(8) == 0 ? kit_below(3) : kit_below(200));
}

#endif /* ELECBILL_TEST_KIT_PROFILE_H */
