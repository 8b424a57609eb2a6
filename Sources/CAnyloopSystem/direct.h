// The calls of the hot path, without the C library's wrappers.
//
// Those are cancellation points: once the process has a second thread, each call costs two atomic operations to
// say that it could be cancelled. No thread of ours ever is.
#ifndef ANYLOOP_DIRECT_H
#define ANYLOOP_DIRECT_H

#include <errno.h>
#include <sys/socket.h>
#include <time.h>

#if defined(__linux__) && defined(__LP64__)
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline ssize_t direct_recv(int descriptor, void *bytes, size_t count, struct sockaddr *from, socklen_t *length) {
    return syscall(SYS_recvfrom, descriptor, bytes, count, 0, from, length);
}

static inline ssize_t direct_send(int descriptor, const void *bytes, size_t count, const struct sockaddr *to,
                                  socklen_t length) {
    return syscall(SYS_sendto, descriptor, bytes, count, MSG_NOSIGNAL, to, length);
}

static inline ssize_t direct_sendmsg(int descriptor, const struct msghdr *message) {
    return syscall(SYS_sendmsg, descriptor, message, MSG_NOSIGNAL);
}

static inline int direct_epoll_wait(int epoll, struct epoll_event *events, int capacity, int milliseconds) {
    return (int)syscall(SYS_epoll_pwait, epoll, events, capacity, milliseconds, NULL, 0);
}

/// As above, to the nanosecond; ENOSYS without Linux 5.11.
static inline int direct_epoll_wait_precisely(int epoll, struct epoll_event *events, int capacity,
                                              const struct timespec *wait) {
#ifdef SYS_epoll_pwait2
    return (int)syscall(SYS_epoll_pwait2, epoll, events, capacity, wait, NULL, 0);
#else
    errno = ENOSYS;
    return -1;
#endif
}
#else
#define direct_recv(descriptor, bytes, count, from, length) recvfrom(descriptor, bytes, count, 0, from, length)
#define direct_send(descriptor, bytes, count, to, length) sendto(descriptor, bytes, count, MSG_NOSIGNAL, to, length)
#define direct_sendmsg(descriptor, message) sendmsg(descriptor, message, MSG_NOSIGNAL)
#define direct_epoll_wait epoll_wait
#define direct_epoll_wait_precisely(epoll, events, capacity, wait) (errno = ENOSYS, -1)
#endif

#endif
