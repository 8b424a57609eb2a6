#define _GNU_SOURCE
#include "anyloop_raw.h"
#include "direct.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

int anyloop_raw_socket(int family, int kind, int protocol) {
    int descriptor = socket(family, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    return descriptor < 0 ? -errno : descriptor;
}

int anyloop_raw_bind(int descriptor, const void *address, uint32_t size) {
    return bind(descriptor, address, size) < 0 ? -errno : 0;
}

int anyloop_raw_connect(int descriptor, const void *address, uint32_t size) {
    return connect(descriptor, address, size) < 0 ? -errno : 0;
}

int anyloop_raw_accept(int descriptor, void *address, uint32_t *size) {
    int accepted;
    do accepted = accept4(descriptor, address, size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (accepted < 0 && errno == EINTR);
    return accepted < 0 ? -errno : accepted;
}

int anyloop_raw_socket_name(int descriptor, void *address, uint32_t *size) {
    return getsockname(descriptor, address, size) < 0 ? -errno : 0;
}

int anyloop_raw_peer_name(int descriptor, void *address, uint32_t *size) {
    return getpeername(descriptor, address, size) < 0 ? -errno : 0;
}

int anyloop_raw_set_option(int descriptor, int level, int name, const void *value, uint32_t size) {
    return setsockopt(descriptor, level, name, value, size) < 0 ? -errno : 0;
}

int anyloop_raw_get_option(int descriptor, int level, int name, void *value, uint32_t *size) {
    return getsockopt(descriptor, level, name, value, size) < 0 ? -errno : 0;
}

int anyloop_shutdown_read(int descriptor) { return shutdown(descriptor, SHUT_RD) < 0 ? -errno : 0; }

int anyloop_raw_kind(int descriptor) {
    int value = 0;
    socklen_t size = sizeof value;
    return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &value, &size) < 0 ? -errno : value;
}

int anyloop_raw_remove_socket_file(const char *path) {
    struct stat status;
    if (lstat(path, &status) < 0) return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(status.st_mode)) return -EEXIST;
    return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

int anyloop_raw_membership(int descriptor, int join, const void *group, const void *own, uint32_t index) {
    int code;
    if (((const struct sockaddr *)group)->sa_family == AF_INET6) {
        struct ipv6_mreq request = {.ipv6mr_multiaddr = ((const struct sockaddr_in6 *)group)->sin6_addr,
                                    .ipv6mr_interface = index};
        code = setsockopt(descriptor, IPPROTO_IPV6, join ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP, &request, sizeof request);
    } else {
        struct ip_mreq request = {.imr_multiaddr = ((const struct sockaddr_in *)group)->sin_addr};
        if (own) request.imr_interface = ((const struct sockaddr_in *)own)->sin_addr;
        code = setsockopt(descriptor, IPPROTO_IP, join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, &request,
                          sizeof request);
    }
    return code < 0 ? -errno : 0;
}

static void read_control(struct msghdr *message, anyloop_raw_metadata *metadata) {
    for (struct cmsghdr *item = CMSG_FIRSTHDR(message); item; item = CMSG_NXTHDR(message, item)) {
        if (item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_TOS) {
            metadata->congestion = *(uint8_t *)CMSG_DATA(item) & 3;
        } else if (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_TCLASS) {
            int class;
            memcpy(&class, CMSG_DATA(item), sizeof class);
            metadata->congestion = class & 3;
        } else if (item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(item), sizeof info);
            struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = info.ipi_addr};
            memcpy(metadata->destination, &address, sizeof address);
            metadata->destination_size = sizeof address;
            metadata->interface_index = (uint32_t)info.ipi_ifindex;
        } else if (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(item), sizeof info);
            struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = info.ipi6_addr};
            memcpy(metadata->destination, &address, sizeof address);
            metadata->destination_size = sizeof address;
            metadata->interface_index = info.ipi6_ifindex;
        } else if (item->cmsg_level == IPPROTO_UDP && item->cmsg_type == UDP_GRO) {
            memcpy(&metadata->segment_size, CMSG_DATA(item), sizeof metadata->segment_size);
        }
    }
}

int64_t anyloop_raw_receive(int descriptor, void *bytes, size_t count, void *address, uint32_t *size,
                            anyloop_raw_metadata *metadata) {
    ssize_t result;
    if (!metadata) {
        do result = direct_recv(descriptor, bytes, count, address, size);
        while (result < 0 && errno == EINTR);
        return result < 0 ? -errno : result;
    }
    metadata->destination_size = 0;
    metadata->congestion = -1;
    metadata->segment_size = 0;
    _Alignas(struct cmsghdr) char control[256];
    struct iovec piece = {bytes, count};
    struct msghdr message = {.msg_name = address,
                             .msg_namelen = *size,
                             .msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    do result = recvmsg(descriptor, &message, 0);
    while (result < 0 && errno == EINTR);
    if (result < 0) return -errno;
    *size = message.msg_namelen;
    read_control(&message, metadata);
    return result;
}

static void add_control(struct msghdr *message, int level, int type, const void *value, size_t size) {
    struct cmsghdr *item = (struct cmsghdr *)((char *)message->msg_control + message->msg_controllen);
    item->cmsg_level = level;
    item->cmsg_type = type;
    item->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(item), value, size);
    message->msg_controllen += CMSG_SPACE(size);
}

int64_t anyloop_raw_send(int descriptor, const void *bytes, size_t count, const void *address, uint32_t size,
                         const anyloop_raw_metadata *metadata) {
    ssize_t result;
    if (!metadata) {
        do result = direct_send(descriptor, bytes, count, size ? address : NULL, size);
        while (result < 0 && errno == EINTR);
        return result < 0 ? -errno : result;
    }
    _Alignas(struct cmsghdr) char control[256];
    memset(control, 0, sizeof control);
    struct iovec piece = {(void *)bytes, count};
    struct msghdr message = {.msg_name = size ? (void *)address : NULL,
                             .msg_namelen = size,
                             .msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control};
    if (metadata->congestion >= 0) {
        // The family is the socket's, which may be connected and without an address here.
        struct sockaddr_storage own;
        socklen_t own_size = sizeof own;
        if (getsockname(descriptor, (struct sockaddr *)&own, &own_size) < 0) return -errno;
        int value = metadata->congestion;
        if (own.ss_family == AF_INET6) add_control(&message, IPPROTO_IPV6, IPV6_TCLASS, &value, sizeof value);
        else if (own.ss_family == AF_INET) add_control(&message, IPPROTO_IP, IP_TOS, &value, sizeof value);
    }
    if (metadata->segment_size > 0) {
        uint16_t value = (uint16_t)metadata->segment_size;
        add_control(&message, IPPROTO_UDP, UDP_SEGMENT, &value, sizeof value);
    }
    if (message.msg_controllen == 0) message.msg_control = NULL;
    do result = direct_sendmsg(descriptor, &message);
    while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : result;
}

_Static_assert(sizeof(((anyloop_raw_datagram *)0)->address) >= sizeof(struct sockaddr_un), "any address fits");

int anyloop_raw_send_several(int descriptor, anyloop_raw_datagram *datagrams, int count) {
    struct mmsghdr messages[ANYLOOP_RAW_BATCH];
    struct iovec pieces[ANYLOOP_RAW_BATCH];
    if (count > ANYLOOP_RAW_BATCH) count = ANYLOOP_RAW_BATCH;
    for (int i = 0; i < count; i++) {
        pieces[i] = (struct iovec){(void *)datagrams[i].bytes, datagrams[i].count};
        messages[i].msg_hdr = (struct msghdr){.msg_name = datagrams[i].size ? datagrams[i].address : NULL,
                                              .msg_namelen = datagrams[i].size,
                                              .msg_iov = &pieces[i],
                                              .msg_iovlen = 1};
    }
    int sent;
    do sent = sendmmsg(descriptor, messages, (unsigned)count, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}
