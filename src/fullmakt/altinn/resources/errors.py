"""What the registry refuses. HTTP tells of each in its own way; see ``http.errors``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class InvalidResourceError(ValueError):
    """Fields break their rules. ``faults`` maps a field's name to messages."""

    def __init__(self, faults: Mapping[str, Sequence[str]]) -> None:
        super().__init__("; ".join(message for messages in faults.values() for message in messages))
        self.faults = {field: list(messages) for field, messages in faults.items()}


class UnknownResourceError(LookupError):
    """No resource has that identifier."""


class ResourceExistsError(Exception):
    """A resource has that identifier already."""

    def __init__(self, identifier: str) -> None:
        super().__init__(f"The Resource already exist: {identifier}")


class IdentifierMismatchError(ValueError):
    """The identifier in the path is not the document's."""


class NotOwnerError(Exception):
    """The caller does not act for the owner of the resource, stored or to be stored."""


class ForeignScopesError(Exception):
    """The resource refers to scopes whose prefixes are not the caller's."""

    def __init__(self, scopes: Sequence[str]) -> None:
        super().__init__("Not authorized for creating resource with the listed scopes")
        self.scopes = tuple(scopes)


class PolicyNotAcceptedError(ValueError):
    """The policy can not be taken; the message is what the uploader is told."""


class TooManyCombinationsError(Exception):
    """The policy's rules come to more combinations than are written out one by one."""


class DeletionForbiddenError(Exception):
    """Resources are not deleted where they are in use for real."""
