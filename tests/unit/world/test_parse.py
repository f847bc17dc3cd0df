"""A world file is read strictly, and every fault is told at once with its place."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.jose.keys import LocalSigner
from fullmakt.kernel.identifiers import NationalId, OrgNumber, ScopeName
from fullmakt.world.errors import Fault, Place, WorldFaults
from fullmakt.world.export import export
from fullmakt.world.model import (
    Client,
    EndedRole,
    EnterpriseCertificate,
    GeneratedKey,
    KeyFile,
    Kind,
    PublicKeys,
    Scope,
    World,
    default_client_id,
)
from fullmakt.world.parse import parse
from tests.unit.world.strategies import KEYS

BANK = OrgNumber("910753614")


def faults_of(text: str) -> list[str]:
    with pytest.raises(WorldFaults) as refused:
        parse(text)
    assert str(refused.value) == "\n".join(map(str, refused.value.faults))
    return [str(fault) for fault in refused.value.faults]


def test_what_is_left_out_has_the_defaults_of_self_service() -> None:
    world = parse("""
        [[scope]]
        name = "fullmakt:whoami"
        description = "Who am I?"

        [[client]]
        name = "demo-bank"
        organisation = "910753614"
        key = "generate"
    """)
    assert world.scopes == (Scope(ScopeName("fullmakt:whoami"), "Who am I?"),)
    assert world.clients == (
        Client("demo-bank", default_client_id("demo-bank"), BANK, GeneratedKey(), "demo-bank", "demo-bank"),
    )
    assert world.clients[0].client_id == "02bc2e9c-920f-558a-8287-6b904169c073"


def test_every_fault_is_told_at_once_in_the_order_of_the_file() -> None:
    told = faults_of("""
[[organisation]]
orgno = "910753615"
name = "Bank"

[[organisation]]
orgno = 910753614
nam = "Bank"

[[person]]
id = "05895199926"
name = ""

[[access]]
scope = "no prefix"
consumer = "12345678"

[[prefix]]
prefix = "Stor"
owner = "910753614"
active = "yes"
""")
    assert told == [
        (
            "line 3, [[organisation]] number 1, orgno: the check digit of 910753615 does not fit (modulus 11):"
            " correct it, or unchecked = true"
        ),
        "line 6, [[organisation]] number 2, name: missing",
        "line 7, [[organisation]] number 2, orgno: an organisation number stands in quotation marks",
        (
            "line 8, [[organisation]] number 2, nam: unknown field; [[organisation]] has form, name, orgno, parent,"
            " unchecked"
        ),
        "line 11, [[person]] number 1, id: the check digits of the national identity number do not fit",
        "line 12, [[person]] number 1, name: the text is empty",
        "line 15, [[access]] number 1, scope: a scope is prefix:subscope without white space, not 'no prefix'",
        "line 16, [[access]] number 1, consumer: an organisation number is nine digits, not '12345678'",
        "line 19, [[prefix]] number 1, prefix: a prefix is lower-case letters, digits, - and _, not 'Stor'",
        "line 21, [[prefix]] number 1, active: true or false, not text",
    ]


@pytest.mark.parametrize("orgno", ["999888777", "888666555"])
def test_the_numbers_of_the_seeds_need_an_explicit_word(orgno: str) -> None:
    declared = f'[[organisation]]\norgno = "{orgno}"\nname = "Part"\n'
    assert "does not fit (modulus 11)" in faults_of(declared)[0]
    (organisation,) = parse(f"{declared}unchecked = true\n").organisations
    assert organisation.is_unchecked


def test_a_number_that_fits_may_not_be_called_unchecked() -> None:
    (told,) = faults_of('[[organisation]]\norgno = "910753614"\nname = "Bank"\nunchecked = true\n')
    assert told == "line 4, [[organisation]] number 1, unchecked: the check digit of 910753614 fits: leave this out"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[organisation]", "not TOML: Expected ']]' at the end of an array declaration (at line 1, column 15)"),
        ("a = " + "[" * 5_000, "not TOML: nested too deep"),
        ("a = " + "9" * 5_000, "not TOML: a number is too long"),
        ("[[planet]]\n", "unknown section [[planet]]"),
        ("[organisation]\n", "organisation is an array of tables: begin each with [[organisation]]"),
        ("client = [1]\n", "client is an array of tables: begin each with [[client]]"),
    ],
)
def test_what_is_no_world_file_is_a_fault(text: str, told: str) -> None:
    assert faults_of(text) == [told]


def test_a_file_has_a_largest_size() -> None:
    assert faults_of("#" * (16 * 1024 * 1024 + 1)) == ["a world file has at most 16777216 characters"]


def test_nothing_is_declared_twice() -> None:
    (told,) = faults_of(
        '[[organisation]]\norgno = "910753614"\nname = "A"\n[[organisation]]\norgno = "910753614"\nname = "B"\n'
    )
    assert told == "line 4, [[organisation]] number 2: declared already: 910753614 B"


def test_two_clients_do_not_share_a_name_on_this_machine() -> None:
    client = '[[client]]\nname = "a"\norganisation = "910753614"\nkey = "generate"\n'
    (told,) = faults_of(client + client + 'client_id = "another"\n')
    assert told == "line 6, [[client]] number 2, name: another client is called a"


@pytest.mark.parametrize(
    ("holder", "told"),
    [
        ("", "[[role]] number 1, person: who holds the role: a person, or an organisation (holder)?"),
        ('person = "05895199925"\nholder = "991825827"\n', "who holds the role"),
        ('holder = "910753614"\n', "an organisation holds no role in itself"),
        ('person = "05895199925"\ncode = "DAGL"\n', "a role is a code in lower case"),
    ],
)
def test_a_role_has_one_holder_and_a_code(holder: str, told: str) -> None:
    code = "" if "code" in holder else 'code = "dagl"\n'
    assert told in faults_of(f'[[role]]\norganisation = "910753614"\n{code}{holder}')[0]


def test_a_role_is_held_by_a_person_or_an_organisation() -> None:
    world = parse("""
        [[role]]
        person = "05895199925"
        code = "dagl"
        organisation = "910753614"
        [[role]]
        holder = "991825827"
        code = "regn"
        organisation = "910753614"
    """)
    assert [role.holder for role in world.roles] == [NationalId("05895199925"), OrgNumber("991825827")]


ROLE = '[[role]]\nperson = "05895199925"\ncode = "dagl"\norganisation = "910753614"\n'


def test_a_role_that_is_ended_is_another_thing_than_one_that_is_held() -> None:
    (held,) = parse(ROLE + 'state = "held"').roles
    (ended,) = parse(ROLE + 'state = "ended"').roles
    assert (held, type(ended)) == (parse(ROLE).roles[0], EndedRole)
    assert held != ended


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (ROLE + 'state = "over"', "one of ended, held, not 'over'"),
        (ROLE + "state = false", "state"),
        (ROLE + ROLE + 'state = "ended"', "number 2"),
        (ROLE.replace("person", "holder").replace("05895199925", "910753614") + 'state = "ended"', "in itself"),
    ],
    ids=["unknown", "no text", "held and ended", "in itself"],
)
def test_a_role_s_state_is_held_or_ended(text: str, told: str) -> None:
    with pytest.raises(WorldFaults, match=told):
        parse(text)


def test_a_national_identity_number_never_stands_in_a_fault() -> None:
    text = "".join(
        f'[[person]]\nid = "{number}"\nname = "A"\n' for number in ("05895199925", "05895199925", "05895199924")
    )
    told = faults_of(text.replace("0589519992", "0181519992") + '[[role]]\nperson = "01815199925"\ncode = ""\n')
    assert "0181519992" not in "".join(told)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("", "how does the client authenticate?"),
        ('key = "generate"\nkey_file = "a.pem"', "how does the client authenticate?"),
        ('key = "make"', "key: one of generate, not 'make'"),
        ('authentication = "secret"', "authentication: one of certificate, not 'secret'"),
        ('key = "generate"\nintegration_type = "idporten"', "integration_type: one of altinn_virksys, eformidling,"),
        ('authentication = "certificate"\nintegration_type = "altinn_virksys"', "needs a registered key"),
        ('key = "generate"\nclient_id = "a b"', "client_id: a client id is letters, digits and . _ -"),
        ('key = "generate"\naccess_token_lifetime = 0', "access_token_lifetime: a number from 1 to 2147483647"),
        ('key = "generate"\naccess_token_lifetime = true', "a whole number, not true or false"),
        ('key = "generate"\naccess_token_lifetime = 1.5', "a whole number, not a number"),
        ('key = "generate"\nscopes = "a:b"', "scopes: an array, not text"),
        ('key = "generate"\nscopes = ["a:b", "a:b"]', "scopes: the array names something twice"),
        ('key = "generate"\nintegration_type = "krr"\nscopes = ["a:b"]', "a client of type krr has krr:global/"),
        ('key = "generate"\nclient_name = "a\\u0000b"', "client_name: the text holds control characters"),
        ('key = "generate"\nclient_name = 2026-11-21', "client_name: text, not a date or time"),
        (f'key = "generate"\ndescription = "{"x" * 256}"', "description: at most 255 characters"),
        ("jwk = []", "jwk: a client has one to 5 keys"),
        ("jwk = 1", "jwk: a JWK is a table, not a number"),
        ('jwk = { kty = "RSA", n = 1 }', "jwk: the members of a public JWK are texts"),
        ('jwk = { kty = "RSA", n = "AQAB", e = "AQAB" }', "jwk: the RSA key has 17 bits: 2048 is the least"),
    ],
)
def test_a_client_that_can_not_be_is_a_fault(line: str, told: str) -> None:
    found = faults_of(f'[[client]]\nname = "a"\norganisation = "910753614"\n{line}\n')
    assert any(told in each for each in found)


@pytest.mark.parametrize("name", ["", "A", "a.b", "../a", "a/b", "-a", "æ", "a" * 64])
def test_a_name_that_names_files_is_plain(name: str) -> None:
    (told,) = faults_of(f'[[client]]\nname = "{name}"\norganisation = "910753614"\nkey = "generate"\n')
    assert ", name: " in told


def test_the_ways_of_authenticating() -> None:
    jwk = KEYS[0].as_dict()
    inline = ", ".join(f'{member} = "{value}"' for member, value in jwk.items())
    head = '[[client]]\norganisation = "910753614"\n'
    world = parse(
        f'{head}name = "a"\nkey_file = "keys/a.pem"\n'
        f'{head}name = "b"\njwk = {{ {inline} }}\n'
        f'{head}name = "c"\nauthentication = "certificate"\n'
        f'{head}name = "d"\nintegration_type = "krr"\nkey = "generate"\n'
    )
    assert [client.credentials for client in world.clients] == [
        KeyFile("keys/a.pem"),
        PublicKeys((KEYS[0],)),
        EnterpriseCertificate(),
        GeneratedKey(),
    ]
    assert world.clients[3].scopes == ("krr:global/digitalpost.read", "krr:global/kontaktinformasjon.read")


def _with_jwk(**members: str | None) -> str:
    jwk = {**KEYS[0].as_dict(), **members}
    inline = ", ".join(f"{member} = {json.dumps(value)}" for member, value in jwk.items() if value is not None)
    return f'[[client]]\nname = "a"\norganisation = "910753614"\njwk = {{ {inline} }}\n'


def test_a_jwk_without_a_kid_is_called_by_its_thumbprint() -> None:
    signer = LocalSigner.generate()
    world = parse(_with_jwk(**{**signer.public_jwk(), "kid": None, "alg": None, "use": None}))
    (client,) = world.clients
    assert isinstance(client.credentials, PublicKeys)
    (jwk,) = client.credentials.jwks
    assert jwk.as_dict() == {**signer.public.to_jwk(), "kid": signer.public.thumbprint, "use": "sig"}


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"d": "AQAB"}, "the JWK holds private members (d): send the public half only"),
        ({"use": "enc"}, "use is sig, and alg one of RS256, RS384, RS512"),
        ({"alg": "ES256"}, "use is sig, and alg one of RS256, RS384, RS512"),
        ({"alg": "none"}, "use is sig, and alg one of RS256, RS384, RS512"),
        ({"kid": "a b"}, "a kid is letters, digits and . _ -"),
        ({"key_ops": "verify"}, "a public JWK has no key_ops here"),
    ],
)
def test_a_jwk_that_no_client_can_have_is_a_fault(members: dict[str, str], told: str) -> None:
    (found,) = faults_of(_with_jwk(**members))
    assert found == f"line 4, [[client]] number 1, jwk: {told}"


def test_two_keys_do_not_share_a_kid() -> None:
    text = _with_jwk()
    twice = text.replace("jwk = {", "jwk = [{").rstrip()[:-1] + "}, {" + text.split("jwk = {")[1].rstrip()[:-1] + "}]\n"
    assert faults_of(twice) == ["line 4, [[client]] number 1, jwk: two keys have the same kid"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('visibility = "SECRET"', "visibility: one of INTERNAL, PRIVATE, PUBLIC, not 'SECRET'"),
        ('allowed_integration_types = ["saml"]', "allowed_integration_types: one of altinn_virksys,"),
        ('long_description = "<b>"', "long_description: may hold letters, digits, white space and"),
        ('"long_description#en" = "<b>"', "long_description#en: may hold letters"),
        ('"description#english" = "x"', "description#english: unknown field"),
        ("at_max_age = -1", "at_max_age: a number from 0 to 2147483647"),
        ('token_type = "opaque"', "token_type: one of OPAQUE, SELF_CONTAINED, not 'opaque'"),
    ],
)
def test_a_scope_that_can_not_be_is_a_fault(line: str, told: str) -> None:
    (found,) = faults_of(f'[[scope]]\nname = "a:b"\ndescription = "x"\n{line}\n')
    assert told in found


def test_lines_are_told_past_strings_of_several_lines() -> None:
    (told,) = faults_of('''
[[scope]]
name = "a:b"
description = """
[[scope]]
name = "in a text"
"""

[[scope]]
description = "x"
name = "c"
''')
    assert told.startswith("line 11, [[scope]] number 2, name:")


def test_a_fault_without_a_line_says_where_all_the_same() -> None:
    assert str(Fault(Place("client", 2, "scopes"), "no")) == "[[client]] number 2, scopes: no"
    assert str(Fault(None, "no")) == "no"


@given(st.text(max_size=200) | st.sampled_from(list(Kind)).map(lambda kind: f"[[{kind}]]\n"))
def test_any_text_is_a_world_or_has_faults(text: str) -> None:
    with suppress(WorldFaults):
        parse(text)


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abkidnt_", min_size=1), inner, max_size=3),
    max_leaves=4,
)
_FIELDS = (
    "orgno", "name", "form", "parent", "unchecked", "id", "person", "holder", "code", "organisation", "issuer",
    "prefix", "owner", "active", "description", "scopes", "scope", "consumer", "key", "key_file", "jwk",
    "authentication", "client_id", "integration_type", "access_token_lifetime", "visibility", "description#en",
    "title", "rightDescription", "resourceType", "resourceReferences", "hasCompetentAuthority", "accessListMode",
    "roles", "packages", "actions", "minimum_level", "policy", "members", "connections", "identifier", "giver",
    "receiver", "resource", "supplier", "state", "from", "to", "rights", "valid_to", "handled_by", "answered_by",
    "message", "required_delegator", "redirect_url", "portal_view_mode", "migrated",
)  # fmt: skip


@given(st.sampled_from(list(Kind)), st.dictionaries(st.sampled_from(_FIELDS), _values))
def test_any_values_are_a_world_or_have_faults(kind: Kind, values: dict[str, object]) -> None:
    table = tomlkit.table()
    for field, value in values.items():
        if value is not None and "None" not in repr(value):
            table.add(field, tomlkit.item(value))
    array = tomlkit.aot()
    array.append(table)
    text = tomlkit.dumps(tomlkit.document().append(kind, array))
    with suppress(WorldFaults):
        assert parse(text) != World()


RESOURCE = """
[[resource]]
identifier = "an-api"
owner = "agency"
title = "An API"
"""


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ("title = 1", "title"),
        ("resourceReferences = 'x'\nscopes = ['a:b']", "resourceReferences: an array, not text"),
        ("roles = ['dagl']\nactions = ['read']\nminimum_level = 9", "an authentication level is a number from 0 to 4"),
        ("roles = ['dagl']", "roles or packages, and actions, make a policy together"),
        ("colour = 'red'", "a resource has no such member"),
        ("hasCompetentAuthority = {}", "say owner instead"),
    ],
)
def test_a_resource_that_can_not_be_is_told_what_is_wrong(more: str, fault: str) -> None:
    text = RESOURCE.replace('title = "An API"', more) if more.startswith("title") else RESOURCE + more
    with pytest.raises(WorldFaults) as refused:
        parse(text)
    assert any(fault in str(one) for one in refused.value.faults)


SYSTEM = """
[[client]]
name = "tax"
organisation = "312044005"
integration_type = "altinn_virksys"
key = "generate"

[[system]]
identifier = "312044005_tax"
vendor = "312044005"
name = "Tax"
clients = ["tax"]

[[system_user]]
system = "312044005_tax"
owner = "910753614"
resources = ["returns"]
"""


def test_a_system_names_its_clients_by_their_names_or_their_ids() -> None:
    world = parse(SYSTEM)
    assert world.systems[0].clients == (world.clients[0].client_id,)
    by_id = SYSTEM.replace('["tax"]', f'["{world.clients[0].client_id}"]')
    assert parse(by_id).systems == world.systems
    assert world.system_users[0].external_ref == "910753614"


def test_a_systems_client_may_have_an_id_of_its_own_and_the_export_names_it_by_that() -> None:
    world = parse(SYSTEM.replace('name = "tax"', 'name = "tax"\nclient_id = "Tax.1"'))
    assert world.systems[0].clients == ("Tax.1",)
    assert parse(export(world)).systems == world.systems


def test_a_system_user_from_which_all_was_taken_is_exported_as_it_is() -> None:
    world = parse(SYSTEM.replace('resources = ["returns"]', ""))
    assert (world.system_users[0].resources, world.system_users[0].packages) == ((), ())
    assert parse(export(world)).system_users == world.system_users


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ('["tax"]', '["taxi"]', "line 12, [[system]] number 1, clients: no client in this file is called 'taxi'"),
        ('"312044005_tax"\nvendor', '"312044006_tax"\nvendor', "begin it with 312044005_"),
        ('"312044005_tax"\nvendor', '"tax"\nvendor', "a system's identifier is <vendor>_<name>"),
        ('clients = ["tax"]', 'redirect_urls = ["http://a.test"]', "a redirect URL begins with https://"),
        ('resources = ["returns"]', 'type = "agent"', "what may it do for its clients? at least one package"),
        ('resources = ["returns"]', 'type = "agent"\nresources = ["returns"]', "an agent acts by packages alone"),
        ('resources = ["returns"]', 'resources = ["returns"]\nclients = ["312468018"]', "an agent alone has clients"),
        ('resources = ["returns"]', 'packages = ["no package"]', "an access package is called like skatt-naering"),
    ],
)
def test_a_system_that_can_not_be_is_told_what_is_wrong(before: str, after: str, fault: str) -> None:
    assert before in SYSTEM
    with pytest.raises(WorldFaults) as refused:
        parse(SYSTEM.replace(before, after))
    assert any(fault in str(one) for one in refused.value.faults), refused.value.faults


CONSENT = """
[[consent_service]]
resource = "bank-api"
code = "5498"

[[srr]]
code = "5498"
reportee = "910753614"
valid_to = 2030-01-01T00:00:00+01:00
domains = ["*.bank.example"]

[[api_key]]
name = "bank"
organisation = "910753614"
"""


def test_times_of_the_rights_registry_are_kept_in_utc() -> None:
    world = parse(CONSENT)
    assert world.srr_entries[0].valid_to.isoformat() == "2029-12-31T23:00:00+00:00"
    assert (world.consent_services[0].edition, world.api_keys[0].service_owner) == (1, False)


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ('code = "5498"\n\n', 'code = "54 98"\n\n', "a service code is up to 20 letters and digits"),
        ('code = "5498"\n\n', 'code = "5498"\nmin_level = 1\n\n', "an authentication level is 2, 3 or 4"),
        ("T00:00:00+01:00", "T00:00:00", "a time with its offset from UTC"),
        ('["*.bank.example"]', '["*bank.example"]', "no pattern of domains"),
        ('name = "bank"', 'name = "The bank"', "a name is up to 63 lower-case letters"),
    ],
)
def test_what_can_not_be_of_consents_is_told(before: str, after: str, fault: str) -> None:
    assert before in CONSENT
    with pytest.raises(WorldFaults) as refused:
        parse(CONSENT.replace(before, after))
    assert any(fault in str(one) for one in refused.value.faults), refused.value.faults


def test_a_consent_resource_has_a_policy_of_its_own_kind() -> None:
    text = RESOURCE + 'resourceType = "Consent"\nconsentTemplate = "default"\naskers = ["agency:pilot"]\n'
    policy = parse(text).resources[0].policy or ""
    assert all(part in policy for part in ("requestconsent", "agency:pilot", ">priv<", ">consent<"))
    with pytest.raises(WorldFaults, match="only a consent is asked for"):
        parse(text.replace('"Consent"', '"GenericAccessResource"'))
