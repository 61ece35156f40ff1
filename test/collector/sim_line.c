/*
 * sim_line.c -- meters that print lines: a script of lines, raw bytes and pauses
 * In:  options. Out: bytes, in the order of the options.
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#define MAX_SCRIPT 512

/* A step of the text mode. */
typedef struct Step
{
	char kind; /* m meter line, l line, r raw bytes, w wait */
	const char *text;
	long value;
} Step;

static Step script[MAX_SCRIPT];
static int nsteps;
static int gap_ms = 30; /* after a line */

static bool speak(bool just_opened);

/* Text with \r \n \t \\ \xNN as bytes. */
static void
send_escaped(const char *text)
{
	char bytes[1024];
	size_t n = 0;

	for (; *text != '\0' && n < sizeof(bytes); text++)
	{
		char c = *text;

		if (c == '\\' && text[1] != '\0')
		{
			c = *++text;
			if (c == 'x' && text[1] != '\0' && text[2] != '\0')
			{
				char digits[3] = {text[1], text[2], '\0'};

				c = (char) strtol(digits, NULL, 16);
				text += 2;
			}
			else
				c = (char) (c == 'r' ? '\r' : c == 'n' ? '\n' : c == 't' ? '\t' : c);
		}
		bytes[n++] = c;
	}
	sim_send(bytes, n); /* at once: two lines of one text arrive in one millisecond */
}

static void
add_step(char kind, char *text)
{
	const char *equal = strchr(text, '=');
	char *end;

	if (nsteps >= MAX_SCRIPT || (kind == 'm' && equal == NULL))
		sim_die("--csv takes METER=KWH; at most 512 steps", text);
	script[nsteps] = (Step){kind, text, 0};
	if (kind == 'm')
		script[nsteps].value = sim_parse_kwh(equal + 1, &end);
	if (kind == 'w')
		script[nsteps].value = strtol(text, NULL, 10);
	nsteps++;
	sim.speak = speak;
}

static void
run_step(int i)
{
	Step *step = &script[i];
	char line[128];

	if (step->kind == 'w')
	{
		sim_nap((int) step->value);
		return;
	}
	if (step->kind == 'm')
	{
		snprintf(line, sizeof(line), "%.*s,%ld.%02ld\\r\\n", (int) strcspn(step->text, "="),
				 step->text, step->value / 100, step->value % 100);
		send_escaped(line);
		step->value += sim.grow;
	}
	else
		send_escaped(step->text);
	if (step->kind == 'l')
		send_escaped("\\r\\n");
	if (sim.log != NULL)
	{
		fprintf(sim.log, "sent %s\n", step->kind == 'm' ? line : step->text);
		fflush(sim.log);
	}
	sim_nap(gap_ms);
}

/* One step of the script: from its start when the line was opened, and anew after every_ms. */
static bool
speak(bool just_opened)
{
	static int at;

	if (just_opened)
	{
		sim_nap(600); /* longer than a reader's pause after opening */
		at = 0;
	}
	else if (at == nsteps)
	{
		if (sim.every_ms == 0)
			return false;
		sim_nap(sim.every_ms);
		at = 0;
	}
	run_step(at++);
	return true;
}

static void
take_csv(char *value)
{
	add_step('m', value);
}

static void
take_line(char *value)
{
	add_step('l', value);
}

static void
take_raw(char *value)
{
	add_step('r', value);
}

static void
take_wait(char *value)
{
	add_step('w', value);
}

static void
take_gap(char *value)
{
	gap_ms = (int) strtol(value, NULL, 10);
}

const SimOption sim_line_options[] = {
	{"csv", true, take_csv, "METER=KWH: a line METER,KWH; lines come in the order of the options"},
	{"line", true, take_line, "TEXT: a line; \\r \\n \\t \\\\ \\xNN are bytes"},
	{"raw", true, take_raw, "TEXT: without line end"},
	{"wait", true, take_wait, "MS: a pause"},
	{"gap", true, take_gap, "MS: pause between lines (30)"},
	{NULL, false, NULL, NULL},
};
