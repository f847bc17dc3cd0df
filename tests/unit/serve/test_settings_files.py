"""Files that are there and are not what the settings name them as."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fullmakt.serve.settings import ConfigError, Settings
from fullmakt.serve.settings_files import check_files
from tests.support.tls import server_files


def faults(**given: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        check_files(Settings(**given))
    return caught.value.faults


def test_what_is_good_and_what_is_not_set_is_let_pass(tmp_path: Path) -> None:
    files = server_files(tmp_path)
    key = tmp_path / "master.key"
    key.write_text("0f" * 32 + "\n")
    tls = {"certificate": files.certificate, "key": files.key}
    check_files(Settings())
    check_files(Settings(master_key_file=key, tls=tls, maskinporten={"trust_anchors": [files.certificate]}))


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b"0f" * 31, b"0f" * 33, b"0x" * 32])
def test_what_is_no_master_key_is_told_and_not_shown(tmp_path: Path, content: bytes) -> None:
    key = tmp_path / "master.key"
    key.write_bytes(content)
    assert faults(master_key_file=key) == [
        f"master_key_file: {key} can not be read, or is not 64 hexadecimal digits (openssl rand -hex 32)"
    ]


def test_every_file_is_read_and_all_faults_are_told_at_once(tmp_path: Path) -> None:
    files = server_files(tmp_path)
    none = tmp_path / "none.pem"
    none.write_text("none")
    anchors = [files.certificate, none]
    told = faults(
        master_key_file=none, maskinporten={"trust_anchors": anchors}, tls={"certificate": none, "key": files.key}
    )
    assert [fault.partition(":")[0] for fault in told] == [
        "master_key_file",
        "maskinporten.trust_anchors.1",
        "tls.certificate",
    ]
