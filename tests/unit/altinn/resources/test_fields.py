"""The field rules of a resource, one line each: what is changed in a good one, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest

from fullmakt.altinn.resources.rules.fields import field_faults
from fullmakt.altinn.resources.rules.ownership import foreign_scopes, owns
from fullmakt.altinn.resources.rules.service_owners import service_owner_faults
from fullmakt.wire.altinn.resource_registry import ServiceOwner
from tests.support.resources import ADMIN, DIGDIR, LANGUAGES, SKD, owner, resource

_NAME = "Invalid id. Only a-z and 0-9 is allowed together with _ and -.  Minimum 4 characters"
_SERVICE_ENGINE = "Invalid prefix. Only to be used for Altinn 2 services"
_APP_ONLY = "Invalid Prefix. app_ is only for Altinn Studio apps"
_APP_NAME = "Invalid identifier for app resource. App resources needs to have an identifier starting with app_<org>"
_APP_REFERENCE = (
    "Invalid resource references for app resource. App resources needs to have a reference with"
    " ReferenceType=ApplicationId, ReferenceSource=Altinn3 and Reference=<org>/<appname>"
)
_OWNER = {
    "HasCompetentAuthority.Organization": ["HasCompetentAuthority needs to be set with valid organization number"]
}
_SCOPE = {"ResourceReferences": ["Missing maskinporten scopen for MaskinportenSchema resource"]}


def _reference(kind: str, value: str, source: str = "Altinn3") -> dict[str, str]:
    return {"referenceType": kind, "reference": value, "referenceSource": source}


SERVICE = [_reference("ServiceCode", "4628", "Altinn2"), _reference("ServiceEditionCode", "1", "Altinn2")]
APPLICATION = [_reference("ApplicationId", "SKD/melding")]


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({}, {}),
        ({"identifier": None}, {"Identifier": ["The Identifier field is required."]}),
        ({"identifier": "abc"}, {"Identifier": [_NAME]}),
        ({"identifier": "Abcd"}, {"Identifier": [_NAME]}),
        ({"identifier": "skd.finans"}, {"Identifier": [_NAME]}),
        ({"identifier": "../../etc"}, {"Identifier": [_NAME]}),
        ({"identifier": "abcd\n"}, {"Identifier": [_NAME]}),
        ({"identifier": "skd-æøå"}, {"Identifier": [_NAME]}),
        ({"identifier": "a" * 256}, {"Identifier": [_NAME]}),
        ({"identifier": "a_-9"}, {}),
        ({"identifier": "se_4628_1"}, {"Identifier": [_SERVICE_ENGINE]}),
        ({"identifier": "se_4628_1", "resourceType": "Altinn2Service", "resourceReferences": SERVICE}, {}),
        (
            {"identifier": "se_4628_1", "resourceType": "Altinn2Service", "resourceReferences": SERVICE[:1]},
            {"Identifier": [_SERVICE_ENGINE]},
        ),
        ({"identifier": "app_skd_melding"}, {"Identifier": [_APP_ONLY]}),
        ({"identifier": "app_skd_melding", "resourceType": "AltinnApp", "resourceReferences": APPLICATION}, {}),
        ({"identifier": "app_skd_melding", "resourceType": "MigratedApp", "resourceReferences": APPLICATION}, {}),
        (
            {"identifier": "app_nav_melding", "resourceType": "AltinnApp", "resourceReferences": APPLICATION},
            {"Identifier": [_APP_NAME], "ResourceReferences": [_APP_REFERENCE]},
        ),
        (
            {"identifier": "app_skd_melding", "resourceType": "AltinnApp", "resourceReferences": None},
            {"ResourceReferences": [_APP_REFERENCE]},
        ),
        (
            {
                "identifier": "app_skd_melding",
                "resourceType": "AltinnApp",
                "resourceReferences": [_reference("ApplicationId", "skd/melding", "Altinn2")],
            },
            {"ResourceReferences": [_APP_REFERENCE]},
        ),
        (
            {
                "identifier": "app_skd_a1-100:1.2",
                "resourceType": "MigratedApp",
                "resourceReferences": [_reference("ApplicationId", "skd/a1-100:1.2")],
            },
            {},
        ),
        ({"resourceType": None}, {"ResourceType": ["ResourceType needs to be set"]}),
        ({"resourceType": "Default"}, {"ResourceType": ["ResourceType needs to be set"]}),
        ({"resourceType": 2}, {}),
        (
            {"hasCompetentAuthority": None},
            _OWNER,
        ),
        ({"hasCompetentAuthority": {"organization": "12345678", "orgcode": "skd"}}, _OWNER),
        ({"hasCompetentAuthority": {"orgcode": "skd"}}, _OWNER),
        ({"hasCompetentAuthority": {"orgcode": "TTD"}}, {}),
        ({"hasCompetentAuthority": {"orgcode": "ttd", "organization": "974761076"}}, {}),
        (
            {"hasCompetentAuthority": {"orgcode": "ttd", "organization": "x"}},
            {"HasCompetentAuthority.Organization": ["An organization number is nine digits"]},
        ),
        (
            {"hasCompetentAuthority": {"organization": "974761076"}},
            {"HasCompetentAuthority.Orgcode": ["HasCompetentAuthority needs to be set with orgcode"]},
        ),
        ({"title": {"nb": "x", "nn": "y", "en": "  "}}, {"Title": ["Missing title in english en"]}),
        ({"title": {"nn": "y", "en": "z"}}, {"Title": ["Missing title in bokmal nb"]}),
        ({"description": {"nb": "x", "en": "z"}}, {"Description": ["Missing Description in nynorsk nn"]}),
        (
            {"rightDescription": {"nn": "x"}},
            {
                "RightDescription": [
                    "Missing RightDescription in english en",
                    "Missing RightDescription in bokmal nb",
                ]
            },
        ),
        ({"rightDescription": None, "delegable": False}, {}),
        ({"resourceReferences": []}, _SCOPE),
        ({"resourceReferences": [_reference("Uri", "https://skd.no")]}, _SCOPE),
        ({"resourceReferences": [{"referenceType": "MaskinportenScope"}]}, _SCOPE),
        ({"resourceReferences": [], "resourceType": "GenericAccessResource"}, {}),
        ({"title": {**LANGUAGES, "se": "Sámegiella"}}, {}),
    ],
)
def test_a_new_resource(changes: dict[str, Any], faults: dict[str, list[str]]) -> None:
    assert field_faults(resource(**changes), is_new=True) == faults


def test_what_was_named_before_the_rule_may_keep_its_name() -> None:
    assert field_faults(resource("Old.Name"), is_new=False) == {}


@pytest.mark.parametrize(
    ("caller", "of", "may"),
    [
        (owner(SKD), SKD, True),
        (owner(SKD), DIGDIR, False),
        (owner(SKD), None, False),
        (owner(DIGDIR, ADMIN), SKD, True),
        (owner(DIGDIR, ADMIN), None, True),
    ],
)
def test_the_owner_and_the_administrator_may_write(caller: Any, of: Any, may: bool) -> None:
    assert owns(caller, of) is may


def test_a_scope_belongs_to_whoever_has_its_whole_prefix() -> None:
    scopes = ("skd:a", "skdx:b", "nav:c/d:e", "skd")
    assert foreign_scopes(owner(prefixes=("skd", "nav")), scopes) == ("skdx:b",)
    assert foreign_scopes(owner(prefixes=()), scopes) == scopes
    assert foreign_scopes(owner(SKD, ADMIN, prefixes=()), scopes) == ()


@pytest.mark.parametrize(
    ("code", "orgno", "fields"),
    [("skd", "974761076", []), ("SKD", "974761076", ["Orgcode"]), ("s", "97476107", ["Orgcode", "Orgnr"])],
)
def test_a_service_owner_has_a_code_and_a_number(code: str, orgno: str, fields: list[str]) -> None:
    assert list(service_owner_faults(code, ServiceOwner(orgnr=orgno))) == fields
