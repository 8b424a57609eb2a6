#define _GNU_SOURCE
#include "anyloop_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

extern char **environ;

static int result(int code) { return code < 0 ? -errno : code; }

// Pipes

int anyloop_descriptor_kind(int descriptor) {
    struct stat status;
    if (fstat(descriptor, &status) < 0) return -errno;
    if (S_ISFIFO(status.st_mode)) return ANYLOOP_KIND_FIFO;
    if (S_ISSOCK(status.st_mode)) return ANYLOOP_KIND_SOCKET;
    return S_ISCHR(status.st_mode) ? ANYLOOP_KIND_CHARACTER : ANYLOOP_KIND_OTHER;
}

int anyloop_set_blocking(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    return flags < 0 || fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK) < 0 ? -errno : 0;
}

int anyloop_pipe(int *source, int *sink) {
    int ends[2];
#ifdef __linux__
    if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
#else
    if (pipe(ends) < 0) return -errno;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
#endif
    *source = ends[0];
    *sink = ends[1];
    return 0;
}

int64_t anyloop_read(int descriptor, void *bytes, size_t count) {
    ssize_t got = read(descriptor, bytes, count);
    return got < 0 ? -errno : got;
}

int64_t anyloop_write(int descriptor, const void *bytes, size_t count) {
    ssize_t put = write(descriptor, bytes, count);
    return put < 0 ? -errno : put;
}

int anyloop_open_null(void) { return result(open("/dev/null", O_RDWR | O_CLOEXEC)); }

int anyloop_duplicate(int descriptor, int lowest) { return result(fcntl(descriptor, F_DUPFD, lowest)); }

int64_t anyloop_seek(int file, int64_t offset) {
    off_t at = lseek(file, (off_t)offset, SEEK_SET);
    return at < 0 ? -errno : at;
}

int64_t anyloop_position(int file) {
    off_t at = lseek(file, 0, SEEK_CUR);
    return at < 0 ? -errno : at;
}

// Children

typedef struct {
    int32_t code;
    int32_t stage;
} failure_report;

typedef struct {
    const anyloop_spawn_plan *plan;
    char **programs;
    char **arguments;
    char **variables;
    const char *directory;
    const int32_t *kept;
    size_t kept_count;
    int report;
} child_work;

/// Splits `count` texts off into `list`, which it ends by NULL.
static const char *take_texts(const char *texts, uint32_t count, char **list) {
    for (uint32_t i = 0; i < count; i++) {
        list[i] = (char *)texts;
        texts += strlen(texts) + 1;
    }
    list[count] = NULL;
    return texts;
}

// From here on to `run_child` runs in the child, on the parent's memory, while the parent waits: nothing but calls
// that are safe in a signal handler, and no memory taken.

static void close_between(unsigned first, unsigned last) {
    if (first > last) return;
#if defined(__linux__) && defined(SYS_close_range)
    if (syscall(SYS_close_range, first, last, 0) == 0) return;
#endif
    struct rlimit limit;
    unsigned top = 1 << 20;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < top) top = (unsigned)limit.rlim_cur;
    for (unsigned descriptor = first; descriptor <= last && descriptor < top; descriptor++) close((int)descriptor);
}

static void close_others(const child_work *work) {
    unsigned next = 3;
    int report_is_open = 1;
    for (size_t i = 0; i <= work->kept_count; i++) {
        int kept = i < work->kept_count ? work->kept[i] : -1;
        if (report_is_open && (kept < 0 || work->report < kept)) {
            close_between(next, (unsigned)work->report - 1);
            next = (unsigned)work->report + 1;
            report_is_open = 0;
        }
        if (kept < 0) break;
        close_between(next, (unsigned)kept - 1);
        next = (unsigned)kept + 1;
        fcntl(kept, F_SETFD, 0);
    }
    close_between(next, ~0U);
}

static int place_streams(const anyloop_spawn_plan *plan) {
    int sources[3] = {plan->input, plan->output, plan->errors};
    if (sources[2] == ANYLOOP_AS_OUTPUT) sources[2] = sources[1] >= 0 ? sources[1] : 1;
    // Out of the way of the three first, so that none is overwritten before it is copied.
    for (int i = 0; i < 3; i++) {
        if (sources[i] < 0 || sources[i] > 2) continue;
        sources[i] = fcntl(sources[i], F_DUPFD_CLOEXEC, 3);
        if (sources[i] < 0) return errno;
    }
    for (int i = 0; i < 3; i++) {
        if (sources[i] >= 0 && dup2(sources[i], i) < 0) return errno;
    }
    return 0;
}

static void restore_signals(void) {
    struct sigaction action, standard;
    memset(&standard, 0, sizeof standard);
    standard.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; number++) {
        if (sigaction(number, NULL, &action) < 0) continue;
        // What the parent ignores the child ignores (nohup), but for what a loop ignores for itself.
        if (action.sa_handler == SIG_DFL || (action.sa_handler == SIG_IGN && number != SIGPIPE)) continue;
        sigaction(number, &standard, NULL);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int run_program(const child_work *work) {
    int failure = ENOENT;
    int is_kept = 0;
    for (char **program = work->programs; *program; program++) {
        execve(*program, work->arguments, work->variables);
        // The first error that says more than that there is no such file.
        if (!is_kept) failure = errno;
        if (errno != ENOENT && errno != ENOTDIR) is_kept = 1;
    }
    return failure;
}

static void run_child(const child_work *work) {
    const anyloop_spawn_plan *plan = work->plan;
    failure_report report = {0, ANYLOOP_STAGE_STREAMS};
    report.code = place_streams(plan);
    if (!report.code && plan->has_directory) {
        report.stage = ANYLOOP_STAGE_DIRECTORY;
        if (chdir(work->directory) < 0) report.code = errno;
    }
    if (!report.code && plan->new_session) {
        report.stage = ANYLOOP_STAGE_SESSION;
        if (setsid() < 0) report.code = errno;
    }
    if (!report.code && plan->has_group) {
        report.stage = ANYLOOP_STAGE_GROUP;
        if (setpgid(0, plan->group) < 0) report.code = errno;
    }
    if (!report.code) {
        report.stage = ANYLOOP_STAGE_EXEC;
        close_others(work);
        restore_signals();
        report.code = run_program(work);
    }
    ssize_t put = write(work->report, &report, sizeof report);
    _exit(put < 0 ? 254 : 255);
}

static pid_t start_child(const child_work *work) {
    sigset_t all, before;
    sigfillset(&all);
    // No handler of this process's may run in the child.
    pthread_sigmask(SIG_SETMASK, &all, &before);
#ifdef __linux__
    pid_t pid = vfork();
#else
    pid_t pid = fork();
#endif
    if (pid == 0) run_child(work);
    int code = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pid < 0 ? -code : pid;
}

/// What the child wrote before it gave up; nothing if it runs its program.
static failure_report read_report(int descriptor) {
    failure_report report = {0, 0};
    ssize_t got;
    do { got = read(descriptor, &report, sizeof report); } while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof report) report.code = 0;
    return report;
}

int anyloop_spawn(const anyloop_spawn_plan *plan, const char *texts, const int32_t *kept, size_t kept_count,
                  int *stage) {
    *stage = ANYLOOP_STAGE_FORK;
    size_t count = (size_t)plan->programs + plan->arguments + plan->variables + 3;
    char **lists = calloc(count, sizeof *lists);
    if (!lists) return -ENOMEM;
    child_work work = {.plan = plan, .kept = kept, .kept_count = kept_count};
    work.programs = lists;
    work.arguments = work.programs + plan->programs + 1;
    work.variables = work.arguments + plan->arguments + 1;
    texts = take_texts(texts, plan->programs, work.programs);
    texts = take_texts(texts, plan->arguments, work.arguments);
    work.directory = take_texts(texts, plan->variables, work.variables);
    if (!plan->has_variables) work.variables = environ;

    int source = -1, sink = -1;
    int code = anyloop_pipe(&source, &sink);
    if (code == 0 && sink < 3) {
        // The child's own three descriptors come there.
        int higher = fcntl(sink, F_DUPFD_CLOEXEC, 3);
        code = higher < 0 ? -errno : 0;
        close(sink);
        sink = higher;
    }
    pid_t pid = -1;
    if (code == 0) {
        work.report = sink;
        pid = start_child(&work);
        if (pid < 0) code = pid;
    }
    if (sink >= 0) close(sink);
    if (code == 0) {
        failure_report report = read_report(source);
        if (report.code != 0) {
            *stage = report.stage;
            code = -report.code;
            while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
        }
    }
    if (source >= 0) close(source);
    free(lists);
    return code < 0 ? code : pid;
}

int anyloop_process_descriptor(int pid) {
#if defined(__linux__) && defined(SYS_pidfd_open)
    return result((int)syscall(SYS_pidfd_open, pid, 0));
#else
    return -ENOSYS;
#endif
}

int anyloop_process_wait(int pid) {
    siginfo_t info;
    while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0) {
        if (errno != EINTR) return -errno;
    }
    return 0;
}

int anyloop_process_reap(int pid, int wait, int *code) {
    int raw = 0;
    pid_t found;
    do { found = waitpid(pid, &raw, wait ? 0 : WNOHANG); } while (found < 0 && errno == EINTR);
    if (found < 0) return -errno;
    if (found == 0) return 0;
    *code = WIFSIGNALED(raw) ? -WTERMSIG(raw) : WEXITSTATUS(raw);
    return 1;
}

int anyloop_process_signal(int pid, int signal) { return result(kill(pid, signal)); }

int anyloop_process_zombies(void) {
    siginfo_t info;
    info.si_pid = 0;
    if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | WNOHANG) < 0) return -errno;
    return info.si_pid != 0;
}

const char *anyloop_search_path(void) { return getenv("PATH"); }

int anyloop_process_number(void) { return getpid(); }
