/*
 * import_ocpi_read.c -- values of an OCPI tariff, with their paths
 * In:  nodes that anybody may have written.
 * Out: numbers; faults that name the place.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include <stdarg.h>
#include <stdio.h>

#include "rating/fault.h"
#include "rating/import_ocpi.h"
#include "rating/tariff_json.h"

EbStatus
eb_ocpi_refuse(const EbOcpi *ocpi, EbStatus status, const char *path, const char *format, ...)
{
	char what[120];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	eb_fault_set(ocpi->fault, status,
				 status == EB_NOT_SUPPORTED ? "the OCPI tariff cannot be written as a tariff"
											: "the OCPI tariff is not valid",
				 NULL);
	return eb_fault_detail(ocpi->fault, status, "%s%s%s", path, path[0] != '\0' ? ": " : "", what);
}

static bool
is_listed(EbText key, const char *const *list)
{
	for (; list != NULL && *list != NULL; list++)
		if (eb_text_is(key, *list))
			return true;
	return false;
}

EbStatus
eb_ocpi_keys(const EbOcpi *ocpi, const EbNode *object, const char *path, const char *const *known,
			 const char *const *idle)
{
	if (!eb_node_is(object, EB_NODE_OBJECT))
		return eb_ocpi_refuse(ocpi, EB_BAD_ARGUMENT, path, "must be an object");
	EB_EACH(member, object)
		if (member->kind != EB_NODE_NULL && !is_listed(member->key, known) &&
			!is_listed(member->key, idle))
			return eb_ocpi_refuse(ocpi, EB_NOT_SUPPORTED, path,
								  "has a key \"%.*s\" that is not known",
								  member->key.len < 40 ? member->key.len : 40, member->key.data);
	return EB_OK;
}

EbStatus
eb_ocpi_number(const EbOcpi *ocpi, const EbNode *object, const char *path, const char *key,
			   int scale, bool *found, int64_t *value)
{
	const EbNode *node = eb_node_get(object, key);
	char below[2 * EB_OCPI_PATH];
	EbStatus status = EB_BAD_ARGUMENT;

	*value = 0;
	*found = node != NULL;
	if (node == NULL)
		return EB_OK;
	snprintf(below, sizeof(below), "%s%s%s", path, path[0] != '\0' ? "." : "", key);
	if (node->kind == EB_NODE_NUMBER || node->kind == EB_NODE_TEXT)
		status = eb_node_decimal(node, scale, value);
	if (status == EB_TOO_PRECISE && scale == 0)
		return eb_ocpi_refuse(ocpi, EB_BAD_ARGUMENT, below, "must be a whole number");
	if (status == EB_TOO_PRECISE)
		return eb_ocpi_refuse(ocpi, EB_BAD_ARGUMENT, below, "has more than %d decimals", scale);
	if (status == EB_OUT_OF_RANGE)
		return eb_ocpi_refuse(ocpi, EB_OUT_OF_RANGE, below, "is out of range");
	if (status != EB_OK)
		return eb_ocpi_refuse(ocpi, EB_BAD_ARGUMENT, below, "must be a number");
	return EB_OK;
}
