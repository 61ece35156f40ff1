/*
 * spool_dump.c -- what stands in a spool, as JSON lines, without changing it
 * In:  the files of a spool, also of one that is in use or damaged.
 * Out: a line per record, and per run of bytes that is none.
 */
#include "spool_dump.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/decimal.h"
#include "clock.h"
#include "json.h"
#include "spool_part.h"

static void
dump_row(FILE *out, const EbSpoolRow *found, const char *state)
{
	const EbRow *row = &found->row;
	char instant[EB_CLOCK_TEXT];
	char kwh[EB_DECIMAL_TEXT];

	fprintf(out, "{\"seq\":%lld,\"state\":\"%s\",\"meter\":", (long long) found->seq, state);
	eb_json_put_text(out, row->serial);
	fputs(",\"register\":", out);
	eb_json_put_text(out, row->code[0] != '\0' ? row->code : NULL);
	fprintf(out, ",\"read_at\":\"%s\"", eb_clock_text(instant, row->read_at_ms));
	if (row->code[0] != '\0')
	{
		eb_decimal_format(row->register_wh, 3, kwh);
		fprintf(out, ",\"kwh\":\"%s\"", kwh);
	}
	fprintf(out, ",\"quality\":%d", row->quality);
	if (row->meter_at_ms != EB_NO_INSTANT)
		fprintf(out, ",\"meter_at\":\"%s\"", eb_clock_text(instant, row->meter_at_ms));
	if (row->frame != NULL)
	{
		fputs(",\"frame\":\"", out);
		for (size_t i = 0; i < row->frame_len; i++)
			fprintf(out, "%02x", row->frame[i]);
		fputc('"', out);
	}
	fputs("}\n", out);
}

static void
dump_bytes(FILE *out, const char *name, const uint8_t *bytes, size_t n, int64_t acked)
{
	size_t at = n < EB_SEGMENT_HEADER ? n : EB_SEGMENT_HEADER;
	bool aside = strncmp(name, "rejected", 8) == 0;
	EbSpoolRow row;
	size_t length;

	while (at < n)
	{
		size_t next = eb_record_find(bytes, n, at, 1, INT64_MAX);

		if (next > at)
			fprintf(out, "{\"segment\":\"%s\",\"at\":%zu,\"damaged\":%zu}\n", name, at, next - at);
		if (next == n)
			return;
		eb_record_get(bytes + next, n - next, &row, &length);
		dump_row(out, &row, aside ? "rejected" : row.seq <= acked ? "acknowledged" : "waiting");
		at = next + length;
	}
}

static bool
dump_file(FILE *out, int dir_fd, const char *name, int64_t acked)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat file;
	uint8_t *bytes = NULL;

	if (fd < 0 && errno == ENOENT)
		return true; /* removed in the meantime */
	if (fd >= 0 && fstat(fd, &file) == 0 && file.st_size <= EB_SEGMENT_LARGEST)
		bytes = malloc((size_t) file.st_size + 1);
	if (bytes != NULL)
		dump_bytes(out, name, bytes, eb_read_at(fd, bytes, (size_t) file.st_size, 0), acked);
	else
		eb_log(EB_LOG_ERROR, "spool: %s cannot be read", name);
	free(bytes);
	if (fd >= 0)
		close(fd);
	return bytes != NULL;
}

/* Segments and what was set aside; by name is by number. */
static int
is_segment(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 4 && strcmp(entry->d_name + len - 4, ".seg") == 0;
}

bool
eb_spool_dump(const EbConfig *conf, FILE *out)
{
	const char *path = eb_spool_directory(conf);
	int dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint8_t bytes[EB_ACKED_SIZE + 1], uuid[EB_SPOOL_UUID];
	struct dirent **entry = NULL;
	EbAcked acked = {0, 1};
	bool ok = dir_fd >= 0;
	int n;

	n = ok ? scandir(path, &entry, is_segment, alphasort) : -1;
	if (n < 0)
	{
		eb_log(EB_LOG_ERROR, "spool: %s: %s", path, strerror(errno));
		ok = false;
	}
	else
	{
		int got = eb_read_file(dir_fd, "acked", bytes, sizeof(bytes));

		if (!eb_uuid_parse(conf->id, uuid) ||
			eb_acked_get(bytes, got > 0 ? (size_t) got : 0, uuid, &acked) != EB_HEADER_GOOD)
			acked.acked = 0;
	}
	for (int i = 0; i < n; i++)
	{
		ok = dump_file(out, dir_fd, entry[i]->d_name, acked.acked) && ok;
		free(entry[i]);
	}
	free(entry);
	if (dir_fd >= 0)
		close(dir_fd);
	return ok;
}
