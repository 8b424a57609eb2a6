// Every system call that Anyloop makes, with plain integers in and out.
//
// Calls that can fail return a value of at least zero, or the negated errno. Nothing here needs a feature macro
// of the includer's; the sources define what they need themselves.
#ifndef ANYLOOP_SYSTEM_H
#define ANYLOOP_SYSTEM_H

#include <stddef.h>
#include <stdint.h>

// Addresses

enum { ANYLOOP_NONE = 0, ANYLOOP_UNIX = 1, ANYLOOP_V4 = 4, ANYLOOP_V6 = 6 };

/// A socket address in host byte order. IPv4 uses the lower half of `low`.
typedef struct anyloop_address {
    uint64_t high;
    uint64_t low;
    uint32_t scope;
    uint16_t port;
    uint8_t family;
    uint8_t path_length;
    char path[108];
} anyloop_address;

// Clock, errors, standard error

/// Nanoseconds of the monotonic clock.
int64_t anyloop_clock_now(void);
/// Writes the text of `code` into `buffer`, always terminated.
void anyloop_error_text(int code, char *buffer, size_t size);
/// Writes all of it to standard error, ignoring failures.
void anyloop_write_error(const void *bytes, size_t count);

/// Whether the environment has a variable `name` that is not empty.
int anyloop_environment_has(const char *name);

// Pollers

/// READ and WRITE take what failed or hung up for themselves. END (the peer sends no more), ERROR and HANG_UP are for
/// watchers that tell these apart; the last two are seen by whoever asks for them, whatever else is watched.
enum { ANYLOOP_READ = 1, ANYLOOP_WRITE = 2, ANYLOOP_END = 4, ANYLOOP_ERROR = 8, ANYLOOP_HANG_UP = 16 };

typedef struct anyloop_event {
    uint64_t key;
    uint32_t ready;
} anyloop_event;

/// The layout of the system's `struct pollfd`.
typedef struct anyloop_poll_entry {
    int32_t descriptor;
    int16_t events;
    int16_t ready;
} anyloop_poll_entry;

int anyloop_epoll_create(void);
/// Changes what is watched from `before` to `after`; none on either side adds or removes.
int anyloop_epoll_control(int epoll, int descriptor, uint64_t key, uint32_t before, uint32_t after);
/// Waits; a negative `timeout` (nanoseconds) waits for ever. Errors and hang-ups count as both directions.
int anyloop_epoll_wait(int epoll, anyloop_event *events, int capacity, int64_t timeout);

int16_t anyloop_poll_events(uint32_t interest);
/// Waits, and lists at most `capacity` events, looking from entry `start` on.
int anyloop_poll(anyloop_poll_entry *entries, const uint64_t *keys, int count, int start, anyloop_event *events,
                 int capacity, int64_t timeout);

/// Waits on bit sets of `words` longs each; the sets hold what is ready afterwards.
int anyloop_select(int limit, unsigned long *read, unsigned long *write, unsigned long *fail, int64_t timeout);

int anyloop_eventfd(void);
int anyloop_eventfd_signal(int descriptor);
int anyloop_eventfd_clear(int descriptor);

// Sockets

enum { ANYLOOP_STREAM = 1, ANYLOOP_DATAGRAM = 2 };

enum {
    ANYLOOP_OPTION_REUSE_ADDRESS = 1,
    ANYLOOP_OPTION_REUSE_PORT,
    ANYLOOP_OPTION_BROADCAST,
    ANYLOOP_OPTION_NO_DELAY,
    ANYLOOP_OPTION_V6_ONLY,
    ANYLOOP_OPTION_SEND_BUFFER,
    ANYLOOP_OPTION_RECEIVE_BUFFER,
    ANYLOOP_OPTION_KEEP_ALIVE,
};

/// A non-blocking, close-on-exec socket.
int anyloop_socket(int family, int kind);
int anyloop_socketpair(int kind, int *first, int *second);
int anyloop_set_option(int descriptor, int option, int value);
int anyloop_get_option(int descriptor, int option);
/// `SO_LINGER` of zero: closing resets.
int anyloop_linger_zero(int descriptor);
/// ANYLOOP_STREAM, ANYLOOP_DATAGRAM, 0 for another kind of socket.
int anyloop_socket_kind(int descriptor);
/// The pending error (`SO_ERROR`), as a positive errno or 0; negative if that cannot be asked.
int anyloop_socket_error(int descriptor);
int anyloop_bind(int descriptor, const anyloop_address *address);
int anyloop_listen(int descriptor, int backlog);
int anyloop_accept(int descriptor, anyloop_address *peer);
int anyloop_connect(int descriptor, const anyloop_address *address);
int anyloop_socket_name(int descriptor, anyloop_address *address);
int anyloop_peer_name(int descriptor, anyloop_address *address);
int anyloop_set_non_blocking(int descriptor);
/// 1 or 0; negative if that cannot be asked.
int anyloop_is_non_blocking(int descriptor);
int anyloop_shutdown_write(int descriptor);
int anyloop_close(int descriptor);
/// Removes a socket file that nobody listens on; -EEXIST if the path is something else.
int anyloop_remove_stale_socket(const anyloop_address *address);
/// Removes the file of a Unix socket, if it is one.
int anyloop_remove_socket(const anyloop_address *address);

/// The number in the file system of a Unix socket's file; 0 if there is none.
uint64_t anyloop_socket_file(const anyloop_address *address);
/// Removes the file of a Unix socket if it still has that number; no error if it is gone.
int anyloop_remove_socket_file(const anyloop_address *address, uint64_t file);

int64_t anyloop_receive(int descriptor, void *bytes, size_t count);
int64_t anyloop_send(int descriptor, const void *bytes, size_t count);

typedef struct anyloop_slice {
    const void *bytes;
    size_t count;
} anyloop_slice;

int64_t anyloop_send_slices(int descriptor, const anyloop_slice *slices, size_t count);
/// The size of an open file in bytes.
int64_t anyloop_file_size(int file);
/// Up to `count` bytes of `file` from `offset`; 0 at its end.
int64_t anyloop_sendfile(int descriptor, int file, int64_t offset, size_t count);
/// As pread(2), or read(2) where the descriptor has no offsets.
int64_t anyloop_read_at(int file, void *bytes, size_t count, int64_t offset);
int64_t anyloop_receive_from(int descriptor, void *bytes, size_t count, anyloop_address *peer);
/// To `address`, or to the connected peer if its family is ANYLOOP_NONE.
int64_t anyloop_send_to(int descriptor, const void *bytes, size_t count, const anyloop_address *address);

// Names

/// Resolves `host`, calling `found` for each address; 0 or the code of getaddrinfo. Blocks.
int anyloop_resolve(const char *host, uint16_t port, void (*found)(void *context, const anyloop_address *address),
                    void *context);
enum {
    ANYLOOP_LOOK_UP_PASSIVE = 1,
    ANYLOOP_LOOK_UP_CANONICAL = 2,
    ANYLOOP_LOOK_UP_NUMERIC_HOST = 4,
    ANYLOOP_LOOK_UP_NUMERIC_SERVICE = 8,
    ANYLOOP_LOOK_UP_CONFIGURED = 16,
};

/// Calls `found` for each answer with the kind of socket, the protocol's number and, where it was wanted, the canonical
/// name; `family` and `kind` 0: any. 0 or the code of getaddrinfo. Blocks.
int anyloop_look_up(const char *host, const char *service, int family, int kind, int flags,
                    void (*found)(void *context, int kind, int protocol, const char *canonical,
                                  const anyloop_address *address),
                    void *context);

enum {
    ANYLOOP_NAME_NUMERIC_HOST = 1,
    ANYLOOP_NAME_NUMERIC_SERVICE = 2,
    ANYLOOP_NAME_REQUIRED = 4,
    ANYLOOP_NAME_DATAGRAM = 8,
    ANYLOOP_NAME_LOCAL = 16,
};

/// The address in a `sockaddr` of `length` bytes, for libraries that speak these.
void anyloop_address_unpack(const void *packed, size_t length, anyloop_address *address);
/// Writes `address` as a `sockaddr` into `packed`, which has room for `capacity` bytes; the length, 0 without room.
size_t anyloop_address_pack(const anyloop_address *address, void *packed, size_t capacity);
/// The names of an address with a port. 0 or the code of getnameinfo. Blocks.
int anyloop_name_info(const anyloop_address *address, int flags, char *host, size_t host_size, char *service,
                      size_t service_size);
void anyloop_resolve_text(int code, char *buffer, size_t size);

// Threads

/// A value that tells this thread from every other one that lives.
uintptr_t anyloop_thread_token(void);
/// The loop that runs on this thread, as its owner stored it.
void *anyloop_thread_loop(void);
void anyloop_set_thread_loop(void *loop);
/// Starts a thread with every signal blocked; `handle` is for `anyloop_thread_join`, NULL detaches it.
int anyloop_thread_start(void (*body)(void *context), void *context, uintptr_t *handle);
int anyloop_thread_join(uintptr_t handle);

// Fibers

/// A call on a stack of its own that takes turns with its thread: code that never returns can be left and entered again.
typedef struct anyloop_fiber anyloop_fiber;

/// A fiber that will run `body(context)`; NULL without memory.
anyloop_fiber *anyloop_fiber_make(size_t stack_size, void (*body)(void *context), void *context);
/// Runs the fiber until it leaves or ends; whether it has ended. Always from the thread that entered it first.
int anyloop_fiber_enter(anyloop_fiber *fiber);
/// Goes back to whoever entered; returns when the fiber is entered again. Only on the fiber.
void anyloop_fiber_leave(anyloop_fiber *fiber);
/// Frees a fiber that has ended, or that is never entered again.
void anyloop_fiber_free(anyloop_fiber *fiber);

// Signals

/// Signals above this number are refused.
enum { ANYLOOP_SIGNAL_LIMIT = 64 };

/// Ignores SIGPIPE unless the process handles it already.
void anyloop_ignore_sigpipe(void);
/// Has `signal` mark itself and wake the event descriptor `wake`; replaces an earlier watch.
int anyloop_signal_watch(int signal, int wake);
/// Gives the signal its former disposition back.
int anyloop_signal_unwatch(int signal);
/// Whether the signal came since the last time.
int anyloop_signal_take(int signal);
int anyloop_signal_raise(int signal);

// Limits of the process, for tests

int64_t anyloop_descriptor_limit(void);
int anyloop_set_descriptor_limit(int64_t limit);

#endif
