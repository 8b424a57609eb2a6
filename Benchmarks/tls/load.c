// Connections of a TLS client, to count or to hold; blocking, OpenSSL's defaults, TLS 1.3 only.
//
//   load describe PORT              what was agreed on, first in full, then resumed: one line
//   load full|resumed PORT SECONDS PROCESSES
//                                   handshakes for that long, one after the other in each process: their number
//   load hold PORT COUNT            that many connections with one request answered on each; prints "held", then
//                                   keeps them until its standard input ends
//
// A counted connection is the handshake, close_notify and the peer's end, so that the server has done all its part.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: load\r\nAccept: */*\r\n\r\n";
static int tickets;
static SSL_SESSION *saved;

static void fail(const char *what) {
    fprintf(stderr, "load: %s failed\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static int keep_session(SSL *tls, SSL_SESSION *session) {
    (void)tls;
    tickets++;
    SSL_SESSION_free(saved);
    saved = session;
    return 1;
}

static SSL_CTX *make_context(void) {
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context || !SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION)) fail("SSL_CTX_new");
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    return context;
}

static int connect_socket(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int descriptor = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (descriptor < 0) fail("socket");
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
    return descriptor;
}

static SSL *open_connection(SSL_CTX *context, int port, SSL_SESSION *session) {
    SSL *tls = SSL_new(context);
    if (!tls || !SSL_set_fd(tls, connect_socket(port))) fail("SSL_new");
    SSL_set_tlsext_host_name(tls, "localhost");
    if (session && !SSL_set_session(tls, session)) fail("SSL_set_session");
    if (SSL_connect(tls) != 1) fail("SSL_connect");
    return tls;
}

static void close_connection(SSL *tls) {
    char rest[16384];
    int descriptor = SSL_get_fd(tls);
    SSL_shutdown(tls);
    shutdown(descriptor, SHUT_WR);
    while (read(descriptor, rest, sizeof rest) > 0) {}
    SSL_free(tls);
    close(descriptor);
}

// One request, and its answer up to the body's last line; the tickets come with it.
static void exchange(SSL *tls) {
    char answer[4096];
    int count = 0;
    if (SSL_write(tls, request, sizeof request - 1) <= 0) fail("SSL_write");
    do {
        int got = SSL_read(tls, answer + count, (int)sizeof answer - 1 - count);
        if (got <= 0) fail("SSL_read");
        count += got;
        answer[count] = 0;
    } while (!strstr(answer, "hello, world\n"));
}

static void describe_one(SSL *tls) {
    EVP_PKEY *key = X509_get0_pubkey(SSL_get0_peer_certificate(tls));
    printf("%s, %s, group %s, key %s of %d bits, %s, tickets %d", SSL_get_version(tls), SSL_get_cipher(tls),
           OBJ_nid2sn(SSL_get_negotiated_group(tls)), OBJ_nid2sn(EVP_PKEY_get_base_id(key)), EVP_PKEY_get_bits(key),
           SSL_session_reused(tls) ? "resumed" : "full", tickets);
}

static void describe(SSL_CTX *context, int port) {
    for (int resumed = 0; resumed < 2; resumed++) {
        SSL_SESSION *session = saved;
        saved = NULL;
        tickets = 0;
        SSL *tls = open_connection(context, port, session);
        exchange(tls);
        if (resumed) printf("; ");
        if (!saved) fail("waiting for a ticket");
        describe_one(tls);
        if (SSL_session_reused(tls) != resumed) fail("resuming");
        close_connection(tls);
        SSL_SESSION_free(session);
    }
    printf("\n");
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static long handshakes(SSL_CTX *context, int port, double seconds, SSL_SESSION *session) {
    long count = 0;
    for (double end = now() + seconds; now() < end; count++) {
        // A copy, for OpenSSL uses a session of TLS 1.3 only once.
        SSL_SESSION *copy = session ? SSL_SESSION_dup(session) : NULL;
        SSL *tls = open_connection(context, port, copy);
        if (SSL_session_reused(tls) != (session != NULL)) fail("resuming");
        close_connection(tls);
        SSL_SESSION_free(copy);
    }
    return count;
}

static void count_handshakes(SSL_CTX *context, int port, int resumed, double seconds, int processes) {
    int results[2];
    long total = 0, part;
    if (pipe(results) != 0) fail("pipe");
    for (int index = 0; index < processes; index++) {
        pid_t child = fork();
        if (child < 0) fail("fork");
        if (child > 0) continue;
        SSL_SESSION *session = NULL;
        if (resumed) {
            SSL *tls = open_connection(context, port, NULL);
            exchange(tls);
            close_connection(tls);
            session = saved;
            saved = NULL;
            if (!session) fail("waiting for a ticket");
        }
        part = handshakes(context, port, seconds, session);
        if (write(results[1], &part, sizeof part) != sizeof part) fail("write");
        exit(0);
    }
    close(results[1]);
    for (int index = 0; index < processes; index++) {
        if (read(results[0], &part, sizeof part) != sizeof part) fail("a process");
        total += part;
    }
    while (wait(NULL) > 0) {}
    printf("%ld\n", total);
}

static void hold(SSL_CTX *context, int port, int count) {
    for (int index = 0; index < count; index++) exchange(open_connection(context, port, NULL));
    printf("held\n");
    fflush(stdout);
    char byte;
    if (read(0, &byte, 1) < 0) fail("read");
}

int main(int count, char **words) {
    if (count < 3) return 2;
    SSL_CTX *context = make_context();
    int port = atoi(words[2]);
    if (!strcmp(words[1], "describe")) describe(context, port);
    else if (!strcmp(words[1], "hold") && count == 4) hold(context, port, atoi(words[3]));
    else if (count == 5) count_handshakes(context, port, !strcmp(words[1], "resumed"), atof(words[3]), atoi(words[4]));
    else return 2;
    return 0;
}
