/*
 * tariff_grammar.h -- the JSON form of a tariff as tables: keys, types, order, defaults
 * One table serves the check (tariff_lint.c), the canonical text (tariff_text.c) and the words the
 * compiler reads (tariff_compile.c), so the three cannot disagree.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/tariff.md.
 */
#ifndef EB_TARIFF_GRAMMAR_H
#define EB_TARIFF_GRAMMAR_H

#include <stdbool.h>
#include <stdint.h>

#include "rating/node.h"

/* Containers inside containers, the tariff itself counted; also the length of a chain of refs */
#define EB_MAX_DEPTH 32

/* Price nodes that evaluating one price may visit, refs followed */
#define EB_MAX_PRICE_NODES 10000
#define EB_MAX_ALL_PRICE_NODES 1000000 /* of all prices together */

#define EB_MAX_NAME 100
#define EB_MAX_VALUES 256
#define EB_MAX_RULES 256
#define EB_MAX_SPANS 48 /* of a rule */
#define EB_MAX_SCHEDULE_SPANS 1024
#define EB_MAX_SEASON_RANGES 16
#define EB_MAX_ENTRIES 1000
#define EB_MAX_PRICES 200 /* members of a price map */
#define EB_MAX_CALENDAR_DAYS 40000
#define EB_MAX_SESSION_STEP 100000000 /* Wh, seconds: more than three years */

typedef enum EbTypeKind
{
	EB_TYPE_BOOL,
	EB_TYPE_INT,	   /* min..max */
	EB_TYPE_DECIMAL,   /* scale, sign, max unless 0; a number or a text that is one */
	EB_TYPE_TEXT,	   /* min..max bytes */
	EB_TYPE_WORD,	   /* one of word */
	EB_TYPE_CURRENCY,  /* three capital letters */
	EB_TYPE_DATE,	   /* "YYYY-MM-DD" */
	EB_TYPE_MONTH_DAY, /* "MM-DD" */
	EB_TYPE_MINUTE,	   /* "HH:MM" */
	EB_TYPE_INSTANT,   /* "YYYY-MM-DDTHH:MM:SS+HH:MM" */
	EB_TYPE_QUANTITY,  /* a word of eb_quantity_word, "attr:NAME" or a name of ctx.qty */
	EB_TYPE_SCALAR,	   /* text, number, true or false: an attribute's value */
	EB_TYPE_OBJECT,	   /* field */
	EB_TYPE_MAP,	   /* min..max members, key and element */
	EB_TYPE_LIST,	   /* min..max elements */
	EB_TYPE_PAIR,	   /* element and second; nullable: either may be null, not both */
	EB_TYPE_CHOICE,	   /* by the kind of JSON value: scalar, list or object */
} EbTypeKind;

typedef enum EbSign
{
	EB_SIGN_ANY,
	EB_SIGN_NOT_NEGATIVE,
	EB_SIGN_POSITIVE,
} EbSign;

/* Names an enumeration's value */
typedef struct EbWord
{
	const char *name; /* NULL ends the list */
	int value;
} EbWord;

/* What a value must fulfil beyond its type; the checks are in tariff_lint_*.c */
typedef enum EbTypeCheck
{
	EB_CHECK_NONE = 0,
	EB_CHECK_PRICE,
	EB_CHECK_RANGE,
	EB_CHECK_CONDITION,
	EB_CHECK_SPAN,
	EB_CHECK_RULE,
	EB_CHECK_POINTS,
	EB_CHECK_DEMAND,
	EB_CHECK_LOSS,
	EB_CHECK_EACH,
	EB_CHECK_NET,
	EB_CHECK_INSTANTS,
	EB_CHECK_PF_ROWS,
	EB_CHECK_PF_LINEAR,
} EbTypeCheck;

typedef struct EbType
{
	EbTypeKind kind;
	EbTypeCheck check;
	const char *what; /* "a decimal number": for messages */
	bool nullable;
	int scale;
	EbSign sign;
	int min;
	int max;
	const EbWord *word;
	const struct EbField *field; /* a member without name ends it */
	const struct EbType *key;
	const struct EbType *element;
	const struct EbType *second;
	const struct EbType *scalar;
	const struct EbType *list;
	const struct EbType *object;
} EbType;

/* Defaults that hang on other keys */
typedef enum EbInitial
{
	EB_INITIAL_TEXT = 0,	  /* initial, or none when that is NULL */
	EB_INITIAL_CODE,		  /* "code" of the same object */
	EB_INITIAL_KIND_QUANTITY, /* by the kind of the component */
	EB_INITIAL_KIND_PER,
	EB_INITIAL_ONLY_SCHEDULE, /* when there is one */
	EB_INITIAL_LINE_ROUND,	  /* round.line of the tariff */
	EB_INITIAL_MINOR_UNIT,	  /* half-up to the minor unit of the currency */
	EB_INITIAL_WINDOW,		  /* "window" of the same object */
	EB_INITIAL_SCOPE_SPLIT,	  /* by the scope of the tier */
	EB_INITIAL_ONLY_DEMAND,	  /* when there is one, and the step counts by kW */
} EbInitial;

typedef struct EbField
{
	const char *name;
	const EbType *type;
	const char *initial; /* canonical text of the default */
	uint32_t kinds;		 /* component keys: bit of each kind that has it; 0 = all */
	uint8_t rule;		 /* EbInitial */
	bool required;
	bool classifies; /* decides how usage is cut and sorted */
} EbField;

/* The kinds of components; index = bit in EbField.kinds */
typedef struct EbKindWord
{
	const char *name;
	int value;			  /* EbComponentKind */
	const char *quantity; /* default, NULL none */
	const char *per;
	const char *units; /* words that "per" may be; NULL: any */
} EbKindWord;

#define EB_KINDS 16
extern const EbKindWord eb_kind_word[EB_KINDS];

extern const EbType eb_tariff_type;
extern const EbType eb_versions_type; /* a tariff that changes: versions, each a tariff */
extern const EbType eb_price_type;
extern const EbType eb_bound_type; /* a decimal of 1e-6 */
extern const EbWord eb_quantity_word[];
extern const EbWord eb_day_word[];	/* tags that follow from the date */
extern const EbWord eb_mark_word[]; /* tags of the calendar that every tariff knows */
extern const EbWord eb_mode_word[]; /* EbRoundMode */
extern const EbWord eb_per_word[];
extern const EbWord eb_prorate_word[];
extern const EbWord eb_tier_mode_word[];
extern const EbWord eb_tier_scope_word[];
extern const EbWord eb_tier_order_word[];
extern const EbWord eb_split_word[];
extern const EbWord eb_step_unit_word[];
extern const EbWord eb_min_scope_word[];
extern const EbWord eb_pf_table_word[];

/* The word's row, NULL when it is none. */
extern const EbWord *eb_word_find(const EbWord *word, EbText text);
extern const EbKindWord *eb_kind_find(EbText text);
/* The alternative of a choice that fits the kind of the value; NULL when there is none. */
extern const EbType *eb_type_choose(const EbType *choice, const EbNode *node);
extern const EbField *eb_field_find(const EbType *object, EbText key);
/* eb_versions_type when it has the key "versions", else eb_tariff_type */
extern const EbType *eb_root_type(const EbNode *root);

/*
 * The value of a key of the object, or its default: of a word; of a number, in the scale of its
 * type (0 when there is neither).
 */
extern int eb_field_word(const EbType *object, const EbNode *node, const char *key);
extern int64_t eb_field_decimal(const EbType *object, const EbNode *node, const char *key);

#endif
