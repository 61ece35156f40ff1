/*
 * grammar_dump.c -- the tables of the tariff grammar as JSON, for test_schema
 * Prints {"root": id, "versions": id, "price": id, ..., "types": {id: type}}; a type names others by
 * id, so that one that holds itself comes to an end.
 */
#include <stdio.h>
#include <string.h>

#include "rating/tariff_grammar.h"

#define MOST_TYPES 500

static const EbType *seen[MOST_TYPES];
static int nseen;

/* Number of the type; those not seen yet are put at the end of the list. */
static int
id_of(const EbType *type)
{
	for (int i = 0; i < nseen; i++)
		if (seen[i] == type)
			return i;
	seen[nseen] = type;
	return nseen++;
}

static void
put_text(const char *text)
{
	putchar('"');
	for (; *text != '\0'; text++)
	{
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	putchar('"');
}

static void
put_type(const char *name, const EbType *type)
{
	if (type != NULL)
		printf(", \"%s\": %d", name, id_of(type));
}

static void
put_kinds(uint32_t kinds)
{
	const char *comma = "";

	printf(", \"kinds\": [");
	for (int i = 0; i < EB_KINDS; i++)
		if (kinds == 0 || (kinds >> i & 1) != 0)
		{
			printf("%s\"%s\"", comma, eb_kind_word[i].name);
			comma = ", ";
		}
	printf("]");
}

static void
put_fields(const EbField *field)
{
	const char *comma = "";

	printf(", \"fields\": [");
	for (; field->name != NULL; field++)
	{
		printf("%s\n  {\"name\": \"%s\", \"type\": %d, \"required\": %s", comma, field->name,
			   id_of(field->type), field->required ? "true" : "false");
		if (field->initial != NULL)
		{
			printf(", \"initial\": ");
			put_text(field->initial);
		}
		put_kinds(field->kinds);
		printf("}");
		comma = ",";
	}
	printf("]");
}

static void
put_words(const EbWord *word)
{
	const char *comma = "";

	printf(", \"words\": [");
	for (; word->name != NULL; word++)
	{
		printf("%s\"%s\"", comma, word->name);
		comma = ", ";
	}
	printf("]");
}

static void
dump_type(const EbType *type)
{
	static const char *const kind[] = {
		[EB_TYPE_BOOL] = "bool",		 [EB_TYPE_INT] = "int",
		[EB_TYPE_DECIMAL] = "decimal",	 [EB_TYPE_TEXT] = "text",
		[EB_TYPE_WORD] = "word",		 [EB_TYPE_CURRENCY] = "currency",
		[EB_TYPE_DATE] = "date",		 [EB_TYPE_MONTH_DAY] = "month_day",
		[EB_TYPE_MINUTE] = "minute",	 [EB_TYPE_INSTANT] = "instant",
		[EB_TYPE_QUANTITY] = "quantity", [EB_TYPE_SCALAR] = "scalar",
		[EB_TYPE_OBJECT] = "object",	 [EB_TYPE_MAP] = "map",
		[EB_TYPE_LIST] = "list",		 [EB_TYPE_PAIR] = "pair",
		[EB_TYPE_CHOICE] = "choice",
	};

	printf(
		"{\"kind\": \"%s\", \"nullable\": %s, \"scale\": %d, \"sign\": %d, \"min\": %d, \"max\": %d",
		kind[type->kind], type->nullable ? "true" : "false", type->scale, (int) type->sign,
		type->min, type->max);
	printf(", \"what\": ");
	put_text(type->what);
	if (type->word != NULL)
		put_words(type->word);
	if (type->field != NULL)
		put_fields(type->field);
	put_type("key", type->key);
	put_type("element", type->element);
	put_type("second", type->second);
	put_type("scalar", type->scalar);
	put_type("list", type->list);
	put_type("object", type->object);
	printf("}");
}

/* What "per" may be, by kind; those without a list take any. */
static void
dump_kinds(void)
{
	const char *comma = "";

	printf("\"units\": {");
	for (int i = 0; i < EB_KINDS; i++)
		if (eb_kind_word[i].units != NULL)
		{
			printf("%s\"%s\": \"%s\"", comma, eb_kind_word[i].name, eb_kind_word[i].units);
			comma = ", ";
		}
	printf("},\n");
}

int
main(void)
{
	printf("{\"tariff\": %d, \"versions\": %d, \"price\": %d,\n", id_of(&eb_tariff_type),
		   id_of(&eb_versions_type), id_of(&eb_price_type));
	dump_kinds();
	printf("\"types\": [");
	for (int i = 0; i < nseen; i++) /* dumping one finds more */
	{
		printf("%s\n", i > 0 ? "," : "");
		dump_type(seen[i]);
	}
	printf("]}\n");
	return 0;
}
