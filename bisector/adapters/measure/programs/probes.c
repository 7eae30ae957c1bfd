/* Of `attend`: how it is told that a service is ready. */
#include "attend.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const double ANSWER_WITHIN = 2, COMMAND_WITHIN = 10;
static const size_t MOST_OF_ANSWER = 1 << 20, MOST_FETCHED = 15 << 20;

static double least(double one, double other)
{
    return one < other ? one : other;
}

/* A connection to `port` of this host, by either protocol; -1 for none. */
static int connected(int port, double seconds)
{
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct timeval limit = {(time_t)seconds, (suseconds_t)((seconds - (time_t)seconds) * 1e6) + 1};
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int protocol = 0; protocol < 2; protocol++) {
        int fd = socket(protocol ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
            continue;
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        struct sockaddr *address = protocol ? (struct sockaddr *)&six : (struct sockaddr *)&four;
        struct sockaddr_in6 own = {0}, other = {0};
        socklen_t size = protocol ? sizeof six : sizeof four, own_size = sizeof own, other_size = sizeof other;
        if (!connect(fd, address, size) && !getsockname(fd, (struct sockaddr *)&own, &own_size) &&
            !getpeername(fd, (struct sockaddr *)&other, &other_size) && memcmp(&own, &other, size))
            return fd; /* and not to itself, as happens among the ports that the kernel gives away */
        close(fd);
    }
    return -1;
}

static bool accepts(int port, double seconds)
{
    int fd = connected(port, seconds);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* A connection on which `path` was asked for; -1 for none. */
static int asked(int port, const char *path, double seconds)
{
    char words[4096];
    int fd = connected(port, seconds);
    int size = snprintf(words, sizeof words, "GET %.3000s HTTP/1.0\r\nHost: 127.0.0.1:%d\r\n\r\n", path, port);
    if (fd >= 0 && send(fd, words, size, MSG_NOSIGNAL) != size) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Write the answer into a file as it comes, its head included; nothing where nobody answers. */
void fetch_into(int port, const char *path, double seconds, int file)
{
    static char buffer[1 << 16];
    size_t written = 0;
    ssize_t got;
    double limit = monotonic() + seconds;
    int fd = asked(port, path, seconds);
    if (fd < 0)
        return;
    while (written < MOST_FETCHED && monotonic() < limit && (got = recv(fd, buffer, sizeof buffer, 0)) > 0) {
        if (write(file, buffer, got) != got)
            break;
        written += got;
    }
    close(fd);
}

/* Whether the answer's status is one of success, or leads elsewhere. All of it is read: a service that is hung up on
   complains. */
static bool answers(int port, const char *path, double seconds)
{
    char buffer[4096], head[16] = "";
    size_t read_so_far = 0;
    ssize_t got;
    int fd = asked(port, path, seconds);
    if (fd >= 0)
        while (read_so_far < MOST_OF_ANSWER && (got = recv(fd, buffer, sizeof buffer, 0)) > 0) {
            for (ssize_t i = 0; i < got && read_so_far + i < sizeof head - 1; i++)
                head[read_so_far + i] = buffer[i];
            read_so_far += got;
        }
    if (fd >= 0)
        close(fd);
    return !strncmp(head, "HTTP/1.", 7) && head[8] == ' ' && (head[9] == '2' || head[9] == '3');
}

/* Whether `text` has been written to the log. What was searched is not searched again, but for as much as a part of
   it may be. */
static bool has_said(struct service *service, const char *text)
{
    static char buffer[1 << 16];
    size_t length = strlen(text);
    ssize_t got;
    while ((got = pread(service->log, buffer, sizeof buffer, service->searched)) > 0) {
        if (memmem(buffer, got, text, length))
            return true;
        if ((size_t)got < length)
            return false;
        service->searched += got - (length - 1);
        if ((size_t)got < sizeof buffer)
            return false;
    }
    return false;
}

static bool succeeds(struct load *load, struct service *service, double seconds)
{
    int failure;
    double limit = monotonic() + seconds;
    pid_t pid = start(service->wanted.at, &service->env, service->log, &failure);
    load->probe = pid;
    load->probe_ended = false;
    while (!load->probe_ended && !load->stopped && !service->ended && monotonic() < limit)
        wait_a_while(load, 0.02);
    bool done = load->probe_ended && !failure && load->probe_status == 0;
    end_group(load, pid);
    load->probe = 0;
    return done;
}

bool is_ready(struct load *load, struct service *service, double left)
{
    char **wanted = service->wanted.at;
    if (!strcmp(service->probe, "tcp"))
        return accepts(atoi(wanted[0]), least(left, ANSWER_WITHIN));
    if (!strcmp(service->probe, "http"))
        return answers(atoi(wanted[0]), wanted[1], least(left, ANSWER_WITHIN));
    if (!strcmp(service->probe, "log"))
        return has_said(service, wanted[0]);
    if (!strcmp(service->probe, "command"))
        return succeeds(load, service, least(left, COMMAND_WITHIN));
    die("no such probe: %s", service->probe);
}
