// Why a peer's certificate is refused, and whom it has to be made for.
#include "internal.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum {
    /// What a sentence bears of a text that somebody else wrote, in bytes.
    TEXT_LIMIT = 256,
    /// The names of a certificate that a sentence lists.
    NAMES_LIMIT = 8,
};

/// The text in `bio`, which it frees; NULL without memory.
static char *take_text(BIO *bio) {
    char *bytes = NULL;
    long count = bio ? BIO_get_mem_data(bio, &bytes) : 0;
    char *text = strndup(count > 0 ? bytes : "", count < TEXT_LIMIT ? (size_t)count : TEXT_LIMIT);
    BIO_free(bio);
    return text;
}

static char *name_text(const X509_NAME *name) {
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio && name) X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    return take_text(bio);
}

static char *time_text(const ASN1_TIME *time) {
    struct tm parts;
    char text[40] = "";
    if (time && ASN1_TIME_to_tm(time, &parts)) strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts);
    return strdup(text);
}

static bool is_address(const char *text) {
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(text);
    ASN1_OCTET_STRING_free(address);
    return address != NULL;
}

static void print_address(BIO *bio, const ASN1_OCTET_STRING *address) {
    const unsigned char *bytes = ASN1_STRING_get0_data(address);
    if (ASN1_STRING_length(address) == 4) {
        BIO_printf(bio, "%d.%d.%d.%d", bytes[0], bytes[1], bytes[2], bytes[3]);
    } else if (ASN1_STRING_length(address) == 16) {
        for (int at = 0; at < 16; at += 2) {
            BIO_printf(bio, "%s%x", at > 0 ? ":" : "", bytes[at] << 8 | bytes[at + 1]);
        }
    }
}

static char *names_text(const X509 *certificate) {
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    BIO *bio = BIO_new(BIO_s_mem());
    int shown = 0;
    int left = 0;
    for (int at = 0; bio && at < sk_GENERAL_NAME_num(names); at++) {
        int type = 0;
        const void *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, at), &type);
        if (type != GEN_DNS && type != GEN_IPADD) continue;
        if (shown == NAMES_LIMIT) {
            left++;
            continue;
        }
        if (shown++ > 0) BIO_puts(bio, ", ");
        if (type == GEN_DNS) {
            // An address that was written as a name counts for nothing.
            if (is_address((const char *)ASN1_STRING_get0_data(value))) BIO_puts(bio, "DNS:");
            ASN1_STRING_print_ex(bio, value, ASN1_STRFLGS_ESC_CTRL);
        } else {
            print_address(bio, value);
        }
    }
    if (left > 0) BIO_printf(bio, " and %d more", left);
    GENERAL_NAMES_free(names);
    return take_text(bio);
}

char *anyloop_tls_title(const X509 *certificate) {
    char *subject = name_text(X509_get_subject_name(certificate));
    if (subject && *subject) return subject;
    free(subject);
    return names_text(certificate);
}

/// Whether a label with stars in it, `pattern` up to `end`, stands for the label `name` up to `stop`.
static bool label_fits(const char *pattern, const char *end, const char *name, const char *stop) {
    const char *star = NULL;
    const char *retry = NULL;
    while (name < stop) {
        if (pattern < end && *pattern == '*') {
            star = pattern++;
            retry = name;
        } else if (pattern < end && strncasecmp(pattern, name, 1) == 0) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star + 1;
            name = ++retry;
        } else {
            return false;
        }
    }
    while (pattern < end && *pattern == '*') pattern++;
    return pattern == end;
}

/// Whether `pattern`, which OpenSSL did not accept, would stand for `host` if stars were allowed anywhere.
static bool stands_for(const char *pattern, size_t length, const char *host) {
    const char *end = pattern + length;
    const char *stop = host + strlen(host);
    if (!memchr(pattern, '*', length)) return false;
    if (length == 1) return true;
    for (;;) {
        const char *dot = memchr(pattern, '.', (size_t)(end - pattern));
        const char *other = strchr(host, '.');
        if (!label_fits(pattern, dot ? dot : end, host, other ? other : stop)) return false;
        if (!dot || !other) return !dot && !other;
        pattern = dot + 1;
        host = other + 1;
    }
}

static bool has_wide_name(const X509 *certificate, const char *host) {
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    bool found = false;
    for (int at = 0; !found && at < sk_GENERAL_NAME_num(names); at++) {
        int type = 0;
        const ASN1_STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, at), &type);
        if (type != GEN_DNS) continue;
        found = stands_for((const char *)ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value), host);
    }
    GENERAL_NAMES_free(names);
    return found;
}

static int fault_of(int code, int depth) {
    switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return ANYLOOP_TLS_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID: return ANYLOOP_TLS_NOT_YET_VALID;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return ANYLOOP_TLS_WRONG_HOST;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return ANYLOOP_TLS_SELF_SIGNED;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_CERT_REJECTED: return ANYLOOP_TLS_UNKNOWN_ROOT;
    // Whoever sends its own certificate alone has most likely forgotten the one that signed it.
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return depth == 0 ? ANYLOOP_TLS_MISSING_INTERMEDIATE : ANYLOOP_TLS_UNKNOWN_ROOT;
    case X509_V_ERR_INVALID_PURPOSE: return ANYLOOP_TLS_WRONG_PURPOSE;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL: return ANYLOOP_TLS_WEAK_KEY;
    case X509_V_ERR_CA_MD_TOO_WEAK: return ANYLOOP_TLS_WEAK_SIGNATURE;
    case X509_V_ERR_CERT_REVOKED: return ANYLOOP_TLS_REVOKED;
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID: return ANYLOOP_TLS_NO_REVOCATION_LIST;
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
    case X509_V_ERR_CERT_CHAIN_TOO_LONG: return ANYLOOP_TLS_PATH_TOO_LONG;
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_INVALID_NON_CA:
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN: return ANYLOOP_TLS_NOT_AUTHORITY;
    case X509_V_ERR_PERMITTED_VIOLATION:
    case X509_V_ERR_EXCLUDED_VIOLATION:
    case X509_V_ERR_SUBTREE_MINMAX:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE: return ANYLOOP_TLS_NAME_NOT_PERMITTED;
    case X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE: return ANYLOOP_TLS_BAD_SIGNATURE;
    default: return ANYLOOP_TLS_OTHER_FAULT;
    }
}

void anyloop_tls_refusal_free(anyloop_tls_refusal *refusal) {
    if (!refusal) return;
    free(refusal->subject);
    free(refusal->issuer);
    free(refusal->names);
    free(refusal->start);
    free(refusal->end);
    free(refusal->host);
    free(refusal);
}

/// What is known of the check that just failed; NULL without memory.
static anyloop_tls_refusal *describe(X509_STORE_CTX *store) {
    anyloop_tls_refusal *refusal = calloc(1, sizeof *refusal);
    if (!refusal) return NULL;
    const X509 *certificate = X509_STORE_CTX_get_current_cert(store);
    const X509_CRL *list = X509_STORE_CTX_get0_current_crl(store);
    X509_VERIFY_PARAM *expected = X509_STORE_CTX_get0_param(store);
    const char *host = X509_VERIFY_PARAM_get0_host(expected, 0);
    char *address = host ? NULL : X509_VERIFY_PARAM_get1_ip_asc(expected);

    refusal->code = X509_STORE_CTX_get_error(store);
    refusal->reason = X509_verify_cert_error_string(refusal->code);
    refusal->depth = X509_STORE_CTX_get_error_depth(store);
    refusal->fault = fault_of(refusal->code, refusal->depth);
    refusal->subject = name_text(certificate ? X509_get_subject_name(certificate) : NULL);
    refusal->issuer = name_text(certificate ? X509_get_issuer_name(certificate) : NULL);
    refusal->names = certificate ? names_text(certificate) : strdup("");
    refusal->host = strdup(host ? host : address ? address : "");
    OPENSSL_free(address);
    if (refusal->fault == ANYLOOP_TLS_NO_REVOCATION_LIST && list) {
        refusal->has_list = true;
        refusal->start = time_text(X509_CRL_get0_lastUpdate(list));
        refusal->end = time_text(X509_CRL_get0_nextUpdate(list));
    } else {
        refusal->start = time_text(certificate ? X509_get0_notBefore(certificate) : NULL);
        refusal->end = time_text(certificate ? X509_get0_notAfter(certificate) : NULL);
    }
    if (!refusal->subject || !refusal->issuer || !refusal->names || !refusal->host || !refusal->start
        || !refusal->end) {
        anyloop_tls_refusal_free(refusal);
        return NULL;
    }
    if (refusal->fault == ANYLOOP_TLS_WRONG_HOST && certificate && has_wide_name(certificate, refusal->host)) {
        refusal->fault = ANYLOOP_TLS_WILDCARD_TOO_WIDE;
    }
    return refusal;
}

/// The error that gives the alert which fits best, where OpenSSL's own choice would mislead the peer.
static int error_for_alert(const anyloop_tls_refusal *refusal) {
    switch (refusal->fault) {
    // bad_certificate: a signature that does not fit (RFC 8446 §6.2).
    case ANYLOOP_TLS_BAD_SIGNATURE: return X509_V_ERR_CERT_REJECTED;
    // certificate_unknown: our lists are no fault of the peer's.
    case ANYLOOP_TLS_NO_REVOCATION_LIST: return X509_V_ERR_CRL_PATH_VALIDATION_ERROR;
    default: return refusal->code;
    }
}

static anyloop_tls *connection_of(X509_STORE_CTX *store) {
    return anyloop_tls_of(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
}

/// Called at each fault, while certificate and list are at hand; the first one ends the check.
static int keep(int is_good, X509_STORE_CTX *store) {
    if (is_good) return 1;
    anyloop_tls *tls = connection_of(store);
    anyloop_tls_refusal_free(tls->refusal);
    tls->refusal = describe(store);
    return 0;
}

int anyloop_tls_verify(X509_STORE_CTX *store, void *unused) {
    (void)unused;
    X509_STORE_CTX_set_verify_cb(store, keep);
    // The verdict is the error, not what was met on the way to it.
    ERR_set_mark();
    int verdict = X509_verify_cert(store);
    if (verdict <= 0) {
        anyloop_tls *tls = connection_of(store);
        // Without memory, for example, it ends without a fault of the certificate's.
        if (!tls->refusal) tls->refusal = describe(store);
        if (tls->refusal) X509_STORE_CTX_set_error(store, error_for_alert(tls->refusal));
    }
    ERR_pop_to_mark();
    return verdict;
}

/// Whether it can be a host's name, in ASCII. A dot in front would have OpenSSL accept every name below.
static bool is_name(const char *name, size_t length) {
    if (length == 0 || name[0] == '.') return false;
    for (size_t at = 0; at < length; at++) {
        unsigned char byte = (unsigned char)name[at];
        if (byte <= ' ' || byte >= 0x7f || byte == '*') return false;
    }
    return true;
}

int anyloop_tls_expect(SSL *ssl, const char *name, bool checks_name) {
    X509_VERIFY_PARAM *parameters = SSL_get0_param(ssl);
    // No address is sent (RFC 6066 §3).
    if (is_address(name)) return !checks_name || X509_VERIFY_PARAM_set1_ip_asc(parameters, name);
    // An absolute name, with a dot at its end, is the same host; certificates and SNI have none.
    char text[TLSEXT_MAXLEN_host_name + 1];
    size_t length = strlen(name);
    if (length > 1 && name[length - 1] == '.') length--;
    if (length >= sizeof text || !is_name(name, length)) return 0;
    memcpy(text, name, length);
    text[length] = 0;
    if (SSL_set_tlsext_host_name(ssl, text) != 1) return 0;
    X509_VERIFY_PARAM_set_hostflags(
        parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return !checks_name || X509_VERIFY_PARAM_set1_host(parameters, text, length);
}

bool anyloop_tls_session_fits(SSL *ssl, SSL_SESSION *session) {
    if (SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE) return true;
    X509_VERIFY_PARAM *expected = SSL_get0_param(ssl);
    X509 *certificate = SSL_SESSION_get0_peer(session);
    const char *host = X509_VERIFY_PARAM_get0_host(expected, 0);
    ERR_set_mark();
    char *address = host ? NULL : X509_VERIFY_PARAM_get1_ip_asc(expected);
    bool fits = certificate
        && (!host || X509_check_host(certificate, host, 0, X509_VERIFY_PARAM_get_hostflags(expected), NULL) == 1)
        && (!address || X509_check_ip_asc(certificate, address, 0) == 1);
    OPENSSL_free(address);
    ERR_pop_to_mark();
    return fits;
}
