"""Whether the files that the settings name are what they are named as: told before anything is started."""

from __future__ import annotations

from pathlib import Path

from fullmakt.infra.secrets import MasterKey, MasterKeyError
from fullmakt.serve.neighbours import read_anchors
from fullmakt.serve.settings import ConfigError, Settings
from fullmakt.serve.tls import check_tls


def check_files(settings: Settings) -> None:
    """Read the master key, the trust anchors, and the server's certificate and key, where they are set.

    Raises:
        ConfigError: with every fault found.
    """
    faults = [*_master_key_faults(settings.master_key_file), *_anchor_faults(settings)]
    try:
        check_tls(settings)
    except ConfigError as error:
        faults += error.faults
    if faults:
        raise ConfigError(faults)


def _master_key_faults(file: Path | None) -> list[str]:
    if file is None:
        return []
    try:
        MasterKey.load(file)
    except MasterKeyError:
        return [f"master_key_file: {file} can not be read, or is not 64 hexadecimal digits (openssl rand -hex 32)"]
    return []


def _anchor_faults(settings: Settings) -> list[str]:
    section = settings.maskinporten
    faults = []
    for position, file in enumerate(section.trust_anchors):
        try:
            read_anchors([file], section.policies)
        except (OSError, ValueError):
            faults.append(
                f"maskinporten.trust_anchors.{position}: {file} can not be read, or is not certificates in PEM"
            )
    return faults
