/*
 * json.c -- text as JSON wants it
 * In:  text of the configuration, of libraries, of meters. Out: JSON strings, always UTF-8.
 */
#include "json.h"

size_t
eb_utf8_size(const char *text)
{
	const unsigned char *at = (const unsigned char *) text;
	size_t size = at[0] < 0x80			   ? 1
				  : (at[0] & 0xE0) == 0xC0 ? 2
				  : (at[0] & 0xF0) == 0xE0 ? 3
				  : (at[0] & 0xF8) == 0xF0 ? 4
										   : 0;

	for (size_t i = 1; i < size; i++)
		if ((at[i] & 0xC0) != 0x80)
			return 0;
	/* longer than needed, half of a surrogate pair, beyond Unicode */
	if ((size == 2 && at[0] < 0xC2) || (at[0] == 0xE0 && at[1] < 0xA0) ||
		(at[0] == 0xED && at[1] > 0x9F) || (at[0] == 0xF0 && at[1] < 0x90) ||
		(at[0] == 0xF4 && at[1] > 0x8F) || at[0] > 0xF4)
		return 0;
	return size;
}

void
eb_json_put_text(FILE *out, const char *text)
{
	if (text == NULL)
	{
		fputs("null", out);
		return;
	}
	fputc('"', out);
	while (*text != '\0')
	{
		unsigned char c = (unsigned char) *text;
		size_t size = eb_utf8_size(text);

		if (c == '"' || c == '\\')
			fputc('\\', out);
		if (size == 0 || c < 0x20 || c == 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			fwrite(text, 1, size, out);
		text += size > 0 ? size : 1;
	}
	fputc('"', out);
}
