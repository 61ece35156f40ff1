/*
 * fault_rule.c -- which message is harmed, and how
 * In:  rules as text, messages. Out: the pieces that are sent instead.
 */
#include "faultline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_RULES 256
#define MAX_HEX 512

const char rule_help[] =
	"A rule: reply|request WHICH [has HEX] ACTION [ARGUMENT...]\n"
	"WHICH counts the messages of that kind (that have these bytes) from the rule's birth on:\n"
	"  3  2-5  4-  *  /7 (every seventh)  ~20 (20 of 1000, drawn)\n"
	"ACTION\n"
	"  drop                  nothing arrives\n"
	"  cut N                 the first N bytes arrive; -N: all but the last N\n"
	"  flip BIT              bit BIT mod length is turned; random: any one\n"
	"  set OFFSET HEX        these bytes instead\n"
	"  inside OFFSET HEX     these bytes in between\n"
	"  before HEX, after HEX these bytes around it\n"
	"  babble HEX MS         instead of it these bytes, again and again\n"
	"  delay MS              it arrives later\n"
	"  pause OFFSET MS       its rest arrives later\n"
	"  pace MS               byte by byte\n"
	"  twice MS              once more, MS later\n"
	"  hold                  together with the next one\n"
	"  echo                  it goes back to its sender first\n"
	"  unplug OFFSET MS [LINK]  after OFFSET bytes the master's terminal goes away for MS\n";

typedef struct Rule
{
	Side from;
	long first, last; /* of the count; every: only each last-th */
	bool every;
	long of_1000; /* drawn; 0: not */
	uint8_t has[MAX_HEX];
	size_t nhas;
	char action[16];
	long number[2];
	uint8_t bytes[MAX_HEX];
	size_t nbytes;
	bool random;
	char link[256];
	long count;
} Rule;

/* What a message is on its way through the rules. */
typedef struct Work
{
	Side from;
	uint8_t bytes[2 * MAX_MESSAGE];
	size_t n;
	Fate fate;
	int64_t delay_us, pause_us, pace_us, twice_us;
	size_t pause_at;
	bool twice, echo, hold, unplug;
	size_t unplug_at;
	int unplug_ms;
	const char *link;
} Work;

static Rule rule[MAX_RULES];
static int nrules;
static uint64_t state;

static uint8_t held[NSIDES][MAX_MESSAGE];
static size_t nheld[NSIDES];

void
rule_seed(uint64_t seed)
{
	state = seed;
}

/* 0 .. n - 1; splitmix64 */
static long
draw(long n)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (long) ((z ^ (z >> 31)) % (uint64_t) n);
}

void
rule_clear(void)
{
	nrules = 0;
}

static bool
read_hex(const char *text, uint8_t *bytes, size_t *n)
{
	size_t length = strlen(text);

	if (length == 0 || length % 2 != 0 || length > 2 * MAX_HEX ||
		strspn(text, "0123456789abcdefABCDEF") != length)
		return false;
	for (*n = 0; *n < length / 2; (*n)++)
	{
		char pair[3] = {text[2 * *n], text[2 * *n + 1], '\0'};

		bytes[*n] = (uint8_t) strtoul(pair, NULL, 16);
	}
	return true;
}

static bool
read_number(const char *text, long *number)
{
	char *end;

	*number = strtol(text, &end, 10);
	return end != text && *end == '\0';
}

static bool
read_which(const char *text, Rule *r)
{
	char *end;

	r->first = 1;
	r->last = -1;
	if (strcmp(text, "*") == 0)
		return true;
	if (text[0] == '/' || text[0] == '~')
	{
		long number;

		if (!read_number(text + 1, &number) || number < 1)
			return false;
		r->every = text[0] == '/';
		*(r->every ? &r->last : &r->of_1000) = number;
		return true;
	}
	r->first = strtol(text, &end, 10);
	if (end == text || r->first < 1)
		return false;
	if (*end == '\0')
		r->last = r->first;
	else if (*end == '-' && end[1] != '\0' && !read_number(end + 1, &r->last))
		return false;
	return *end == '\0' || *end == '-';
}

/* The arguments an action takes: n number, h hex, r a number or the word random. */
static const char *
arguments_of(const char *action)
{
	static const struct
	{
		const char *name, *takes;
	} known[] = {
		{"drop", ""},	 {"cut", "n"},	 {"flip", "r"},	   {"set", "nh"},  {"inside", "nh"},
		{"before", "h"}, {"after", "h"}, {"babble", "hn"}, {"delay", "n"}, {"pause", "nn"},
		{"pace", "n"},	 {"twice", "n"}, {"hold", ""},	   {"echo", ""},   {"unplug", "nn"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].name, action) == 0)
			return known[i].takes;
	return NULL;
}

static const char *
read_action(Rule *r, const char *action, char **rest)
{
	const char *takes = action != NULL ? arguments_of(action) : NULL;
	int nnumbers = 0;
	char *word;

	if (takes == NULL)
		return "no such action";
	snprintf(r->action, sizeof(r->action), "%s", action);
	for (; *takes != '\0'; takes++)
	{
		word = strtok_r(NULL, " \t\n", rest);
		if (word == NULL)
			return "an argument is missing";
		r->random = *takes == 'r' && strcmp(word, "random") == 0;
		if (*takes == 'h' ? !read_hex(word, r->bytes, &r->nbytes)
						  : !r->random && !read_number(word, &r->number[nnumbers++]))
			return "not such an argument";
	}
	word = strtok_r(NULL, " \t\n", rest);
	if (word != NULL && strcmp(action, "unplug") == 0)
	{
		snprintf(r->link, sizeof(r->link), "%s", word);
		word = strtok_r(NULL, " \t\n", rest);
	}
	return word == NULL ? NULL : "one argument too many";
}

const char *
rule_add(const char *text)
{
	char line[4096];
	char *rest, *word;
	Rule *r = &rule[nrules];
	const char *wrong;

	if (nrules == MAX_RULES || strlen(text) >= sizeof(line))
		return "too many rules, or too long a one";
	memset(r, 0, sizeof(*r));
	memcpy(line, text, strlen(text) + 1);
	word = strtok_r(line, " \t\n", &rest);
	if (word == NULL || (strcmp(word, "reply") != 0 && strcmp(word, "request") != 0))
		return "begin with reply or request";
	r->from = word[2] == 'p' ? SIDE_METER : SIDE_MASTER;
	word = strtok_r(NULL, " \t\n", &rest);
	if (word == NULL || !read_which(word, r))
		return "which ones?";
	word = strtok_r(NULL, " \t\n", &rest);
	if (word != NULL && strcmp(word, "has") == 0)
	{
		word = strtok_r(NULL, " \t\n", &rest);
		if (word == NULL || !read_hex(word, r->has, &r->nhas))
			return "has wants hex";
		word = strtok_r(NULL, " \t\n", &rest);
	}
	wrong = read_action(r, word, &rest);
	if (wrong == NULL)
		nrules++;
	return wrong;
}

static bool
contains(const uint8_t *bytes, size_t n, const uint8_t *part, size_t npart)
{
	for (size_t i = 0; i + npart <= n; i++)
		if (memcmp(bytes + i, part, npart) == 0)
			return true;
	return npart == 0;
}

/* Counts the message for the rule, and says whether it is one of those. */
static bool
rule_hits(Rule *r, Side from, const uint8_t *bytes, size_t n)
{
	if (r->from != from || !contains(bytes, n, r->has, r->nhas))
		return false;
	r->count++;
	if (r->of_1000 > 0)
		return draw(1000) < r->of_1000;
	if (r->every)
		return r->count % r->last == 0;
	return r->count >= r->first && (r->last < 0 || r->count <= r->last);
}

/* A place in the message: from the end when negative. */
static size_t
place(const Work *work, long offset)
{
	long at = offset < 0 ? (long) work->n + offset : offset;

	return at < 0 ? 0 : at > (long) work->n ? work->n : (size_t) at;
}

static void
worsen(Work *work, Fate fate)
{
	if (fate > work->fate)
		work->fate = fate;
}

static void
insert(Work *work, size_t at, const uint8_t *bytes, size_t n)
{
	if (work->n + n > sizeof(work->bytes))
		return;
	memmove(work->bytes + at + n, work->bytes + at, work->n - at);
	memcpy(work->bytes + at, bytes, n);
	work->n += n;
}

static void
babble(Work *work, const Rule *r)
{
	Side to = work->from == SIDE_METER ? SIDE_MASTER : SIDE_METER;

	/* As fast as 9600 baud. */
	for (int64_t us = 0; us < r->number[0] * INT64_C(1000); us += 1042 * (int64_t) r->nbytes)
		line_send(to, r->bytes, r->nbytes, 1042 * (int64_t) r->nbytes);
	work->n = 0;
}

/* What the rule makes of the bytes. false: it is not about the bytes. */
static bool
change_bytes(Work *work, const Rule *r)
{
	const char *action = r->action;

	if (strcmp(action, "drop") == 0)
		work->n = 0;
	else if (strcmp(action, "cut") == 0)
		work->n = place(work, r->number[0]);
	else if (strcmp(action, "flip") == 0 && work->n > 0)
	{
		long bits = 8 * (long) work->n;
		long bit = r->random ? draw(bits) : ((r->number[0] % bits) + bits) % bits;

		work->bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
	}
	else if (strcmp(action, "set") == 0)
	{
		size_t at = place(work, r->number[0]);

		memcpy(work->bytes + at, r->bytes, r->nbytes < work->n - at ? r->nbytes : work->n - at);
	}
	else if (strcmp(action, "inside") == 0)
		insert(work, place(work, r->number[0]), r->bytes, r->nbytes);
	else if (strcmp(action, "babble") == 0)
		babble(work, r);
	else
		return false;
	worsen(work, FATE_HURT);
	return true;
}

static void
change_way(Work *work, const Rule *r)
{
	const char *action = r->action;

	worsen(work, FATE_MOVED);
	if (strcmp(action, "before") == 0)
		insert(work, 0, r->bytes, r->nbytes);
	else if (strcmp(action, "after") == 0)
		insert(work, work->n, r->bytes, r->nbytes);
	else if (strcmp(action, "delay") == 0)
		work->delay_us += r->number[0] * INT64_C(1000);
	else if (strcmp(action, "pause") == 0)
	{
		work->pause_at = place(work, r->number[0]);
		work->pause_us = r->number[1] * INT64_C(1000);
	}
	else if (strcmp(action, "pace") == 0)
		work->pace_us = r->number[0] * INT64_C(1000);
	else if (strcmp(action, "twice") == 0)
	{
		work->twice = true;
		work->twice_us = r->number[0] * INT64_C(1000);
	}
	else if (strcmp(action, "hold") == 0)
		work->hold = true;
	else if (strcmp(action, "echo") == 0)
		work->echo = true;
	else if (strcmp(action, "unplug") == 0)
	{
		work->unplug = true;
		work->unplug_at = place(work, r->number[0]);
		work->unplug_ms = (int) r->number[1];
		work->link = r->link[0] != '\0' ? r->link : NULL;
		worsen(work, FATE_HURT);
	}
}

/* Sends the bytes as slowly as they were to come. */
static void
deliver(const Work *work, Side to)
{
	size_t n = work->unplug ? work->unplug_at : work->n;
	int64_t delay_us = work->delay_us;

	for (size_t at = 0; at < n;)
	{
		size_t end = work->pace_us > 0 ? at + 1 : n;

		if (work->pause_us > 0 && at < work->pause_at && work->pause_at < end)
			end = work->pause_at;
		if (work->pause_us > 0 && at == work->pause_at)
			delay_us += work->pause_us;
		line_send(to, work->bytes + at, end - at, delay_us);
		delay_us = work->pace_us;
		at = end;
	}
	if (work->unplug)
		line_unplug(work->unplug_ms, work->link);
}

Fate
rule_apply(Side from, const uint8_t *bytes, size_t n, char *actions, size_t size)
{
	static Work work;
	Side to = from == SIDE_METER ? SIDE_MASTER : SIDE_METER;
	size_t used = 0;

	memset(&work, 0, sizeof(work));
	work.from = from;
	work.n = n;
	memcpy(work.bytes, bytes, n);
	actions[0] = '\0';
	for (int i = 0; i < nrules; i++)
	{
		if (!rule_hits(&rule[i], from, bytes, n))
			continue;
		used += (size_t) snprintf(actions + used, size - used, "%s%s", used > 0 ? "+" : "",
								  rule[i].action);
		if (used >= size)
			used = size - 1;
		if (!change_bytes(&work, &rule[i]))
			change_way(&work, &rule[i]);
	}
	if (nheld[from] > 0)
	{
		insert(&work, 0, held[from], nheld[from]);
		nheld[from] = 0;
	}
	if (work.hold && work.n <= MAX_MESSAGE)
	{
		memcpy(held[from], work.bytes, work.n);
		nheld[from] = work.n;
		return work.fate;
	}
	if (work.echo)
		deliver(&work, from);
	deliver(&work, to);
	if (work.twice)
		line_send(to, work.bytes, work.n, work.twice_us);
	return work.fate;
}
