"""The world over the systems of one process."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from fullmakt.altinn.consents.declaring import ConsentDeclarationError
from fullmakt.altinn.consents.keys.model import ApiKeyRefusedError
from fullmakt.altinn.consents.srr.services import ServiceTakenError
from fullmakt.altinn.delegations import errors as delegation_errors
from fullmakt.altinn.parties.errors import InvalidPartyError, UnknownPartyError
from fullmakt.altinn.parties.service import PartiesService
from fullmakt.altinn.resources import errors as resource_errors
from fullmakt.altinn.systemusers.declarations import DeclarationRefusedError, Declarations
from fullmakt.altinn.systemusers.errors import DeletedSystemError
from fullmakt.kernel.clock import new_uuid
from fullmakt.maskinporten.selfservice.errors import SelfServiceError
from fullmakt.maskinporten.selfservice.service import SelfService
from fullmakt.pki.errors import PkiError
from fullmakt.pki.service import Pki
from fullmakt.wire.altinn.problems import AltinnProblemError, AltinnValidationError, BindingError
from fullmakt.world.certificates import Certificates
from fullmakt.world.files import StateFolderError, WorldFiles
from fullmakt.world.ports import WorldSection
from fullmakt.world.sections.altinn import AltinnSection, Rights
from fullmakt.world.sections.certificates import CertificatesSection
from fullmakt.world.sections.clients import ClientsSection
from fullmakt.world.sections.consents import ConsentRegisters, ConsentsSection, NotWrittenError
from fullmakt.world.sections.parties import PartiesSection
from fullmakt.world.sections.registry import RegistrySection
from fullmakt.world.sections.systemusers import SystemUsersSection
from fullmakt.world.service import WorldService

REFUSALS = (
    InvalidPartyError,
    UnknownPartyError,
    SelfServiceError,
    resource_errors.InvalidResourceError,
    resource_errors.PolicyNotAcceptedError,
    AltinnProblemError,
    AltinnValidationError,
    BindingError,
    delegation_errors.DelegationRefusedError,
    delegation_errors.UnknownPartyError,
    delegation_errors.UnknownResourceError,
    DeclarationRefusedError,
    DeletedSystemError,
    ServiceTakenError,
    ApiKeyRefusedError,
    NotWrittenError,
    ConsentDeclarationError,
    PkiError,
    StateFolderError,
)


class Host(Protocol):
    """What has to be there for a world: the state folder and the systems; ``pki`` is None where ours is off."""

    @property
    def state(self) -> Path: ...

    @property
    def parties(self) -> PartiesService: ...

    @property
    def rights(self) -> Rights: ...

    @property
    def system_users(self) -> Declarations: ...

    @property
    def consent_registers(self) -> ConsentRegisters: ...

    @property
    def selfservice(self) -> SelfService: ...

    @property
    def pki(self) -> Pki | None: ...


def world_of(host: Host, files: WorldFiles | None = None) -> WorldService:
    """The world of a host; its files are those in the state folder unless others are given."""
    clock = host.selfservice.clock
    files = files or WorldFiles(host.state)
    certificates = None if host.pki is None else Certificates(host.pki, files, clock, host.parties.organisation_name)
    operator = host.selfservice.operator
    sections: list[WorldSection] = [PartiesSection(host.parties), RegistrySection(operator), AltinnSection(host.rights)]
    if certificates is not None:
        sections.append(CertificatesSection(certificates, files))
    sections += [
        ClientsSection(operator, files, certificates, clock),
        ConsentsSection(host.consent_registers, files, new_uuid),
        SystemUsersSection(host.system_users),
    ]
    return WorldService(sections, REFUSALS)
