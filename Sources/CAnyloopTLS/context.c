#include "internal.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Atomic int64_t contexts;

int64_t anyloop_tls_context_count(void) { return atomic_load(&contexts); }

static int new_session(SSL *ssl, SSL_SESSION *session) {
    anyloop_tls_keep_session(ssl, session);
    return 1;
}

anyloop_tls_context *anyloop_tls_context_make(bool is_server) {
    ERR_clear_error();
    anyloop_tls_context *context = calloc(1, sizeof *context);
    if (!context) return NULL;
    context->is_server = is_server;
    context->ssl = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
    if (!context->ssl) {
        free(context);
        return NULL;
    }
    atomic_fetch_add(&contexts, 1);
    SSL_CTX_set_app_data(context->ssl, context);
    SSL_CTX_set_msg_callback(context->ssl, anyloop_tls_note);
    SSL_CTX_set_cert_verify_callback(context->ssl, anyloop_tls_verify, NULL);
    // Moving buffers: what is retried may lie elsewhere. Released buffers: an idle connection holds none.
    SSL_CTX_set_mode(
        context->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    // No compression (CRIME), no renegotiation (RFC 9325 §3.4), a new key for each exchange, our order of ciphers.
    SSL_CTX_set_options(
        context->ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE
                          | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_clear_options(context->ssl, SSL_OP_LEGACY_SERVER_CONNECT);
    // 112 bits: RSA from 2,048, no SHA-1 signatures, whatever the system's own configuration says.
    SSL_CTX_set_security_level(context->ssl, 2);
    if (is_server) {
        anyloop_tls_acknowledge_names(context);
        SSL_CTX_set_session_cache_mode(context->ssl, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_dh_auto(context->ssl, 1);
    } else {
        SSL_CTX_set_session_cache_mode(
            context->ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(context->ssl, new_session);
    }
    return context;
}

void anyloop_tls_context_free(anyloop_tls_context *context) {
    if (!context) return;
    SSL_CTX_free(context->ssl);
    for (struct anyloop_tls_name *name = context->names; name;) {
        struct anyloop_tls_name *next = name->next;
        free(name);
        name = next;
    }
    free(context->protocols);
    free(context->groups);
    free(context);
    atomic_fetch_sub(&contexts, 1);
}

int anyloop_tls_context_versions(anyloop_tls_context *context, int minimum, int maximum) {
    ERR_clear_error();
    return SSL_CTX_set_min_proto_version(context->ssl, minimum)
        && SSL_CTX_set_max_proto_version(context->ssl, maximum);
}

typedef int set_list(SSL_CTX *, const char *);

/// Whether OpenSSL knows each name of a list; it passes over those that it does not as long as one is left. What only
/// takes away from the list (`!`, `-`) or sorts it (`+`, `@`) may name what this OpenSSL has no more.
static int knows_all(const char *list, set_list *set) {
    SSL_CTX *scratch = SSL_CTX_new(TLS_method());
    if (!scratch) return 0;
    SSL_CTX_set_security_level(scratch, 0);
    int result = 1;
    for (const char *name = list; result && *name;) {
        size_t length = strcspn(name, ":,; ");
        char text[96];
        if (length > 0 && !strchr("!-+@", *name)) {
            snprintf(text, sizeof text, "%.*s", (int)length, name);
            result = length < sizeof text && set(scratch, text);
            if (!result) {
                ERR_clear_error();
                ERR_raise_data(ERR_LIB_SSL, SSL_R_NO_CIPHER_MATCH, "%s", text);
            }
        }
        name += length;
        name += strspn(name, ":,; ");
    }
    SSL_CTX_free(scratch);
    return result;
}

int anyloop_tls_context_ciphers(anyloop_tls_context *context, const char *ciphers) {
    ERR_clear_error();
    return knows_all(ciphers, SSL_CTX_set_cipher_list) && SSL_CTX_set_cipher_list(context->ssl, ciphers);
}

int anyloop_tls_context_ciphersuites(anyloop_tls_context *context, const char *suites) {
    ERR_clear_error();
    // None at all would be no TLS 1.3, which is said by the versions.
    if (!*suites) return 0;
    return knows_all(suites, SSL_CTX_set_ciphersuites) && SSL_CTX_set_ciphersuites(context->ssl, suites);
}

int anyloop_tls_context_groups(anyloop_tls_context *context, const char *groups) {
    ERR_clear_error();
    free(context->groups);
    context->groups = strdup(groups);
    return context->groups && SSL_CTX_set1_groups_list(context->ssl, groups) == 1;
}

int anyloop_tls_context_signature_algorithms(anyloop_tls_context *context, const char *algorithms) {
    ERR_clear_error();
    return SSL_CTX_set1_sigalgs_list(context->ssl, algorithms) == 1;
}

// Trust

int anyloop_tls_context_trust_system(anyloop_tls_context *context) {
    ERR_clear_error();
    return SSL_CTX_set_default_verify_paths(context->ssl);
}

int anyloop_tls_context_trust_directory(anyloop_tls_context *context, const char *path) {
    ERR_clear_error();
    return SSL_CTX_load_verify_dir(context->ssl, path);
}

/// Takes the next object of a PEM text into a store: 1, 0 for one that it does not take, -1 at the end of the text.
typedef int take_next(BIO *pem, X509_STORE *store);

static int take_certificate(BIO *pem, X509_STORE *store) {
    X509 *certificate = PEM_read_bio_X509_AUX(pem, NULL, anyloop_tls_give_password, NULL);
    if (!certificate) return -1;
    int result = X509_STORE_add_cert(store, certificate);
    X509_free(certificate);
    return result;
}

static int take_list(BIO *pem, X509_STORE *store) {
    X509_CRL *list = PEM_read_bio_X509_CRL(pem, NULL, anyloop_tls_give_password, NULL);
    if (!list) return -1;
    int result = X509_STORE_add_crl(store, list);
    X509_CRL_free(list);
    return result;
}

/// Takes all objects of a PEM text; fails if there are none or one is not taken.
static int take_all(anyloop_tls_context *context, const uint8_t *pem, size_t count, take_next *take) {
    ERR_clear_error();
    BIO *bio = anyloop_tls_reader(pem, count);
    if (!bio) return 0;
    X509_STORE *store = SSL_CTX_get_cert_store(context->ssl);
    int added = 0;
    int result;
    while ((result = take(bio, store)) == 1) added++;
    BIO_free(bio);
    if (result == 0 || added == 0 || !anyloop_tls_reached_end()) return 0;
    ERR_clear_error();
    return 1;
}

int anyloop_tls_context_trust_pem(anyloop_tls_context *context, const uint8_t *pem, size_t count) {
    return take_all(context, pem, count, take_certificate);
}

int anyloop_tls_context_revocation_pem(
    anyloop_tls_context *context, const uint8_t *pem, size_t count, bool whole_chain) {
    if (!take_all(context, pem, count, take_list)) return 0;
    return X509_VERIFY_PARAM_set_flags(
        SSL_CTX_get0_param(context->ssl),
        X509_V_FLAG_CRL_CHECK | (whole_chain ? X509_V_FLAG_CRL_CHECK_ALL : 0));
}

int anyloop_tls_context_announce_authorities(anyloop_tls_context *context, const uint8_t *pem, size_t count) {
    ERR_clear_error();
    BIO *bio = anyloop_tls_reader(pem, count);
    if (!bio) return 0;
    int result = 1;
    for (X509 *certificate; result && (certificate = PEM_read_bio_X509(bio, NULL, anyloop_tls_give_password, NULL));) {
        result = SSL_CTX_add_client_CA(context->ssl, certificate);
        X509_free(certificate);
    }
    BIO_free(bio);
    ERR_clear_error();
    return result;
}

void anyloop_tls_context_verify(anyloop_tls_context *context, int mode) {
    int flags = mode == ANYLOOP_TLS_VERIFY_NONE ? SSL_VERIFY_NONE
        : mode == ANYLOOP_TLS_VERIFY_REQUESTED  ? SSL_VERIFY_PEER
                                                : SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(context->ssl, flags, NULL);
}

// Application protocols

static int choose_protocol(
    SSL *ssl, const unsigned char **chosen, unsigned char *chosen_count, const unsigned char *offered,
    unsigned offered_count, void *user) {
    (void)ssl;
    anyloop_tls_context *context = user;
    int result = SSL_select_next_proto(
        (unsigned char **)chosen, chosen_count, context->protocols, (unsigned)context->protocols_count, offered,
        offered_count);
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

int anyloop_tls_context_protocols(anyloop_tls_context *context, const uint8_t *protocols, size_t count) {
    ERR_clear_error();
    if (!context->is_server) return SSL_CTX_set_alpn_protos(context->ssl, protocols, (unsigned)count) == 0;
    uint8_t *copy = malloc(count);
    if (!copy) return 0;
    memcpy(copy, protocols, count);
    free(context->protocols);
    context->protocols = copy;
    context->protocols_count = count;
    SSL_CTX_set_alpn_select_cb(context->ssl, choose_protocol, context);
    return 1;
}

// Sessions and secrets

int anyloop_tls_context_tickets(anyloop_tls_context *context, size_t count) {
    if (count == 0) {
        SSL_CTX_set_options(context->ssl, SSL_OP_NO_TICKET);
        if (!context->is_server) SSL_CTX_set_session_cache_mode(context->ssl, SSL_SESS_CACHE_OFF);
    }
    return context->is_server ? SSL_CTX_set_num_tickets(context->ssl, count) : 1;
}

int anyloop_tls_context_ticket_keys(anyloop_tls_context *context, const uint8_t *keys) {
    ERR_clear_error();
    return SSL_CTX_set_tlsext_ticket_keys(context->ssl, (void *)keys, ANYLOOP_TLS_TICKET_KEYS_SIZE) == 1;
}

int anyloop_tls_random(uint8_t *bytes, size_t count) {
    return count <= INT_MAX && RAND_priv_bytes(bytes, (int)count) == 1;
}

int anyloop_tls_context_session_scope(anyloop_tls_context *context, const uint8_t *scope, size_t count) {
    ERR_clear_error();
    unsigned char digest[SSL_MAX_SID_CTX_LENGTH];
    unsigned length = 0;
    return EVP_Digest(scope, count, digest, &length, EVP_sha256(), NULL)
        && SSL_CTX_set_session_id_context(context->ssl, digest, length);
}

static void log_key(const SSL *ssl, const char *line) {
    anyloop_tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    if (context->key_log) context->key_log(context->key_log_user, line);
}

void anyloop_tls_context_key_log(
    anyloop_tls_context *context, void *user, void (*line)(void *user, const char *text)) {
    context->key_log_user = user;
    context->key_log = line;
    SSL_CTX_set_keylog_callback(context->ssl, log_key);
}
