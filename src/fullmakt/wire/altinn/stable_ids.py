"""Ids of what is named and not numbered: roles, packages, resources, providers.

Each is made from the URN, so that every API gives the same one, in every installation and after every restart. They are
not Altinn's own.
"""

from __future__ import annotations

from uuid import UUID, uuid5

_NAMESPACE = UUID("f6a0c1f0-2f0d-5a3c-9a49-5a2d6b0f8c11")


def stable_id(urn: str) -> UUID:
    """The id of what ``urn`` names."""
    return uuid5(_NAMESPACE, urn)
