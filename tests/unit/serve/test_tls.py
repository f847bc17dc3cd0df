"""The server's own TLS: what it needs, what is wrong with it in words, and whom it asks for a certificate."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from fullmakt.serve.settings import ConfigError, Settings
from fullmakt.serve.settings_sections import TlsSettings
from fullmakt.serve.tls import Tls, check_tls
from tests.support.tls import ServerFiles, server_files

NO_CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.fixture
def files(tmp_path: Path) -> ServerFiles:
    return server_files(tmp_path, curve=True)


def settings(files: ServerFiles, **more: Any) -> Settings:
    tls = {"certificate": files.certificate, "key": files.key, **more.pop("tls", {})}
    return Settings.model_validate({"tls": tls, **more})


def context(authorities: str = "", **section: Any) -> ssl.SSLContext:
    return Tls(TlsSettings(**section), authorities, handshake_timeout=30).context()


def fault(**section: Any) -> str:
    with pytest.raises(ConfigError) as refused:
        context(**section)
    [only] = refused.value.faults
    return only


def faults(files: ServerFiles, **more: Any) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        settings(files, **more)
    return refused.value.faults


# -- settings ----------------------------------------------------------------------------------------------------------


def test_every_url_is_https_with_a_certificate(files: ServerFiles) -> None:
    made = settings(files, port=8443)
    assert (made.base_url, made.issuer) == ("https://localhost:8443", "https://localhost:8443/maskinporten/")
    assert all(url.startswith("https://localhost:8443/") for url in made.system_urls.values())
    assert not Settings().ends_tls


def test_an_url_of_ours_that_is_http_is_told_as_a_fault(files: ServerFiles) -> None:
    told = faults(
        files,
        url="http://localhost:8443",
        maskinporten={"url": "http://localhost:8443/m", "consents_url": "http://localhost:9000"},
        delegations={"altinn2_url": "http://localhost:8443/a2"},
    )
    assert told == [
        "url: with a tls.certificate this process serves https, not http://localhost:8443",
        "maskinporten.url: with a tls.certificate this process serves https, not http://localhost:8443/m",
        "delegations.altinn2_url: with a tls.certificate this process serves https, not http://localhost:8443/a2",
    ]


def test_an_url_of_a_system_that_another_process_serves_is_its_own_affair(files: ServerFiles) -> None:
    made = settings(files, systems=["maskinporten"], pki={"url": "http://localhost:8081/pki"})
    assert made.pki_url == "http://localhost:8081/pki"


@pytest.mark.parametrize("section", [{"key": "server.key"}, {"key_password": "hemmelig"}], ids=["key", "password"])
def test_a_key_without_a_certificate_is_told_as_a_fault(tmp_path: Path, section: dict[str, str]) -> None:
    given = {name: str(tmp_path / value) for name, value in section.items()}
    if "key" in given:
        server_files(tmp_path, curve=True)
    with pytest.raises(ConfigError) as refused:
        Settings.model_validate({"tls": given})
    [name] = section
    assert refused.value.faults == [f"tls.certificate: must be set, for tls.{name} is"]


def test_files_that_are_not_there_are_told_as_faults(tmp_path: Path) -> None:
    none = ServerFiles(tmp_path / "a.pem", tmp_path / "b.key")
    assert faults(none) == [
        f"tls.certificate: no such file: {none.certificate}",
        f"tls.key: no such file: {none.key}",
    ]


def test_the_password_is_not_shown(files: ServerFiles) -> None:
    made = settings(files, tls={"key_password": "hemmelig"})
    assert "hemmelig" not in f"{made!r}{made.model_dump(mode='json')}"


@pytest.mark.parametrize(
    ("more", "asks"),
    [
        ({}, True),
        ({"tls": {"client_certificates": False}}, False),
        ({"consents": {"client_certificate_header": "X-Client-Cert"}}, False),
        ({"systems": ["maskinporten"]}, False),
        ({"systems": ["accessmanagement"]}, True),
    ],
    ids=["by itself", "turned off", "behind a proxy", "the token server alone", "access management alone"],
)
def test_callers_are_asked_where_somebody_can_make_use_of_it(
    files: ServerFiles, more: dict[str, Any], asks: bool
) -> None:
    assert settings(files, **more).asks_for_certificates is asks


def test_nobody_is_asked_where_the_server_speaks_plain_http() -> None:
    assert not Settings().asks_for_certificates


# -- the files ---------------------------------------------------------------------------------------------------------


def test_one_file_may_hold_both_certificate_and_key(files: ServerFiles) -> None:
    files.certificate.write_bytes(files.certificate.read_bytes() + files.key.read_bytes())
    assert context(certificate=files.certificate).verify_mode is ssl.CERT_NONE


def test_a_key_that_is_encrypted_is_opened_with_its_password_alone(tmp_path: Path) -> None:
    sealed = server_files(tmp_path, curve=True, password="hemmelig")
    given: dict[str, Any] = {"certificate": sealed.certificate, "key": sealed.key}
    assert context(**given, key_password=SecretStr("hemmelig"))
    for wrong in ({}, {"key_password": SecretStr("feil")}, {"key_password": SecretStr("x" * 5_000)}):
        told = fault(**given, **wrong)  # and nobody is asked at the terminal
        assert told.startswith(f"tls.certificate: {sealed.certificate} with the key in {sealed.key}")
        assert "feil" not in told


def test_the_key_of_another_certificate_is_told(tmp_path: Path, files: ServerFiles) -> None:
    other = server_files(tmp_path, "other", curve=True)
    assert fault(certificate=files.certificate, key=other.key) == (
        f"tls.key: {other.key} is not the key of {files.certificate}"
    )


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_certificate_is_told(files: ServerFiles, content: bytes) -> None:
    files.certificate.write_bytes(content)
    assert "can not be used: not PEM, or " in fault(certificate=files.certificate, key=files.key)


def test_a_file_that_can_not_be_read_is_told(tmp_path: Path, files: ServerFiles) -> None:
    assert fault(certificate=tmp_path / "none.pem", key=files.key).endswith(": No such file or directory")


def test_the_check_reads_the_files_where_there_are_any(files: ServerFiles) -> None:
    check_tls(Settings())
    check_tls(settings(files))
    files.key.write_text("none")
    with pytest.raises(ConfigError):
        check_tls(settings(files))


def test_a_certificate_is_asked_for_and_not_demanded(files: ServerFiles) -> None:
    given: dict[str, Any] = {"certificate": files.certificate, "key": files.key}
    asking = context(files.certificate.read_text(), **given)
    assert asking.verify_mode is ssl.CERT_OPTIONAL
    assert asking.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context(**given).verify_mode is ssl.CERT_NONE


def test_nothing_is_renewed_before_anything_is_served(files: ServerFiles) -> None:
    tls = Tls(TlsSettings(certificate=files.certificate, key=files.key), "", handshake_timeout=30)
    tls.reload()
    serving = tls()
    assert serving.sni_callback is None
    tls.reload()
    assert serving.sni_callback is not None
