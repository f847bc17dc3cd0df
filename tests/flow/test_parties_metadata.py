"""The open metadata API: roles, packages, areas and groups, in three languages, with no token."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any

import httpx2
import pytest

from fullmakt.altinn.parties.http_metadata import metadata_app
from fullmakt.altinn.parties.metadata.load import published
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.attributes import ROLE_CODE, Attribute
from fullmakt.wire.altinn.resources import RegisteredResource

PACKAGES, ROLES = "/info/accesspackages", "/info/roles"
TAX = RegisteredResource(
    identifier="ske-krav",
    version=1,
    resource_type="GenericAccessResource",
    title=(("nb", "Krav"), ("en", "Claims")),
    owner_orgno=OrgNumber("974761076"),
    owner_code="skd",
    delegable=True,
    visible=True,
    access_list_enabled=False,
)
NOBODY = "00000000-0000-0000-0000-000000000000"


class OneResource:
    """A registry in which one package and one role lead to a resource."""

    async def resources_with_subjects(
        self, subjects: Collection[Attribute]
    ) -> dict[Attribute, Sequence[RegisteredResource]]:
        leading = {published().packages["krav-og-utlegg"].attribute, Attribute(ROLE_CODE, "dagl")}
        return {subject: [TAX] for subject in leading.intersection(subjects)}


@pytest.fixture
async def api() -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=metadata_app(OneResource()))
    async with httpx2.AsyncClient(transport=transport, base_url="http://meta.test") as client:
        yield client


async def _ok(api: httpx2.AsyncClient, path: str, **headers: str) -> Any:
    answer = await api.get(path, headers=headers)
    assert answer.status_code == 200, (path, answer.text)
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


async def test_the_export_is_the_whole_tree(api: httpx2.AsyncClient) -> None:
    groups = await _ok(api, f"{PACKAGES}/export")
    assert [(group["name"], group["type"]) for group in groups] == [
        ("Allment", "Organisasjon"),
        ("Bransje", "Organisasjon"),
        ("Særskilt", "Organisasjon"),
        ("Innbygger", "Person"),
        ("Vergemål", "Person"),
    ]
    assert set(groups[0]) == {"id", "name", "urn", "description", "type", "areas"}
    area = groups[0]["areas"][0]
    assert set(area) == {"id", "name", "urn", "description", "iconUrl", "packages"}
    assert area["urn"] == "accesspackage:area:skatt_avgift_regnskap_og_toll"
    urns = [package["urn"] for group in groups for area in group["areas"] for package in area["packages"]]
    assert len(urns) == len(set(urns)) == 223
    assert "urn:altinn:accesspackage:skattegrunnlag" in urns


async def test_groups_areas_and_packages_lead_to_each_other(api: httpx2.AsyncClient) -> None:
    for group in await _ok(api, f"{PACKAGES}/group/"):
        assert await _ok(api, f"{PACKAGES}/group/{group['id']}") == group
        areas = await _ok(api, f"{PACKAGES}/group/{group['id']}/areas")
        assert [area["name"] for area in areas] == sorted(area["name"] for area in areas)
        for area in areas:
            assert area["group"]["id"] == group["id"]
            assert await _ok(api, f"{PACKAGES}/area/{area['id']}") == area
            for package in await _ok(api, f"{PACKAGES}/area/{area['id']}/packages"):
                assert package["area"]["id"] == area["id"]
    by_id = await _ok(api, f"{PACKAGES}/package/{package['id']}")
    assert by_id == await _ok(api, f"{PACKAGES}/package/urn/{package['urn']}")
    assert by_id == await _ok(api, f"{PACKAGES}/package/urn/{package['urn'].rpartition(':')[2]}")


async def test_a_package_is_told_with_its_area_its_type_and_its_resources(api: httpx2.AsyncClient) -> None:
    package = await _ok(api, f"{PACKAGES}/package/urn/urn:altinn:accesspackage:krav-og-utlegg")
    assert set(package) == {
        "id", "name", "urn", "description", "isDelegable", "isAssignable", "isResourcePolicyAvailable", "area", "type",
        "resources",
    }  # fmt: skip
    assert package["type"]["name"] == "Organisasjon"
    assert (package["isDelegable"], package["isAssignable"]) == (True, True)
    assert [(one["refId"], one["name"], one["provider"]["code"]) for one in package["resources"]] == [
        ("ske-krav", "Krav", "skd")
    ]
    assert await _ok(api, f"{PACKAGES}/package/{package['id']}/resources") == package["resources"]
    client = await _ok(api, f"{PACKAGES}/package/urn/regnskapsforer-lonn")
    assert (client["isDelegable"], client["isAssignable"]) == (True, False)


@pytest.mark.parametrize(
    ("asked", "name", "language"),
    [
        ("nb", "Merverdiavgift", "nb"), ("no", "Merverdiavgift", "nb"), ("", "Merverdiavgift", "nb"),
        ("de, en;q=0.5", "Merverdiavgift", "nb"), ("nn-NO", "Meirverdiavgift", "nn"), ("nno", "Meirverdiavgift", "nn"),
        ("en-GB,nb;q=0.3", "Value added tax", "en"), ("EN", "Value added tax", "en"),
    ],
)  # fmt: skip
async def test_names_come_in_the_language_asked_for(
    api: httpx2.AsyncClient, asked: str, name: str, language: str
) -> None:
    headers = {"Accept-Language": asked, "X-Accept-Partial-Translation": "false"}
    answer = await api.get(f"{PACKAGES}/package/urn/merverdiavgift", headers=headers)
    assert (answer.json()["name"], answer.headers["content-language"]) == (name, language)
    assert answer.headers["vary"] == "Accept-Language"


async def test_a_role_is_told_with_both_its_names(api: httpx2.AsyncClient) -> None:
    roles = {role["code"]: role for role in await _ok(api, f"{ROLES}/")}
    head = roles["daglig-leder"]
    assert {name: head[name] for name in ("name", "isKeyRole", "urn", "legacyRoleCode", "legacyUrn")} == {
        "name": "Daglig leder",
        "isKeyRole": True,
        "urn": "urn:altinn:external-role:ccr:daglig-leder",
        "legacyRoleCode": "dagl",
        "legacyUrn": "urn:altinn:rolecode:dagl",
    }
    assert head["provider"]["code"] == "sys-ccr"
    assert await _ok(api, f"{ROLES}/{head['id']}") == [head]
    assert await _ok(api, f"{ROLES}/{NOBODY}") == []
    assert roles["apiadm"]["legacyUrn"] is None
    assert (await _ok(api, ROLES, **{"Accept-Language": "en"}))[0]["name"] == "Managing director"


async def test_a_role_gives_packages_by_organisation_form(api: httpx2.AsyncClient) -> None:
    async def given(query: str) -> list[str]:
        return [package["urn"].rpartition(":")[2] for package in await _ok(api, f"{ROLES}/packages?{query}")]

    assert await given("role=revisor&variant=ENK") == ["ansvarlig-revisor", "revisormedarbeider"]
    assert await given("role=REVI&variant=enk") == ["ansvarlig-revisor", "revisormedarbeider"]
    assert await given("role=forretningsforer&variant=AS") == []
    assert await given("role=forretningsforer&variant=BRL") == ["forretningsforer-eiendom"]
    assert len(await given("role=daglig-leder&variant=AS")) == 133
    roles = {role["code"]: role["id"] for role in await _ok(api, ROLES)}
    by_id = await _ok(api, f"{ROLES}/{roles['revisor']}/packages?variant=ENK")
    assert by_id == await _ok(api, f"{ROLES}/packages?role=revisor&variant=ENK")
    assert await _ok(api, f"{ROLES}/{NOBODY}/packages?variant=ENK") == []
    assert await _ok(api, f"{ROLES}/{roles['nav-arbeid']}/packages?variant=AS") == []


async def test_resources_come_along_when_they_are_asked_for(api: httpx2.AsyncClient) -> None:
    async def packages(query: str) -> dict[str, Any]:
        return {
            package["urn"].rpartition(":")[2]: package["resources"]
            for package in await _ok(api, f"{ROLES}/packages?role=styreleder&variant=AS{query}")
        }

    assert (await packages(""))["krav-og-utlegg"] is None
    with_resources = await packages("&includeResources=true")
    assert [one["refId"] for one in with_resources["krav-og-utlegg"]] == ["ske-krav"]
    assert with_resources["toll"] == []
    assert [one["refId"] for one in await _ok(api, f"{ROLES}/resources?role=dagl&variant=AS")] == ["ske-krav"]
    assert await _ok(api, f"{ROLES}/resources?role=lede&variant=AS") == []
    widened = await _ok(api, f"{ROLES}/resources?role=lede&variant=AS&includePackageResources=true")
    assert [one["refId"] for one in widened] == ["ske-krav"]
    assert await _ok(api, f"{ROLES}/{NOBODY}/resources?variant=AS") == []


async def test_packages_are_searched_for(api: httpx2.AsyncClient) -> None:
    found = await _ok(api, f"{PACKAGES}/search?term=underhold")
    assert found[0]["object"]["name"] == "Kunst og underholdning"
    assert found[0]["score"] > 0
    assert found[0]["fields"][0]["field"] == "name"
    fuzzy = await _ok(api, f"{PACKAGES}/search?term=underholdnig&simpleSearch=false")
    assert fuzzy[0]["object"]["name"] == "Kunst og underholdning"
    owned = await _ok(api, f"{PACKAGES}/search?term=krav&resourceProviderCode=SKD")
    assert [one["object"]["name"] for one in owned] == ["Krav, betalinger og utlegg"]
    people = await _ok(api, f"{PACKAGES}/search?term=pensjon&typeName=person")
    assert {one["object"]["type"]["name"] for one in people} == {"Person"}


@pytest.mark.parametrize(
    "path",
    [
        f"{PACKAGES}/search?term=zzzzzz",
        f"{PACKAGES}/search?term=underholdnig",
        f"{PACKAGES}/search?term=underhold%20zzz&strict=true",
        f"{PACKAGES}/search?term=krav&resourceProviderCode=nav",
        f"{PACKAGES}/search?term=%00",
        f"{PACKAGES}/package/{published().packages['toll'].id}/resources",
    ],
)
async def test_nothing_found_is_no_content(api: httpx2.AsyncClient, path: str) -> None:
    answer = await api.get(path)
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        (f"{PACKAGES}/package/{NOBODY}", 404, None),
        (f"{PACKAGES}/package/{NOBODY}/resources", 404, None),
        (f"{PACKAGES}/package/urn/urn:altinn:accesspackage:ukjent", 404, None),
        (f"{PACKAGES}/package/urn/%00", 404, None),
        (f"{PACKAGES}/group/{NOBODY}", 404, None),
        (f"{PACKAGES}/group/{NOBODY}/areas", 404, None),
        (f"{PACKAGES}/area/{NOBODY}", 404, None),
        (f"{PACKAGES}/area/{NOBODY}/packages", 404, None),
        (f"{ROLES}/packages?role=does-not-exist&variant=ENK", 404, None),
        (f"{ROLES}/packages?role=revisor&variant=XYZ", 404, None),
        (f"{ROLES}/{NOBODY}/packages?variant=XYZ", 404, None),
        (f"{ROLES}/resources?role=does-not-exist&variant=ENK", 404, None),
        ("/info/nothing", 404, None),
        (f"{PACKAGES}/package/one", 400, "id"),
        (f"{PACKAGES}/area/%00", 400, "id"),
        (f"{ROLES}/one", 400, "id"),
        (f"{ROLES}/packages?variant=AS", 400, "role"),
        (f"{ROLES}/packages?role=revisor", 400, "variant"),
        (f"{ROLES}/packages?role=&variant=AS", 400, "role"),
        (f"{ROLES}/packages?role=revisor&variant=AS&includeResources=maybe", 400, "includeResources"),
        (f"{PACKAGES}/search", 400, "term"),
        (f"{PACKAGES}/search?term=a&strict=1", 400, "strict"),
        (f"{PACKAGES}/search?term=a&typeName=hest", 400, "typeName"),
    ],
)
async def test_what_is_not_there_or_not_understood_is_a_problem(
    api: httpx2.AsyncClient, path: str, status: int, field: str | None
) -> None:
    answer = await api.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["title"]
    assert list(answer.json().get("errors", {})) == ([field] if field else [])


async def test_the_forms_of_organisations_are_listed(api: httpx2.AsyncClient) -> None:
    forms = {form["name"]: form for form in await _ok(api, "/types/organization/subtypes")}
    assert {"AS", "ENK", "FLI", "NUF", "BEDR", "AAFY", "REV", "UTBG", "SÆR"} <= set(forms)
    assert forms["AS"]["description"] == "Aksjeselskap"
    assert len({form["typeId"] for form in forms.values()}) == 1


async def test_nothing_can_be_written(api: httpx2.AsyncClient) -> None:
    assert (await api.post(f"{PACKAGES}/export")).status_code == 405


async def test_without_a_registry_nothing_leads_to_a_resource() -> None:
    transport = httpx2.ASGITransport(app=metadata_app())
    async with httpx2.AsyncClient(transport=transport, base_url="http://meta.test") as client:
        assert (await _ok(client, f"{PACKAGES}/package/urn/krav-og-utlegg"))["resources"] == []
        assert await _ok(client, f"{ROLES}/resources?role=dagl&variant=AS") == []
