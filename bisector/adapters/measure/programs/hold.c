/*
 * Of `attend`: a command that stands for one that runs elsewhere.
 *
 *   attend hold PATH            make a pipe at PATH, say "held", wait until it is released, and end as it is told
 *   attend release PATH N       tell who holds PATH to end with status N (0 to 9); fails where nobody does
 *
 * hold.py is the same in Python.
 */
#include "attend.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int hold(const char *path)
{
    char told = '1';
    unlink(path); /* of a run before, where nobody empties the directory */
    if (mkfifo(path, 0600))
        die("cannot make %s: %s", path, strerror(errno));
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        die("cannot open %s: %s", path, strerror(errno));
    (void)!write(STDOUT_FILENO, "held\n", 5);
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    while (poll(&waiting, 1, -1) < 0 && errno == EINTR)
        ;
    (void)!read(fd, &told, 1);
    return told - '0';
}

int release(const char *path, const char *status)
{
    int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        die("nobody holds %s: %s", path, strerror(errno));
    return write(fd, status, 1) == 1 ? 0 : OWN_FAILURE;
}
