// A certificate of one's own, for tests and for development.
#include "internal.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int add_extension(X509 *certificate, int type, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, type, value);
    int result = extension && X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    return result;
}

static int add_names(X509 *certificate, const char *const *names, size_t count) {
    GENERAL_NAMES *list = GENERAL_NAMES_new();
    int result = list != NULL;
    for (size_t index = 0; result && index < count; index++) {
        GENERAL_NAME *name = GENERAL_NAME_new();
        ASN1_OCTET_STRING *address = a2i_IPADDRESS(names[index]);
        ASN1_IA5STRING *host = address ? NULL : ASN1_IA5STRING_new();
        result = name && (address || (host && ASN1_STRING_set(host, names[index], -1)));
        if (!result || !sk_GENERAL_NAME_push(list, name)) {
            GENERAL_NAME_free(name);
            ASN1_OCTET_STRING_free(address);
            ASN1_IA5STRING_free(host);
            result = 0;
        } else {
            GENERAL_NAME_set0_value(name, address ? GEN_IPADD : GEN_DNS, address ? (void *)address : (void *)host);
        }
    }
    result = result && X509_add1_ext_i2d(certificate, NID_subject_alt_name, list, 0, X509V3_ADD_DEFAULT);
    GENERAL_NAMES_free(list);
    ERR_clear_error();
    return result;
}

/// What the certificate is called: its first name, unless that is longer than a subject bears (RFC 5280 appendix A.1).
static const char *common_name(const char *const *names, size_t count) {
    return count > 0 && strlen(names[0]) <= ub_common_name ? names[0] : "Anyloop";
}

static int fill(X509 *certificate, EVP_PKEY *key, const char *const *names, size_t count, int days) {
    unsigned char serial[16];
    if (RAND_bytes(serial, sizeof serial) != 1) return 0;
    serial[0] &= 0x7f;
    BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
    int result = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    X509_NAME *subject = X509_get_subject_name(certificate);
    return result && X509_set_version(certificate, X509_VERSION_3)
        // An hour back: clocks differ.
        && X509_gmtime_adj(X509_getm_notBefore(certificate), -3600)
        && X509_time_adj_ex(X509_getm_notAfter(certificate), days, 0, NULL)
        && X509_set_pubkey(certificate, key)
        && X509_NAME_add_entry_by_txt(
            subject, "CN", MBSTRING_UTF8, (const unsigned char *)common_name(names, count), -1, -1, 0)
        && X509_set_issuer_name(certificate, subject) && add_names(certificate, names, count)
        && add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE")
        && add_extension(certificate, NID_key_usage, "critical,digitalSignature")
        && add_extension(certificate, NID_ext_key_usage, "serverAuth,clientAuth")
        && add_extension(certificate, NID_subject_key_identifier, "hash")
        // So that of several trusted ones for the same names the right one is found.
        && add_extension(certificate, NID_authority_key_identifier, "keyid:always")
        && X509_sign(certificate, key, EVP_sha256()) > 0;
}

static int take(BIO *bio, uint8_t **bytes, size_t *count) {
    char *data = NULL;
    long length = BIO_get_mem_data(bio, &data);
    *bytes = length > 0 ? OPENSSL_memdup(data, (size_t)length) : NULL;
    *count = length > 0 ? (size_t)length : 0;
    return *bytes != NULL;
}

int anyloop_tls_self_signed(
    const char *const *names, size_t count, int days, uint8_t **certificate, size_t *certificate_count,
    uint8_t **key, size_t *key_count) {
    ERR_clear_error();
    *certificate = NULL;
    *key = NULL;
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    X509 *made = X509_new();
    BIO *certificate_pem = BIO_new(BIO_s_mem());
    BIO *key_pem = BIO_new(BIO_s_mem());
    int result = pair && made && certificate_pem && key_pem && fill(made, pair, names, count, days)
        && PEM_write_bio_X509(certificate_pem, made)
        && PEM_write_bio_PKCS8PrivateKey(key_pem, pair, NULL, NULL, 0, NULL, NULL)
        && take(certificate_pem, certificate, certificate_count) && take(key_pem, key, key_count);
    if (!result) {
        OPENSSL_free(*certificate);
        *certificate = NULL;
    }
    BIO_free(certificate_pem);
    BIO_free(key_pem);
    X509_free(made);
    EVP_PKEY_free(pair);
    return result;
}
