"""A client of Python's ssl: ssl_client.py HOST:PORT [option=value]…; options: min, max, ciphers, alpn, ca."""

import socket
import ssl
import sys

address, options = sys.argv[1], dict(word.split("=", 1) for word in sys.argv[2:])
host, port = address.rsplit(":", 1)
context = ssl.create_default_context(cafile=options.get("ca"))
if "ca" not in options:
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
if "ciphers" in options:
    context.set_ciphers(options["ciphers"])
for name, attribute in (("min", "minimum_version"), ("max", "maximum_version")):
    if name in options:
        setattr(context, attribute, ssl.TLSVersion[options[name]])
if "alpn" in options:
    context.set_alpn_protocols(options["alpn"].split(","))
try:
    with socket.create_connection((host, int(port)), timeout=5) as raw:
        with context.wrap_socket(raw, server_hostname="server.example") as connection:
            print(connection.version(), connection.cipher(), connection.selected_alpn_protocol())
except OSError as error:
    print(error)
