"""Worlds that hypothesis makes up: every kind of entry, every optional field now there and now not."""

from __future__ import annotations

import string
from datetime import UTC, datetime
from typing import Any, TypeVar

from hypothesis import strategies as st

from fullmakt.altinn.parties import rules
from fullmakt.altinn.parties.model import Organisation, Person, Role
from fullmakt.altinn.resources.policies.standard import standard_policy
from fullmakt.jose.keys import LocalSigner
from fullmakt.kernel.identifiers import NationalId, OrgNumber, ScopeName
from fullmakt.maskinporten.selfservice.rules.clients import KRR_SCOPES
from fullmakt.wire.altinn.resource_registry import ResourceDocument
from fullmakt.world.model import (
    Access,
    AccessList,
    ApiKey,
    Certificate,
    Client,
    Connection,
    ConsentService,
    Delegation,
    DelegationSource,
    EndedRole,
    EnterpriseCertificate,
    GeneratedKey,
    KeyFile,
    Prefix,
    PublicJwk,
    PublicKeys,
    Resource,
    Right,
    Scope,
    ServiceOwner,
    SrrEntry,
    System,
    SystemUser,
    World,
    default_client_id,
    key_of,
)
from fullmakt.world.parse_altinn import canonical
from fullmakt.world.parse_client import public_jwk
from fullmakt.world.parse_scope import INTEGRATION_TYPES

T = TypeVar("T")

KEYS = [public_jwk(LocalSigner.generate(kid=f"key-{number}").public_jwk()) for number in range(3)]
PEOPLE = [NationalId(number) for number in ("05895199925", "12846799972", "03817299813", "24907999889")]

orgnos = st.from_regex(r"[0-9]{9}", fullmatch=True).map(OrgNumber)
local_names = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True)
texts = st.text(
    st.characters(exclude_categories=["Cs"]).filter(lambda c: c in "\n\t\r" or (c >= " " and c != "\x7f")),
    min_size=1,
    max_size=30,
).filter(str.strip)
party_names = texts.filter(lambda name: rules.name_fault(name) is None)
prose = st.text(
    string.ascii_letters + string.digits + "æøåÆØÅ \n\t.,-_:;!?'\"()/*[]#", min_size=1, max_size=200
).filter(str.strip)
issuers = st.from_regex(r"https://[a-z0-9.]{1,20}/", fullmatch=True)
prefixes = st.from_regex(r"[a-zæøå0-9_-]{1,10}", fullmatch=True)
scope_names = st.builds(
    lambda prefix, subscope: ScopeName(f"{prefix}:{subscope}"),
    prefixes,
    st.from_regex(r"[!#-\[\]-~æøå]{1,20}", fullmatch=True),
)
translations = st.dictionaries(
    st.sampled_from(["description#en", "description#nn", "long_description#en"]), prose, max_size=3
).map(lambda found: tuple(sorted(found.items())))
integers = st.integers(0, 2**31 - 1)

scopes = st.builds(
    Scope,
    name=scope_names,
    description=texts,
    long_description=st.none() | prose,
    translations=translations,
    active=st.booleans(),
    visibility=st.sampled_from(["PUBLIC", "PRIVATE", "INTERNAL"]),
    allowed_integration_types=st.sets(st.sampled_from(sorted(INTEGRATION_TYPES))).map(
        lambda found: tuple(sorted(found))
    ),
    token_type=st.sampled_from(["SELF_CONTAINED", "OPAQUE"]),
    delegation_source=st.none() | issuers,
    accessible_for_all=st.booleans(),
    at_max_age=integers,
    authorization_max_lifetime=integers,
    requires_user_consent=st.booleans(),
    requires_user_authentication=st.booleans(),
    requires_pseudonymous_tokens=st.booleans(),
    enforced_aud_for_access_token=st.none() | texts,
    protected=st.booleans(),
    supports_european_businesses=st.booleans(),
)
public_keys = st.sets(st.sampled_from(KEYS), min_size=1).map(
    lambda found: PublicKeys(tuple(sorted(found, key=lambda jwk: jwk.kid)))
)
credentials = st.just(GeneratedKey()) | st.just(EnterpriseCertificate()) | public_keys | st.builds(KeyFile, path=texts)


@st.composite
def clients(draw: st.DrawFn) -> Client:
    name = draw(local_names)
    kind = draw(st.sampled_from(["maskinporten", "altinn_virksys", "krr", "eformidling"]))
    return Client(
        name=name,
        client_id=draw(
            st.just(default_client_id(name)) | st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)
        ),
        organisation=draw(orgnos),
        credentials=draw(st.just(GeneratedKey()) if kind == "altinn_virksys" else credentials),
        client_name=draw(st.just(name) | texts),
        description=draw(st.just(name) | texts),
        supplier=draw(st.none() | orgnos),
        integration_type=kind,
        scopes=tuple(map(ScopeName, KRR_SCOPES))
        if kind == "krr"
        else tuple(sorted(draw(st.sets(scope_names, max_size=3)))),
        access_token_lifetime=draw(st.integers(1, 2**31 - 1)),
        active=draw(st.booleans()),
    )


def _distinct(entries: st.SearchStrategy[Any], *keys: Any) -> st.SearchStrategy[Any]:
    return st.lists(entries, max_size=3, unique_by=keys).map(tuple)


def _organisation(orgno: OrgNumber, name: str, form: str, parent: OrgNumber | None) -> Organisation:
    return Organisation(orgno, name, form, None if parent == orgno else parent)


codes = st.from_regex(r"[a-z]{2,20}", fullmatch=True)
resource_names = st.from_regex(r"[a-z0-9_-]{4,30}", fullmatch=True)
languages = st.dictionaries(st.sampled_from(["nb", "nn", "en"]), texts, min_size=1).map(
    lambda found: tuple(sorted(found.items()))
)
actions = st.sets(st.sampled_from(["read", "write", "sign"]), max_size=3).map(lambda found: tuple(sorted(found)))
roles = st.sampled_from(["", "dagl"])
parties = orgnos | st.sampled_from(PEOPLE)


def _resource(identifier: str, owner: str, title: tuple[tuple[str, str], ...], names: list[str], role: str) -> Resource:
    document = ResourceDocument.model_validate(
        {
            "title": dict(title),
            "resourceType": "GenericAccessResource",
            "resourceReferences": [{"reference": one, "referenceType": "MaskinportenScope"} for one in names],
        }
    )
    policy = standard_policy(identifier, roles=[role], actions=["read"]).decode() if role else None
    return Resource(identifier, owner, canonical(document.wire()), policy)


connections = st.dictionaries(resource_names, actions, max_size=3).map(
    lambda found: tuple(sorted((Connection(*one) for one in found.items()), key=str))
)
package_names = st.from_regex(r"[a-z][a-z0-9-]{3,20}", fullmatch=True)
service_codes = st.from_regex(r"[A-Z0-9]{1,6}", fullmatch=True)
domains = st.from_regex(r"(https://|\*\.)?[a-z]{3,10}\.test", fullmatch=True)
redirect_urls = st.from_regex(r"https://[a-z]{3,10}\.test/[a-z]{0,10}", fullmatch=True)


def _sets(values: st.SearchStrategy[T]) -> st.SearchStrategy[tuple[T, ...]]:
    return st.sets(values, max_size=3).map(lambda found: tuple(sorted(found, key=str)))


def _system(vendor: OrgNumber, name: str, *more: Any) -> System:
    return System(f"{vendor}_{name}", vendor, *more)


def _standard(
    system: str, owner: OrgNumber, reference: str, title: str, resources: tuple[str, ...], packages: tuple[str, ...]
) -> SystemUser:
    return SystemUser(system, owner, reference, title, "standard", resources, packages)


def _agent(
    system: str, owner: OrgNumber, reference: str, title: str, packages: tuple[str, ...], clients: tuple[OrgNumber, ...]
) -> SystemUser:
    return SystemUser(system, owner, reference, title, "agent", (), packages, clients)


worlds = st.builds(
    World,
    service_owners=_distinct(st.builds(ServiceOwner, codes, orgnos, languages), lambda each: each.code),
    resources=_distinct(
        st.builds(
            _resource,
            resource_names,
            codes,
            languages,
            st.lists(scope_names, max_size=2),
            st.sampled_from(["", "dagl"]),
        ),
        lambda each: each.identifier,
    ),
    access_lists=_distinct(
        st.builds(
            AccessList,
            codes,
            local_names,
            texts,
            st.just("") | texts,
            st.sets(orgnos, max_size=3).map(lambda found: tuple(sorted(found))),
            connections,
        ),
        lambda each: (each.owner, each.identifier),
    ),
    delegations=_distinct(st.builds(Delegation, orgnos, orgnos, resource_names), lambda each: each),
    rights=_distinct(
        st.builds(Right, parties, parties, resource_names, actions.filter(bool)),
        lambda each: (each.giver, each.receiver, each.resource),
    ),
    organisations=_distinct(
        st.builds(_organisation, orgnos, party_names, st.sampled_from(["AS", "ENK", "SÆR"]), st.none() | orgnos),
        lambda each: each.orgno,
    ),
    people=_distinct(st.builds(Person, st.sampled_from(PEOPLE), party_names), lambda each: each.national_id),
    roles=_distinct(
        st.sampled_from([Role, EndedRole]).flatmap(
            lambda kind: st.builds(
                kind,
                st.sampled_from(PEOPLE) | st.just(OrgNumber("888666555")),
                st.sampled_from(["dagl", "lede"]),
                orgnos,
            )
        ),
        key_of,
    ),
    delegation_sources=_distinct(st.builds(DelegationSource, issuers, texts), lambda each: each.issuer),
    prefixes=_distinct(st.builds(Prefix, prefixes, orgnos, st.booleans()), lambda each: each.prefix),
    scopes=_distinct(scopes, lambda each: each.name),
    accesses=_distinct(
        st.builds(Access, scope_names, orgnos, st.sampled_from(["APPROVED", "DENIED", "REQUESTED"])),
        lambda each: (each.scope, each.consumer),
    ),
    certificates=_distinct(st.builds(Certificate, local_names, orgnos), lambda each: each.name),
    clients=_distinct(clients(), lambda each: each.name, lambda each: each.client_id),
    consent_services=_distinct(
        st.builds(
            ConsentService,
            resource_names,
            service_codes,
            st.integers(0, 9),
            st.booleans(),
            st.none() | st.booleans(),
            st.none() | st.integers(2, 4),
        ),
        lambda each: (each.code, each.edition),
    ),
    srr_entries=_distinct(
        st.builds(
            SrrEntry,
            service_codes,
            st.integers(0, 9),
            orgnos,
            st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - given above
            st.none() | orgnos,
            _sets(domains),
            st.booleans(),
        ),
        lambda each: (each.code, each.edition, each.reportee),
    ),
    api_keys=_distinct(st.builds(ApiKey, local_names, orgnos, _sets(domains), st.booleans()), lambda each: each.name),
    systems=_distinct(
        st.builds(
            _system,
            orgnos,
            local_names,
            languages,
            languages,
            _sets(st.uuids().map(str)),
            _sets(resource_names),
            _sets(package_names),
            _sets(redirect_urls),
            st.booleans(),
        ),
        lambda each: each.identifier,
    ),
    system_users=_distinct(
        st.builds(_standard, texts, orgnos, texts, texts, _sets(resource_names).filter(bool), _sets(package_names))
        | st.builds(_agent, texts, orgnos, texts, texts, _sets(package_names).filter(bool), _sets(orgnos)),
        lambda each: (each.system, each.owner, each.external_ref),
    ),
)
"""Worlds that a file can declare. What they refer to need not be there."""

__all__ = ["KEYS", "PEOPLE", "PublicJwk", "worlds"]
