#include "internal.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static _Atomic int64_t connections;

int64_t anyloop_tls_connection_count(void) { return atomic_load(&connections); }

anyloop_tls *anyloop_tls_of(const SSL *ssl) { return SSL_get_app_data(ssl); }

anyloop_tls *anyloop_tls_make(anyloop_tls_context *context, const char *server_name, bool checks_name) {
    ERR_clear_error();
    anyloop_tls *tls = calloc(1, sizeof *tls);
    if (!tls) return NULL;
    tls->ssl = SSL_new(context->ssl);
    BIO *bio = tls->ssl ? anyloop_tls_bio(tls) : NULL;
    if (!bio) {
        SSL_free(tls->ssl);
        free(tls);
        return NULL;
    }
    SSL_set_app_data(tls->ssl, tls);
    SSL_set_bio(tls->ssl, bio, bio);
    atomic_fetch_add(&connections, 1);
    if (context->is_server) {
        SSL_set_accept_state(tls->ssl);
    } else {
        SSL_set_connect_state(tls->ssl);
        if (server_name && !anyloop_tls_expect(tls->ssl, server_name, checks_name)) {
            anyloop_tls_free(tls);
            return NULL;
        }
    }
    return tls;
}

void anyloop_tls_free(anyloop_tls *tls) {
    if (!tls) return;
    // A session whose connection was not closed by both sides would be marked as not resumable: RFC 5246 §7.2.1
    // took that rule back, and a truncated stream is told to the application.
    SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(tls->ssl);
    SSL_SESSION_free(tls->session);
    anyloop_tls_refusal_free(tls->refusal);
    anyloop_tls_give_back(tls->output);
    free(tls);
    atomic_fetch_sub(&connections, 1);
}

/// Errors that an earlier call left would be taken for the next one's. Looking costs little, clearing much more.
static void forget_errors(void) {
    if (ERR_peek_error() != 0) ERR_clear_error();
}

/// What a call of OpenSSL that did not succeed comes to.
static int outcome(anyloop_tls *tls, int result) {
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return ANYLOOP_TLS_WANTS;
    case SSL_ERROR_ZERO_RETURN: return ANYLOOP_TLS_CLOSED;
    default: return ANYLOOP_TLS_FAILED;
    }
}

void anyloop_tls_note(
    int is_written, int version, int type, const void *bytes, size_t count, SSL *ssl, void *unused) {
    (void)version;
    (void)bytes;
    (void)count;
    (void)unused;
    anyloop_tls *tls = anyloop_tls_of(ssl);
    if (!tls || !tls->is_open) return;
    if (type == SSL3_RT_HANDSHAKE && !is_written) tls->message_count++;
    // Renegotiation is refused by an alert each time.
    if (type == SSL3_RT_ALERT && is_written) tls->alert_count++;
}

bool anyloop_tls_is_flooded(const anyloop_tls *tls) {
    return tls->message_count > ANYLOOP_TLS_MESSAGE_LIMIT || tls->alert_count > ANYLOOP_TLS_MESSAGE_LIMIT;
}

int anyloop_tls_handshake(anyloop_tls *tls) {
    forget_errors();
    int result = SSL_do_handshake(tls->ssl);
    if (result == 1) tls->is_open = true;
    return result == 1 ? ANYLOOP_TLS_DONE : outcome(tls, result);
}

int anyloop_tls_read(anyloop_tls *tls, uint8_t *bytes, size_t size, size_t *count) {
    forget_errors();
    *count = 0;
    while (*count < size) {
        // Saves a call that would only find out that nothing is there.
        if (tls->input_count == 0 && *count > 0 && !SSL_has_pending(tls->ssl)) return ANYLOOP_TLS_WANTS;
        size_t read = 0;
        int result = SSL_read_ex(tls->ssl, bytes + *count, size - *count, &read);
        if (result != 1) return outcome(tls, result);
        tls->message_count = 0;
        *count += read;
    }
    return ANYLOOP_TLS_DONE;
}

int anyloop_tls_write(anyloop_tls *tls, const uint8_t *bytes, size_t count) {
    forget_errors();
    while (count > 0) {
        size_t written = 0;
        int result = SSL_write_ex(tls->ssl, bytes, count, &written);
        if (result != 1) return outcome(tls, result);
        bytes += written;
        count -= written;
    }
    return ANYLOOP_TLS_DONE;
}

int anyloop_tls_close(anyloop_tls *tls) {
    forget_errors();
    // Before the handshake is over there is nothing to end.
    if (SSL_in_init(tls->ssl)) return ANYLOOP_TLS_DONE;
    int result = SSL_shutdown(tls->ssl);
    return result >= 0 ? ANYLOOP_TLS_DONE : outcome(tls, result);
}

const char *anyloop_tls_version(const anyloop_tls *tls) { return SSL_get_version(tls->ssl); }

const char *anyloop_tls_cipher(const anyloop_tls *tls, int *bits) {
    const SSL_CIPHER *cipher = SSL_get_current_cipher(tls->ssl);
    *bits = cipher ? SSL_CIPHER_get_bits(cipher, NULL) : 0;
    return cipher ? SSL_CIPHER_get_name(cipher) : "";
}

const char *anyloop_tls_server_name(const anyloop_tls *tls) {
    return SSL_get_servername(tls->ssl, TLSEXT_NAMETYPE_host_name);
}

const uint8_t *anyloop_tls_protocol(const anyloop_tls *tls, size_t *count) {
    const unsigned char *name = NULL;
    unsigned length = 0;
    SSL_get0_alpn_selected(tls->ssl, &name, &length);
    *count = length;
    return name;
}

bool anyloop_tls_is_resumed(const anyloop_tls *tls) { return SSL_session_reused(tls->ssl) == 1; }

uint8_t *anyloop_tls_peer_certificate(const anyloop_tls *tls, size_t index, size_t *count) {
    // OpenSSL leaves the peer's own certificate out of the chain that a server sees.
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(tls->ssl);
    X509 *own = SSL_get0_peer_certificate(tls->ssl);
    X509 *certificate = NULL;
    if (index == 0) {
        certificate = own;
    } else {
        size_t place = SSL_is_server(tls->ssl) ? index - 1 : index;
        if (place < (size_t)(chain ? sk_X509_num(chain) : 0)) certificate = sk_X509_value(chain, (int)place);
    }
    unsigned char *bytes = NULL;
    int length = certificate ? i2d_X509(certificate, &bytes) : 0;
    if (length <= 0) return NULL;
    *count = (size_t)length;
    return bytes;
}

void anyloop_tls_bytes_free(uint8_t *bytes) { OPENSSL_free(bytes); }

void anyloop_tls_keep_session(SSL *ssl, SSL_SESSION *session) {
    anyloop_tls *tls = anyloop_tls_of(ssl);
    SSL_SESSION_free(tls->session);
    tls->session = session;
}

int anyloop_tls_resume(anyloop_tls *tls, anyloop_tls_session *session) {
    return anyloop_tls_session_fits(tls->ssl, (SSL_SESSION *)session)
        && SSL_set_session(tls->ssl, (SSL_SESSION *)session);
}

anyloop_tls_session *anyloop_tls_take_session(anyloop_tls *tls) {
    SSL_SESSION *session = tls->session;
    tls->session = NULL;
    return (anyloop_tls_session *)session;
}

void anyloop_tls_session_free(anyloop_tls_session *session) { SSL_SESSION_free((SSL_SESSION *)session); }

bool anyloop_tls_session_is_resumable(anyloop_tls_session *session) {
    return SSL_SESSION_is_resumable((SSL_SESSION *)session) == 1;
}

bool anyloop_tls_session_is_single_use(anyloop_tls_session *session) {
    return SSL_SESSION_get_protocol_version((SSL_SESSION *)session) >= TLS1_3_VERSION;
}
