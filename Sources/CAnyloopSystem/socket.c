#define _GNU_SOURCE
#include "address.h"
#include "direct.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int native_family(int family) {
    return family == ANYLOOP_V4 ? AF_INET : family == ANYLOOP_V6 ? AF_INET6 : AF_UNIX;
}

static int native_kind(int kind) { return kind == ANYLOOP_STREAM ? SOCK_STREAM : SOCK_DGRAM; }

int anyloop_socket(int family, int kind) {
    int descriptor = socket(native_family(family), native_kind(kind) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return descriptor < 0 ? -errno : descriptor;
}

int anyloop_socketpair(int kind, int *first, int *second) {
    int pair[2];
    if (socketpair(AF_UNIX, native_kind(kind) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) return -errno;
    *first = pair[0];
    *second = pair[1];
    return 0;
}

static int option_name(int option, int *level) {
    *level = SOL_SOCKET;
    switch (option) {
    case ANYLOOP_OPTION_REUSE_ADDRESS: return SO_REUSEADDR;
    case ANYLOOP_OPTION_REUSE_PORT: return SO_REUSEPORT;
    case ANYLOOP_OPTION_BROADCAST: return SO_BROADCAST;
    case ANYLOOP_OPTION_SEND_BUFFER: return SO_SNDBUF;
    case ANYLOOP_OPTION_RECEIVE_BUFFER: return SO_RCVBUF;
    case ANYLOOP_OPTION_KEEP_ALIVE: return SO_KEEPALIVE;
    case ANYLOOP_OPTION_NO_DELAY: *level = IPPROTO_TCP; return TCP_NODELAY;
    default: *level = IPPROTO_IPV6; return IPV6_V6ONLY;
    }
}

int anyloop_set_option(int descriptor, int option, int value) {
    int level, name = option_name(option, &level);
    return setsockopt(descriptor, level, name, &value, sizeof value) < 0 ? -errno : 0;
}

int anyloop_get_option(int descriptor, int option) {
    int level, name = option_name(option, &level), value = 0;
    socklen_t size = sizeof value;
    return getsockopt(descriptor, level, name, &value, &size) < 0 ? -errno : value;
}

int anyloop_linger_zero(int descriptor) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    return setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) < 0 ? -errno : 0;
}

int anyloop_socket_kind(int descriptor) {
    int value = 0;
    socklen_t size = sizeof value;
    if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &value, &size) < 0) return -errno;
    return value == SOCK_STREAM ? ANYLOOP_STREAM : value == SOCK_DGRAM ? ANYLOOP_DATAGRAM : 0;
}

int anyloop_socket_error(int descriptor) {
    int value = 0;
    socklen_t size = sizeof value;
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &value, &size) < 0 ? -errno : value;
}

int anyloop_bind(int descriptor, const anyloop_address *address) {
    anyloop_sockaddr packed;
    socklen_t length = anyloop_pack(address, &packed);
    return bind(descriptor, &packed.any, length) < 0 ? -errno : 0;
}

int anyloop_listen(int descriptor, int backlog) { return listen(descriptor, backlog) < 0 ? -errno : 0; }

int anyloop_accept(int descriptor, anyloop_address *peer) {
    anyloop_sockaddr packed;
    socklen_t length = sizeof packed;
    int accepted = accept4(descriptor, &packed.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted < 0) return -errno;
    anyloop_unpack(&packed, length, peer);
    return accepted;
}

int anyloop_connect(int descriptor, const anyloop_address *address) {
    anyloop_sockaddr packed;
    socklen_t length = anyloop_pack(address, &packed);
    return connect(descriptor, &packed.any, length) < 0 ? -errno : 0;
}

int anyloop_socket_name(int descriptor, anyloop_address *address) {
    anyloop_sockaddr packed;
    socklen_t length = sizeof packed;
    if (getsockname(descriptor, &packed.any, &length) < 0) return -errno;
    anyloop_unpack(&packed, length, address);
    return 0;
}

int anyloop_peer_name(int descriptor, anyloop_address *address) {
    anyloop_sockaddr packed;
    socklen_t length = sizeof packed;
    if (getpeername(descriptor, &packed.any, &length) < 0) return -errno;
    anyloop_unpack(&packed, length, address);
    return 0;
}

int anyloop_set_non_blocking(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0) return -errno;
    if (flags & O_NONBLOCK) return 0;
    return fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

int anyloop_is_non_blocking(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    return flags < 0 ? -errno : (flags & O_NONBLOCK) != 0;
}

int anyloop_shutdown_write(int descriptor) { return shutdown(descriptor, SHUT_WR) < 0 ? -errno : 0; }

int anyloop_close(int descriptor) { return close(descriptor) < 0 ? -errno : 0; }

static int socket_path(const anyloop_address *address, char path[109], struct stat *status) {
    if (address->family != ANYLOOP_UNIX || address->path_length == 0 || address->path[0] == 0) return 0;
    memcpy(path, address->path, address->path_length);
    path[address->path_length] = 0;
    return lstat(path, status) == 0;
}

int anyloop_remove_stale_socket(const anyloop_address *address) {
    char path[109];
    struct stat status;
    if (!socket_path(address, path, &status)) return 0;
    if (!S_ISSOCK(status.st_mode)) return -EEXIST;
    return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

int anyloop_remove_socket(const anyloop_address *address) {
    char path[109];
    struct stat status;
    if (!socket_path(address, path, &status) || !S_ISSOCK(status.st_mode)) return 0;
    return unlink(path) < 0 ? -errno : 0;
}

uint64_t anyloop_socket_file(const anyloop_address *address) {
    char path[109];
    struct stat status;
    return socket_path(address, path, &status) ? (uint64_t)status.st_ino : 0;
}

int anyloop_remove_socket_file(const anyloop_address *address, uint64_t file) {
    char path[109];
    struct stat status;
    if (!socket_path(address, path, &status) || (uint64_t)status.st_ino != file) return 0;
    return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

int64_t anyloop_receive(int descriptor, void *bytes, size_t count) {
    ssize_t result = direct_recv(descriptor, bytes, count, NULL, NULL);
    return result < 0 ? -errno : result;
}

int64_t anyloop_send(int descriptor, const void *bytes, size_t count) {
    ssize_t result = direct_send(descriptor, bytes, count, NULL, 0);
    return result < 0 ? -errno : result;
}

_Static_assert(sizeof(anyloop_slice) == sizeof(struct iovec), "anyloop_slice is a struct iovec");
_Static_assert(offsetof(anyloop_slice, count) == offsetof(struct iovec, iov_len), "same members");

int64_t anyloop_send_slices(int descriptor, const anyloop_slice *slices, size_t count) {
    struct msghdr message;
    memset(&message, 0, sizeof message);
    message.msg_iov = (struct iovec *)slices;
    message.msg_iovlen = count;
    ssize_t result = direct_sendmsg(descriptor, &message);
    return result < 0 ? -errno : result;
}

int64_t anyloop_file_size(int file) {
    struct stat status;
    return fstat(file, &status) < 0 ? -errno : status.st_size;
}

int64_t anyloop_sendfile(int descriptor, int file, int64_t offset, size_t count) {
    off_t position = offset;
    ssize_t result = sendfile(descriptor, file, &position, count);
    return result < 0 ? -errno : result;
}

int64_t anyloop_read_at(int file, void *bytes, size_t count, int64_t offset) {
    ssize_t result = pread(file, bytes, count, offset);
    if (result < 0 && errno == ESPIPE) result = read(file, bytes, count);
    return result < 0 ? -errno : result;
}

int64_t anyloop_receive_from(int descriptor, void *bytes, size_t count, anyloop_address *peer) {
    anyloop_sockaddr packed;
    socklen_t length = sizeof packed;
    ssize_t result = direct_recv(descriptor, bytes, count, &packed.any, &length);
    if (result < 0) return -errno;
    anyloop_unpack(&packed, length, peer);
    return result;
}

int64_t anyloop_send_to(int descriptor, const void *bytes, size_t count, const anyloop_address *address) {
    anyloop_sockaddr packed;
    socklen_t length = anyloop_pack(address, &packed);
    ssize_t result = direct_send(descriptor, bytes, count, length ? &packed.any : NULL, length);
    return result < 0 ? -errno : result;
}
