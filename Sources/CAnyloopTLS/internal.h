#ifndef ANYLOOP_TLS_INTERNAL_H
#define ANYLOOP_TLS_INTERNAL_H

#include "anyloop_tls.h"

#include <openssl/ssl.h>

struct anyloop_tls_name {
    struct anyloop_tls_name *next;
    struct anyloop_tls_context *context;
    char name[256];
};

struct anyloop_tls_context {
    SSL_CTX *ssl;
    bool is_server;
    bool refuses_unknown_names;
    struct anyloop_tls_name *names;
    /// As given, for connections that change to this context; NULL for OpenSSL's.
    char *groups;
    uint8_t *protocols;
    size_t protocols_count;
    void *key_log_user;
    void (*key_log)(void *user, const char *text);
};

struct anyloop_tls {
    SSL *ssl;
    /// What is read from: lent by the caller.
    const uint8_t *input;
    size_t input_count;
    /// What is to be sent.
    anyloop_tls_buffer output;
    size_t output_count;
    /// Whether the handshake is over; messages since, by the peer's doing, without data in between, and alerts that
    /// answered some of them.
    bool is_open;
    unsigned message_count;
    unsigned alert_count;
    /// The newest session from the peer.
    SSL_SESSION *session;
    /// On a server: the context for the client's name was chosen.
    bool has_context;
    /// Why the peer's certificate was refused; NULL if it was not.
    anyloop_tls_refusal *refusal;
};

BIO *anyloop_tls_bio(anyloop_tls *tls);
/// OpenSSL's callback: counts messages after the handshake.
void anyloop_tls_note(
    int is_written, int version, int type, const void *bytes, size_t count, SSL *ssl, void *unused);
/// Whether the peer sent more of them than `ANYLOOP_TLS_MESSAGE_LIMIT`.
bool anyloop_tls_is_flooded(const anyloop_tls *tls);
/// Makes a borrowed buffer hold `capacity` bytes, with what is in it. False without memory.
bool anyloop_tls_grow(anyloop_tls_buffer *buffer, size_t capacity);
/// Verifies as OpenSSL does, and keeps why not with the connection.
int anyloop_tls_verify(X509_STORE_CTX *store, void *unused);
void anyloop_tls_refusal_free(anyloop_tls_refusal *refusal);
/// Sends `name` along (SNI) unless it is an address, and has the peer's certificate checked for it. 0 if it is none.
int anyloop_tls_expect(SSL *ssl, const char *name, bool checks_name);
/// Whether the certificate of `session` is for the host that is expected now: resuming does not check it again.
bool anyloop_tls_session_fits(SSL *ssl, SSL_SESSION *session);
/// A key's password, NULL for none, and whether it was needed.
struct anyloop_tls_password {
    const char *text;
    bool was_asked;
};
/// OpenSSL's callback; `user` is an `anyloop_tls_password`, or NULL where nothing may be encrypted.
int anyloop_tls_give_password(char *buffer, int size, int writing, void *user);
/// Reads from `bytes`, which it does not copy.
BIO *anyloop_tls_reader(const uint8_t *bytes, size_t count);
/// Whether the last error is only that a PEM text has nothing more.
bool anyloop_tls_reached_end(void);
/// How a sentence calls a certificate: by its subject, or by its names without one. To be freed; may be NULL.
char *anyloop_tls_title(const X509 *certificate);
/// Has names that clients ask for acknowledged and kept with their sessions.
void anyloop_tls_acknowledge_names(anyloop_tls_context *context);
anyloop_tls *anyloop_tls_of(const SSL *ssl);
void anyloop_tls_keep_session(SSL *ssl, SSL_SESSION *session);

#endif
