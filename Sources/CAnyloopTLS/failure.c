// What OpenSSL's errors and the chain's verification come to.
#include "internal.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

static void write_name(const X509_NAME *name, char *text, size_t size) {
    text[0] = 0;
    BIO *bio = BIO_new(BIO_s_mem());
    if (!bio) return;
    if (X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
        int count = BIO_read(bio, text, (int)size - 1);
        text[count > 0 ? count : 0] = 0;
    }
    BIO_free(bio);
}

int anyloop_tls_verify_callback(int is_good, X509_STORE_CTX *store) {
    if (is_good) return 1;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    anyloop_tls *tls = anyloop_tls_of(ssl);
    X509 *certificate = X509_STORE_CTX_get_current_cert(store);
    tls->verify_error = X509_STORE_CTX_get_error(store);
    tls->verify_depth = X509_STORE_CTX_get_error_depth(store);
    if (certificate) {
        write_name(X509_get_subject_name(certificate), tls->subject, sizeof tls->subject);
        write_name(X509_get_issuer_name(certificate), tls->issuer, sizeof tls->issuer);
    }
    return 0;
}

static int fault_of(const anyloop_tls *tls) {
    switch (tls->verify_error) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return ANYLOOP_TLS_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID: return ANYLOOP_TLS_NOT_YET_VALID;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return ANYLOOP_TLS_WRONG_HOST;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN: return ANYLOOP_TLS_UNKNOWN_ROOT;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return ANYLOOP_TLS_SELF_SIGNED;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        return tls->verify_depth > 0 ? ANYLOOP_TLS_UNKNOWN_ROOT : ANYLOOP_TLS_MISSING_INTERMEDIATE;
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE: return ANYLOOP_TLS_MISSING_INTERMEDIATE;
    case X509_V_ERR_INVALID_PURPOSE: return ANYLOOP_TLS_WRONG_PURPOSE;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL: return ANYLOOP_TLS_WEAK_KEY;
    case X509_V_ERR_CA_MD_TOO_WEAK: return ANYLOOP_TLS_WEAK_SIGNATURE;
    case X509_V_ERR_CERT_REVOKED: return ANYLOOP_TLS_REVOKED;
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER: return ANYLOOP_TLS_NO_REVOCATION_LIST;
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
    case X509_V_ERR_CERT_CHAIN_TOO_LONG: return ANYLOOP_TLS_PATH_TOO_LONG;
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_INVALID_NON_CA: return ANYLOOP_TLS_NOT_AUTHORITY;
    case X509_V_ERR_PERMITTED_VIOLATION:
    case X509_V_ERR_EXCLUDED_VIOLATION: return ANYLOOP_TLS_NAME_NOT_PERMITTED;
    case X509_V_ERR_CERT_SIGNATURE_FAILURE: return ANYLOOP_TLS_BAD_SIGNATURE;
    default: return ANYLOOP_TLS_OTHER_FAULT;
    }
}

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

void anyloop_tls_take_failure(anyloop_tls *tls, anyloop_tls_failure *failure) {
    memset(failure, 0, sizeof *failure);
    const char *data = NULL;
    int flags = 0;
    // The first error is the cause, those after it its consequences.
    unsigned long error = ERR_get_error_all(NULL, NULL, NULL, &data, &flags);
    const char *reason = error ? ERR_reason_error_string(error) : NULL;
    snprintf(failure->reason, sizeof failure->reason, "%s", reason ? reason : "");
    if (data && (flags & ERR_TXT_STRING)) snprintf(failure->text, sizeof failure->text, "%s", data);
    failure->kind = ERR_GET_LIB(error) == ERR_LIB_SSL ? kind_of(ERR_GET_REASON(error), failure) : ANYLOOP_TLS_INTERNAL;
    if (tls && failure->kind != ANYLOOP_TLS_INTERNAL && tls->verify_error != X509_V_OK) {
        failure->kind = ANYLOOP_TLS_CERTIFICATE;
    }
    if (tls && failure->kind == ANYLOOP_TLS_CERTIFICATE) {
        failure->fault = fault_of(tls);
        failure->verify_error = tls->verify_error;
        snprintf(failure->text, sizeof failure->text, "%s", X509_verify_cert_error_string(tls->verify_error));
        memcpy(failure->subject, tls->subject, sizeof failure->subject);
        memcpy(failure->issuer, tls->issuer, sizeof failure->issuer);
    }
    ERR_clear_error();
}
