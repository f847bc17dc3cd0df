"""What errors mean and how a request went."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.cli.explain import shown_fact
from fullmakt.cli.explanations import catalogue_markdown, describe, entries_in, story, trace_id_in
from fullmakt.cli.rights.naming import Names
from fullmakt.infra.audit import AuditEvent
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.parties import PartyIdentity, PartyKind
from fullmakt.wire.maskinporten.errors import CATALOGUE

TRACE = "0af7651916cd43dd8448eb211c80319c"
AT = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "text",
    [
        TRACE,
        TRACE.upper(),
        f"00-{TRACE}-00f067aa0ba902b7-01",
        f"Consumer has not been granted access to the scope a:b. (trace_id: {TRACE})",
        f'{{"error":"forbidden","error_description":"… (trace_id: {TRACE})","error_uri":"https://x/errors/MP-250"}}',
    ],
)
def test_a_trace_id_is_found_in_what_people_paste(text: str) -> None:
    assert trace_id_in(text) == TRACE


@pytest.mark.parametrize("text", ["", "MP-250", TRACE + "0", TRACE[:-1], "g" * 32])
def test_what_is_no_trace_id_is_not_taken_for_one(text: str) -> None:
    assert trace_id_in(text) is None


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("MP-250", ["no_access"]),
        ("mp-302", ["unknown_authorization_details_field"]),
        ("Invalid_Scope", ["invalid_scope"]),
        ("forbidden", ["no_access", "not_delegated"]),
        ("no_system_user", ["no_system_user"]),
        ("not_delegated", ["not_delegated"]),
        ("https://maskinporten.no/errors/MP-200", ["invalid_scope"]),
        ("MP-999", []),
        ("MP-2500", []),
        ("hello", []),
    ],
)
def test_entries_are_found_by_code_and_by_name(text: str, reasons: list[str]) -> None:
    assert [entry.reason for entry in entries_in(text)] == reasons


@given(st.text())
def test_any_text_can_be_asked_about(text: str) -> None:
    assert trace_id_in(text) is None or len(trace_id_in(text) or "") == 32
    assert all(entry.reason in CATALOGUE for entry in entries_in(text))


def event(**changes: object) -> AuditEvent:
    members: dict[str, object] = {"at": AT, "system": "tokens", "action": "token:issue", "outcome": "permit",
                                  "trace_id": TRACE, "actor": "the-client", "subject": "a:b"}  # fmt: skip
    return AuditEvent(**{**members, **changes})  # type: ignore[arg-type]


def test_a_token_s_story_says_who_asked_for_what_and_got_it() -> None:
    (step,) = story([event(facts={"consumer": "910753614"})])
    assert step["asked"] == "Client the-client asked for a token with the scope a:b"
    assert step["decided"] == "Token issued to organisation 910753614"
    assert step["error"] is None


def test_a_refusal_s_story_has_the_text_that_was_sent_and_what_to_do() -> None:
    facts = {"scope": "a:b", "consumer": "910753614"}
    (step,) = story([event(outcome="deny", reason="no_access", subject="a:b c:d", facts=facts)])
    assert step["asked"].endswith("with the scopes a:b c:d")
    assert step["decided"] == "Refused"
    assert step["error"]["text"] == "Consumer has not been granted access to the scope a:b."
    assert step["error"]["remedy"] == CATALOGUE["no_access"].remedy
    assert step["facts"] == facts


def test_a_request_without_a_grant_has_a_story_too() -> None:
    (step,) = story([event(outcome="deny", reason="invalid_request", actor="", subject="", facts={"detail": "What?"})])
    assert step["asked"].startswith("Somebody asked for a token")
    assert step["error"]["text"] == "What?"


def test_other_systems_changes_are_told_by_name() -> None:
    changed, denied, anonymous = story(
        [
            event(system="selfservice", action="client:create", outcome="done", subject="new-client"),
            event(system="selfservice", action="client:delete", outcome="deny", reason="no_access"),
            event(system="pki", action="crl:publish", outcome="permit", actor=""),
        ]
    )
    assert (changed["asked"], changed["decided"]) == ("the-client asked for client:create new-client", "Done")
    assert (denied["decided"], denied["error"]) == ("Refused", None)  # the name means something else there
    assert (anonymous["asked"], anonymous["decided"]) == ("somebody asked for crl:publish a:b", "Permitted")


@pytest.mark.parametrize(
    ("system", "action", "subject", "told"),
    [
        ("systemusers", "system:create", "system:312044005_a", "The operator registers the system 312044005_a"),
        ("systemusers", "system-user:change", "systemuser:5a6d", "The system user 5a6d has other rights"),
        ("consents", "consent:accept", "consent:5a6d", "The operator says yes to the consent 5a6d"),
        ("access-lists", "access-list:read", "access-list:ttd/few", "The operator reads the access list ttd/few"),
        ("resources", "resource:delete", "resource:skd-mva", "The operator deletes the resource skd-mva"),
        ("resources", "resource:delete", "skd-mva", "The operator deletes the resource skd-mva"),
        ("delegations", "request:withdraw", "request:5a6d", "The operator takes back the request for access 5a6d"),
        ("delegations", "accessmanagement:get", "a/b:c", "The operator asks access management for a/b:c"),
        ("selfservice", "scope:create", "consent:read", "operator asked for scope:create consent:read"),
    ],
)
def test_what_an_event_is_about_is_told_in_words(system: str, action: str, subject: str, told: str) -> None:
    (step,) = story([event(system=system, action=action, subject=subject, actor="operator", outcome="done")])
    assert step["asked"] == told


def test_a_party_in_the_facts_is_named_once_and_called_what_the_trail_calls_it_if_that_is_no_number() -> None:
    party, bank = "11111111-2222-4333-8444-555555555555", "Demo Bank (910753614)"
    identity = PartyIdentity(50, UUID(party), PartyKind.ORGANISATION, "Demo Bank", orgno=OrgNumber("910753614"))
    names = Names({party: identity, "910753614": identity})
    assert shown_fact("910753614", names) == shown_fact("organisation:910753614", names) == bank
    assert shown_fact(f"party:{party}", names) == f"{bank}, party:{party}"
    assert shown_fact(["910753614", "312044005"], names) == f"{bank}, 312044005"
    assert shown_fact({"a": ["b"]}, names) == '{"a": ["b"]}'


def test_a_fact_that_was_not_kept_stays_a_blank() -> None:
    assert describe(CATALOGUE["no_access"], {})["text"].endswith("the scope {scope}.")


def test_the_reference_page_is_up_to_date() -> None:
    page = Path(__file__).parents[3] / "docs" / "reference" / "errors.md"
    assert page.read_text(encoding="utf-8") == catalogue_markdown(), (
        "make it anew: .venv/bin/python -m fullmakt.cli.explain --markdown > docs/reference/errors.md"
    )
