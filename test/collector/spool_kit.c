/*
 * spool_kit.c -- a spool in a temporary directory, and a disk that fails when it is told to
 */
#include "spool_kit.h"

#include <stdarg.h>

#define NEVER    \
	{            \
		-1, 0, 0 \
	}

Fault fault_pwrite = NEVER, fault_pread = NEVER, fault_fdatasync = NEVER, fault_fsync = NEVER,
	  fault_openat = NEVER;

char kit_directory[] = "/tmp/elecbill-spool.XXXXXX";
EbConfig kit_conf;
EbLoop kit_loop;

extern ssize_t __real_pwrite(int fd, const void *bytes, size_t n, off_t at);
extern ssize_t __real_pread(int fd, void *bytes, size_t n, off_t at);
extern int __real_fdatasync(int fd);
extern int __real_fsync(int fd);
extern int __real_openat(int fd, const char *name, int flags, ...);
extern ssize_t __wrap_pwrite(int fd, const void *bytes, size_t n, off_t at);
extern ssize_t __wrap_pread(int fd, void *bytes, size_t n, off_t at);
extern int __wrap_fdatasync(int fd);
extern int __wrap_fsync(int fd);
extern int __wrap_openat(int fd, const char *name, int flags, ...);

static bool
fails(Fault *fault)
{
	if (fault->after < 0)
		return false;
	if (fault->after > 0)
	{
		fault->after--;
		return false;
	}
	errno = fault->error;
	return true;
}

ssize_t
__wrap_pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	if (fault_pwrite.at_most > 0 && n > (size_t) fault_pwrite.at_most)
		n = (size_t) fault_pwrite.at_most;
	return fails(&fault_pwrite) ? -1 : __real_pwrite(fd, bytes, n, at);
}

ssize_t
__wrap_pread(int fd, void *bytes, size_t n, off_t at)
{
	return fails(&fault_pread) ? -1 : __real_pread(fd, bytes, n, at);
}

int
__wrap_fdatasync(int fd)
{
	return fails(&fault_fdatasync) ? -1 : __real_fdatasync(fd);
}

int
__wrap_fsync(int fd)
{
	return fails(&fault_fsync) ? -1 : __real_fsync(fd);
}

int
__wrap_openat(int fd, const char *name, int flags, ...)
{
	va_list args;
	int mode;

	va_start(args, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(args, int) : 0;
	va_end(args);
	if ((flags & (O_WRONLY | O_RDWR)) != 0 && fails(&fault_openat))
		return -1;
	return __real_openat(fd, name, flags, mode);
}

void
faults_off(void)
{
	static const Fault never = NEVER;

	fault_pwrite = fault_pread = fault_fdatasync = fault_fsync = fault_openat = never;
}

void
kit_begin(void)
{
	if (mkdtemp(kit_directory) == NULL)
		exit(2);
	eb_log_level((EbLogLevel) 0);
	kit_conf.id = KIT_ID;
	kit_conf.spool = (EbSpoolConf){kit_directory, 64, 0, 7, 200, 100, false};
}

/* Removes what is in a directory, and in those in it. */
static void
empty(const char *path)
{
	DIR *dir = opendir(path);
	char below[200];

	for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
	{
		if (entry->d_name[0] == '.')
			continue;
		snprintf(below, sizeof(below), "%s/%.99s", path, entry->d_name);
		if (unlink(below) != 0)
		{
			empty(below);
			rmdir(below);
		}
	}
	if (dir != NULL)
		closedir(dir);
}

void
kit_clear(void)
{
	faults_off();
	empty(kit_directory);
	kit_conf.id = KIT_ID;
	kit_conf.spool = (EbSpoolConf){kit_directory, 64, 0, 7, 200, 100, false};
}

void
kit_end(void)
{
	kit_clear();
	rmdir(kit_directory);
}

bool
kit_open(EbSpool *spool)
{
	kit_loop.timers = NULL;
	return eb_spool_open(spool, &kit_loop, &kit_conf);
}

void
kit_kill(EbSpool *spool)
{
	if (spool->fd >= 0)
		close(spool->fd);
	close(spool->dir_fd);
	close(spool->lock_fd);
	free(spool->segment);
	free(spool->tail);
	memset(spool, 0, sizeof(*spool));
}

/* Whole kWh of four digits up to i = 8999: records of one length. */
static int64_t
kit_wh(int64_t i)
{
	return (1000 + i) * 1000;
}

static void
make_row(EbRow *row, char serial[8], int64_t i)
{
	memset(row, 0, sizeof(*row));
	snprintf(serial, 8, "M%d", (int) (i % 7));
	row->serial = serial;
	memcpy(row->code, "1.8.0", 6);
	row->read_at_ms = KIT_START_MS + i * 1000;
	row->meter_at_ms = i % 3 == 0 ? EB_NO_INSTANT : row->read_at_ms - 7;
	row->register_wh = kit_wh(i);
	row->quality = (int) (i % 512);
}

bool
kit_put(EbSpool *spool, int64_t i, size_t frame_len)
{
	static uint8_t frame[EB_RECORD_FRAME];
	char serial[8];
	EbRow row;

	make_row(&row, serial, i);
	memset(frame, (int) (i & 0xFF), sizeof(frame));
	row.frame = frame_len > 0 ? frame : NULL;
	row.frame_len = frame_len;
	return eb_spool_put(spool, &row);
}

bool
kit_is_row(const EbSpoolRow *row, int64_t i)
{
	char serial[8];
	EbRow want;

	make_row(&want, serial, i);
	for (size_t k = 0; k < row->row.frame_len; k++)
		if (row->row.frame[k] != (uint8_t) (i & 0xFF))
			return false;
	return row->row.serial != NULL && strcmp(row->row.serial, serial) == 0 &&
		   strcmp(row->row.code, want.code) == 0 && row->row.register_wh == kit_wh(i) &&
		   row->row.read_at_ms == want.read_at_ms && row->row.meter_at_ms == want.meter_at_ms &&
		   row->row.quality == want.quality;
}

int
kit_drain(EbSpool *spool, int batch_rows, int *seen, int n)
{
	EbSpoolBatch batch;
	int64_t before = 0;
	int rows = 0;

	if (!eb_spool_batch_open(&batch, batch_rows))
		exit(2);
	while (eb_spool_read(spool, &batch, batch_rows) > 0)
	{
		for (int k = 0; k < batch.nrows; k++)
		{
			int64_t i = batch.row[k].row.register_wh / 1000 - 1000;

			CHECK(kit_is_row(&batch.row[k], i));
			CHECK(k == 0 ? batch.row[k].seq > before : batch.row[k].seq == before + 1);
			before = batch.row[k].seq;
			if (seen != NULL && i >= 0 && i < n)
				seen[i]++;
		}
		rows += batch.nrows;
		eb_spool_ack(spool, &batch.row[batch.nrows - 1]);
	}
	eb_spool_batch_free(&batch);
	return rows;
}

void
kit_fire(EbTimer *timer)
{
	if (!timer->armed)
		return;
	timer->armed = false;
	timer->fire(timer->owner);
}

const char *
kit_path(const char *name)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/%s", kit_directory, name);
	return path;
}

const char *
kit_segment(int64_t first)
{
	char name[EB_SEGMENT_NAME];

	return kit_path(eb_segment_name(name, first));
}

uint8_t *
kit_load(const char *path, size_t *n)
{
	FILE *in = fopen(path, "rb");
	struct stat file;
	uint8_t *bytes;

	if (in == NULL || fstat(fileno(in), &file) != 0 ||
		(bytes = malloc((size_t) file.st_size + 1)) == NULL)
		exit(2);
	*n = fread(bytes, 1, (size_t) file.st_size, in);
	fclose(in);
	return bytes;
}

void
kit_store(const char *path, const uint8_t *bytes, size_t n)
{
	FILE *out = fopen(path, "wb");

	if (out == NULL || fwrite(bytes, 1, n, out) != n || fclose(out) != 0)
		exit(2);
}

int
kit_count_files(const char *begin)
{
	DIR *dir = opendir(kit_directory);
	int n = 0;

	for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
		if (strncmp(entry->d_name, begin, strlen(begin)) == 0)
			n++;
	if (dir != NULL)
		closedir(dir);
	return n;
}
