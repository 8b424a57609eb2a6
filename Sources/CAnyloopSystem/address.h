#ifndef ANYLOOP_ADDRESS_H
#define ANYLOOP_ADDRESS_H

#include <sys/socket.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "anyloop_system.h"

typedef union anyloop_sockaddr {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
    struct sockaddr_storage storage;
} anyloop_sockaddr;

socklen_t anyloop_pack(const anyloop_address *address, anyloop_sockaddr *packed);
void anyloop_unpack(const anyloop_sockaddr *packed, socklen_t length, anyloop_address *address);

#endif
