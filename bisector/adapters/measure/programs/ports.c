/* Of `attend`: the ports it chooses, and the words they are put into. */
#include "attend.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LOWEST_PORT = 15000, USUAL_END = 32768 };

/* Where the ports begin that the kernel gives to connections: one of those could be taken at any moment, and a
   connection to it can meet itself. */
static int end_of_ports(void)
{
    int first = 0;
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
    if (file) {
        if (fscanf(file, "%d", &first) != 1)
            first = 0;
        fclose(file);
    }
    return first > LOWEST_PORT + 1000 ? first : USUAL_END;
}

/* Keep a port that nobody has until its service starts. */
static void choose_port(struct service *service, int end)
{
    for (int attempt = 0; attempt < 1000; attempt++) {
        unsigned random;
        if (getrandom(&random, sizeof random, 0) != sizeof random)
            random = (unsigned)(monotonic() * 1e9) + getpid();
        int port = (uint16_t)(LOWEST_PORT + random % (end - LOWEST_PORT));
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
            break;
        if (!bind(fd, (struct sockaddr *)&address, sizeof address)) {
            service->reserved = fd;
            snprintf(service->port, sizeof service->port, "%d", port);
            return;
        }
        close(fd);
    }
    die("no free port: %s", strerror(errno));
}

void choose_ports(struct load *load)
{
    for (int i = 0; i < load->count; i++)
        choose_port(&load->services[i], end_of_ports());
}

/* ---- placeholders ------------------------------------------------------------------------------------------- */

/* `text` with `name` replaced wherever it stands; itself where it does not. */
static char *replaced(char *text, const char *name, const char *by)
{
    for (char *at = text; (at = strstr(at, name));) {
        char *made = malloc(strlen(text) + strlen(by) + 1);
        size_t before = at - text;
        sprintf(made, "%.*s%s%s", (int)before, text, by, at + strlen(name));
        text = made;
        at = text + before + strlen(by);
    }
    return text;
}

static char *filled(const struct load *load, const char *text, const char *own)
{
    char name[300];
    char *made = replaced((char *)text, "{port}", own);
    for (int i = 0; i < load->count; i++) {
        snprintf(name, sizeof name, "{port.%.250s}", load->services[i].name);
        made = replaced(made, name, load->services[i].port);
    }
    return made;
}

static void fill(const struct load *load, struct words *words, struct names *env, const char *own)
{
    for (int i = 0; i < words->count; i++)
        words->at[i] = filled(load, words->at[i], own);
    for (int i = 0; i < env->count; i++)
        env->at[i] = filled(load, env->at[i], own);
}

/* Put a size where `{size}` stands, in words of their own. */
void fill_size(struct words *words, struct names *env, const char *size)
{
    char **made = calloc(words->count + 1, sizeof *made);
    for (int i = 0; i < words->count; i++)
        made[i] = replaced(words->at[i], "{size}", size);
    words->at = made;
    for (int i = 0; i < env->count; i++)
        env->at[i] = replaced((char *)env->at[i], "{size}", size);
}

void fill_all(struct load *load)
{
    struct names none = {.count = 0};
    for (int i = 0; i < load->count; i++) {
        struct service *service = &load->services[i];
        fill(load, &service->command, &service->env, service->port);
        fill(load, &service->wanted, &none, service->port);
        fill(load, &service->scraped, &none, service->port);
    }
    fill(load, &load->command, &load->env, load->count ? load->services[load->count - 1].port : "");
}
