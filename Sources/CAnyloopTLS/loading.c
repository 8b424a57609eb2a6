// Certificates and keys from PEM texts.
#include "internal.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

int anyloop_tls_give_password(char *buffer, int size, int writing, void *user) {
    (void)writing;
    struct anyloop_tls_password *password = user;
    // Never asks on the terminal, which is OpenSSL's default.
    if (!password) return -1;
    password->was_asked = true;
    if (!password->text) return -1;
    size_t length = strlen(password->text);
    if (length > (size_t)size) return -1;
    memcpy(buffer, password->text, length);
    return (int)length;
}

BIO *anyloop_tls_reader(const uint8_t *bytes, size_t count) {
    return count <= INT_MAX ? BIO_new_mem_buf(bytes, (int)count) : NULL;
}

bool anyloop_tls_reached_end(void) {
    unsigned long error = ERR_peek_last_error();
    return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

/// The certificates that follow our own.
static int use_issuers(SSL_CTX *ssl, BIO *pem) {
    SSL_CTX_clear_chain_certs(ssl);
    for (;;) {
        X509 *next = PEM_read_bio_X509(pem, NULL, anyloop_tls_give_password, NULL);
        if (!next) break;
        if (!SSL_CTX_add0_chain_cert(ssl, next)) {
            X509_free(next);
            return 0;
        }
    }
    if (!anyloop_tls_reached_end()) return 0;
    ERR_clear_error();
    return 1;
}

static int use_chain(SSL_CTX *ssl, BIO *pem, char *subject, size_t size) {
    X509 *own = PEM_read_bio_X509(pem, NULL, anyloop_tls_give_password, NULL);
    if (!own) return ANYLOOP_TLS_IDENTITY_NO_CERTIFICATE;
    char *name = anyloop_tls_title(own);
    if (name) strncat(subject, name, size - 1);
    free(name);
    int result = ANYLOOP_TLS_IDENTITY_DONE;
    if (!SSL_CTX_use_certificate(ssl, own)) {
        result = ANYLOOP_TLS_IDENTITY_REFUSED;
    } else if (!use_issuers(ssl, pem)) {
        result = ANYLOOP_TLS_IDENTITY_NO_CERTIFICATE;
    }
    X509_free(own);
    return result;
}

static int use_key(SSL_CTX *ssl, BIO *pem, const char *text) {
    struct anyloop_tls_password password = {.text = text};
    EVP_PKEY *key = PEM_read_bio_PrivateKey(pem, NULL, anyloop_tls_give_password, &password);
    if (!key) {
        if (!password.was_asked) return ANYLOOP_TLS_IDENTITY_NO_KEY;
        return text ? ANYLOOP_TLS_IDENTITY_WRONG_PASSWORD : ANYLOOP_TLS_IDENTITY_NO_PASSWORD;
    }
    int fits = SSL_CTX_use_PrivateKey(ssl, key) && SSL_CTX_check_private_key(ssl);
    EVP_PKEY_free(key);
    return fits ? ANYLOOP_TLS_IDENTITY_DONE : ANYLOOP_TLS_IDENTITY_OTHER_KEY;
}

int anyloop_tls_context_identity(
    anyloop_tls_context *context, const uint8_t *chain, size_t chain_count, const uint8_t *key, size_t key_count,
    const char *password, char *subject, size_t size) {
    ERR_clear_error();
    subject[0] = 0;
    BIO *chain_pem = anyloop_tls_reader(chain, chain_count);
    BIO *key_pem = anyloop_tls_reader(key, key_count);
    int result = ANYLOOP_TLS_IDENTITY_NO_CERTIFICATE;
    if (chain_pem && key_pem) result = use_chain(context->ssl, chain_pem, subject, size);
    if (result == ANYLOOP_TLS_IDENTITY_DONE) result = use_key(context->ssl, key_pem, password);
    BIO_free(chain_pem);
    BIO_free(key_pem);
    return result;
}
