#define _GNU_SOURCE
#include "anyloop_system.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

int64_t anyloop_clock_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void anyloop_error_text(int code, char *buffer, size_t size) {
    char scratch[128];
    snprintf(buffer, size, "%s", strerror_r(code, scratch, sizeof scratch));
}

void anyloop_write_error(const void *bytes, size_t count) {
    const char *rest = bytes;
    while (count > 0) {
        ssize_t written = write(2, rest, count);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;
        rest += written;
        count -= (size_t)written;
    }
}

int anyloop_environment_has(const char *name) {
    const char *value = getenv(name);
    return value && *value;
}

// Threads

static _Thread_local void *current_loop;

uintptr_t anyloop_thread_token(void) { return (uintptr_t)&current_loop; }
void *anyloop_thread_loop(void) { return current_loop; }
void anyloop_set_thread_loop(void *loop) { current_loop = loop; }

typedef struct {
    void (*body)(void *);
    void *context;
} start;

static void *run(void *argument) {
    start begin = *(start *)argument;
    free(argument);
    begin.body(begin.context);
    return NULL;
}

int anyloop_thread_start(void (*body)(void *), void *context, uintptr_t *handle) {
    start *begin = malloc(sizeof *begin);
    if (!begin) return -ENOMEM;
    begin->body = body;
    begin->context = context;
    // Signals are the main thread's: a blocked mask is inherited.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int code = pthread_create(&thread, NULL, run, begin);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0) {
        free(begin);
        return -code;
    }
    if (handle) *handle = (uintptr_t)thread;
    else pthread_detach(thread);
    return 0;
}

int anyloop_thread_join(uintptr_t handle) { return -pthread_join((pthread_t)handle, NULL); }

// Signals

static atomic_int wakes[ANYLOOP_SIGNAL_LIMIT + 1];
static atomic_int arrived[ANYLOOP_SIGNAL_LIMIT + 1];
static struct sigaction former[ANYLOOP_SIGNAL_LIMIT + 1];
static int watched[ANYLOOP_SIGNAL_LIMIT + 1];
static pthread_mutex_t signal_lock = PTHREAD_MUTEX_INITIALIZER;

static void on_signal(int signal) {
    int saved = errno;
    atomic_store(&arrived[signal], 1);
    int wake = atomic_load(&wakes[signal]) - 1;
    if (wake >= 0) anyloop_eventfd_signal(wake);
    errno = saved;
}

void anyloop_ignore_sigpipe(void) {
    struct sigaction now;
    if (sigaction(SIGPIPE, NULL, &now) < 0 || now.sa_handler != SIG_DFL) return;
    signal(SIGPIPE, SIG_IGN);
}

int anyloop_signal_watch(int signal, int wake) {
    if (signal < 1 || signal > ANYLOOP_SIGNAL_LIMIT) return -EINVAL;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigfillset(&action.sa_mask);
    pthread_mutex_lock(&signal_lock);
    atomic_store(&wakes[signal], wake + 1);
    int code = 0;
    struct sigaction before;
    if (sigaction(signal, &action, &before) < 0) code = -errno;
    else if (!watched[signal]) {
        former[signal] = before;
        watched[signal] = 1;
    }
    if (code != 0) atomic_store(&wakes[signal], 0);
    pthread_mutex_unlock(&signal_lock);
    return code;
}

int anyloop_signal_unwatch(int signal) {
    if (signal < 1 || signal > ANYLOOP_SIGNAL_LIMIT) return -EINVAL;
    int code = 0;
    pthread_mutex_lock(&signal_lock);
    if (watched[signal]) {
        if (sigaction(signal, &former[signal], NULL) < 0) code = -errno;
        watched[signal] = 0;
        atomic_store(&wakes[signal], 0);
        atomic_store(&arrived[signal], 0);
    }
    pthread_mutex_unlock(&signal_lock);
    return code;
}

int anyloop_signal_take(int signal) {
    if (signal < 1 || signal > ANYLOOP_SIGNAL_LIMIT) return 0;
    return atomic_exchange(&arrived[signal], 0);
}

int anyloop_signal_raise(int signal) { return kill(getpid(), signal) < 0 ? -errno : 0; }

// Limits

int64_t anyloop_descriptor_limit(void) {
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : (int64_t)limit.rlim_cur;
}

int anyloop_set_descriptor_limit(int64_t value) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    limit.rlim_cur = (rlim_t)value;
    return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;
}
