"""How requests read: five templates, for people and organisations, in three languages (consent.md §4.14)."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import pytest

from fullmakt.altinn.consents.markup import filled
from fullmakt.altinn.consents.model import ConsentRight
from fullmakt.altinn.consents.templates import LANGUAGES, Shown, moment, render, template_of, templates
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.parties import PartyIdentity, PartyKind
from fullmakt.wire.altinn.resources import CONSENT, ConsentTerms, RegisteredResource
from tests.support.consents import consent

PERSON = PartyIdentity(1, UUID(int=1), PartyKind.PERSON, "Kari Nordmann")
FIRM = PartyIdentity(2, UUID(int=2), PartyKind.ORGANISATION, "Fjord AS", orgno=OrgNumber("310000001"))
BANK = PartyIdentity(3, UUID(int=3), PartyKind.ORGANISATION, "Banken <b>AS</b>", orgno=OrgNumber("310000002"))
AGENT = PartyIdentity(4, UUID(int=4), PartyKind.ORGANISATION, "Leverandør AS", orgno=OrgNumber("310000003"))
RESOURCE = RegisteredResource(
    identifier="ttd_5498_1",
    version=1,
    resource_type=CONSENT,
    title=(("nb", "Saldo"), ("en", "Balance")),
    owner_orgno=None,
    owner_code="ttd",
    delegable=False,
    visible=True,
    access_list_enabled=False,
    consent=ConsentTerms(text=(("nb", "Saldo for **{navn}**"),), metadata=(("navn", False),)),
)
VALUES = {"coveredby": "C", "offeredby": "O", "handledby": "H", "expiration": "E"}


def shown(language: str = "nb", giver: PartyIdentity = PERSON, **given: Any) -> Shown:
    accepted = given.pop("accepted", False)
    handled_by = given.pop("supplier", None)
    return render(
        consent(**given),
        language,
        giver=giver,
        receiver=BANK,
        handled_by=handled_by,
        resources={RESOURCE.identifier: RESOURCE},
        accepted=accepted,
    )


def test_there_are_five_and_each_is_whole() -> None:
    assert list(templates()) == ["default", "sblanesoknad", "bst_krav", "poa", "samtykkemal_simpleconsent"]
    for template in templates().values():
        texts = [
            *(words for kinds in template.by_kind.values() for words in kinds.values()),
            *(words for words in template.alike.values() if words is not None),
        ]
        assert all(set(words) == set(LANGUAGES) for words in texts)
        for words in texts:
            assert "{" not in "".join(filled(text, VALUES) for text in words.values())
        assert all(set(kinds) == {"person", "org"} for kinds in template.by_kind.values())


def test_what_each_is_for() -> None:
    known = templates()
    assert [one for one in known if known[one].is_power_of_attorney] == ["poa"]
    assert [one for one in known if known[one].restricted_to == ("skd", "ttd")] == ["sblanesoknad", "bst_krav"]
    assert [one for one in known if known[one].alike["overridden_delegation_context"]] == ["sblanesoknad"]
    assert template_of("nothing").id == "default"


def test_the_document_has_the_members_of_the_published_list() -> None:
    document = templates()["sblanesoknad"].document()
    assert {"id", "version", "templateVersion", "title", "isPoa", "isMessageSetInRequest", "texts"} <= document.keys()
    assert document["restrictedToServiceOwners"] == ["skd", "ttd"]
    assert set(document["texts"]) == {
        "title", "heading", "serviceIntro", "serviceIntroAccepted", "overriddenDelegationContext", "expiration",
        "expirationOneTime", "handledBy", "historyUsedBody", "historyUsedByHandledByBody",
    }  # fmt: skip
    assert templates()["default"].document()["texts"]["overriddenDelegationContext"] is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_people_and_organisations_are_spoken_to_differently(language: str) -> None:
    person, firm = shown(language), shown(language, FIRM)
    assert "Fjord AS" in firm.heading
    assert person.heading != firm.heading
    assert person.intro != shown(language, accepted=True).intro
    assert person.language == language


def test_names_messages_and_metadata_are_text_whatever_they_look_like() -> None:
    right = ConsentRight("ttd_5498_1", metadata={"Navn": "<i>[x](https://evil.example)"})
    page = shown(rights=(right,), message={"nb": "<script>\u202eHei\nder"})
    assert "Banken <b>AS</b>" in page.heading
    assert page.message == "<script>Hei\nder"
    assert page.rights[0].text == "Saldo for <i>[x](https://evil.example)"
    assert page.rights[0].html == ("<p>Saldo for <strong><bdi>&lt;i&gt;[x](https://evil.example)</bdi></strong></p>")


def test_the_message_is_the_request_s_else_the_template_s() -> None:
    assert "lån" in shown(template_id="sblanesoknad").message
    assert shown(template_id="sblanesoknad", message={"nb": "Vår egen"}).message == "Vår egen"
    assert shown(message={"en": "Only English"}).message == "Only English"
    assert shown().message == ""


def test_what_else_is_said() -> None:
    assert "02.03.2027 kl. 13:00" in shown().expiration
    assert "én gang" in shown(one_time=True).expiration
    assert shown().handled_by == ""
    assert shown(supplier=AGENT).handled_by == "Leverandør AS henter opplysningene for Banken <b>AS</b>."
    assert shown("en").rights[0].title == "Balance"
    assert shown("nn").rights[0].title == "Saldo"
    assert shown("xx").language == "nb"


def test_a_service_that_is_gone_is_called_by_its_identifier() -> None:
    page = shown(rights=(ConsentRight("gone"),))
    assert (page.rights[0].title, page.rights[0].text, page.rights[0].html) == ("gone", "", "")


def test_what_is_kept_is_what_was_read() -> None:
    page = shown("nn", message={"nn": "Hei"})
    document = page.document()
    assert (document["language"], document["message"], document["template"]) == ("nn", "Hei", "default")
    assert document["rights"] == [{"resource": "ttd_5498_1", "title": "Saldo", "text": "Saldo for Banken AS"}]


@pytest.mark.parametrize(
    ("utc", "here"),
    [
        ("2026-03-29T00:59", "29.03.2026 kl. 01:59"),
        ("2026-03-29T01:00", "29.03.2026 kl. 03:00"),
        ("2026-10-25T00:59", "25.10.2026 kl. 02:59"),
        ("2026-10-25T01:00", "25.10.2026 kl. 02:00"),
        ("9999-12-31T23:59", "31.12.9999 kl. 23:59"),
    ],
)
def test_times_are_norway_s(utc: str, here: str) -> None:
    assert moment(dt.datetime.fromisoformat(utc).replace(tzinfo=dt.UTC), "nb") == here
    assert " at " in moment(dt.datetime.fromisoformat(utc).replace(tzinfo=dt.UTC), "en")
