// Pipes and child processes, for the loops. As in anyloop_system.h: a value of at least zero, or the negated errno.
#ifndef ANYLOOP_SPAWN_H
#define ANYLOOP_SPAWN_H

#include <stddef.h>
#include <stdint.h>

// Pipes

enum { ANYLOOP_KIND_FIFO = 1, ANYLOOP_KIND_SOCKET, ANYLOOP_KIND_CHARACTER, ANYLOOP_KIND_OTHER };

/// What `descriptor` is, as ANYLOOP_KIND_*.
int anyloop_descriptor_kind(int descriptor);
/// A pipe that children do not inherit.
int anyloop_pipe(int *source, int *sink);
/// One read(2): bytes, or 0 at the end.
int64_t anyloop_read(int descriptor, void *bytes, size_t count);
/// One write(2); SIGPIPE is the caller's business.
int64_t anyloop_write(int descriptor, const void *bytes, size_t count);
/// Has calls on `descriptor` wait.
int anyloop_set_blocking(int descriptor);
/// The null device, open for reading and writing.
int anyloop_open_null(void);
/// A copy of `descriptor`, at least `lowest`, that children would inherit.
int anyloop_duplicate(int descriptor, int lowest);
/// Moves the position of `file` to `offset` from its start.
int64_t anyloop_seek(int file, int64_t offset);
/// The position of `file`.
int64_t anyloop_position(int file);

// Children

enum { ANYLOOP_INHERIT = -1, ANYLOOP_AS_OUTPUT = -2 };

/// What went wrong, of a child that could not be started.
enum {
    ANYLOOP_STAGE_FORK = 1,
    ANYLOOP_STAGE_STREAMS,
    ANYLOOP_STAGE_DIRECTORY,
    ANYLOOP_STAGE_SESSION,
    ANYLOOP_STAGE_GROUP,
    ANYLOOP_STAGE_EXEC,
};

typedef struct anyloop_spawn_plan {
    /// How many texts there are of each sort: paths to try in turn, arguments, variables.
    uint32_t programs;
    uint32_t arguments;
    uint32_t variables;
    /// The process group to join; used with `has_group`.
    int32_t group;
    /// What becomes descriptor 0, 1, 2: a descriptor, ANYLOOP_INHERIT, for 2 also ANYLOOP_AS_OUTPUT.
    int32_t input;
    int32_t output;
    int32_t errors;
    /// False: the child gets this process's environment.
    uint8_t has_variables;
    uint8_t has_directory;
    uint8_t has_group;
    uint8_t new_session;
} anyloop_spawn_plan;

/// Starts a child, and waits until it runs its program or could not.
///
/// `texts` are the programs, the arguments, the variables, the directory, each ended by a NUL. Of this process's
/// descriptors the child keeps 0, 1, 2 and `kept`, which ascends and starts at 3. It starts with no signal blocked
/// and none handled; those that this process ignores stay ignored, but for SIGPIPE. Its number, or what `stage` says.
int anyloop_spawn(const anyloop_spawn_plan *plan, const char *texts, const int32_t *kept, size_t kept_count,
                  int *stage);
/// A descriptor that becomes readable when the child ends; -ENOSYS where the system has no such thing.
int anyloop_process_descriptor(int pid);
/// Waits until the child has ended, and leaves it to be reaped.
int anyloop_process_wait(int pid);
/// 1 and what the child left (its status, or its signal negated), 0 if it still runs. Waits for it where `wait`.
int anyloop_process_reap(int pid, int wait, int *code);
int anyloop_process_signal(int pid, int signal);
/// The number of children that ended and were not reaped, up to 1: -ECHILD if there are no children at all.
int anyloop_process_zombies(void);
/// The value of PATH; NULL if there is none.
const char *anyloop_search_path(void);
/// The number of this process.
int anyloop_process_number(void);

#endif
