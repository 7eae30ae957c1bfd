/* What is around a run: directories an earlier one filled, processes it left behind, kills for want of memory. */
#include "measure.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s: ", program);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(OWN_FAILURE);
}

double monotonic(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

static const double REST_MUST_END_WITHIN = 5;

/* The content of a small file of /proc or /sys; its length, or -1. */
static ssize_t read_small(const char *path, char *buffer, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    size_t length = 0;
    ssize_t got;
    while (length < size - 1 && (got = read(fd, buffer + length, size - 1 - length)) > 0)
        length += got;
    close(fd);
    buffer[length] = 0;
    return length;
}

/* Move the directories in `name` up to `top` and remove the rest of it: no depth of nesting can exhaust anything. */
static bool flatten(int top, const char *name)
{
    static unsigned counter;
    fchmodat(top, name, 0700, 0);
    int fd = openat(top, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory)
        return false;
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") || !unlinkat(fd, entry->d_name, 0))
            continue;
        fchmodat(fd, entry->d_name, 0700, 0); /* a directory is renamed only where it can be written to */
        char moved[32];
        do
            snprintf(moved, sizeof moved, ".moved-%u", counter++);
        while (renameat(fd, entry->d_name, top, moved) && (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR));
    }
    closedir(directory);
    return !unlinkat(top, name, AT_REMOVEDIR);
}

/* Make `path` an empty directory; false with errno set when that cannot be done. */
bool make_fresh(const char *path)
{
    if (mkdir(path, 0700) && errno != EEXIST)
        return false;
    int top = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = top < 0 ? NULL : fdopendir(top);
    if (!directory)
        return false;
    bool found = true, removed = true;
    while (found && removed) {
        found = removed = false;
        rewinddir(directory);
        for (struct dirent *entry; (entry = readdir(directory));) {
            if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
                continue;
            found = true;
            removed |= !unlinkat(top, entry->d_name, 0) || flatten(top, entry->d_name);
        }
    }
    closedir(directory);
    return !found;
}

/* Call `visit` with each child of `pid`, in whichever of its threads it was started. */
static long long each_child(pid_t pid, long long (*visit)(pid_t))
{
    char path[64], list[1 << 12];
    long long total = 0;
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    for (struct dirent *task; tasks && (task = readdir(tasks));) {
        if (task->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%.16s/children", pid, task->d_name);
        if (read_small(path, list, sizeof list) <= 0)
            continue;
        char *end;
        for (const char *at = list;; at = end + 1) {
            pid_t child = strtol(at, &end, 10);
            if (*end != ' ') /* a space ends each number: what was cut off at the end of `list` is none */
                break;
            total += visit(child);
        }
    }
    if (tasks)
        closedir(tasks);
    return total;
}

static long long kill_process(pid_t pid)
{
    return kill(pid, SIGKILL) == 0;
}

/* Resident memory of a process and its descendants; pages they share are counted once for each. */
long long resident(pid_t pid)
{
    char path[64], text[128];
    long long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", pid);
    if (read_small(path, text, sizeof text) > 0)
        sscanf(text, "%*d %lld", &pages);
    return pages * sysconf(_SC_PAGESIZE) + each_child(pid, resident);
}

/* The same with shared pages shared out, and without files mapped, which the kernel can drop. Slower. */
long long resident_exactly(pid_t pid)
{
    char path[64], text[4096];
    long long bytes = 0;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    if (read_small(path, text, sizeof text) > 0)
        for (const char *name[] = {"\nPss_Anon:", "\nPss_Shmem:", NULL}, **at = name; *at; at++) {
            const char *found = strstr(text, *at);
            if (found)
                bytes += 1024 * atoll(found + strlen(*at));
        }
    return bytes + each_child(pid, resident_exactly);
}

/* Whether process 1 is this program as `init`: only then may everything else be killed. */
bool under_our_init(void)
{
    char line[4096];
    ssize_t length = read_small("/proc/1/cmdline", line, sizeof line);
    const char *last = NULL, *before = NULL;
    for (ssize_t at = 0; at < length; at += strlen(line + at) + 1) {
        before = last;
        last = line + at;
    }
    if (!before || strcmp(last, "init") || getpid() == 1)
        return false;
    const char *base = strrchr(before, '/');
    return !strncmp(base ? base + 1 : before, "measure", 7);
}

/* How many processes there are in this container besides process 1, this one and those that are dead already. */
static int others_in_container(void)
{
    int count = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; proc && (entry = readdir(proc));) {
        int pid = atoi(entry->d_name);
        if (pid <= 1 || pid == getpid())
            continue;
        char path[64], text[512];
        snprintf(path, sizeof path, "/proc/%d/stat", pid);
        const char *name_end = read_small(path, text, sizeof text) > 0 ? strrchr(text, ')') : NULL;
        count += name_end && name_end[2] != 'Z' && name_end[2] != 'X';
    }
    if (proc)
        closedir(proc);
    return count;
}

/* Send SIGKILL to everyone this user may signal but process 1 and ourselves (under_our_init() held); who is left. */
static int end_container(void)
{
    kill(-1, SIGKILL);
    return others_in_container();
}

/* Send SIGKILL to our children; how many are left. Orphans are among them, for we are their subreaper. */
static int end_children(void)
{
    if (waitpid(-1, NULL, WNOHANG) < 0)
        return 0;
    long long sent = each_child(getpid(), kill_process);
    return sent > 0 ? (int)sent : 1; /* there are some, whether or not this kernel lists them */
}

/* End whatever the command left running, also what left its group or session; how many cannot be ended. */
int end_the_rest(pid_t group, bool container)
{
    kill(-group, SIGKILL);
    for (double limit = monotonic() + REST_MUST_END_WITHIN;;) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        int left = container ? end_container() : end_children();
        if (left == 0 || monotonic() > limit)
            return left;
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
}

/* How often a process of this container was killed for want of memory, so far; -1 where that is not to be had. */
long long oom_kills(void)
{
    const char *paths[] = {"/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control", NULL};
    char text[1024];
    for (const char **path = paths; *path; path++) {
        if (read_small(*path, text, sizeof text) <= 0)
            continue;
        const char *found = strstr(text, "\noom_kill ");
        if (found)
            return atoll(found + strlen("\noom_kill "));
    }
    return -1;
}
