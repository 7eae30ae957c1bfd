/* Of `attend`: what came of it all, for whoever called. */
#include "attend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOG_KEPT = 1 << 14 };

__attribute__((format(printf, 3, 4))) static void add(FILE *report, const char *name, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(report, "%s %d\n%s\n", name, size, text);
}

static void add_end(FILE *report, const char *name, int status)
{
    if (WIFSIGNALED(status))
        add(report, name, "signal %d", WTERMSIG(status));
    else
        add(report, name, "exit %d", WEXITSTATUS(status));
}

static void add_log(FILE *report, const char *name, int log)
{
    static char kept[LOG_KEPT];
    struct stat file;
    off_t from = fstat(log, &file) || file.st_size < LOG_KEPT ? 0 : file.st_size - LOG_KEPT;
    ssize_t size = pread(log, kept, sizeof kept, from);
    fprintf(report, "%s %zd\n", name, size < 0 ? 0 : size);
    fwrite(kept, 1, size < 0 ? 0 : size, report);
    fputc('\n', report);
}

void tell(const struct load *load)
{
    char path[4096], name[32];
    snprintf(path, sizeof path, "%s/report", load->out);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file)
        die("cannot write %s: %s", path, strerror(errno));
    if (load->fault)
        add(file, "fault", "%s %d", load->fault, load->faulty);
    if (load->client_errno)
        add(file, "client", "failed %d", load->client_errno);
    else if (load->client_ended)
        add_end(file, "client", load->status);
    add(file, "wall_ns", "%.0f", (load->ended > load->started ? load->ended - load->started : 0) * 1e9);
    add(file, "cpu_us", "%lld", load->used.cpu_us);
    add(file, "peak_kib", "%ld", load->used.peak_kib);
    for (int i = 0; i < load->count && load->services[i].pid > 0; i++) {
        const struct service *service = &load->services[i];
        snprintf(name, sizeof name, "ready_ns.%d", i);
        add(file, name, "%.0f", service->ready_after * 1e9);
        snprintf(name, sizeof name, "cpu_us.%d", i);
        add(file, name, "%lld", service->used.cpu_us);
        snprintf(name, sizeof name, "peak_kib.%d", i);
        add(file, name, "%ld", service->used.peak_kib);
        snprintf(name, sizeof name, "faults.%d", i);
        add(file, name, "%ld", service->used.faults);
        snprintf(name, sizeof name, "ended.%d", i);
        if (service->start_errno)
            add(file, name, "failed %d", service->start_errno);
        else
            add_end(file, name, service->status);
        snprintf(name, sizeof name, "log.%d", i);
        if (load->fault || load->status)
            add_log(file, name, service->log);
    }
    if (fclose(file))
        die("cannot write %s: %s", path, strerror(errno));
}
