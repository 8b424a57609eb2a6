"""A client of OpenSSL 1.0.2 (nassl's): nassl_client.py HOST:PORT VERSION [CIPHERS]; VERSION as in SSLV2, SSLV23, SSLV3."""

import socket
import sys

from nassl.legacy_ssl_client import LegacySslClient
from nassl.ssl_client import OpenSslVerifyEnum, OpenSslVersionEnum

host, port = sys.argv[1].rsplit(":", 1)
raw = socket.create_connection((host, int(port)), timeout=5)
client = LegacySslClient(
    ssl_version=OpenSslVersionEnum[sys.argv[2]], underlying_socket=raw, ssl_verify=OpenSslVerifyEnum.NONE
)
if len(sys.argv) > 3:
    client.set_cipher_list(sys.argv[3])
try:
    client.do_handshake()
    print(client.get_current_cipher_name())
except Exception as error:
    print(error)
finally:
    raw.close()
