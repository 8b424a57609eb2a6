// TLS by OpenSSL 3 without sockets: bytes go in and come out through memory. Nobody else includes OpenSSL.
//
// Functions that return int give 1 for done and 0 for a failure, which `anyloop_tls_take_failure` describes, unless
// they say otherwise. A context may be used from every thread once it is set up; a connection from one at a time.
#ifndef ANYLOOP_TLS_H
#define ANYLOOP_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct anyloop_tls_context anyloop_tls_context;
typedef struct anyloop_tls anyloop_tls;
typedef struct anyloop_tls_session anyloop_tls_session;

// Failures

enum anyloop_tls_kind {
    ANYLOOP_TLS_INTERNAL = 0,
    ANYLOOP_TLS_CERTIFICATE,
    ANYLOOP_TLS_NO_CERTIFICATE,
    ANYLOOP_TLS_ALERT,
    ANYLOOP_TLS_NO_VERSION,
    ANYLOOP_TLS_NO_CIPHER,
    ANYLOOP_TLS_NO_PROTOCOL,
    ANYLOOP_TLS_UNRECOGNIZED_NAME,
    ANYLOOP_TLS_PLAIN_HTTP,
    ANYLOOP_TLS_PLAIN,
    ANYLOOP_TLS_MALFORMED,
    ANYLOOP_TLS_TRUNCATED,
};

/// Why certificates are refused, in the order of `CertificateFault`.
enum anyloop_tls_fault {
    ANYLOOP_TLS_EXPIRED = 0,
    ANYLOOP_TLS_NOT_YET_VALID,
    ANYLOOP_TLS_WRONG_HOST,
    ANYLOOP_TLS_WILDCARD_TOO_WIDE,
    ANYLOOP_TLS_UNKNOWN_ROOT,
    ANYLOOP_TLS_SELF_SIGNED,
    ANYLOOP_TLS_WRONG_PURPOSE,
    ANYLOOP_TLS_WEAK_KEY,
    ANYLOOP_TLS_WEAK_SIGNATURE,
    ANYLOOP_TLS_REVOKED,
    ANYLOOP_TLS_NO_REVOCATION_LIST,
    ANYLOOP_TLS_MISSING_INTERMEDIATE,
    ANYLOOP_TLS_PATH_TOO_LONG,
    ANYLOOP_TLS_NOT_AUTHORITY,
    ANYLOOP_TLS_NAME_NOT_PERMITTED,
    ANYLOOP_TLS_BAD_SIGNATURE,
    ANYLOOP_TLS_OTHER_FAULT,
};

/// A certificate that was refused. The texts come from whoever made it: UTF-8 without control characters, cut where
/// a sentence would get too long, empty where there is none; never NULL.
typedef struct {
    /// An `anyloop_tls_fault`, OpenSSL's `X509_V_ERR_…`, and its words for it.
    int fault;
    int code;
    const char *reason;
    /// 0 for the peer's own certificate, 1 for the one that signed it.
    int depth;
    /// As in RFC 4514.
    char *subject;
    char *issuer;
    /// Host names and addresses, joined by commas.
    char *names;
    /// When the certificate, or the revocation list at fault, begins and ends to be valid: "2026-11-23 07:35 UTC".
    char *start;
    char *end;
    bool has_list;
    /// The host that it has to be for.
    char *host;
} anyloop_tls_refusal;

typedef struct {
    /// An `anyloop_tls_kind`.
    int kind;
    /// The number of the alert, with `ANYLOOP_TLS_ALERT`.
    int alert;
    /// With `ANYLOOP_TLS_CERTIFICATE`, NULL without memory; lives as long as the connection.
    const anyloop_tls_refusal *refusal;
    /// OpenSSL's reason in lower case, such as `certificate verify failed`.
    char reason[96];
    /// The error's details.
    char text[192];
} anyloop_tls_failure;

/// Describes and clears the errors that this thread's last call left. `tls` may be NULL.
void anyloop_tls_take_failure(anyloop_tls *tls, anyloop_tls_failure *failure);

// Contexts

anyloop_tls_context *anyloop_tls_context_make(bool is_server);
void anyloop_tls_context_free(anyloop_tls_context *context);

/// Protocol versions as on the wire (0x0303 is TLS 1.2); 0 stands for the newest.
int anyloop_tls_context_versions(anyloop_tls_context *context, int minimum, int maximum);
/// Settings by OpenSSL's names; NULL leaves the default. Each failure's text names the setting.
int anyloop_tls_context_ciphers(anyloop_tls_context *context, const char *ciphers);
int anyloop_tls_context_ciphersuites(anyloop_tls_context *context, const char *suites);
int anyloop_tls_context_groups(anyloop_tls_context *context, const char *groups);
int anyloop_tls_context_signature_algorithms(anyloop_tls_context *context, const char *algorithms);

/// What came of `anyloop_tls_context_identity`.
enum anyloop_tls_identity {
    ANYLOOP_TLS_IDENTITY_DONE = 0,
    /// The chain is no PEM text of certificates.
    ANYLOOP_TLS_IDENTITY_NO_CERTIFICATE,
    /// OpenSSL does not take the certificate, for example for the length of its key.
    ANYLOOP_TLS_IDENTITY_REFUSED,
    /// The key is no PEM text of a private key.
    ANYLOOP_TLS_IDENTITY_NO_KEY,
    ANYLOOP_TLS_IDENTITY_NO_PASSWORD,
    ANYLOOP_TLS_IDENTITY_WRONG_PASSWORD,
    /// The key is another certificate's.
    ANYLOOP_TLS_IDENTITY_OTHER_KEY,
};

/// Our certificate with its chain and its key, as PEM. `password` may be NULL. The certificate's subject, or its names
/// if it has none, comes into `subject` of `size` bytes. An `anyloop_tls_identity`.
int anyloop_tls_context_identity(
    anyloop_tls_context *context, const uint8_t *chain, size_t chain_count, const uint8_t *key, size_t key_count,
    const char *password, char *subject, size_t size);

int anyloop_tls_context_trust_system(anyloop_tls_context *context);
int anyloop_tls_context_trust_directory(anyloop_tls_context *context, const char *path);
/// Adds the certificates of a PEM text to what is trusted; fails if there are none.
int anyloop_tls_context_trust_pem(anyloop_tls_context *context, const uint8_t *pem, size_t count);
/// Adds revocation lists and has them checked, for the whole chain or for the peer's certificate only.
int anyloop_tls_context_revocation_pem(anyloop_tls_context *context, const uint8_t *pem, size_t count, bool whole_chain);
/// On a server: names the trusted certificates to clients when asking for theirs.
int anyloop_tls_context_announce_authorities(anyloop_tls_context *context, const uint8_t *pem, size_t count);

enum { ANYLOOP_TLS_VERIFY_NONE = 0, ANYLOOP_TLS_VERIFY_REQUESTED, ANYLOOP_TLS_VERIFY_REQUIRED };
void anyloop_tls_context_verify(anyloop_tls_context *context, int mode);

/// Application protocols in their wire form (RFC 7301 §3.1). A server without one in common refuses.
int anyloop_tls_context_protocols(anyloop_tls_context *context, const uint8_t *protocols, size_t count);

/// On a server: the context for a name, `*.` at its front stands for one label. Keeps `other`.
int anyloop_tls_context_add_name(anyloop_tls_context *context, const char *name, anyloop_tls_context *other);
/// On a server: refuses names that no context was added for, instead of using its own certificate.
void anyloop_tls_context_refuse_unknown_names(anyloop_tls_context *context);

/// On a server: tickets sent after a full handshake, 0 for none; on a client: whether to ask for any.
int anyloop_tls_context_tickets(anyloop_tls_context *context, size_t count);
enum { ANYLOOP_TLS_TICKET_KEYS_SIZE = 80 };
int anyloop_tls_context_ticket_keys(anyloop_tls_context *context, const uint8_t *keys);
int anyloop_tls_random(uint8_t *bytes, size_t count);
/// On a server: what sessions are bound to; those of another scope are not resumed.
int anyloop_tls_context_session_scope(anyloop_tls_context *context, const uint8_t *scope, size_t count);

/// Calls `line` with the secrets of every connection in NSS's key log format.
void anyloop_tls_context_key_log(
    anyloop_tls_context *context, void *user, void (*line)(void *user, const char *text));

// Sessions

void anyloop_tls_session_free(anyloop_tls_session *session);
bool anyloop_tls_session_is_resumable(anyloop_tls_session *session);
/// Whether it is for one use only, as the tickets of TLS 1.3 are (RFC 8446 §C.4).
bool anyloop_tls_session_is_single_use(anyloop_tls_session *session);

// Connections

/// A connection; on a client `server_name` (NULL: none) goes into SNI unless it is an address, and is checked
/// against the certificate if `checks_name`. NULL without memory or for a name that cannot be sent.
anyloop_tls *anyloop_tls_make(anyloop_tls_context *context, const char *server_name, bool checks_name);
void anyloop_tls_free(anyloop_tls *tls);

/// Has the connection read from `bytes`, until the next call of this function. Nothing is copied.
void anyloop_tls_lend(anyloop_tls *tls, const uint8_t *bytes, size_t count);
/// How many of the lent bytes it has not taken.
size_t anyloop_tls_unread(const anyloop_tls *tls);

enum {
    /// It needs more bytes from the peer.
    ANYLOOP_TLS_WANTS = 0,
    ANYLOOP_TLS_DONE = 1,
    /// The peer sent `close_notify`.
    ANYLOOP_TLS_CLOSED = 2,
    ANYLOOP_TLS_FAILED = 3,
};

/// Messages that a peer may send after the handshake without data in between, such as key updates and tickets, and
/// renegotiations that it may ask for in vain; one more is an error.
enum { ANYLOOP_TLS_MESSAGE_LIMIT = 64 };

/// Goes on with the handshake.
int anyloop_tls_handshake(anyloop_tls *tls);
/// Decrypts into `bytes` until they are full or nothing is left; `*count` may be above 0 whatever is returned.
/// `ANYLOOP_TLS_DONE`: there may be more.
int anyloop_tls_read(anyloop_tls *tls, uint8_t *bytes, size_t size, size_t *count);
/// Encrypts all of `bytes`.
int anyloop_tls_write(anyloop_tls *tls, const uint8_t *bytes, size_t count);
/// Encrypts `close_notify`.
int anyloop_tls_close(anyloop_tls *tls);

/// What is to be sent to the peer.
const uint8_t *anyloop_tls_output(const anyloop_tls *tls, size_t *count);
/// Forgets it, and gives its memory back to the thread.
void anyloop_tls_output_sent(anyloop_tls *tls);

// What was agreed on

const char *anyloop_tls_version(const anyloop_tls *tls);
const char *anyloop_tls_cipher(const anyloop_tls *tls, int *bits);
const char *anyloop_tls_server_name(const anyloop_tls *tls);
const uint8_t *anyloop_tls_protocol(const anyloop_tls *tls, size_t *count);
bool anyloop_tls_is_resumed(const anyloop_tls *tls);
/// The peer's certificate number `index` as DER, to be freed by `anyloop_tls_bytes_free`; NULL after the last.
uint8_t *anyloop_tls_peer_certificate(const anyloop_tls *tls, size_t index, size_t *count);
void anyloop_tls_bytes_free(uint8_t *bytes);

/// Resumes `session` in the handshake to come.
int anyloop_tls_resume(anyloop_tls *tls, anyloop_tls_session *session);
/// The newest session that the peer gave, once; NULL if there is none.
anyloop_tls_session *anyloop_tls_take_session(anyloop_tls *tls);

// Certificates of one's own

/// Makes a key (EC P-256) and a certificate for `count` names or addresses that signs itself, valid for `days`.
/// Both as PEM, to be freed by `anyloop_tls_bytes_free`.
int anyloop_tls_self_signed(
    const char *const *names, size_t count, int days, uint8_t **certificate, size_t *certificate_count,
    uint8_t **key, size_t *key_count);

// Memory

typedef struct {
    uint8_t *bytes;
    size_t capacity;
} anyloop_tls_buffer;

/// A buffer of at least `capacity` bytes, from those that this thread keeps if it can; no bytes without memory.
anyloop_tls_buffer anyloop_tls_borrow(size_t capacity);
/// Gives it back to this thread, which keeps a few that are not too big.
void anyloop_tls_give_back(anyloop_tls_buffer buffer);

// Files

/// pread(2) of all `count` bytes or up to the end of the file: bytes read, or -errno.
int64_t anyloop_tls_read_file(int descriptor, uint8_t *bytes, size_t count, int64_t offset);
/// The whole file as bytes to be freed by `anyloop_tls_bytes_free`; 0, or an errno (EFBIG above `limit`).
int anyloop_tls_load_file(const char *path, size_t limit, uint8_t **bytes, size_t *count);

// What peers may do and we do not, for tests

/// Has the next write change the keys (RFC 8446 §4.6.3), and ask the peer to do so too.
int anyloop_tls_update_key(anyloop_tls *tls, bool asks_peer);
/// Has the next handshake or read ask for a new handshake, as TLS 1.2 allows (RFC 5246 §7.4.1).
int anyloop_tls_renegotiate(anyloop_tls *tls);

// Counting, for tests

/// Connections and contexts that exist in this process.
int64_t anyloop_tls_connection_count(void);
int64_t anyloop_tls_context_count(void);

#endif
