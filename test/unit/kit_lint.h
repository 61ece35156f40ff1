/*
 * kit_lint.h -- tariffs in short, and what lint says of them
 */
#ifndef ELECBILL_TEST_KIT_LINT_H
#define ELECBILL_TEST_KIT_LINT_H

#include "check.h"
#include "kit_json.h"

typedef struct Findings
{
	int nerrors;
	int nwarnings;
	int nnotes;
	char first[700]; /* "error components[0].price: must be ..." */
	char all[20000];
} Findings;

static inline void
take(void *arg, const EbFinding *finding)
{
	static const char *const level[] = {"error", "warning", "note"};
	Findings *found = arg;
	char line[4700];
	size_t len = strlen(found->all);

	found->nerrors += finding->level == EB_LINT_ERROR;
	found->nwarnings += finding->level == EB_LINT_WARNING;
	found->nnotes += finding->level == EB_LINT_NOTE;
	snprintf(line, sizeof(line), "%s %s: %s", level[finding->level], finding->path,
			 finding->message);
	if (found->first[0] == '\0')
		snprintf(found->first, sizeof(found->first), "%.690s", line);
	snprintf(found->all + len, sizeof(found->all) - len, "%s\n", line);
}

static inline Findings *
lint(const char *text)
{
	static Findings found;

	found = (Findings){0};
	eb_tariff_lint(kit_json(text), take, &found);
	return &found;
}

/* The whole of a tariff around what a test is about */
static inline const char *
around(const char *head, const char *components)
{
	static char text[100000];

	snprintf(text, sizeof(text), "{'elecbill':1,'currency':'CNY',%s'components':[%s]}", head,
			 components);
	return text;
}

static inline const char *
only(const char *component)
{
	static char text[50000];

	snprintf(text, sizeof(text), "{'code':'a','kind':'energy',%s}", component);
	return around("", text);
}

#define ENERGY "{'code':'a','kind':'energy','price':1}"
#define TOU \
	"'schedules':{'tou':[{'period':'peak','spans':[['08:00','22:00']]},{'period':'valley'}]},"

/* The first finding is this one */
#define CHECK_FIRST(text, want) CHECK_STR(lint(text)->first, want)
#define CHECK_CLEAN(text) CHECK_STR(lint(text)->all, "")

#endif /* ELECBILL_TEST_KIT_LINT_H */
