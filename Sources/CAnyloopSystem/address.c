#define _GNU_SOURCE
#include "address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

static uint64_t load64(const unsigned char *bytes) {
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) value = value << 8 | bytes[i];
    return value;
}

static void store64(unsigned char *bytes, uint64_t value) {
    for (int i = 7; i >= 0; i--, value >>= 8) bytes[i] = (unsigned char)value;
}

socklen_t anyloop_pack(const anyloop_address *address, anyloop_sockaddr *packed) {
    switch (address->family) {
    case ANYLOOP_V4:
        memset(&packed->v4, 0, sizeof packed->v4);
        packed->v4.sin_family = AF_INET;
        packed->v4.sin_port = htons(address->port);
        packed->v4.sin_addr.s_addr = htonl((uint32_t)address->low);
        return sizeof packed->v4;
    case ANYLOOP_V6:
        memset(&packed->v6, 0, sizeof packed->v6);
        packed->v6.sin6_family = AF_INET6;
        packed->v6.sin6_port = htons(address->port);
        packed->v6.sin6_scope_id = address->scope;
        store64(packed->v6.sin6_addr.s6_addr, address->high);
        store64(packed->v6.sin6_addr.s6_addr + 8, address->low);
        return sizeof packed->v6;
    case ANYLOOP_UNIX: {
        memset(&packed->local, 0, sizeof packed->local);
        packed->local.sun_family = AF_UNIX;
        size_t length = address->path_length;
        if (length > sizeof packed->local.sun_path) length = sizeof packed->local.sun_path;
        memcpy(packed->local.sun_path, address->path, length);
        // An abstract name is its bytes; a path may have its terminator counted where there is room.
        int terminated = length > 0 && address->path[0] != 0 && length < sizeof packed->local.sun_path;
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (terminated ? 1 : 0));
    }
    default:
        return 0;
    }
}

void anyloop_unpack(const anyloop_sockaddr *packed, socklen_t length, anyloop_address *address) {
    address->family = ANYLOOP_NONE;
    address->port = 0;
    address->path_length = 0;
    if (length < (socklen_t)sizeof(sa_family_t)) return;
    switch (packed->any.sa_family) {
    case AF_INET:
        address->family = ANYLOOP_V4;
        address->port = ntohs(packed->v4.sin_port);
        address->low = ntohl(packed->v4.sin_addr.s_addr);
        break;
    case AF_INET6:
        address->family = ANYLOOP_V6;
        address->port = ntohs(packed->v6.sin6_port);
        address->scope = packed->v6.sin6_scope_id;
        address->high = load64(packed->v6.sin6_addr.s6_addr);
        address->low = load64(packed->v6.sin6_addr.s6_addr + 8);
        break;
    case AF_UNIX: {
        address->family = ANYLOOP_UNIX;
        size_t count = (size_t)length - offsetof(struct sockaddr_un, sun_path);
        if ((size_t)length <= offsetof(struct sockaddr_un, sun_path)) count = 0;
        if (count > sizeof packed->local.sun_path) count = sizeof packed->local.sun_path;
        if (count > 0 && packed->local.sun_path[0] != 0) count = strnlen(packed->local.sun_path, count);
        memcpy(address->path, packed->local.sun_path, count);
        address->path_length = (uint8_t)count;
        break;
    }
    default:
        break;
    }
}

/// Unpacks an address of `getaddrinfo`'s list; whether it is of a family that we have.
void anyloop_address_unpack(const void *packed, size_t length, anyloop_address *address) {
    anyloop_sockaddr copy;
    memset(&copy, 0, sizeof copy);
    if (length > sizeof copy) length = sizeof copy;
    memcpy(&copy, packed, length);
    anyloop_unpack(&copy, (socklen_t)length, address);
}

size_t anyloop_address_pack(const anyloop_address *address, void *packed, size_t capacity) {
    anyloop_sockaddr copy;
    socklen_t length = anyloop_pack(address, &copy);
    if (length > capacity) return 0;
    memcpy(packed, &copy, length);
    return length;
}

static int unpack_entry(const struct addrinfo *entry, anyloop_address *address) {
    anyloop_sockaddr packed;
    memset(address, 0, sizeof *address);
    if (entry->ai_addrlen > sizeof packed) return 0;
    memcpy(&packed, entry->ai_addr, entry->ai_addrlen);
    anyloop_unpack(&packed, entry->ai_addrlen, address);
    return address->family != ANYLOOP_NONE;
}

int anyloop_resolve(const char *host, uint16_t port, void (*found)(void *, const anyloop_address *), void *context) {
    char service[8];
    struct addrinfo hints, *list = NULL;
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    snprintf(service, sizeof service, "%u", (unsigned)port);
    int code = getaddrinfo(host, service, &hints, &list);
    if (code != 0) return code;
    for (struct addrinfo *entry = list; entry; entry = entry->ai_next) {
        anyloop_address address;
        if (unpack_entry(entry, &address)) found(context, &address);
    }
    freeaddrinfo(list);
    return 0;
}

static const int look_up_flags[] = {AI_PASSIVE, AI_CANONNAME, AI_NUMERICHOST, AI_NUMERICSERV, AI_ADDRCONFIG};
static const int name_flags[] = {NI_NUMERICHOST, NI_NUMERICSERV, NI_NAMEREQD, NI_DGRAM, NI_NOFQDN};

/// The system's flags for the bits of `flags`, lowest first.
static int system_flags(int flags, const int names[5]) {
    int result = 0;
    for (int bit = 0; bit < 5; bit++) {
        if (flags & 1 << bit) result |= names[bit];
    }
    return result;
}

int anyloop_look_up(const char *host, const char *service, int family, int kind, int flags,
                    void (*found)(void *, int, int, const char *, const anyloop_address *), void *context) {
    struct addrinfo hints, *list = NULL;
    memset(&hints, 0, sizeof hints);
    hints.ai_family = family == ANYLOOP_V4 ? AF_INET : family == ANYLOOP_V6 ? AF_INET6 : AF_UNSPEC;
    hints.ai_socktype = kind == ANYLOOP_STREAM ? SOCK_STREAM : kind == ANYLOOP_DATAGRAM ? SOCK_DGRAM : 0;
    hints.ai_flags = system_flags(flags, look_up_flags);
    int code = getaddrinfo(host, service, &hints, &list);
    if (code != 0) return code;
    for (struct addrinfo *entry = list; entry; entry = entry->ai_next) {
        anyloop_address address;
        if (!unpack_entry(entry, &address)) continue;
        int type = entry->ai_socktype;
        found(context, type == SOCK_STREAM ? ANYLOOP_STREAM : type == SOCK_DGRAM ? ANYLOOP_DATAGRAM : 0,
              entry->ai_protocol, entry->ai_canonname, &address);
    }
    freeaddrinfo(list);
    return 0;
}

int anyloop_name_info(const anyloop_address *address, int flags, char *host, size_t host_size, char *service,
                      size_t service_size) {
    anyloop_sockaddr packed;
    socklen_t length = anyloop_pack(address, &packed);
    return getnameinfo(&packed.any, length, host, (socklen_t)host_size, service, (socklen_t)service_size,
                       system_flags(flags, name_flags));
}

void anyloop_resolve_text(int code, char *buffer, size_t size) {
    snprintf(buffer, size, "%s", gai_strerror(code));
}
