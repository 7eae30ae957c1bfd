/* The record: what came of the run, its output and the files asked for. */
#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MAX_FIELDS = MAX_NAMES + 24,
    STDOUT_KEPT = 1 << 20, /* results are printed last, and a JSON result may be long */
    STDERR_KEPT = 1 << 16,
    FILE_LIMIT = 16 << 20,
};

/* Before a name that is asked for: not the content is wanted but how many bytes it has. */
#define SIZE_OF "size:"

struct field {
    char name[24], text[96];
    int fd; /* -1: the text, else `size` bytes from `offset` of this file */
    off_t offset;
    size_t size;
};

struct record {
    struct field fields[MAX_FIELDS];
    int count;
};

__attribute__((format(printf, 3, 4))) static void add(struct record *record, const char *name, const char *format, ...)
{
    struct field *field = &record->fields[record->count++];
    va_list arguments;
    va_start(arguments, format);
    snprintf(field->name, sizeof field->name, "%s", name);
    vsnprintf(field->text, sizeof field->text, format, arguments);
    va_end(arguments);
    field->fd = -1;
    field->size = strlen(field->text);
}

static void add_file(struct record *record, const char *name, int fd, off_t size, off_t kept)
{
    struct field *field = &record->fields[record->count++];
    snprintf(field->name, sizeof field->name, "%s", name);
    field->fd = fd;
    field->size = size < kept ? size : kept;
    field->offset = size - (off_t)field->size;
}

static void add_stream(struct record *record, const char *name, int fd, off_t kept)
{
    struct stat stream;
    char size_name[24];
    if (fstat(fd, &stream))
        die("cannot read %s: %s", name, strerror(errno));
    snprintf(size_name, sizeof size_name, "%s_size", name);
    add(record, size_name, "%lld", (long long)stream.st_size);
    add_file(record, name, fd, stream.st_size, kept);
}

/* Open `name` below directory `at` without following a link anywhere on the way; -1 with errno set. */
static int open_below(int at, const char *name)
{
    char part[256];
    int fd = dup(at);
    for (const char *slash; fd >= 0 && (slash = strchr(name, '/')); name = slash + 1) {
        snprintf(part, sizeof part, "%.*s", (int)(slash - name), name);
        int next = openat(fd, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        close(fd);
        fd = next;
    }
    if (fd < 0)
        return -1;
    int file = openat(fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int reason = errno;
    close(fd);
    errno = reason;
    return file;
}

static long long total;

static int add_bytes(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    (void)path, (void)at;
    if (kind == FTW_F && S_ISREG(status->st_mode))
        total += status->st_size;
    if (kind == FTW_DNR || kind == FTW_NS)
        return errno = EACCES;
    return 0;
}

/* The bytes of a file, or of all files below a directory, from where the command starts; links count for nothing.
 * -1 with errno set. */
static long long bytes_of(const struct order *order, const char *name)
{
    char path[4096];
    struct stat status;
    int length = snprintf(path, sizeof path, "%s/%s", order->cwd ? order->cwd : ".", name);
    if (length < 0 || length + 3 > (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (stat(path, &status))
        return -1;
    if (!S_ISDIR(status.st_mode))
        return status.st_size;
    strcpy(path + length, "/."); /* a link to a directory is followed, none below it is */
    total = 0;
    return nftw(path, add_bytes, 32, FTW_PHYS) ? -1 : total;
}

static void add_size(struct record *record, const struct order *order, int number)
{
    char name[24];
    long long size = bytes_of(order, order->collect.at[number] + strlen(SIZE_OF));
    snprintf(name, sizeof name, "%s.%d", size < 0 ? "refused" : "file", number);
    if (size < 0)
        add(record, name, "%s", strerror(errno));
    else
        add(record, name, "%lld", size);
}

static void add_collected(struct record *record, const struct order *order)
{
    int out = order->out ? open(order->out, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    for (int i = 0; i < order->collect.count; i++) {
        char name[24];
        struct stat file;
        if (!strncmp(order->collect.at[i], SIZE_OF, strlen(SIZE_OF))) {
            add_size(record, order, i);
            continue;
        }
        int fd = open_below(out, order->collect.at[i]);
        const char *refusal = NULL;
        if (fd < 0)
            refusal = errno == ENOENT ? "it was not written" : errno == ELOOP ? "it is a link" : strerror(errno);
        else if (fstat(fd, &file) || !S_ISREG(file.st_mode))
            refusal = "it is not a regular file";
        else if (file.st_size > FILE_LIMIT)
            refusal = "it is over 16 MiB";
        snprintf(name, sizeof name, "%s.%d", refusal ? "refused" : "file", i);
        if (refusal)
            add(record, name, "%s", refusal);
        else
            add_file(record, name, fd, file.st_size, file.st_size);
    }
}

static void write_all(const char *bytes, size_t size)
{
    while (size) {
        ssize_t wrote = write(STDOUT_FILENO, bytes, size);
        if (wrote < 0 && errno != EINTR)
            die("cannot write the record: %s", strerror(errno));
        bytes += wrote > 0 ? wrote : 0;
        size -= wrote > 0 ? wrote : 0;
    }
}

static void write_field(const struct field *field)
{
    char buffer[1 << 16];
    write_all(buffer, snprintf(buffer, sizeof buffer, "%s %zu\n", field->name, field->size));
    if (field->fd < 0)
        write_all(field->text, field->size);
    for (size_t done = 0; field->fd >= 0 && done < field->size;) {
        size_t want = field->size - done < sizeof buffer ? field->size - done : sizeof buffer;
        ssize_t got = pread(field->fd, buffer, want, field->offset + done);
        if (got <= 0)
            die("cannot read %s back", field->name);
        write_all(buffer, got);
        done += got;
    }
    write_all("\n", 1);
}

static void write_record(const struct order *order, const struct record *record)
{
    char header[256];
    size_t length = 0;
    for (int i = 0; i < record->count; i++) {
        const struct field *field = &record->fields[i];
        length += snprintf(NULL, 0, "%s %zu\n", field->name, field->size) + field->size + 1;
    }
    write_all(header, snprintf(header, sizeof header, "bisector-record 1 %.128s %zu\n", order->nonce, length));
    for (int i = 0; i < record->count; i++)
        write_field(&record->fields[i]);
}

void report(const struct order *order, const struct run *run)
{
    static struct record record;
    const struct rusage *usage = &run->usage;
    if (run->failed_stage)
        add(&record, "failed", "%s %d", run->failed_stage, run->failed_errno);
    else if (WIFSIGNALED(run->status))
        add(&record, "signal", "%d", WTERMSIG(run->status));
    else
        add(&record, "exit", "%d", WEXITSTATUS(run->status));
    add(&record, "wall_ns", "%.0f", (run->ended - run->started) * 1e9);
    add(&record, "cpu_us", "%lld", (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000LL +
                                       usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
    add(&record, "peak_kib", "%ld", usage->ru_maxrss);
    add(&record, "faults", "%ld", usage->ru_minflt + usage->ru_majflt);
    add(&record, "timed_out", "%d", run->timed_out);
    add(&record, "stopped", "%d", run->stopped);
    add(&record, "over_output", "%d", run->over_output);
    add(&record, "over_memory", "%d", run->over_memory);
    add(&record, "oom_kills", "%lld", run->oom_kills);
    add(&record, "survivors", "%d", run->survivors);
    if (order->streams) {
        add_stream(&record, "stdout", run->streams[0], STDOUT_KEPT);
        add_stream(&record, "stderr", run->streams[1], STDERR_KEPT);
    }
    add_collected(&record, order);
    write_record(order, &record);
}
