#!/usr/bin/env python3
"""A CGI program that writes down what the server told it of the request, and answers with the body's length and digest."""
import hashlib
import json
import os
import sys

length = os.environ.get("CONTENT_LENGTH")
body = sys.stdin.buffer.read(int(length)) if length else sys.stdin.buffer.read()
print("Content-Type: application/json\r\nX-Seen-By: cgi\r\n\r\n", end="")
print(json.dumps({
    "method": os.environ["REQUEST_METHOD"], "target": os.environ.get("REQUEST_URI", ""),
    "length": len(body), "sha256": hashlib.sha256(body).hexdigest(),
}))
