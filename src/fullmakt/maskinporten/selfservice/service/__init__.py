"""The use cases of self-service, each with a transaction of its own, and the one object that holds them."""

from __future__ import annotations

from fullmakt.infra.database import Database
from fullmakt.infra.sms import Sender
from fullmakt.kernel.clock import Clock, NewId, new_token_id
from fullmakt.maskinporten.selfservice.ports import CertificateCheck, OrganisationNames
from fullmakt.maskinporten.selfservice.service.accesses import Accesses
from fullmakt.maskinporten.selfservice.service.altinn import AltinnClients
from fullmakt.maskinporten.selfservice.service.clients import DIGDIR, Clients
from fullmakt.maskinporten.selfservice.service.key_files import KeyFiles
from fullmakt.maskinporten.selfservice.service.keys import Keys
from fullmakt.maskinporten.selfservice.service.onbehalfof import OnBehalfOfs
from fullmakt.maskinporten.selfservice.service.operator import Declared, Operator
from fullmakt.maskinporten.selfservice.service.scopes import Scopes
from fullmakt.maskinporten.selfservice.service.work import Work

__all__ = ["Declared", "Operator", "SelfService"]


class SelfService:
    """Self-service as a whole.

    ``new_id`` names clients and keys (UUID v4, lower case); ``new_secret`` makes secrets of login clients (43
    characters of base64url from 32 random bytes). ``allow_ec_keys`` is our extension: P-256 keys for ES256.
    ``altinn_orgnos`` are the organisations trusted to make ``altinn_virksys`` clients for others (§8.1). ``sms`` sends
    the passwords of key files; without it none are made.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        new_id: NewId,
        *,
        certificates: CertificateCheck,
        organisations: OrganisationNames,
        new_secret: NewId = new_token_id,
        allow_ec_keys: bool = False,
        altinn_orgnos: frozenset[str] = frozenset({DIGDIR}),
        sms: Sender | None = None,
    ) -> None:
        work = Work(database, clock)
        self.clock = clock
        self.organisations = organisations
        self.clients = Clients(work, new_id, new_secret, altinn=altinn_orgnos)
        self.keys = Keys(work, new_id, certificates, allow_ec_keys=allow_ec_keys)
        self.key_files = KeyFiles(work, new_id, sms)
        self.onbehalfof = OnBehalfOfs(work)
        self.scopes = Scopes(work)
        self.accesses = Accesses(work)
        self.altinn = AltinnClients(work, new_id, allow_ec_keys=allow_ec_keys)
        self.operator = Operator(work, allow_ec_keys=allow_ec_keys)
