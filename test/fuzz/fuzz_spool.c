/*
 * fuzz_spool.c -- libFuzzer: any bytes as records, and a real spool with any damage done to it
 * Where the bytes are untouched the record is delivered, with its value; what is delivered is one
 * of the records that were written, once, in their order.
 */
#include "../../collector/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../collector/clock.h"
#include "../../collector/spool_part.h"

#define HOLD(cond)                                                             \
	do                                                                         \
	{                                                                          \
		if (!(cond))                                                           \
		{                                                                      \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #cond); \
			abort();                                                           \
		}                                                                      \
	} while (0)

#define ID "6f1c2a52-0c0e-4b5b-9a51-5f3d8f0f7a11"
#define MAX_ROWS 24

extern int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static char folder[64];
static EbConfig conf;
static EbLoop loop;

/* Nothing of a fuzzer's files has to outlive it. */
int
fsync(int fd)
{
	return 0;
}

int
fdatasync(int fd)
{
	return 0;
}

/* No reserve: it would cost more time than all the rest. */
int
posix_fallocate(int fd, off_t at, off_t n)
{
	return ENOSPC;
}

static void
clean_up(void)
{
	static const char *const names[] = {"acked", "acked.new", "lock", "reserve"};
	char name[EB_SEGMENT_NAME];
	int fd = open(folder, O_RDONLY | O_DIRECTORY);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlinkat(fd, names[i], 0);
	for (int64_t first = 1; first <= 2 * MAX_ROWS; first++)
		unlinkat(fd, eb_segment_name(name, first), 0);
	close(fd);
}

static void
remove_folder(void)
{
	clean_up();
	rmdir(folder);
}

static void
set_up(void)
{
	if (folder[0] != '\0')
		return;
	snprintf(folder, sizeof(folder), "%s/elecbill-fuzz.XXXXXX",
			 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	HOLD(mkdtemp(folder) != NULL);
	atexit(remove_folder);
	eb_log_level((EbLogLevel) 0);
	conf.id = ID;
	conf.spool = (EbSpoolConf){folder, 16, 0, 7, 200, 100, false};
}

static bool
same_row(const EbRow *one, const EbRow *two)
{
	return (one->serial == NULL) == (two->serial == NULL) &&
		   (one->serial == NULL || strcmp(one->serial, two->serial) == 0) &&
		   strcmp(one->code, two->code) == 0 && one->read_at_ms == two->read_at_ms &&
		   one->meter_at_ms == two->meter_at_ms && one->register_wh == two->register_wh &&
		   one->quality == two->quality && one->frame_len == two->frame_len &&
		   (one->frame_len == 0 || memcmp(one->frame, two->frame, one->frame_len) == 0);
}

/* Any bytes: what is taken for a record says the same when it is written again. */
static void
any_bytes(const uint8_t *bytes, size_t n)
{
	static EbSpoolRow row, again;
	uint8_t copy[EB_RECORD_MAX], uuid[EB_SPOOL_UUID] = {0};
	size_t length, other;
	EbAcked acked;
	unsigned flags;

	for (size_t at = 0; at <= n; at++)
		if (eb_record_get(bytes + at, n - at, &row, &length) == EB_RECORD_GOOD)
		{
			HOLD(length <= n - at && row.seq >= 1);
			other = eb_record_put(copy, row.seq, &row.row);
			HOLD(eb_record_get(copy, other, &again, &length) == EB_RECORD_GOOD);
			HOLD(again.seq == row.seq && same_row(&again.row, &row.row));
			HOLD(eb_record_find(bytes, n, at, 1, INT64_MAX) == at);
		}
	eb_segment_get(bytes, n, uuid, &flags);
	if (eb_acked_get(bytes, n, uuid, &acked) == EB_HEADER_GOOD)
		HOLD(acked.acked >= 0 && acked.next > acked.acked);
}

/* A spool of rows that the input describes. */
typedef struct Made
{
	int nrows;
	int nfirst;					/* rows of the first of two segments; nrows: there is one */
	size_t begin[MAX_ROWS + 1]; /* of each record in its segment */
	uint8_t frame[MAX_ROWS];	/* bytes of its frame */
} Made;

static void
make_row(const Made *made, int i, EbRow *row)
{
	static uint8_t frame[256];

	memset(row, 0, sizeof(*row));
	memset(frame, i, sizeof(frame));
	row->serial = i % 5 == 4 ? NULL : "METER";
	if (i % 5 != 4)
		memcpy(row->code, "1.8.0", 6);
	row->register_wh = i % 5 != 4 ? i * 1001 : 0;
	row->read_at_ms = 1767225600000 + i;
	row->meter_at_ms = EB_NO_INSTANT;
	row->frame = made->frame[i] > 0 ? frame : NULL;
	row->frame_len = made->frame[i];
}

static uint8_t image[2][65536];
static size_t image_len[2];

static void
make_images(Made *made, const uint8_t uuid[EB_SPOOL_UUID])
{
	for (int s = 0; s < 2; s++)
	{
		eb_segment_put(image[s], uuid, 0);
		image_len[s] = EB_SEGMENT_HEADER;
	}
	for (int i = 0; i < made->nrows; i++)
	{
		int s = i >= made->nfirst;
		EbRow row;

		make_row(made, i, &row);
		made->begin[i] = image_len[s];
		image_len[s] += eb_record_put(image[s] + image_len[s], i + 1, &row);
	}
}

static void
store(int64_t first, const uint8_t *bytes, size_t n)
{
	char name[EB_SEGMENT_NAME], path[128];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", folder, eb_segment_name(name, first));
	out = fopen(path, "wb");
	HOLD(out != NULL && fwrite(bytes, 1, n, out) == n && fclose(out) == 0);
}

/* Reads all; marks which rows came. Returns how many. */
static int
drain(EbSpool *spool, const Made *made, bool came[MAX_ROWS + 1])
{
	static EbSpoolBatch batch;
	int64_t before = 0;
	int n = 0;

	if (batch.row == NULL)
		HOLD(eb_spool_batch_open(&batch, 7));
	while (eb_spool_read(spool, &batch, 7) > 0)
	{
		for (int k = 0; k < batch.nrows; k++)
		{
			int64_t seq = batch.row[k].seq;
			EbRow row;

			HOLD(seq > before && seq <= made->nrows + 1);
			before = seq;
			if (seq <= made->nrows)
			{
				make_row(made, (int) seq - 1, &row);
				HOLD(same_row(&row, &batch.row[k].row));
			}
			came[seq - 1] = true;
			n++;
		}
		eb_spool_ack(spool, &batch.row[batch.nrows - 1]);
	}
	HOLD(eb_spool_ready(spool) == 0);
	return n;
}

/* Bytes overwritten, from three of the input: where, how many, with what. Marks what they hit. */
static void
damage(const Made *made, const uint8_t *what, bool hit[MAX_ROWS])
{
	int s = made->nfirst < made->nrows && (what[0] & 0x80) != 0;
	size_t at = ((size_t) (what[0] & 0x7F) << 8 | what[1]) % image_len[s];
	size_t len = 1 + what[2] % 64u;

	for (size_t i = at; i < at + len && i < image_len[s]; i++)
	{
		image[s][i] ^= (uint8_t) (what[2] | 1);
		for (int k = 0; k < made->nrows; k++)
		{
			bool last = k + 1 == made->nrows || k + 1 == made->nfirst;
			size_t end = last ? image_len[s] : made->begin[k + 1];

			if ((k >= made->nfirst) == (s == 1) && i >= made->begin[k] && i < end)
				hit[k] = true;
		}
	}
}

static void
damaged_spool(const uint8_t *bytes, size_t n)
{
	bool hit[MAX_ROWS] = {false}, came[MAX_ROWS + 1] = {false};
	uint8_t uuid[EB_SPOOL_UUID];
	EbSpool spool;
	EbRow row;
	Made made;
	size_t cut;

	if (n < 3)
		return;
	HOLD(eb_uuid_parse(ID, uuid));
	made.nrows = 1 + bytes[0] % MAX_ROWS;
	made.nfirst = bytes[1] % 2 == 0 ? made.nrows : 1 + bytes[1] / 2 % made.nrows;
	for (int i = 0; i < made.nrows; i++)
		made.frame[i] = bytes[(size_t) (2 + i) % n];
	make_images(&made, uuid);
	for (size_t at = 3; at + 3 <= n && at < 3 + 3 * 8; at += 3)
		damage(&made, bytes + at, hit);
	cut = bytes[2] < 128 ? bytes[2] : 0;
	clean_up();
	store(1, image[0], image_len[0]);
	if (made.nfirst < made.nrows)
		store(made.nfirst + 1, image[1], image_len[1]);
	else
		store(1, image[0], image_len[0] - cut);
	loop.timers = NULL;
	if (!eb_spool_open(&spool, &loop, &conf))
		return; /* the header says another owner or version: cannot be, its CRC is wrong */
	drain(&spool, &made, came);
	for (int i = 0; i < made.nrows; i++)
	{
		bool was_cut =
			made.nfirst == made.nrows &&
			(i + 1 == made.nrows ? image_len[0] : made.begin[i + 1]) > image_len[0] - cut;

		HOLD(came[i] || hit[i] || was_cut);
	}
	make_row(&made, 0, &row);
	HOLD(eb_spool_put(&spool, &row));
	eb_spool_close(&spool);
	loop.timers = NULL;
	HOLD(eb_spool_open(&spool, &loop, &conf));
	HOLD(eb_spool_ready(&spool) == 1);
	eb_spool_close(&spool);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	set_up();
	any_bytes(bytes, n);
	damaged_spool(bytes, n);
	return 0;
}
