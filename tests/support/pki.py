"""The product's own PKI on a database, with keys that are made once a test run."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from fullmakt.infra.database import Database
from fullmakt.infra.secrets import MasterKey
from fullmakt.jose.keys import LocalSigner
from fullmakt.kernel.clock import Clock
from fullmakt.pki.service import Pki
from tests.support.certificates import rsa_key

BASE_URL = "http://fullmakt.example/pki"
MASTER_KEY = MasterKey(bytes(32))


def key_maker(prefix: str = "pki") -> Callable[[], LocalSigner]:
    """Hands out RSA keys that are the same in every test; enough for the CAs, and for a leaf after them."""
    numbers = itertools.count()
    return lambda: LocalSigner.from_native(rsa_key(f"{prefix}-{next(numbers) % 7}"))


async def set_up_pki(database: Database, clock: Clock, base_url: str = BASE_URL) -> Pki:
    """A PKI whose CAs exist."""
    pki = Pki(database, clock, MASTER_KEY, base_url, new_key=key_maker())
    await pki.ensure()
    return pki
