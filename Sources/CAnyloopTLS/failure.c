// What OpenSSL's errors come to.
#include "internal.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <stdio.h>
#include <string.h>

static int kind_of(int reason, anyloop_tls_failure *failure) {
    // The reasons of received alerts are their numbers, moved up.
    if (reason > SSL_AD_REASON_OFFSET && reason <= SSL_AD_REASON_OFFSET + 255) {
        failure->alert = reason - SSL_AD_REASON_OFFSET;
        return ANYLOOP_TLS_ALERT;
    }
    switch (reason) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED: return ANYLOOP_TLS_CERTIFICATE;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return ANYLOOP_TLS_NO_CERTIFICATE;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_NO_PROTOCOLS_AVAILABLE: return ANYLOOP_TLS_NO_VERSION;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_CIPHERS_AVAILABLE:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SHARED_GROUPS:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS: return ANYLOOP_TLS_NO_CIPHER;
    case SSL_R_NO_APPLICATION_PROTOCOL: return ANYLOOP_TLS_NO_PROTOCOL;
    case SSL_R_CALLBACK_FAILED: return ANYLOOP_TLS_UNRECOGNIZED_NAME;
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST: return ANYLOOP_TLS_PLAIN_HTTP;
    case SSL_R_WRONG_VERSION_NUMBER: return ANYLOOP_TLS_PLAIN;
    case SSL_R_UNEXPECTED_EOF_WHILE_READING: return ANYLOOP_TLS_TRUNCATED;
    case ERR_R_MALLOC_FAILURE:
    case ERR_R_INTERNAL_ERROR: return ANYLOOP_TLS_INTERNAL;
    default: return ANYLOOP_TLS_MALFORMED;
    }
}

/// What a failure of another library comes to: on a connection it is about what the peer sent.
static int foreign_kind(const anyloop_tls *tls, unsigned long error) {
    bool is_ours = !tls || error == 0 || ERR_SYSTEM_ERROR(error) || ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE
        || ERR_GET_REASON(error) == ERR_R_INTERNAL_ERROR;
    return is_ours ? ANYLOOP_TLS_INTERNAL : ANYLOOP_TLS_MALFORMED;
}

/// Whether the peer has not said a word of TLS yet.
static bool heard_nothing(const anyloop_tls *tls) {
    OSSL_HANDSHAKE_STATE state = SSL_get_state(tls->ssl);
    return state == TLS_ST_BEFORE || state == TLS_ST_CW_CLNT_HELLO;
}

void anyloop_tls_take_failure(anyloop_tls *tls, anyloop_tls_failure *failure) {
    memset(failure, 0, sizeof *failure);
    if (tls && anyloop_tls_is_flooded(tls)) {
        failure->kind = ANYLOOP_TLS_MALFORMED;
        snprintf(failure->reason, sizeof failure->reason, "too many messages without data");
        ERR_clear_error();
        return;
    }
    const char *data = NULL;
    int flags = 0;
    // The first error is the cause, those after it its consequences; but what another library says of bytes that the
    // peer sent means little, and the last is TLS's own then.
    bool is_foreign = tls && ERR_GET_LIB(ERR_peek_error()) != ERR_LIB_SSL
        && ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_SSL;
    unsigned long error = is_foreign ? ERR_peek_last_error_all(NULL, NULL, NULL, &data, &flags)
                                     : ERR_peek_error_all(NULL, NULL, NULL, &data, &flags);
    const char *reason = error ? ERR_reason_error_string(error) : NULL;
    snprintf(failure->reason, sizeof failure->reason, "%s", reason ? reason : "");
    if (data && (flags & ERR_TXT_STRING)) snprintf(failure->text, sizeof failure->text, "%s", data);
    failure->kind = ERR_GET_LIB(error) == ERR_LIB_SSL ? kind_of(ERR_GET_REASON(error), failure)
                                                      : foreign_kind(tls, error);
    // Once TLS is spoken, what does not look like it is damage.
    bool is_damage = failure->kind == ANYLOOP_TLS_PLAIN || failure->kind == ANYLOOP_TLS_PLAIN_HTTP
        || failure->kind == ANYLOOP_TLS_NO_VERSION
        // As for a record too short for its own checksum.
        || (failure->kind == ANYLOOP_TLS_INTERNAL && ERR_GET_REASON(error) == ERR_R_INTERNAL_ERROR);
    if (tls && is_damage && tls->is_open) failure->kind = ANYLOOP_TLS_MALFORMED;
    // What TLS then calls its own failure has a cause in what the peer sent, such as a share that gives no secret.
    if (is_foreign && failure->kind == ANYLOOP_TLS_INTERNAL) failure->kind = foreign_kind(tls, ERR_peek_error());
    // A record's version that is wrong later than in the first one is damage as well.
    if (tls && failure->kind == ANYLOOP_TLS_PLAIN && !heard_nothing(tls)) failure->kind = ANYLOOP_TLS_MALFORMED;
    if (tls && failure->kind == ANYLOOP_TLS_CERTIFICATE) failure->refusal = tls->refusal;
    ERR_clear_error();
}
