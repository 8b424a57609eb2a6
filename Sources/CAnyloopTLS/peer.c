// What peers may do and we do not: for tests of how we take it.
#include "internal.h"

int anyloop_tls_update_key(anyloop_tls *tls, bool asks_peer) {
    return SSL_key_update(tls->ssl, asks_peer ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED)
        && SSL_do_handshake(tls->ssl) == 1;
}

int anyloop_tls_renegotiate(anyloop_tls *tls) {
    SSL_clear_options(tls->ssl, SSL_OP_NO_RENEGOTIATION);
    return SSL_renegotiate(tls->ssl);
}
