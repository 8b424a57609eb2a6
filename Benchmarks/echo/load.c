// The load of the echo benchmarks: sockets that each send a message and wait for its echo, over and over.
// Usage: load tcp|udp PORT SOCKETS SIZE SECONDS; prints how many echoes came back.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char message[65536], buffer[65536];

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

int main(int count, char **arguments) {
    if (count != 6) {
        fprintf(stderr, "usage: load tcp|udp PORT SOCKETS SIZE SECONDS\n");
        return 2;
    }
    int is_tcp = strcmp(arguments[1], "tcp") == 0, sockets = atoi(arguments[3]);
    size_t size = (size_t)atoi(arguments[4]);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(arguments[2]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int poller = epoll_create1(0), one = 1;
    size_t *missing = calloc((size_t)sockets + 64, sizeof *missing);
    for (size_t i = 0; i < size; i++) message[i] = (char)(i * 31);
    for (int i = 0; i < sockets; i++) {
        int descriptor = socket(AF_INET, is_tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
        if (descriptor < 0 || descriptor >= sockets + 64) fail("socket");
        if (connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
        if (is_tcp) setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
        epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
        if (send(descriptor, message, size, 0) != (ssize_t)size) fail("send");
        missing[descriptor] = size;
    }
    long echoes = 0;
    double end = now() + atof(arguments[5]);
    while (now() < end) {
        struct epoll_event events[256];
        int ready = epoll_wait(poller, events, 256, 1000);
        if (ready == 0) {
            fprintf(stderr, "load: an echo is a second late\n");
            return 1;
        }
        for (int i = 0; i < ready; i++) {
            int descriptor = events[i].data.fd;
            ssize_t received = recv(descriptor, buffer, sizeof buffer, MSG_DONTWAIT);
            if (received < 0 && errno == EAGAIN) continue;
            if (received <= 0) fail("recv");
            if (memcmp(buffer, message + size - missing[descriptor], (size_t)received) != 0) {
                fprintf(stderr, "load: an echo differs\n");
                return 1;
            }
            missing[descriptor] -= (size_t)received;
            if (missing[descriptor] > 0) continue;
            echoes++;
            missing[descriptor] = size;
            if (send(descriptor, message, size, 0) != (ssize_t)size) fail("send");
        }
    }
    printf("%ld\n", echoes);
    return 0;
}
