/*
 * tariff_lint_version.c -- the check of a tariff that changes: do its versions belong together?
 * In:  the list of versions; each tariff has been looked at by itself.
 * Out: findings: gaps and overlaps of the dates; another code, currency, zone, minor unit, tier year
 *      or month.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/tariff.md (versions).
 */
#include "base/civil.h"
#include "rating/tariff_build.h"
#include "rating/tariff_lint.h"

/* What one bill has one of; a key that is left out has its default. */
static void
lint_same(EbLint *lint, const EbPath *path, const EbNode *first, const EbNode *version)
{
	static const char *const key[] = {"code", "currency",	"minor_unit",
									  "zone", "year_start", "month_day"};
	static const char *const initial[] = {"", "", "2", "UTC", "01-01", "1"};
	EbPath tariff = eb_path_name(path, "tariff");

	for (int i = 0; i < 6; i++)
	{
		EbPath below = eb_path_name(&tariff, key[i]);
		EbText text[2];

		for (int j = 0; j < 2; j++)
		{
			const EbNode *root = eb_node_get(j == 0 ? first : version, "tariff");
			const EbNode *value = eb_node_get(root, key[i]);

			text[j] = value != NULL ? value->text : (EbText){initial[i], (int) strlen(initial[i])};
		}
		if (!eb_text_equal(text[0], text[1]))
			eb_lint_error(lint, &below, "is not that of the first version");
	}
}

void
eb_lint_versions(EbLint *lint, const EbPath *path, const EbNode *versions)
{
	EbPath list = eb_path_name(path, "versions");
	int32_t before = INT32_MIN;
	int n = 0;

	EB_EACH(version, versions)
	{
		EbPath here = eb_path_index(&list, n++);
		EbPath valid = eb_path_name(&here, "valid");
		int32_t from;
		int32_t to;

		eb_build_dates(eb_node_get(version, "valid"), &from, &to);
		if (version != versions->child && (from < before || from == INT32_MIN))
			eb_lint_error(lint, &valid, "overlaps with the version before it");
		else if (version != versions->child && from > before)
			eb_lint_error(lint, &valid, "leaves a gap after the version before it");
		before = to;
		lint_same(lint, &here, versions->child, version);
	}
}
