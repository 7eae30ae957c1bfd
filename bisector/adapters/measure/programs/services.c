/* Of `attend`: the services and the command, from their start to their end. */
#include "attend.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char CUT[] = "[bisector: what stood before is gone]\n";
static const double TICK = 0.25, BETWEEN_PROBES = 0.02, WITH_CLIENT = 0.1;

static void fault(struct load *load, const char *what, int service)
{
    if (!load->fault) {
        load->fault = what;
        load->faulty = service;
    }
}

/* Whether a service has ended that was not asked to. */
static bool one_is_gone(struct load *load)
{
    for (int i = 0; i < load->count; i++)
        if (load->services[i].ended && !load->services[i].asked) {
            fault(load, "service_ended", i);
            return true;
        }
    return false;
}

/* A log that grows without end would fill the memory it lies in: what was in it is dropped. */
static void shorten_logs(struct load *load)
{
    struct stat log;
    for (int i = 0; i < load->count; i++)
        if (load->services[i].log > 0 && !fstat(load->services[i].log, &log) && log.st_size > LOG_LIMIT)
            (void)!(ftruncate(load->services[i].log, 0) || write(load->services[i].log, CUT, sizeof CUT - 1));
}

/* When somebody who may take so long to end is waited for no longer. */
static double until_when(const struct load *load, double seconds)
{
    double until = monotonic() + seconds;
    return load->stopped && load->deadline < until ? load->deadline : until;
}

bool start_service(struct load *load, int number)
{
    struct service *service = &load->services[number];
    char path[4096];
    int failure;
    snprintf(path, sizeof path, "%s/%s.log", load->out, service->name);
    service->log = open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (service->log < 0)
        die("cannot write %s: %s", path, strerror(errno));
    double began = monotonic();
    close(service->reserved);
    service->pid = start(service->command.at, &service->env, service->log, &failure);
    if (failure) {
        service->start_errno = failure;
        fault(load, "cannot_start", number);
        return false;
    }
    while (!wait_a_while(load, BETWEEN_PROBES) && !one_is_gone(load)) {
        double left = began + service->ready_seconds - monotonic();
        if (left <= 0) {
            fault(load, "not_ready", number);
            return false;
        }
        if (is_ready(load, service, left)) {
            service->ready_after = monotonic() - began;
            reap(load);
            return !one_is_gone(load);
        }
    }
    return false;
}

/* Whether the command ended as it should, and nobody and nothing stopped it. */
bool went_well(const struct load *load)
{
    return load->client_ended && !load->status && !load->client_errno && !load->fault && !load->stopped;
}

void run_client(struct load *load)
{
    load->started = monotonic();
    if (load->begun == 0)
        load->begun = load->started;
    load->client_ended = false;
    load->client = start(load->command.at, &load->env, -1, &load->client_errno);
    double limit = load->timeout > 0 ? load->begun + load->timeout : 1e300;
    while (!load->client_ended && !load->stopped && !one_is_gone(load)) {
        double now = monotonic(), left = limit - now, tick = sample_memory(load, now);
        if (left <= 0) {
            fault(load, "timed_out", 0);
            break;
        }
        tick = tick < TICK ? tick : TICK;
        wait_a_while(load, left < tick ? left : tick);
        shorten_logs(load);
    }
    if (load->client_ended && load->status) /* a service that died took the client with it: it may be seen later */
        wait_a_while(load, WITH_CLIENT);
    if (load->client_ended && !load->stopped)
        one_is_gone(load);
    if (!load->client_ended)
        kill(-load->client, SIGTERM);
    for (double until = until_when(load, load->grace); !load->client_ended && monotonic() < until;)
        wait_a_while(load, BETWEEN_PROBES);
    end_group(load, load->client);
}

/* The process that is told to stop: the service's first, or the one that a profiler around it started. */
static pid_t told_to_stop(const struct load *load, const struct service *service)
{
    char path[4096], text[32] = "";
    snprintf(path, sizeof path, "%s/%s.pid", load->out, service->name);
    int fd = service->gated ? open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (fd >= 0) {
        (void)!read(fd, text, sizeof text - 1);
        close(fd);
    }
    pid_t pid = atoi(text);
    return pid > 1 ? pid : service->pid;
}

void stop_service(struct load *load, struct service *service)
{
    if (service->pid <= 0)
        return;
    service->asked = true;
    if (!service->ended)
        kill(told_to_stop(load, service), service->signal);
    for (double until = until_when(load, service->stop_seconds); !service->ended && monotonic() < until;)
        wait_a_while(load, BETWEEN_PROBES);
    end_group(load, service->pid);
}
