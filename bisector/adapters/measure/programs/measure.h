/* What the parts of `measure` share; measure.c says what it is for. */
#ifndef MEASURE_H
#define MEASURE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sched.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

enum { MAX_NAMES = 64, OWN_FAILURE = 125 };

struct names {
    const char *at[MAX_NAMES];
    int count;
};

struct order {
    const char *nonce, *cwd, *streams, *out;
    double timeout, grace;
    long long output, memory;
    struct names fresh, collect;
    cpu_set_t cpus;
    bool pinned, container, with_parent;
    char **command;
};

struct run {
    double started, ended;
    pid_t child;
    int status;
    struct rusage usage;
    const char *failed_stage;
    int failed_errno;
    bool timed_out, stopped, over_output, over_memory;
    long long oom_kills;
    int survivors;
    int streams[2];
};

/* measure.c, attend.c: the name that messages begin with */
extern const char program[];

/* surroundings.c: how to end, what an earlier run left, and what this one leaves */
__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);
double monotonic(void);
bool make_fresh(const char *path);
long long resident(pid_t pid);
long long resident_exactly(pid_t pid);
bool under_our_init(void);
int end_the_rest(pid_t group, bool container);
long long oom_kills(void);

/* supervise.c: the command itself */
int open_stream(const char *directory, const char *name);
void run_command(const struct order *order, struct run *run);

/* report.c: the record */
void report(const struct order *order, const struct run *run);

#endif
