/*
 * tariff_compile.c -- from the JSON form of a tariff to the compiled block
 * In:  a node tree; tariff_lint.c must find no error in it.
 * Out: one flat block (tariff.h), every name resolved, every default filled in.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/tariff.md.
 */
#include <stdio.h>

#include "base/civil.h"
#include "rating/fault.h"
#include "rating/tariff_build.h"
#include "rating/tariff_compile.h"
#include "rating/tariff_plane.h"

/* ---------------------------------------------------------------- space */

static size_t
round_up(size_t bytes)
{
	return (bytes + 7) & ~(size_t) 7;
}

bool
eb_build_array(EbBuild *build, int n, size_t element, EbSlice *slice, void **array)
{
	size_t bytes = round_up((size_t) n * element);

	*slice = (EbSlice){0, 0};
	if (bytes > build->high - build->low)
		return false;
	*array = (char *) build->tariff + build->low;
	memset(*array, 0, bytes);
	if (n > 0)
		*slice = (EbSlice){(int32_t) build->low, n};
	build->low += bytes;
	return true;
}

bool
eb_build_bytes(EbBuild *build, EbText text, EbSlice *slice)
{
	void *bytes;

	if (!eb_build_array(build, text.len, 1, slice, &bytes))
		return false;
	memcpy(bytes, text.data, (size_t) text.len);
	return true;
}

bool
eb_build_texts(EbBuild *build, const EbText *text, int n, EbSlice *slice)
{
	void *array;

	if (!eb_build_array(build, n, sizeof(EbSlice), slice, &array))
		return false;
	for (int i = 0; i < n; i++)
		if (!eb_build_bytes(build, text[i], &((EbSlice *) array)[i]))
			return false;
	return true;
}

bool
eb_build_label(EbBuild *build, const EbNode *name, EbSlice *slice)
{
	int n = eb_node_is(name, EB_NODE_TEXT) ? 1 : eb_node_count(name);
	const EbNode *item = eb_node_is(name, EB_NODE_TEXT) ? name : eb_node_first(name);
	void *array;

	if (!eb_build_array(build, n, sizeof(EbLabel), slice, &array))
		return false;
	for (EbLabel *label = array; item != NULL && n > 0; label++, n--, item = item->next)
	{
		EbText lang = item == name ? (EbText){"", 0} : item->key;

		if (!eb_build_bytes(build, lang, &label->lang) ||
			!eb_build_bytes(build, eb_node_text(item), &label->text))
			return false;
	}
	return true;
}

/* The price nodes, which stand at the end of the buffer in reverse, become an array. */
static bool
place_nodes(EbBuild *build)
{
	const char *end = (const char *) build->tariff + build->size;
	void *array;

	if (!eb_build_array(build, build->nnodes, sizeof(EbPriceNode), &build->tariff->node, &array))
		return false;
	for (int i = 0; i < build->nnodes; i++)
		memcpy((EbPriceNode *) array + i, end - (size_t) (i + 1) * sizeof(EbPriceNode),
			   sizeof(EbPriceNode));
	return true;
}

/* ---------------------------------------------------------------- the head of the tariff */

/* As the series stand now; those that only change at midnights lose theirs in tariff_localize.c. */
static bool
build_planes(EbBuild *build)
{
	EbTariff *tariff = build->tariff;
	EbPlanes planes;
	void *array;

	eb_tariff_planes(tariff, &planes);
	tariff->by_day = planes.by_day;
	tariff->in_order = planes.in_order;
	tariff->sessions = planes.sessions;
	if (!eb_build_array(build, planes.n, sizeof(EbPlane), &tariff->plane, &array))
		return false;
	memcpy(array, planes.plane, (size_t) planes.n * sizeof(EbPlane));
	return true;
}

int
eb_build_index(const EbNode *map, EbText name)
{
	int index = 0;

	EB_EACH(item, map)
	{
		if (eb_text_equal(item->key, name))
			return index;
		index++;
	}
	return EB_NONE;
}

int64_t
eb_build_decimal(const EbNode *object, const char *key, int scale, int64_t initial)
{
	const EbNode *node = eb_node_get(object, key);
	int64_t value;

	if (node == NULL)
		return initial;
	eb_node_decimal(node, scale, &value);
	return value;
}

int
eb_build_word(const EbWord *word, EbText text, int initial)
{
	const EbWord *found = eb_word_find(word, text);

	return found != NULL ? found->value : initial;
}

EbRounding
eb_build_round(const EbNode *round, EbRounding initial)
{
	EbRounding result = {0, EB_HALF_UP, 0};

	if (round == NULL)
		return initial;
	eb_node_decimal(eb_node_get(round, "step"), EB_PRICE_SCALE, &result.step_n);
	result.mode = eb_build_word(eb_mode_word, eb_node_text(eb_node_get(round, "mode")), EB_HALF_UP);
	return result;
}

static bool
build_head(EbBuild *build)
{
	EbTariff *tariff = build->tariff;
	const EbNode *root = build->root;
	const EbNode *round = eb_node_get(root, "round");
	EbText zone = eb_node_text(eb_node_get(root, "zone"));
	EbRounding none = {0, EB_HALF_UP, 0};
	EbRounding minor = none;
	int month = 1;
	int day = 1;

	tariff->minor_unit = (int16_t) eb_node_int(eb_node_get(root, "minor_unit"), 2);
	tariff->month_day = (int16_t) eb_node_int(eb_node_get(root, "month_day"), 1);
	eb_parse_month_day(eb_node_text(eb_node_get(root, "year_start")), &month, &day);
	tariff->year_start = (int16_t) (month * 32 + day);
	minor.step_n = (int64_t) eb_pow10(EB_PRICE_SCALE - tariff->minor_unit);
	tariff->round_quantity = eb_build_round(eb_node_find(round, "quantity"), none);
	tariff->round_price = eb_build_round(eb_node_find(round, "price"), none);
	tariff->round_line = eb_build_round(eb_node_find(round, "line"), minor);
	tariff->round_total = eb_build_round(eb_node_find(round, "total"), none);
	return eb_build_bytes(build, eb_node_text(eb_node_get(root, "code")), &tariff->code) &&
		   eb_build_label(build, eb_node_get(root, "name"), &tariff->label) &&
		   eb_build_bytes(build, eb_node_text(eb_node_get(root, "currency")), &tariff->currency) &&
		   eb_build_bytes(build, zone.len > 0 ? zone : (EbText){"UTC", 3}, &tariff->zone);
}

/* ---------------------------------------------------------------- faults */

/* Cuts a text that did not fit before the character it cuts; such texts are UTF-8 or ASCII. */
static void
clip(char *text, size_t size, int wanted)
{
	size_t end = size - 1;

	if (wanted < (int) size)
		return;
	while (end > 0 && ((unsigned char) text[end - 1] & 0xC0) == 0x80)
		end--;
	if (end > 0 && ((unsigned char) text[end - 1] & 0x80) != 0)
		end--;
	text[end] = '\0';
}

/* The first error stands in the fault. */
static void
take_finding(void *arg, const EbFinding *finding)
{
	EbFault *fault = arg;
	int wanted;

	if (finding->level != EB_LINT_ERROR || fault->message[0] != '\0')
		return;
	eb_fault_set(fault, EB_BAD_ARGUMENT, "tariff is not valid",
				 "SELECT * FROM elecbill.tariff_lint(definition) names each fault with its path.");
	wanted = snprintf(fault->detail, sizeof(fault->detail), "%s%s%s", finding->path,
					  finding->path[0] != '\0' ? ": " : "", finding->message);
	clip(fault->detail, sizeof(fault->detail), wanted);
}

/* A calendar or a series of which only the code is there */
static EbStatus
check_filled(const EbNode *root, EbFault *fault)
{
	if (eb_node_is(eb_node_get(root, "calendar"), EB_NODE_TEXT))
		return eb_fault_set(fault, EB_BAD_ARGUMENT, "the calendar of the tariff is not filled in",
							"elecbill.tariff_for() replaces the code of a calendar by its days.");
	EB_EACH(series, eb_node_get(root, "series"))
		if (series->kind == EB_NODE_TEXT && !eb_text_is(series->text, "usage"))
		{
			eb_fault_set(fault, EB_BAD_ARGUMENT, "a series of the tariff is not filled in",
						 "elecbill.tariff_for() replaces the code of a series by its points.");
			return eb_fault_detail(fault, EB_BAD_ARGUMENT, "It is series \"%.*s\".",
								   EB_TEXT_ARG(series->key));
		}
	return EB_OK;
}

static EbStatus
check(const EbNode *root, EbFault *fault)
{
	EbStatus status = EB_OK;

	*fault = (EbFault){.detail = ""};
	eb_tariff_lint(root, take_finding, fault);
	if (fault->message[0] != '\0')
		return EB_BAD_ARGUMENT;
	EB_EACH(version, eb_node_get(root, "versions"))
		if (status == EB_OK)
			status = check_filled(eb_node_get(version, "tariff"), fault);
	return status != EB_OK ? status : check_filled(root, fault);
}

/* ---------------------------------------------------------------- the block */

/* Clears the head of a block in [buf, buf + size), both multiples of 8; false: no room for it */
static bool
begin(EbBuild *build, const EbNode *root, void *buf, size_t size)
{
	*build = (EbBuild){.root = root, .tariff = buf, .size = size, .high = size};
	build->low = round_up(sizeof(EbTariff));
	for (int i = 0; i < EB_MAX_VALUES; i++)
		build->value_node[i] = EB_NONE;
	if (size < build->low)
		return false;
	memset(buf, 0, build->low);
	return true;
}

static bool
finish(EbBuild *build, size_t *used)
{
	build->tariff->format = EB_TARIFF_FORMAT;
	build->tariff->size = (uint32_t) build->low;
	*used = build->low;
	return true;
}

/* Tags are named by rules and by conditions, so their names come after both. */
static bool
build_tariff(const EbNode *root, void *buf, size_t size, size_t *used)
{
	EbBuild build;

	return begin(&build, root, buf, size) && build_head(&build) && eb_build_events(&build) &&
		   eb_build_time(&build) && eb_build_series(&build) && eb_build_measures(&build) &&
		   eb_build_components(&build) &&
		   eb_build_texts(&build, build.tag, build.ntags, &build.tariff->tag) &&
		   place_nodes(&build) && build_planes(&build) && finish(&build, used);
}

/* The head is that of the last version; what one bill has one of is the same in all. */
static bool
build_versions(const EbNode *versions, void *buf, size_t size, size_t *used)
{
	const EbNode *last = versions->child;
	EbBuild build;
	EbVersion *version;
	void *array;

	while (last->next != NULL)
		last = last->next;
	if (!begin(&build, eb_node_get(last, "tariff"), buf, size) || !build_head(&build) ||
		!eb_build_array(&build, eb_node_count(versions), sizeof(EbVersion), &build.tariff->version,
						&array))
		return false;
	version = array;
	EB_EACH(node, versions)
	{
		size_t block;

		if (!build_tariff(eb_node_get(node, "tariff"), (char *) buf + build.low, size - build.low,
						  &block))
			return false;
		eb_build_dates(eb_node_get(node, "valid"), &version->valid_from, &version->valid_to);
		version->number = eb_node_int(eb_node_get(node, "version"), 0);
		version->block = (EbSlice){(int32_t) build.low, (int32_t) block};
		build.low += block;
		version++;
	}
	return finish(&build, used);
}

EbStatus
eb_tariff_compile(const EbNode *root, void *buf, size_t size, size_t *used, EbFault *fault)
{
	const EbNode *versions = eb_node_get(root, "versions");
	size_t room = (size < EB_TARIFF_MAX_SIZE ? size : EB_TARIFF_MAX_SIZE) & ~(size_t) 7;
	EbStatus status = check(root, fault);

	*used = 0;
	if (status != EB_OK)
		return status;
	if (versions != NULL ? build_versions(versions, buf, room, used)
						 : build_tariff(root, buf, room, used))
		return EB_OK;
	if (size >= EB_TARIFF_MAX_SIZE)
		return eb_fault_set(fault, EB_OUT_OF_RANGE, "tariff is too large",
							"A compiled tariff has at most 8 MB: write fewer calendar days.");
	return EB_NO_SPACE;
}
