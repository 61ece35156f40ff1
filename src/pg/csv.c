/*
 * csv.c -- csv_rows: a CSV file as rows of fields
 * In:  the bytes of a file as people save it: UTF-8 with or without BOM, lines ended by LF, CR LF or
 *      CR, fields quoted or not (RFC 4180). Out: line number, fields, fault; a fault ends no file.
 * Floor: pg. PostgreSQL reads CSV in COPY only, and COPY stops at the first bad line.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* More than any list of meters has; keeps one bad quote from making an array of a whole file. */
#define CSV_MAX_FIELDS 1000

typedef struct CsvReader
{
	const char *at;
	const char *end;
	int line;			  /* of the byte at */
	const char *fault;	  /* first fault of the record */
	StringInfoData field; /* the field just read, quotes undone */
} CsvReader;

static void
find_fault(CsvReader *csv, const char *fault)
{
	if (csv->fault == NULL)
		csv->fault = fault;
}

/* Takes one line end (LF, CR LF, CR), inside or outside quotes. */
static void
take_line_end(CsvReader *csv)
{
	if (*csv->at == '\r' && csv->at + 1 < csv->end && csv->at[1] == '\n')
		csv->at++;
	csv->at++;
	csv->line++;
}

/* From behind the opening quote to behind the closing one. Line ends inside become LF. */
static void
read_quoted(CsvReader *csv)
{
	while (csv->at < csv->end)
	{
		if (*csv->at == '\r' || *csv->at == '\n')
		{
			take_line_end(csv);
			appendStringInfoChar(&csv->field, '\n');
			continue;
		}
		if (*csv->at == '"' && !(csv->at + 1 < csv->end && csv->at[1] == '"'))
		{
			csv->at++;
			return;
		}
		csv->at += *csv->at == '"' ? 1 : 0;
		appendStringInfoChar(&csv->field, *csv->at++);
	}
	find_fault(csv, "quote without end");
}

/* Reads one field and what ends it; true = a comma, so another field follows. */
static bool
read_field(CsvReader *csv)
{
	bool quoted = csv->at < csv->end && *csv->at == '"';

	resetStringInfo(&csv->field);
	if (quoted)
	{
		csv->at++;
		read_quoted(csv);
	}
	while (csv->at < csv->end && *csv->at != ',' && *csv->at != '\r' && *csv->at != '\n')
	{
		if (quoted)
			find_fault(csv, "text behind a closing quote");
		else if (*csv->at == '"')
			find_fault(csv, "quote inside an unquoted field");
		appendStringInfoChar(&csv->field, *csv->at++);
	}
	if (csv->at == csv->end)
		return false;
	if (*csv->at == ',')
	{
		csv->at++;
		return true;
	}
	take_line_end(csv);
	return false;
}

/*
 * Reads one record. The fields are NULL when its bytes are no UTF-8; the caller's memory context
 * takes all that is allocated.
 */
static ArrayBuildState *
read_record(CsvReader *csv)
{
	const char *start = csv->at;
	ArrayBuildState *fields = NULL;
	List *raw = NIL;
	int nfields = 0;
	bool more;
	ListCell *cell;

	csv->fault = NULL;
	initStringInfo(&csv->field);
	do
	{
		more = read_field(csv);
		if (++nfields <= CSV_MAX_FIELDS)
			raw = lappend(raw, pnstrdup(csv->field.data, csv->field.len));
		else
			find_fault(csv, "too many fields");
	} while (more);

	/* the record first: what is not UTF-8 as a whole must not reach a conversion */
	if (!pg_verify_mbstr(PG_UTF8, start, (int) (csv->at - start), true))
	{
		csv->fault = "not UTF-8 text";
		return NULL;
	}
	foreach(cell, raw)
	{
		char *text = lfirst(cell);

		text = pg_any_to_server(text, (int) strlen(text), PG_UTF8);
		fields = accumArrayResult(fields, CStringGetTextDatum(text), false, TEXTOID,
								  CurrentMemoryContext);
	}
	return fields;
}

PG_FUNCTION_INFO_V1(elecbill_csv_rows);
Datum
elecbill_csv_rows(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *out = (ReturnSetInfo *) fcinfo->resultinfo;
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	CsvReader csv = {.at = VARDATA_ANY(bytes), .line = 1};
	MemoryContext record_context;
	MemoryContext caller_context;

	csv.end = csv.at + VARSIZE_ANY_EXHDR(bytes);
	InitMaterializedSRF(fcinfo, 0);
	record_context =
		AllocSetContextCreate(CurrentMemoryContext, "CSV record", ALLOCSET_DEFAULT_SIZES);
	caller_context = MemoryContextSwitchTo(record_context);
	if (csv.end - csv.at >= 3 && memcmp(csv.at, "\xEF\xBB\xBF", 3) == 0)
		csv.at += 3;
	while (csv.at < csv.end)
	{
		Datum values[3];
		bool nulls[3] = {false, false, false};
		ArrayBuildState *fields;

		CHECK_FOR_INTERRUPTS();
		if (*csv.at == '\r' || *csv.at == '\n')
		{
			take_line_end(&csv); /* an empty line is no record */
			continue;
		}
		values[0] = Int32GetDatum(csv.line);
		fields = read_record(&csv);
		nulls[1] = fields == NULL;
		values[1] = nulls[1] ? (Datum) 0 : makeArrayResult(fields, record_context);
		nulls[2] = csv.fault == NULL;
		values[2] = nulls[2] ? (Datum) 0 : CStringGetTextDatum(csv.fault);
		tuplestore_putvalues(out->setResult, out->setDesc, values, nulls);
		MemoryContextReset(record_context);
	}
	MemoryContextSwitchTo(caller_context);
	MemoryContextDelete(record_context);
	return (Datum) 0;
}
