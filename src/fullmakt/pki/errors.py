"""What can go wrong; each message is fit to be shown to whoever asked."""

from __future__ import annotations


class PkiError(Exception):
    """The base of this system's errors."""


class InvalidRequestError(PkiError):
    """A certificate was asked for that can not be issued."""


class UnknownCertificateError(PkiError):
    """No certificate of ours has that serial number."""


class UnknownAuthorityError(PkiError):
    """There is no CA of that name."""


class NotSetUpError(PkiError):
    """The CAs do not exist yet: ``Pki.ensure`` makes them."""
