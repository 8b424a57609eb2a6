// Sockets with the system's own addresses, options and numbers, for whoever brings those along (SwiftNIO's channels).
// As in anyloop_system.h: a value of at least zero, or the negated errno.
#ifndef ANYLOOP_RAW_H
#define ANYLOOP_RAW_H

#include <stddef.h>
#include <stdint.h>

/// A non-blocking, close-on-exec socket.
int anyloop_raw_socket(int family, int kind, int protocol);
int anyloop_raw_bind(int descriptor, const void *address, uint32_t size);
/// -EINPROGRESS while the connection comes up.
int anyloop_raw_connect(int descriptor, const void *address, uint32_t size);
/// A non-blocking, close-on-exec connection; `size` is the room for its peer's address, then what that took.
int anyloop_raw_accept(int descriptor, void *address, uint32_t *size);
int anyloop_raw_socket_name(int descriptor, void *address, uint32_t *size);
int anyloop_raw_peer_name(int descriptor, void *address, uint32_t *size);
int anyloop_raw_set_option(int descriptor, int level, int name, const void *value, uint32_t size);
int anyloop_raw_get_option(int descriptor, int level, int name, void *value, uint32_t *size);
/// shutdown(2) for reading.
int anyloop_shutdown_read(int descriptor);
/// The kind of a socket as the system numbers it (SOCK_STREAM).
int anyloop_raw_kind(int descriptor);
/// Removes the file of a Unix socket: -EEXIST if there is something else, 0 if there is nothing.
int anyloop_raw_remove_socket_file(const char *path);

/// Joins the multicast group at `group`, or leaves it, on the interface that has the IPv4 address `own` (NULL: the
/// system's choice), or for an IPv6 group on the one of that `index` (0: the system's choice).
int anyloop_raw_membership(int descriptor, int join, const void *group, const void *own, uint32_t index);

/// What goes with a datagram besides its bytes.
typedef struct anyloop_raw_metadata {
    /// Where it was sent to (IP_PKTINFO, IPV6_PKTINFO), without a port; `destination_size` 0: not told.
    uint8_t destination[28];
    uint32_t destination_size;
    uint32_t interface_index;
    /// The two bits of explicit congestion notification (RFC 3168 section 5); -1: not told, or the system's default.
    int32_t congestion;
    /// The size of the segments of one large message (UDP_SEGMENT, UDP_GRO); 0: it is one datagram.
    int32_t segment_size;
} anyloop_raw_metadata;

/// One datagram; `metadata` may be NULL. `size` is the room for the sender's address, then what that took.
int64_t anyloop_raw_receive(int descriptor, void *bytes, size_t count, void *address, uint32_t *size,
                            anyloop_raw_metadata *metadata);
/// One datagram, to the connected peer if `size` is 0; `metadata` may be NULL.
int64_t anyloop_raw_send(int descriptor, const void *bytes, size_t count, const void *address, uint32_t size,
                         const anyloop_raw_metadata *metadata);

/// The most datagrams that `anyloop_raw_send_several` takes.
#define ANYLOOP_RAW_BATCH 64

/// One of several datagrams, to the connected peer if `size` is 0.
typedef struct anyloop_raw_datagram {
    const void *bytes;
    size_t count;
    /// Room for any address that a datagram socket has.
    uint64_t address[14];
    uint32_t size;
} anyloop_raw_datagram;

/// Sends datagrams in their order by one call; how many went, or the error of the first.
int anyloop_raw_send_several(int descriptor, anyloop_raw_datagram *datagrams, int count);

#endif
