/* What the parts of `attend` share; attend.c says what it is for. It is linked with surroundings.c of `measure`. */
#ifndef ATTEND_H
#define ATTEND_H

#include "measure.h"

enum { MAX_SERVICES = 16, LOG_LIMIT = 8 << 20 };

/* Words that end with NULL. */
struct words {
    char **at;
    int count;
};

/* What a process and those it started used. */
struct tally {
    long long cpu_us;
    long peak_kib, faults;
};

struct service {
    const char *name, *probe; /* of the probe its kind; "tcp", "http", "log", "command" */
    char port[8];
    struct words command, wanted; /* `wanted` is what the probe asks for */
    struct names env;
    double ready_seconds, stop_seconds, ready_after;
    int signal, reserved, log, start_errno;
    bool gated, ended, asked;
    pid_t pid;
    int status;
    off_t searched;
    struct tally used;
};

struct load {
    const char *out;
    struct service services[MAX_SERVICES];
    int count;
    struct words command;
    struct names env;
    double timeout, grace, started, ended, deadline; /* the last: of our own end, once we are asked to end */
    pid_t client, probe;
    int status, client_errno, probe_status;
    bool client_ended, probe_ended, stopped;
    struct tally used;
    const char *fault; /* "not_ready", "service_ended", "cannot_start", "timed_out"; NULL when all went well */
    int faulty;        /* the service it speaks of */
};

/* processes.c */
bool wait_a_while(struct load *load, double seconds);
pid_t start(char **command, const struct names *env, int output, int *failure);
void reap(struct load *load);
void end_group(struct load *load, pid_t group);

/* ports.c */
void choose_ports(struct load *load);
void fill_all(struct load *load);

/* probes.c */
bool is_ready(struct load *load, struct service *service, double left);

/* services.c */
bool start_service(struct load *load, int number);
void run_client(struct load *load);
void stop_service(struct load *load, struct service *service);

/* told.c */
void tell(const struct load *load);

#endif
