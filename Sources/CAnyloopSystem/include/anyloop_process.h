// Child processes and terminals: what the matrix's runner needs of the platform.
#ifndef ANYLOOP_PROCESS_H
#define ANYLOOP_PROCESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// A child and our ends of its three pipes. The output ends do not block; the input end does.
typedef struct {
    pid_t pid;
    int input;
    int output;
    int errors;
} anyloop_child;

/// Starts `path` with `count` arguments that lie in `arguments`, each ended by a NUL. 0, or an errno.
int anyloop_child_spawn(const char *path, const char *arguments, size_t count, anyloop_child *child);

/// Waits for the child's end. `signal_number` is 0 if it exited by itself with `status`.
int anyloop_child_reap(pid_t pid, int *status, int *signal_number);

/// Sends `signal_number` to the child. 0, or an errno.
int anyloop_child_kill(pid_t pid, int signal_number);

/// The number of this process.
pid_t anyloop_process_id(void);

/// Has the kernel end this process when its parent does; without effect where the platform has no such thing.
void anyloop_child_follow_parent(void);

/// Keeps standard output for the caller alone: a descriptor for it, while what others print goes to standard error.
/// A descriptor, or -errno.
int anyloop_child_take_output(void);

/// Lets SIGINT, SIGTERM and SIGHUP through to the calling thread: whoever started this program may have blocked them, as
/// threads of a dispatch queue do.
void anyloop_unblock_stop_signals(void);

/// Fills `name` with the name of a signal, such as `SIGSEGV`.
void anyloop_signal_name(int signal_number, char *name, size_t size);

/// Waits until one of `count` descriptors can be read (or has ended) and marks it in `ready`; -errno on failure.
int anyloop_wait_readable(const int *descriptors, unsigned char *ready, size_t count, int timeout_ms);

/// read(2), repeated while interrupted: bytes read, 0 at the end, or -errno.
ssize_t anyloop_pipe_read(int descriptor, void *bytes, size_t size);

/// Writes all of `bytes`. 0, or an errno; never raises SIGPIPE.
int anyloop_pipe_write(int descriptor, const void *bytes, size_t size);

void anyloop_pipe_close(int descriptor);

/// Processors this process may run on, at least 1.
int anyloop_processor_count(void);

/// Whether `descriptor` is a terminal, and its width in columns (0: unknown).
int anyloop_is_terminal(int descriptor);
int anyloop_terminal_columns(int descriptor);

/// The path of this program's file; 0, or an errno.
int anyloop_program_path(char *path, size_t size);

/// The file `path`, open for reading. A descriptor, or -errno.
int anyloop_open_reading(const char *path);

/// Both sides of a pseudo-terminal, in raw order: what controls it, and what a program would have. 0, or -errno.
int anyloop_open_terminal(int *controlling, int *side);

#endif
