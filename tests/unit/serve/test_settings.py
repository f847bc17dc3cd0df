"""Settings: where they come from, what follows from them, and every fault at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from fullmakt.serve.settings import ConfigError, Settings, load_settings

PRODUCTION = {
    "FULLMAKT_ENVIRONMENT": "production",
    "FULLMAKT_URL": "https://fullmakt.example.no",
    "FULLMAKT_DATABASE_URL": "postgresql://fullmakt:hemmelig@db.example.no/fullmakt",
}


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("FULLMAKT_"):
            monkeypatch.delenv(name)


@pytest.fixture
def master_key(tmp_path: Path) -> Path:
    path = tmp_path / "master.key"
    path.write_text("00" * 32)
    return path


def faults(file: Path | None = None, **overrides: object) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load_settings(file, **overrides)
    return refused.value.faults


def set_all(monkeypatch: pytest.MonkeyPatch, values: Mapping[str, str]) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def toml(folder: Path, text: str) -> Path:
    file = folder / "fullmakt.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_without_anything_set_it_is_a_developers_machine() -> None:
    settings = load_settings()
    assert (settings.base_url, settings.issuer) == ("http://localhost:8080", "http://localhost:8080/maskinporten/")
    assert settings.selfservice_url == "http://localhost:8080/selvbetjening"
    assert settings.parties_url == "http://localhost:8080/altinn/register"
    assert settings.pki_url == "http://localhost:8080/pki"
    assert (settings.has_demo_world, settings.has_pki, settings.explains, settings.logs_json) == (
        True,
        True,
        True,
        False,
    )
    assert settings.serves("maskinporten")
    config = settings.tokens_config()
    assert (config.issuer, config.jwks_max_age, config.crl_max_age, config.explain) == (settings.issuer, 60, 1, True)


def test_production_turns_off_what_is_for_developers(monkeypatch: pytest.MonkeyPatch, master_key: Path) -> None:
    set_all(monkeypatch, {**PRODUCTION, "FULLMAKT_MASTER_KEY_FILE": str(master_key), "FULLMAKT_HOST": "0.0.0.0"})
    settings = load_settings()
    assert (settings.has_demo_world, settings.has_pki, settings.explains, settings.logs_json) == (False,) * 3 + (True,)
    config = settings.tokens_config()
    assert (config.jwks_max_age, config.crl_max_age, config.explain) == (86_400, 300, False)
    assert settings.master_key_path == master_key


def test_the_environment_goes_before_the_file_and_arguments_before_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = toml(
        tmp_path, 'port = 1\nworkers = 2\n[maskinporten]\njwks_max_age = 3\niat_max_age = 4\n[log]\nlevel = "DEBUG"'
    )
    set_all(monkeypatch, {"FULLMAKT_WORKERS": "5", "FULLMAKT_MASKINPORTEN__JWKS_MAX_AGE": "6"})
    settings = load_settings(file, workers=7)
    assert (settings.port, settings.workers, settings.log.level) == (1, 7, "DEBUG")
    assert (settings.maskinporten.jwks_max_age, settings.maskinporten.iat_max_age) == (6, 4)


def test_the_environment_can_name_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FULLMAKT_CONFIG", str(toml(tmp_path, "port = 1234")))
    assert load_settings().base_url == "http://localhost:1234"


def test_lists_in_the_environment_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FULLMAKT_SYSTEMS", '["pki", "maskinporten"]')
    settings = load_settings()
    assert (settings.serves("pki"), settings.serves("register")) == (True, False)
    monkeypatch.setenv("FULLMAKT_SYSTEMS", "pki")
    (fault,) = faults()
    assert fault.startswith("environment: ")
    assert """FULLMAKT_SYSTEMS='["pki"]'""" in fault


def test_every_fault_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = toml(
        tmp_path,
        """
        prot = 1
        url = "ftp://example.no"
        host = "0.0.0.0"
        systems = ["maskinporten", "maskinpotren"]
        [maskinporten]
        urll = "x"
        signing_key_bits = 1024
        trust_anchors = ["/no/such.pem"]
        [log]
        level = "LOUD"
        """,
    )
    set_all(monkeypatch, {"FULLMAKT_WORKERS": "many", "FULLMAKT_PKI__ENABELD": "true"})
    told = faults(file)
    assert {fault.partition(": ")[0] for fault in told} == {
        "prot", "url", "host", "systems.1", "maskinporten.urll", "maskinporten.signing_key_bits",
        "maskinporten.trust_anchors.0", "log.level", "workers", "pki.enabeld",
    }  # fmt: skip
    assert {"prot: unknown setting", "maskinporten.urll: unknown setting", "pki.enabeld: unknown setting"} < set(told)


def test_a_section_that_is_no_section_is_a_fault_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FULLMAKT_MASKINPORTEN", "1")
    (fault,) = faults()
    assert fault.startswith("maskinporten: ")


@pytest.mark.parametrize("text", ["port = [", "port = 1\nport = 2", "\x00"])
def test_a_file_that_is_not_toml_is_a_fault(tmp_path: Path, text: str) -> None:
    (fault,) = faults(toml(tmp_path, text))
    assert "fullmakt.toml: " in fault


def test_a_file_that_is_not_text_or_not_there_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b'url = "\xe5"')
    assert len(faults(tmp_path / "latin.toml")) == 1
    assert faults(tmp_path / "none.toml") == [f"{tmp_path / 'none.toml'}: no such file"]
    assert faults(tmp_path) == [f"{tmp_path}: no such file"]


def test_production_asks_for_what_it_will_not_invent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FULLMAKT_ENVIRONMENT", "production")
    assert [fault.partition(":")[0] for fault in faults()] == ["url", "database_url", "master_key_file"]


@pytest.mark.parametrize("name", ["URL", "MASKINPORTEN__URL", "SELFSERVICE__URL", "PARTIES__URL", "PKI__URL"])
def test_production_serves_https_only(monkeypatch: pytest.MonkeyPatch, master_key: Path, name: str) -> None:
    set_all(monkeypatch, {**PRODUCTION, "FULLMAKT_MASTER_KEY_FILE": str(master_key)})
    monkeypatch.setenv(f"FULLMAKT_{name}", "http://fullmakt.example.no")
    assert faults() == [f"{name.lower().replace('__', '.')}: production serves https, not http://fullmakt.example.no"]
    monkeypatch.setenv(f"FULLMAKT_{name}", "http://localhost:8080")
    load_settings()


@pytest.mark.parametrize(
    "url", ["example.no", "https://", "//example.no", "https://a.no/?x=1", "https://a.no/#x", "file:///x", ""]
)
def test_a_url_is_http_with_a_host_and_without_query_and_fragment(url: str) -> None:
    assert faults(maskinporten={"url": url}) == [
        f"maskinporten.url: not an http(s) URL without query and fragment: {url}"
    ]


def test_two_systems_at_one_url_are_a_fault() -> None:
    shared: dict[str, object] = {"maskinporten": {"url": "https://Example.no/"}, "pki": {"url": "https://example.no"}}
    assert faults(None, **shared) == ["pki.url: the same as maskinporten.url: https://Example.no"]


def test_an_alternative_issuer_is_another_than_our_own() -> None:
    assert faults(None, exchange={"alternative_issuer": "http://localhost:8080/maskinporten/"}) == [
        "exchange.alternative_issuer: it is our own token server's"
    ]


def test_a_public_url_holds_no_password() -> None:
    assert faults(url="https://user:hemmelig@example.no") == ["url: a public URL holds no user name and no password"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.no", "localhost.example.no"])
def test_what_is_unsafe_stays_on_loopback_unless_that_is_meant(host: str) -> None:
    named = [fault.partition("and ")[2].partition(" is on")[0] for fault in faults(host=host)]
    assert named == [
        "insecure.demo_world", "insecure.test_tokens", "pki.enabled", "maskinporten.explain", "decisions.explain",
        "environment = development",
    ]  # fmt: skip
    assert load_settings(host=host, insecure={"beyond_loopback": True}).host == host


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.10", "::1", "fullmakt.localhost"])
def test_loopback_has_many_names(host: str) -> None:
    assert load_settings(host=host).has_demo_world


@pytest.mark.parametrize("unsafe", ["INSECURE__DEMO_WORLD", "PKI__ENABLED", "MASKINPORTEN__EXPLAIN"])
def test_production_beyond_loopback_refuses_each_unsafe_thing_alone(
    monkeypatch: pytest.MonkeyPatch, master_key: Path, unsafe: str
) -> None:
    set_all(monkeypatch, {**PRODUCTION, "FULLMAKT_MASTER_KEY_FILE": str(master_key), "FULLMAKT_HOST": "0.0.0.0"})
    monkeypatch.setenv(f"FULLMAKT_{unsafe}", "true")
    (fault,) = faults()
    assert unsafe.lower().replace("__", ".") in fault


def test_a_url_of_its_own_moves_what_follows_from_it() -> None:
    settings = load_settings(url="https://a.no/base/", maskinporten={"url": "https://maskinporten.a.no"})
    assert settings.issuer == "https://maskinporten.a.no/"
    assert (settings.base_url, settings.pki_url) == ("https://a.no/base", "https://a.no/base/pki")


def test_no_fault_tells_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, {**PRODUCTION, "FULLMAKT_PORT": "x", "FULLMAKT_URL": "nothing"})
    assert "hemmelig" not in "".join(faults())


def test_settings_can_be_made_without_a_file_or_an_environment() -> None:
    assert Settings(port=0).port == 0


@pytest.mark.parametrize("url", ["mysql://user:secret@host/database", "host/secret", "", "sqlite:///secret.db"])
def test_a_database_that_is_not_postgresql_is_told_without_its_url(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("FULLMAKT_DATABASE_URL", url)
    assert faults() == ["database_url: not a PostgreSQL URL: postgresql://user:password@host/database"]
