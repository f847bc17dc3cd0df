"""What the policies of resources let anybody do, remembered by their content."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from hashlib import sha256

from fullmakt.altinn.delegations import rules
from fullmakt.wire.altinn.policy import InvalidPolicyError, parse_policy

_LARGE = 256 * 1024
"""Bytes of a policy that is read off the event loop."""
_MAX_KNOWN = 4_096

_known: OrderedDict[bytes, frozenset[str]] = OrderedDict()


async def actions_of(policy: bytes | None) -> frozenset[str]:
    """The actions that a policy, an XACML document, permits to somebody; none without a policy that can be read."""
    if policy is None:
        return frozenset()
    digest = sha256(policy).digest()
    found = _known.get(digest)
    if found is None:
        found = _read(policy) if len(policy) < _LARGE else await asyncio.to_thread(_read, policy)
        _known[digest] = found
        if len(_known) > _MAX_KNOWN:
            _known.popitem(last=False)
    return found


def _read(policy: bytes) -> frozenset[str]:
    try:
        return rules.permitted_actions(parse_policy(policy))
    except InvalidPolicyError:
        return frozenset()
