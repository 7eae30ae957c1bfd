/*
 * measure: the parent of a measured command.
 *
 *   measure run [OPTION...] -- COMMAND [ARG...]   run it once and write one record to standard output
 *   measure init                                  be process 1 of a container: reap, wait, end on SIGTERM from outside
 *
 * Options of `run`, each followed by its value unless it says otherwise:
 *   --timeout SECONDS   then SIGTERM to the command's group, and SIGKILL after --grace SECONDS (2)
 *   --cwd DIR           where the command starts
 *   --streams DIR       standard output and error go to unlinked files in DIR and come back in the record;
 *                       without it both go to this program's standard error (a build's log)
 *   --output BYTES      more than this in either stream ends the run
 *   --memory BYTES      more resident memory than this in all processes of the run ends it (looked at every 250 ms)
 *   --fresh DIR         emptied, or made, before the run, and emptied after it; may be repeated
 *   --out DIR, --collect NAME   regular files below DIR that come back in the record; --collect may be repeated.
 *                       size:PATH is how many bytes there are in a file or directory below where the command starts
 *   --cpus N,N          the processors the command may use
 *   --container         (no value) this is a container whose process 1 is `measure init`: count its out-of-memory
 *                       kills, and kill everything else in it afterwards
 *   --with-parent       (no value) end with the process that started this one
 *
 * The record is `bisector-record 1 NONCE LENGTH\n` and LENGTH bytes of fields, each `NAME SIZE\n` + SIZE bytes + `\n`.
 * The nonce is taken from the environment (BISECTOR_NONCE) and not handed on. A failure of this program's own is a
 * message on standard error and exit status 125, without a record. measure.py is the same program in Python.
 *
 * Why a program of its own: a clock around `docker exec` adds 100 ms of noise, and a child's peak memory is never
 * below that of the process it was forked from, so the parent must be small.
 */
#include "measure.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const char program[] = "measure";

static void parse_cpus(struct order *order, const char *list)
{
    CPU_ZERO(&order->cpus);
    order->pinned = true;
    for (char *end; *list; list = *end ? end + 1 : end) {
        long cpu = strtol(list, &end, 10);
        if (end == list || cpu < 0 || cpu >= CPU_SETSIZE)
            die("not a list of processors: %s", list);
        CPU_SET(cpu, &order->cpus);
    }
}

static void add_name(struct names *names, const char *value)
{
    if (names->count == MAX_NAMES)
        die("too many names");
    names->at[names->count++] = value;
}

static void parse_option(struct order *order, const char *name, const char *value)
{
    if (!strcmp(name, "--timeout"))
        order->timeout = atof(value);
    else if (!strcmp(name, "--grace"))
        order->grace = atof(value);
    else if (!strcmp(name, "--cwd"))
        order->cwd = value;
    else if (!strcmp(name, "--streams"))
        order->streams = value;
    else if (!strcmp(name, "--output"))
        order->output = atoll(value);
    else if (!strcmp(name, "--memory"))
        order->memory = atoll(value);
    else if (!strcmp(name, "--out"))
        order->out = value;
    else if (!strcmp(name, "--fresh"))
        add_name(&order->fresh, value);
    else if (!strcmp(name, "--collect"))
        add_name(&order->collect, value);
    else if (!strcmp(name, "--cpus"))
        parse_cpus(order, value);
    else
        die("no such option: %s", name);
}

static void parse(struct order *order, char **argument)
{
    order->grace = 2;
    for (; *argument && strcmp(*argument, "--"); argument++) {
        if (!strcmp(*argument, "--container"))
            order->container = true;
        else if (!strcmp(*argument, "--with-parent"))
            order->with_parent = true;
        else if (!argument[1])
            die("%s wants a value", *argument);
        else {
            parse_option(order, argument[0], argument[1]);
            argument++;
        }
    }
    if (!*argument || !argument[1])
        die("no command");
    order->command = argument + 1;
    const char *nonce = getenv("BISECTOR_NONCE");
    order->nonce = strdup(nonce ? nonce : "-");
    unsetenv("BISECTOR_NONCE");
}

static int run_once(char **arguments)
{
    static struct order order;
    static struct run run;
    parse(&order, arguments);
    if (order.container && !under_our_init())
        die("process 1 is not `measure init`");
    prctl(PR_SET_DUMPABLE, 0); /* the command, same user, shall not read the nonce or open our standard output */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (order.with_parent) {
        pid_t parent = getppid();
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent)
            die("the parent is gone");
    }
    for (int i = 0; i < order.fresh.count; i++)
        if (!make_fresh(order.fresh.at[i]))
            die("cannot empty %s: %s", order.fresh.at[i], strerror(errno));
    if (order.streams) {
        run.streams[0] = open_stream(order.streams, "stdout");
        run.streams[1] = open_stream(order.streams, "stderr");
    }
    run_command(&order, &run);
    report(&order, &run);
    for (int i = 0; i < order.fresh.count; i++)
        make_fresh(order.fresh.at[i]); /* what a run leaves takes memory; if it stays, the next run says so */
    return 0;
}

static int be_init(void)
{
    sigset_t all;
    siginfo_t from;
    prctl(PR_SET_DUMPABLE, 0);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    for (;;) {
        int number = sigwaitinfo(&all, &from);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        if (number == SIGTERM && from.si_pid == 0) /* sent from outside the container, not by what runs in it */
            return 0;
    }
}

int main(int count, char **arguments)
{
    if (count == 2 && !strcmp(arguments[1], "init"))
        return be_init();
    if (count > 2 && !strcmp(arguments[1], "run"))
        return run_once(arguments + 2);
    die("usage: measure run [OPTION...] -- COMMAND [ARG...] | measure init");
}
