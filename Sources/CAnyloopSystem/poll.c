#define _GNU_SOURCE
#include "anyloop_system.h"
#include "direct.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// Rounded up, so that a wait never ends before its deadline.
static int milliseconds(int64_t timeout) {
    if (timeout < 0) return -1;
    int64_t value = timeout / 1000000 + (timeout % 1000000 != 0);
    return value > INT_MAX ? INT_MAX : (int)value;
}

int anyloop_epoll_create(void) {
    int descriptor = epoll_create1(EPOLL_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}

int anyloop_epoll_control(int epoll, int descriptor, uint64_t key, uint32_t before, uint32_t after) {
    struct epoll_event event;
    int operation = before == 0 ? EPOLL_CTL_ADD : after == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
    event.events = (after & ANYLOOP_READ ? EPOLLIN : 0u) | (after & ANYLOOP_WRITE ? EPOLLOUT : 0u) |
                   (after & ANYLOOP_END ? EPOLLRDHUP : 0u);
    event.data.u64 = key;
    return epoll_ctl(epoll, operation, descriptor, &event) < 0 ? -errno : 0;
}

// Whether the system waits to the nanosecond: older ones do not know the call, and sandboxes may refuse it.
static _Atomic bool is_precise = true;

static int wait_for_events(int epoll, struct epoll_event *batch, int capacity, int64_t timeout) {
    if (timeout > 0 && timeout % 1000000 != 0 && is_precise) {
        struct timespec wait = {timeout / 1000000000, timeout % 1000000000};
        int count = direct_epoll_wait_precisely(epoll, batch, capacity, &wait);
        if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
        is_precise = false;
    }
    return direct_epoll_wait(epoll, batch, capacity, milliseconds(timeout));
}

int anyloop_epoll_wait(int epoll, anyloop_event *events, int capacity, int64_t timeout) {
    struct epoll_event batch[512];
    if (capacity > 512) capacity = 512;
    int count = wait_for_events(epoll, batch, capacity, timeout);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < count; i++) {
        uint32_t seen = batch[i].events;
        events[i].key = batch[i].data.u64;
        events[i].ready =
            (seen & ~(uint32_t)(EPOLLOUT | EPOLLRDHUP) ? ANYLOOP_READ : 0u) |
            (seen & ~(uint32_t)(EPOLLIN | EPOLLRDHUP) ? ANYLOOP_WRITE : 0u) |
            (seen & EPOLLRDHUP ? ANYLOOP_END : 0u) | (seen & EPOLLERR ? ANYLOOP_ERROR : 0u) |
            (seen & EPOLLHUP ? ANYLOOP_HANG_UP : 0u);
    }
    return count;
}

_Static_assert(sizeof(anyloop_poll_entry) == sizeof(struct pollfd), "anyloop_poll_entry is a struct pollfd");
_Static_assert(offsetof(anyloop_poll_entry, ready) == offsetof(struct pollfd, revents), "same members");

int16_t anyloop_poll_events(uint32_t interest) {
    return (int16_t)((interest & ANYLOOP_READ ? POLLIN : 0) | (interest & ANYLOOP_WRITE ? POLLOUT : 0) |
                     (interest & ANYLOOP_END ? POLLRDHUP : 0));
}

int anyloop_poll(anyloop_poll_entry *entries, const uint64_t *keys, int count, int start, anyloop_event *events,
                 int capacity, int64_t timeout) {
    struct timespec wait = {timeout / 1000000000, timeout % 1000000000};
    int ready = ppoll((struct pollfd *)entries, (nfds_t)count, timeout < 0 ? NULL : &wait, NULL);
    if (ready < 0) return errno == EINTR ? 0 : -errno;
    int listed = 0;
    for (int i = 0; i < count && listed < ready && listed < capacity; i++) {
        int index = (start + i) % count;
        int seen = entries[index].ready;
        if (seen == 0) continue;
        events[listed].key = keys[index];
        events[listed].ready = (seen & ~(POLLOUT | POLLRDHUP) ? ANYLOOP_READ : 0u) |
                               (seen & ~(POLLIN | POLLRDHUP) ? ANYLOOP_WRITE : 0u) |
                               (seen & POLLRDHUP ? ANYLOOP_END : 0u) | (seen & POLLERR ? ANYLOOP_ERROR : 0u) |
                               (seen & POLLHUP ? ANYLOOP_HANG_UP : 0u);
        listed++;
    }
    return listed;
}

int anyloop_select(int limit, unsigned long *read, unsigned long *write, unsigned long *fail, int64_t timeout) {
    // The call itself, not the C library's: its fd_set ends at 1024 descriptors, the kernel's does not.
    struct timespec wait = {timeout / 1000000000, timeout % 1000000000};
    long count = syscall(SYS_pselect6, limit, read, write, fail, timeout < 0 ? NULL : &wait, NULL);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    return (int)count;
}

int anyloop_eventfd(void) {
    int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return descriptor < 0 ? -errno : descriptor;
}

int anyloop_eventfd_signal(int descriptor) {
    uint64_t one = 1;
    ssize_t count;
    do count = write(descriptor, &one, sizeof one);
    while (count < 0 && errno == EINTR);
    return count < 0 && errno != EAGAIN ? -errno : 0;
}

int anyloop_eventfd_clear(int descriptor) {
    uint64_t value;
    return read(descriptor, &value, sizeof value) < 0 ? -errno : 0;
}
