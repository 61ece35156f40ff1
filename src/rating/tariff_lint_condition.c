/*
 * tariff_lint_condition.c -- the check of a tariff: conditions, ranges, limits
 * In:  nodes whose types the walk has looked at.
 * Out: findings.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/tariff.md (C, RANGE).
 */
#include "rating/tariff_lint.h"

void
eb_lint_range(EbLint *lint, const EbPath *path, const EbNode *range)
{
	const EbNode *gt = eb_node_get(range, "gt");
	const EbNode *ge = eb_node_get(range, "ge");
	const EbNode *lt = eb_node_get(range, "lt");
	const EbNode *le = eb_node_get(range, "le");
	const EbNode *low = gt != NULL ? gt : ge;
	const EbNode *high = lt != NULL ? lt : le;
	int64_t low_u;
	int64_t high_u;

	if (low == NULL && high == NULL)
		eb_lint_error(lint, path, "must have one of \"gt\", \"ge\", \"lt\", \"le\"");
	if (gt != NULL && ge != NULL)
		eb_lint_error(lint, path, "must not have both \"gt\" and \"ge\"");
	if (lt != NULL && le != NULL)
		eb_lint_error(lint, path, "must not have both \"lt\" and \"le\"");
	if (eb_node_decimal(low, EB_ENERGY_SCALE, &low_u) == EB_OK &&
		eb_node_decimal(high, EB_ENERGY_SCALE, &high_u) == EB_OK &&
		(low_u > high_u || (low_u == high_u && (gt != NULL || lt != NULL))))
		eb_lint_error(lint, path, "no number lies in the range");
}

void
eb_lint_condition(EbLint *lint, const EbPath *path, const EbNode *condition)
{
	EbPath season = eb_path_name(path, "season");
	EbPath months = eb_path_name(path, "months");
	EbPath days = eb_path_name(path, "days");
	EbPath not_days = eb_path_name(path, "not_days");
	EbPath time = eb_path_name(path, "time");
	const EbNode *span = eb_node_get(condition, "time");

	eb_lint_tags(lint, &days, eb_node_get(condition, "days"));
	eb_lint_tags(lint, &not_days, eb_node_get(condition, "not_days"));
	eb_lint_span(lint, &time, span);
	if (eb_node_count(span) == 2 &&
		eb_text_equal(eb_node_text(span->child), eb_node_text(span->child->next)))
		eb_lint_error(lint, &time, "the span has no minute");
	eb_lint_seasons(lint, &season, eb_node_get(condition, "season"));
	eb_lint_months(lint, &months, eb_node_get(condition, "months"));
}

void
eb_lint_each(EbLint *lint, const EbPath *path, const EbNode *each)
{
	int64_t min_n;
	int64_t max_n;

	if (eb_node_first(each) == NULL)
		eb_lint_warning(lint, path, "is not used: it has neither \"min\" nor \"max\"");
	if (eb_node_decimal(eb_node_get(each, "min"), EB_PRICE_SCALE, &min_n) == EB_OK &&
		eb_node_decimal(eb_node_get(each, "max"), EB_PRICE_SCALE, &max_n) == EB_OK && min_n > max_n)
		eb_lint_error(lint, path, "\"min\" is above \"max\"");
}
