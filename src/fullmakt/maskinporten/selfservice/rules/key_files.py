"""What a key file's password looks like, what the text with it says, and how many such texts are sent
(maskinporten.md §8.6, the third way)."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from collections.abc import Callable, Mapping
from typing import Final

MAX_TEXTS: Final = 5
"""Texts in an hour for a client, and to a telephone."""
WINDOW: Final = dt.timedelta(hours=1)

ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without what is easily taken for something else: i, l, o, 0 and 1."""
GROUPS: Final = 4
GROUP_LENGTH: Final = 5
PASSWORD_BITS: Final = GROUPS * GROUP_LENGTH * math.log2(len(ALPHABET))

_BUCKETS: Final = 2**16
_TEXTS: Mapping[str, str] = {
    "nb": "Passord til nøkkelfilen: {password}\nNøkkel: {key}. Del det ikke med noen.",
    "nn": "Passord til nøkkelfila: {password}\nNøkkel: {key}. Ikkje del det med nokon.",
    "en": "Password for the key file: {password}\nKey: {key}. Do not share it with anybody.",
}


def password(choose: Callable[[str], str]) -> str:
    """A password of 99 random bits that can be read aloud and typed; ``choose`` picks a letter at random."""
    return "-".join("".join(choose(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))


def text(secret: str, kid: str, language: str) -> str:
    """What is sent, in ``nb``, ``nn`` or ``en``.

    Nothing in it is of the caller's choosing, a client's name for instance: others' telephones are no place for that.
    """
    return _TEXTS[language].format(password=secret, key=kid[:8])


def masked(phone: str) -> str:
    """A number in E.164, fit for the audit trail: ``+47*****123``."""
    return phone[:3] + "*" * (len(phone) - 6) + phone[-3:]


def counted(client_id: str, phone: str) -> tuple[str, str]:
    """What texts are counted by: the client, and the telephone.

    The number is not kept: it counts in one of 65 536 buckets, each of which is many people's.
    """
    bucket = int.from_bytes(hashlib.sha256(phone.encode()).digest()) % _BUCKETS
    return f"client:{client_id}", f"phone:{bucket}"
