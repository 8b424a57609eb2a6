"""The table of what is recorded: server × client × what is said, by subject."""

from . import aborts, applications, files, loads, malformed, proxies, uploads


def fill():
    for subject in (files, loads, uploads, applications, proxies, malformed, aborts):
        subject.fill()
