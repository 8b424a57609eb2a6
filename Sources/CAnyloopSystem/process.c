#define _GNU_SOURCE
#include "anyloop_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

extern char **environ;

static void close_both(int pair[2]) {
    if (pair[0] >= 0) close(pair[0]);
    if (pair[1] >= 0) close(pair[1]);
}

static int make_pipe(int pair[2]) {
#ifdef __linux__
    // At once: a child that another thread starts meanwhile must not inherit an end and so hide this child's death.
    return pipe2(pair, O_CLOEXEC) < 0 ? errno : 0;
#else
    if (pipe(pair) < 0) return errno;
    fcntl(pair[0], F_SETFD, FD_CLOEXEC);
    fcntl(pair[1], F_SETFD, FD_CLOEXEC);
    return 0;
#endif
}

int anyloop_child_spawn(const char *path, const char *arguments, size_t count, anyloop_child *child) {
    int in[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1};
    char **argv = calloc(count + 1, sizeof *argv);
    if (!argv) return ENOMEM;
    for (size_t i = 0; i < count; i++) {
        argv[i] = (char *)arguments;
        arguments += strlen(arguments) + 1;
    }
    int failure = make_pipe(in);
    if (!failure) failure = make_pipe(out);
    if (!failure) failure = make_pipe(err);
    if (!failure) {
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, in[0], 0);
        posix_spawn_file_actions_adddup2(&actions, out[1], 1);
        posix_spawn_file_actions_adddup2(&actions, err[1], 2);
        // The child starts with no signal blocked, whatever thread this is.
        posix_spawnattr_t attributes;
        sigset_t none;
        sigemptyset(&none);
        posix_spawnattr_init(&attributes);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
        failure = posix_spawn(&child->pid, path, &actions, &attributes, argv, environ);
        posix_spawnattr_destroy(&attributes);
        posix_spawn_file_actions_destroy(&actions);
    }
    free(argv);
    if (failure) {
        close_both(in);
        close_both(out);
        close_both(err);
        return failure;
    }
    close(in[0]);
    close(out[1]);
    close(err[1]);
    fcntl(out[0], F_SETFL, fcntl(out[0], F_GETFL) | O_NONBLOCK);
    fcntl(err[0], F_SETFL, fcntl(err[0], F_GETFL) | O_NONBLOCK);
    child->input = in[1];
    child->output = out[0];
    child->errors = err[0];
    return 0;
}

int anyloop_child_reap(pid_t pid, int *status, int *signal_number) {
    int raw = 0;
    while (waitpid(pid, &raw, 0) < 0) {
        if (errno != EINTR) return errno;
    }
    *signal_number = WIFSIGNALED(raw) ? WTERMSIG(raw) : 0;
    *status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 0;
    return 0;
}

pid_t anyloop_process_id(void) {
    return getpid();
}

int anyloop_child_kill(pid_t pid, int signal_number) { return kill(pid, signal_number) < 0 ? errno : 0; }

void anyloop_child_follow_parent(void) {
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
}

int anyloop_child_take_output(void) {
    int output = fcntl(1, F_DUPFD_CLOEXEC, 3);
    if (output < 0 || dup2(2, 1) < 0) return -errno;
    return output;
}

void anyloop_unblock_stop_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void anyloop_signal_name(int signal_number, char *name, size_t size) {
    static const struct { int number; const char *name; } names[] = {
        {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"}, {SIGFPE, "SIGFPE"}, {SIGHUP, "SIGHUP"},
        {SIGILL, "SIGILL"}, {SIGINT, "SIGINT"}, {SIGKILL, "SIGKILL"}, {SIGPIPE, "SIGPIPE"},
        {SIGQUIT, "SIGQUIT"}, {SIGSEGV, "SIGSEGV"}, {SIGSYS, "SIGSYS"}, {SIGTERM, "SIGTERM"},
        {SIGTRAP, "SIGTRAP"}, {SIGXCPU, "SIGXCPU"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i].number == signal_number) {
            snprintf(name, size, "%s", names[i].name);
            return;
        }
    }
    snprintf(name, size, "signal %d", signal_number);
}

int anyloop_wait_readable(const int *descriptors, unsigned char *ready, size_t count, int timeout_ms) {
    struct pollfd *polls = calloc(count ? count : 1, sizeof *polls);
    if (!polls) return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        polls[i].fd = descriptors[i];
        polls[i].events = POLLIN;
    }
    int found = poll(polls, count, timeout_ms);
    int failure = found < 0 && errno != EINTR ? -errno : 0;
    for (size_t i = 0; i < count; i++) ready[i] = found > 0 && polls[i].revents != 0;
    free(polls);
    return failure ? failure : found < 0 ? 0 : found;
}

ssize_t anyloop_pipe_read(int descriptor, void *bytes, size_t size) {
    for (;;) {
        ssize_t got = read(descriptor, bytes, size);
        if (got >= 0) return got;
        if (errno != EINTR) return -errno;
    }
}

int anyloop_pipe_write(int descriptor, const void *bytes, size_t size) {
    // A child that is gone must be an error here, not this process's end.
    sigset_t pipe_signal, before, pending;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&pending);
    int was_pending = sigismember(&pending, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    const char *next = bytes;
    int failure = 0;
    while (size > 0 && !failure) {
        ssize_t put = write(descriptor, next, size);
        if (put >= 0) {
            next += put;
            size -= (size_t)put;
        } else if (errno != EINTR) {
            failure = errno;
        }
    }
    if (failure == EPIPE && !was_pending) {
        sigpending(&pending);
        int number;
        if (sigismember(&pending, SIGPIPE)) sigwait(&pipe_signal, &number);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure;
}

void anyloop_pipe_close(int descriptor) { close(descriptor); }

int anyloop_processor_count(void) {
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
#endif
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (int)count : 1;
}

int anyloop_is_terminal(int descriptor) { return isatty(descriptor); }

int anyloop_terminal_columns(int descriptor) {
    struct winsize size;
    return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

int anyloop_program_path(char *path, size_t size) {
    ssize_t length = readlink("/proc/self/exe", path, size - 1);
    if (length < 0) return errno;
    path[length] = 0;
    return 0;
}

int anyloop_open_reading(const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    return file < 0 ? -errno : file;
}

int anyloop_open_terminal(int *controlling, int *side) {
    char name[128];
    int main = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (main < 0) return -errno;
    int other = -1;
    if (grantpt(main) == 0 && unlockpt(main) == 0 && ptsname_r(main, name, sizeof name) == 0) {
        other = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    }
    if (other < 0) {
        int code = errno;
        close(main);
        return -code;
    }
    *controlling = main;
    *side = other;
    return 0;
}
