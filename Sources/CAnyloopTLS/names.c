// Which context serves the name that a client asks for.
#include "internal.h"

#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static anyloop_tls_context *context_for(anyloop_tls_context *context, const char *name) {
    const char *rest = strchr(name, '.');
    anyloop_tls_context *wildcard = NULL;
    for (struct anyloop_tls_name *entry = context->names; entry; entry = entry->next) {
        if (strcasecmp(entry->name, name) == 0) return entry->context;
        if (rest && rest != name && entry->name[0] == '*' && strcasecmp(entry->name + 1, rest) == 0) {
            wildcard = entry->context;
        }
    }
    return wildcard;
}

/// The name in the ClientHello (RFC 6066 §3); NULL if it has none. A broken list is OpenSSL's to refuse.
static const char *asked_name(SSL *ssl, char text[TLSEXT_MAXLEN_host_name + 1]) {
    const unsigned char *bytes = NULL;
    size_t count = 0;
    if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &bytes, &count)) return NULL;
    // The list's length, the first name's type, its length, the name.
    if (count < 5 || bytes[2] != TLSEXT_NAMETYPE_host_name) return NULL;
    size_t length = (size_t)bytes[3] << 8 | bytes[4];
    if (length == 0 || length > count - 5 || length > TLSEXT_MAXLEN_host_name) return NULL;
    if (memchr(bytes + 5, 0, length)) return NULL;
    memcpy(text, bytes + 5, length);
    text[length] = 0;
    return text;
}

/// Has the connection go on as if `other` had been its context from the start, but for the keys of tickets.
static int change_context(SSL *ssl, anyloop_tls_context *other) {
    // Takes certificate, ciphers, scope of sessions and what is called back; the rest has to be carried over.
    if (!SSL_set_SSL_CTX(ssl, other->ssl)) return 0;
    SSL_set_verify(ssl, SSL_CTX_get_verify_mode(other->ssl), NULL);
    X509_VERIFY_PARAM *parameters = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_clear_flags(parameters, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    SSL_clear_options(ssl, SSL_OP_NO_TICKET);
    SSL_set_options(ssl, SSL_CTX_get_options(other->ssl));
    return X509_VERIFY_PARAM_set1(parameters, SSL_CTX_get0_param(other->ssl))
        && SSL_set_num_tickets(ssl, SSL_CTX_get_num_tickets(other->ssl))
        && SSL_set_min_proto_version(ssl, SSL_CTX_get_min_proto_version(other->ssl))
        && SSL_set_max_proto_version(ssl, SSL_CTX_get_max_proto_version(other->ssl))
        && (!other->groups || SSL_set1_groups_list(ssl, other->groups));
}

/// Chooses the context by name before anything else is read of the ClientHello: the version follows from it, and
/// whether a ticket may be used. A ticket from a name that asks no certificates of clients must not open one that does.
static int choose_context(SSL *ssl, int *alert, void *user) {
    anyloop_tls_context *context = user;
    anyloop_tls *tls = anyloop_tls_of(ssl);
    // A client that is asked for another key share says hello twice (RFC 8446 §4.1.4): the choice stands.
    if (tls->has_context) return SSL_CLIENT_HELLO_SUCCESS;
    tls->has_context = true;
    char text[TLSEXT_MAXLEN_host_name + 1];
    const char *name = asked_name(ssl, text);
    anyloop_tls_context *other = name ? context_for(context, name) : NULL;
    if (other) {
        if (change_context(ssl, other)) return SSL_CLIENT_HELLO_SUCCESS;
        *alert = SSL_AD_INTERNAL_ERROR;
        return SSL_CLIENT_HELLO_ERROR;
    }
    if (!name || !context->refuses_unknown_names) return SSL_CLIENT_HELLO_SUCCESS;
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_CLIENT_HELLO_ERROR;
}

/// Has the name acknowledged and kept with the session.
static int acknowledge_name(SSL *ssl, int *alert, void *user) {
    (void)alert;
    (void)user;
    return SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

void anyloop_tls_acknowledge_names(anyloop_tls_context *context) {
    SSL_CTX_set_tlsext_servername_callback(context->ssl, acknowledge_name);
}

static void listen_for_names(anyloop_tls_context *context) {
    SSL_CTX_set_client_hello_cb(context->ssl, choose_context, context);
}

int anyloop_tls_context_add_name(anyloop_tls_context *context, const char *name, anyloop_tls_context *other) {
    if (strlen(name) >= sizeof ((struct anyloop_tls_name *)0)->name) return 0;
    struct anyloop_tls_name *entry = calloc(1, sizeof *entry);
    if (!entry) return 0;
    strcpy(entry->name, name);
    entry->context = other;
    entry->next = context->names;
    context->names = entry;
    listen_for_names(context);
    return 1;
}

void anyloop_tls_context_refuse_unknown_names(anyloop_tls_context *context) {
    context->refuses_unknown_names = true;
    listen_for_names(context);
}
