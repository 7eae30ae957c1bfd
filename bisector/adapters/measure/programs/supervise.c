/* The command itself: started, watched and ended. */
#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const double TICK = 0.25, UNKILLABLE_AFTER = 10;

int open_stream(const char *directory, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s-XXXXXX", directory, name);
    int fd = mkostemp(path, O_APPEND | O_CLOEXEC);
    if (fd < 0)
        die("cannot make %s: %s", path, strerror(errno));
    unlink(path);
    return fd;
}

/* A layout that is the same in every run, as under `setarch -R`, would make the luck of a build a part of all its runs. */
static void draw_layout_anew(void)
{
    int persona = personality(0xffffffff);
    if (persona >= 0 && (persona & ADDR_NO_RANDOMIZE))
        personality(persona & ~ADDR_NO_RANDOMIZE);
}

/* Become the command. Runs in the parent's memory until then (vfork), so it reports a failure by writing to `run`. */
__attribute__((noreturn)) static void become(const struct order *order, volatile struct run *run, int null)
{
    const struct rlimit none = {0, 0};
    sigset_t empty;
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* should this program be killed, the command does not go on unwatched */
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigemptyset(&empty);
    sigprocmask(SIG_SETMASK, &empty, NULL);
    setrlimit(RLIMIT_CORE, &none);
    draw_layout_anew();
    dup2(null, 0);
    dup2(order->streams ? run->streams[0] : 2, 1);
    if (order->streams)
        dup2(run->streams[1], 2);
    if (order->pinned && sched_setaffinity(0, sizeof order->cpus, &order->cpus))
        run->failed_stage = "cpus";
    else if (order->cwd && chdir(order->cwd))
        run->failed_stage = "cwd";
    else {
        execvp(order->command[0], order->command);
        run->failed_stage = "exec";
    }
    run->failed_errno = errno;
    _exit(127);
}

/* Rather the command than this program or anything else, should memory run out. */
static void volunteer_for_oom(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/oom_score_adj", pid);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        (void)!write(fd, "1000", 4);
        close(fd);
    }
}

static bool over_output(const struct order *order, const struct run *run)
{
    struct stat stream;
    for (int i = 0; order->streams && order->output && i < 2; i++)
        if (!fstat(run->streams[i], &stream) && stream.st_size > order->output)
            return true;
    return false;
}

static bool over_memory(const struct order *order, pid_t child)
{
    return order->memory && resident(child) > order->memory && resident_exactly(child) > order->memory;
}

/* Take in whoever ended. True once that was the command; the clock is read at once. */
static bool command_ended(struct run *run)
{
    int status;
    struct rusage usage;
    for (pid_t pid; (pid = wait4(-1, &status, WNOHANG, &usage)) > 0;)
        if (pid == run->child) {
            run->ended = monotonic();
            run->status = status;
            run->usage = usage;
            return true;
        }
    return false;
}

/* Wait for the command, and end it when it oversteps a limit or when we are asked to stop. */
static void supervise(const struct order *order, struct run *run, const sigset_t *awaited)
{
    double limit = order->timeout > 0 ? run->started + order->timeout : 1e300;
    enum { RUNNING, ASKED_TO_END, KILLED } phase = RUNNING;
    while (!command_ended(run)) {
        double now = monotonic();
        if (phase == RUNNING) {
            run->timed_out = now >= limit;
            run->over_output = over_output(order, run);
            run->over_memory = over_memory(order, run->child);
        }
        if (phase == RUNNING && (run->over_output || run->over_memory)) {
            phase = KILLED;
            kill(-run->child, SIGKILL);
            limit = now + UNKILLABLE_AFTER;
        } else if (phase == RUNNING && (run->timed_out || run->stopped)) {
            phase = ASKED_TO_END;
            kill(-run->child, SIGTERM);
            limit = now + order->grace;
        } else if (phase == ASKED_TO_END && now >= limit) {
            phase = KILLED;
            kill(-run->child, SIGKILL);
            limit = now + UNKILLABLE_AFTER;
        } else if (phase == KILLED && now >= limit) {
            die("process %d cannot be killed", run->child);
        }
        double wait = limit - now < TICK ? (limit > now ? limit - now : 0) : TICK;
        struct timespec span = {0, (long)(wait * 1e9)};
        int number = sigtimedwait(awaited, NULL, &span);
        run->stopped |= number == SIGTERM || number == SIGINT || number == SIGHUP;
    }
    run->over_output |= over_output(order, run);
}

void run_command(const struct order *order, struct run *run)
{
    sigset_t awaited;
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGCHLD);
    sigaddset(&awaited, SIGTERM);
    sigaddset(&awaited, SIGINT);
    sigaddset(&awaited, SIGHUP);
    sigaddset(&awaited, SIGPIPE);
    sigprocmask(SIG_BLOCK, &awaited, NULL);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    long long kills = order->container ? oom_kills() : -1;
    run->started = monotonic();
    run->child = vfork();
    if (run->child == 0)
        become(order, run, null);
    if (run->child < 0)
        die("cannot start a process: %s", strerror(errno));
    volunteer_for_oom(run->child);
    supervise(order, run, &awaited);
    run->survivors = end_the_rest(run->child, order->container);
    run->oom_kills = kills < 0 ? 0 : oom_kills() - kills;
}
