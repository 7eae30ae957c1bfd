/* Of `attend`: processes, each in a group of its own, and what they use. */
#include "attend.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const double GROUP_MUST_END_WITHIN = 2;

static void add_usage(struct tally *tally, const struct rusage *usage)
{
    tally->cpu_us += (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000LL + usage->ru_utime.tv_usec +
                     usage->ru_stime.tv_usec;
    tally->faults += usage->ru_minflt + usage->ru_majflt;
    if (usage->ru_maxrss > tally->peak_kib)
        tally->peak_kib = usage->ru_maxrss;
}

/* Take in whoever ended, and put what it used down to the one in whose group it was. */
void reap(struct load *load)
{
    siginfo_t found = {.si_pid = 0};
    while (!waitid(P_ALL, 0, &found, WEXITED | WNOHANG | WNOWAIT) && found.si_pid) {
        int status;
        struct rusage usage;
        pid_t pid = found.si_pid, group = getpgid(pid);
        double now = monotonic();
        wait4(pid, &status, 0, &usage);
        if (group == load->client && load->client)
            add_usage(&load->used, &usage);
        if (pid == load->client) {
            load->client_ended = true;
            load->ended = now;
            load->status = status;
        }
        if (pid == load->probe) {
            load->probe_ended = true;
            load->probe_status = status;
        }
        for (int i = 0; i < load->count; i++) {
            struct service *service = &load->services[i];
            if (group == service->pid && service->pid)
                add_usage(&service->used, &usage);
            if (pid == service->pid) {
                service->ended = true;
                service->status = status;
            }
        }
        found.si_pid = 0;
    }
}

/* Kill a group, and take in who was in it. */
void end_group(struct load *load, pid_t group)
{
    kill(-group, SIGKILL);
    for (double limit = monotonic() + GROUP_MUST_END_WITHIN; monotonic() < limit;) {
        reap(load);
        if (kill(-group, SIGKILL) && errno == ESRCH)
            return;
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
}

/* Wait for a signal, and see to what it says: true when we are asked to end. */
bool wait_a_while(struct load *load, double seconds)
{
    sigset_t awaited;
    struct timespec span = {(time_t)seconds, (long)((seconds - (time_t)seconds) * 1e9)};
    sigemptyset(&awaited);
    for (const int *number = (int[]){SIGCHLD, SIGTERM, SIGINT, SIGHUP, 0}; *number; number++)
        sigaddset(&awaited, *number);
    int number = sigtimedwait(&awaited, NULL, &span);
    if ((number == SIGTERM || number == SIGINT || number == SIGHUP) && !load->stopped) {
        load->stopped = true;
        load->deadline = monotonic() + load->grace;
    }
    reap(load);
    return load->stopped;
}

/* Start a command in a group of its own; its id, and in `failure` why it could not become the command, else 0. */
pid_t start(char **command, const struct names *env, int output, int *failure)
{
    int told[2];
    *failure = 0;
    if (pipe2(told, O_CLOEXEC))
        die("no pipe: %s", strerror(errno));
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        die("cannot start a process: %s", strerror(errno));
    if (pid == 0) {
        sigset_t none;
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(127);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        if (output >= 0) {
            dup2(output, 1);
            dup2(output, 2);
        }
        for (int i = 0; i < env->count; i++)
            putenv((char *)env->at[i]);
        execvp(command[0], command);
        int reason = errno;
        (void)!write(told[1], &reason, sizeof reason);
        _exit(127);
    }
    setpgid(pid, pid);
    close(told[1]);
    while (read(told[0], failure, sizeof *failure) < 0 && errno == EINTR)
        ;
    close(told[0]);
    return pid;
}
