"""What this one depends on and can not reach: it is no fault of who asked, and may be gone by the next time."""

from __future__ import annotations


class UnavailableError(Exception):
    """It does not answer, or not as it should; the message says which, and no more than operators may be told."""


class NeighbourUnavailableError(UnavailableError):
    """A system that is asked over HTTP does not answer, or not as it should: nobody can tell what it would have said.

    That is never the same as a no.
    """
