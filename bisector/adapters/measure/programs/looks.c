/* Of `attend`: what is looked at beside the command: what services tell of themselves, memory, and growth with size. */
#include "attend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double ANSWER_WITHIN = 10;

static int make(const struct load *load, const char *name, const char *kind)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s%s", load->out, name, kind);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        die("cannot write %s: %s", path, strerror(errno));
    return fd;
}

/* Keep what services tell of themselves; an empty file where one does not answer. */
void scrape(const struct load *load, const char *when)
{
    char kind[16];
    snprintf(kind, sizeof kind, ".%s", when);
    for (int i = 0; i < load->count; i++) {
        const struct service *service = &load->services[i];
        if (service->scraped.count != 2)
            continue;
        int file = make(load, service->name, kind);
        fetch_into(atoi(service->scraped.at[0]), service->scraped.at[1], ANSWER_WITHIN, file);
        close(file);
    }
}

void begin_samples(struct load *load)
{
    if (load->sample > 0)
        load->samples = make(load, "memory", "");
}

/* Write down how much is resident where it is time; the seconds until it is the next time. */
double sample_memory(struct load *load, double now)
{
    static double next;
    if (!load->samples)
        return 1e300;
    if (now >= next) {
        pid_t of = load->count ? load->services[load->count - 1].pid : load->client;
        dprintf(load->samples, "%.0f %lld\n", (now - load->begun) * 1e9, resident(of));
        next = now + load->sample;
    }
    return next - now;
}

static void add_tally(struct tally *sum, const struct tally *more)
{
    sum->cpu_us += more->cpu_us;
    sum->peak_kib = sum->peak_kib > more->peak_kib ? sum->peak_kib : more->peak_kib;
}

/* Run the command at each size, until one does not go well. */
void run_sizes(struct load *load)
{
    struct words command = load->command;
    struct names env = load->env;
    struct tally all = {0};
    for (int i = 0; i < load->sizes.count && (i == 0 || went_well(load)); i++) {
        load->command = command;
        load->env = env;
        load->used = (struct tally){0};
        fill_size(&load->command, &load->env, load->sizes.at[i]);
        run_client(load);
        load->at_sizes[load->sizes_done++] =
            (struct at_size){.wall = load->client_ended ? load->ended - load->started : 0, .used = load->used};
        add_tally(&all, &load->used);
    }
    load->used = all;
}
