// For the linker only: CAnyloopTLS includes what it needs.
#include <openssl/opensslv.h>
