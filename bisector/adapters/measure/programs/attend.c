/*
 * attend: services that are there while a command runs.
 *
 *   attend --out DIR [OPTION...] [--service NAME [OPTION...]]... -- COMMAND [ARG...]
 *
 * Starts each service in turn and waits until it is ready, runs the command, and stops the services in reverse,
 * whatever happens. Its exit status is the command's; 125 with a message where it was none of the command's doing.
 *
 * It also holds the place of a command that runs elsewhere: see hold.c.
 *
 *   --timeout SECONDS     how long the command may take; --grace SECONDS (1) between SIGTERM and SIGKILL
 *   --sizes N WORD...     run the command once for each of these, put where `{size}` stands; DIR/sizes tells what each took
 *   --sample SECONDS      write to DIR/memory how much is resident, so often: of the last service, else of the command
 *   --env NAME=VALUE      set for the command, or, after --service, for that service; may be repeated
 *   --words N WORD...     the service's command, N words
 *   --probe KIND N WORD...   how to tell that it is ready: `tcp PORT`, `http PORT PATH`, `log TEXT`, `command WORD...`
 *   --scrape 2 PORT PATH  what is answered there before and after the command, kept in DIR/NAME.before and DIR/NAME.after
 *   --ready SECONDS, --stop SECONDS   how long it may take to be ready, and to end after
 *   --signal N            what it is told to stop by
 *   --gated               (no value) what is told to stop is the process whose id its command wrote to DIR/NAME.pid: a
 *                         profiler is around it, and writes when that has ended
 *
 * In words and values `{port}` is a free port that was chosen for the service, `{port.NAME}` that of another; for the
 * command `{port}` is the last service's. Services write to DIR/NAME.log; what came of all is written to DIR/report, in
 * fields as `measure` writes them: `NAME SIZE\n` + SIZE bytes + `\n`. attend.py is the same program in Python.
 *
 * Everybody has a process group of his own, and is killed when this program is (PR_SET_PDEATHSIG).
 */
#include "attend.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const char program[] = "attend";

static void add_name(struct names *names, const char *value)
{
    if (names->count == MAX_NAMES)
        die("too many values");
    names->at[names->count++] = value;
}

/* As many words as the one at `argument` says; the last of them. */
static char **take_words(struct words *words, char **argument)
{
    words->count = atoi(*argument);
    words->at = calloc(words->count + 1, sizeof *words->at);
    for (int i = 0; i < words->count; i++)
        if (!(words->at[i] = *++argument))
            die("fewer words than were announced");
    return argument;
}

static char **parse_of_service(struct service *service, const char *name, char **value)
{
    if (!strcmp(name, "--env"))
        add_name(&service->env, *value);
    else if (!strcmp(name, "--words"))
        return take_words(&service->command, value);
    else if (!strcmp(name, "--probe") && value[1]) {
        service->probe = *value;
        return take_words(&service->wanted, value + 1);
    } else if (!strcmp(name, "--scrape"))
        return take_words(&service->scraped, value);
    else if (!strcmp(name, "--ready"))
        service->ready_seconds = atof(*value);
    else if (!strcmp(name, "--stop"))
        service->stop_seconds = atof(*value);
    else if (!strcmp(name, "--signal"))
        service->signal = atoi(*value);
    else
        die("no such option of a service: %s", name);
    return value;
}

static void parse(struct load *load, char **argument)
{
    struct service *service = NULL;
    load->grace = 1;
    for (; *argument && strcmp(*argument, "--"); argument++) {
        const char *name = *argument;
        if (service && !strcmp(name, "--gated")) {
            service->gated = true;
            continue;
        }
        if (!*++argument)
            die("%s wants a value", name);
        if (!strcmp(name, "--service")) {
            if (load->count == MAX_SERVICES)
                die("too many services");
            service = &load->services[load->count++];
            service->name = *argument;
            service->signal = SIGTERM;
        } else if (service)
            argument = parse_of_service(service, name, argument);
        else if (!strcmp(name, "--out"))
            load->out = *argument;
        else if (!strcmp(name, "--timeout"))
            load->timeout = atof(*argument);
        else if (!strcmp(name, "--grace"))
            load->grace = atof(*argument);
        else if (!strcmp(name, "--sample"))
            load->sample = atof(*argument);
        else if (!strcmp(name, "--sizes"))
            argument = take_words(&load->sizes, argument);
        else if (!strcmp(name, "--env"))
            add_name(&load->env, *argument);
        else
            die("no such option: %s", name);
    }
    if (!*argument || !argument[1])
        die("no command");
    load->command.at = argument + 1;
    while (load->command.at[load->command.count])
        load->command.count++;
    for (int i = 0; i < load->count; i++)
        if (!load->services[i].command.count || !load->services[i].probe)
            die("%s has no command, or no probe", load->services[i].name);
    if (!load->out)
        die("no --out");
    if (load->sizes.count > MAX_SIZES)
        die("too many sizes");
}

__attribute__((noreturn)) static void end_like_the_client(const struct load *load)
{
    if (load->stopped)
        exit(128 + SIGTERM);
    if (load->fault)
        die("%s: %s", load->fault, load->count ? load->services[load->faulty].name : "");
    if (WIFSIGNALED(load->status)) {
        sigset_t none;
        sigemptyset(&none);
        signal(WTERMSIG(load->status), SIG_DFL);
        sigprocmask(SIG_SETMASK, &none, NULL);
        kill(getpid(), WTERMSIG(load->status));
    }
    exit(WEXITSTATUS(load->status));
}

int main(int count, char **arguments)
{
    static struct load load;
    sigset_t awaited;
    if (count == 3 && !strcmp(arguments[1], "hold"))
        return hold(arguments[2]);
    if (count == 4 && !strcmp(arguments[1], "release"))
        return release(arguments[2], arguments[3]);
    if (count < 2)
        die("usage: attend --out DIR [OPTION...] [--service NAME [OPTION...]]... -- COMMAND [ARG...]");
    parse(&load, arguments + 1);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    sigemptyset(&awaited);
    for (const int *number = (int[]){SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGPIPE, 0}; *number; number++)
        sigaddset(&awaited, *number);
    sigprocmask(SIG_BLOCK, &awaited, NULL);
    if (mkdir(load.out, 0700) && errno != EEXIST)
        die("cannot make %s: %s", load.out, strerror(errno));
    choose_ports(&load);
    fill_all(&load);
    bool ready = true;
    for (int i = 0; i < load.count && ready; i++)
        ready = start_service(&load, i);
    if (ready && !load.stopped) {
        scrape(&load, "before");
        begin_samples(&load);
        if (load.sizes.count)
            run_sizes(&load);
        else
            run_client(&load);
        if (went_well(&load))
            scrape(&load, "after");
    }
    for (int i = load.count - 1; i >= 0; i--)
        stop_service(&load, &load.services[i]);
    pid_t last = load.client > 0 ? load.client : load.services[0].pid; /* whose group has ended by now */
    if (last > 0)
        end_the_rest(last, false);
    tell(&load);
    end_like_the_client(&load);
}
