"""The rules of the certificate path (maskinporten.md §2.5), each kept and each broken once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from fullmakt.jose.chains import (
    CertificateRejectedError,
    Rejection,
    TrustAnchors,
    ValidatedCertificate,
    check_revocation,
    validate_chain,
)
from fullmakt.jose.compact import parse_compact
from fullmakt.jose.keys import LocalSigner
from tests.support import certificates as make
from tests.support.certificates import CRL_URL, NOW, ORGNO, Ca

ROOT = make.root()
ISSUING = ROOT.ca("Issuing", path_length=0)
ANCHORS = TrustAnchors((ROOT.certificate,), (ISSUING.certificate,), ("2.16.578.1.29.913.200.*",))
ROOT_ALONE = TrustAnchors((ROOT.certificate,), (), ANCHORS.policies)
OTHER_ROOT = make.root("Production root")
DAY = dt.timedelta(days=1)


def rejection(
    *chain: x509.Certificate, anchors: TrustAnchors = ANCHORS, now: dt.datetime = NOW
) -> CertificateRejectedError:
    with pytest.raises(CertificateRejectedError) as caught:
        validate_chain(chain, anchors, now)
    return caught.value


def test_a_leaf_alone_is_completed_from_our_own_intermediates() -> None:
    leaf = ISSUING.leaf()
    validated = validate_chain([leaf], ANCHORS, NOW)
    assert validated == ValidatedCertificate(
        leaf=leaf,
        public_key=validated.public_key,
        orgno=validated.orgno,
        issuer=ISSUING.certificate,
        chain=(leaf, ISSUING.certificate, ROOT.certificate),
        not_after=leaf.not_valid_after_utc,
        crl_urls=(CRL_URL,),
    )
    assert validated.orgno == ORGNO
    assert validated.public_key.algorithms == {"RS256", "RS384", "RS512"}


def test_the_key_of_the_leaf_is_the_one_that_verifies() -> None:
    jws = parse_compact(LocalSigner.from_native(make.rsa_key("leaf")).sign(b"{}"))
    key = validate_chain([ISSUING.leaf()], ANCHORS, NOW).public_key
    assert key.verify("RS256", jws.signing_input, jws.signature)


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(lambda leaf, ca, root: [leaf, ca, root], id="full"),
        pytest.param(lambda leaf, ca, root: [leaf, root, ca], id="reordered"),
        pytest.param(lambda leaf, ca, root: [leaf, ca], id="without the root"),
        pytest.param(lambda leaf, ca, root: [leaf, ca, leaf, ca, leaf], id="looped"),
        pytest.param(lambda leaf, ca, root: [leaf, OTHER_ROOT.certificate, ca], id="with a stranger among them"),
    ],
)
def test_the_order_of_what_is_sent_along_does_not_matter(
    order: Callable[[x509.Certificate, x509.Certificate, x509.Certificate], Sequence[x509.Certificate]],
) -> None:
    leaf = ISSUING.leaf()
    sent = order(leaf, ISSUING.certificate, ROOT.certificate)
    assert validate_chain(sent, ROOT_ALONE, NOW).chain == (leaf, ISSUING.certificate, ROOT.certificate)


def test_a_chain_of_several_intermediates_is_followed_in_any_order() -> None:
    upper = ROOT.ca("Upper")
    lower = upper.ca("Lower")
    leaf = lower.leaf()
    for sent in ([leaf, lower.certificate, upper.certificate], [leaf, upper.certificate, lower.certificate]):
        assert validate_chain(sent, ROOT_ALONE, NOW).issuer == lower.certificate


def test_a_truncated_chain_with_no_intermediate_at_hand_is_not_trusted() -> None:
    assert rejection(ISSUING.leaf(), anchors=ROOT_ALONE).reason == Rejection.UNTRUSTED


def test_the_leaf_must_come_first() -> None:
    assert rejection(ISSUING.certificate, ISSUING.leaf()).reason == Rejection.CA_CERTIFICATE


@pytest.mark.parametrize(
    ("count", "reason"), [(11, Rejection.CHAIN_TOO_LONG), (50, Rejection.CHAIN_TOO_LONG), (0, Rejection.MALFORMED)]
)
def test_a_chain_has_one_to_ten_certificates(count: int, reason: Rejection) -> None:
    assert rejection(*[ISSUING.leaf()] * count).reason == reason


def test_validity_ends_with_the_first_of_the_path_to_expire() -> None:
    short = ROOT.ca("Short", valid=(NOW - DAY, NOW + DAY))
    assert validate_chain([short.leaf(), short.certificate], ROOT_ALONE, NOW).not_after == NOW + DAY


def test_a_leaf_is_valid_from_its_first_second_to_its_last() -> None:
    leaf = ISSUING.leaf(valid=(NOW, NOW + DAY))
    second = dt.timedelta(seconds=1)
    assert validate_chain([leaf], ANCHORS, NOW)
    assert validate_chain([leaf], ANCHORS, NOW + DAY)
    assert rejection(leaf, now=NOW - second).reason == Rejection.NOT_YET_VALID
    assert rejection(leaf, now=NOW + DAY + second).reason == Rejection.EXPIRED


@pytest.mark.parametrize("usage", ["digital_signature", "content_commitment", "key_encipherment"])
def test_any_key_usage_will_do(usage: str) -> None:
    leaf = ISSUING.leaf(extensions={"usage": (make.key_usage(usage), True)})
    assert validate_chain([leaf], ANCHORS, NOW).orgno == ORGNO


def test_a_leaf_without_aki_and_with_an_extended_key_usage_passes() -> None:
    usages = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
    leaf = ISSUING.leaf(extensions={"aki": None, "eku": (usages, False)})
    assert validate_chain([leaf], ANCHORS, NOW).orgno == ORGNO


def test_an_elliptic_leaf_passes() -> None:
    leaf = ISSUING.leaf(key=make.ec_key("leaf"))
    assert validate_chain([leaf], ANCHORS, NOW).public_key.algorithms == {"ES256"}


UNKNOWN_EXTENSION = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\5\0")
BAD: list[tuple[str, Callable[[], x509.Certificate], Rejection, str]] = [
    ("expired", lambda: ISSUING.leaf(valid=(NOW - 2 * DAY, NOW - DAY)), Rejection.EXPIRED,
     "the certificate expired at 2026-11-20T12:00:00Z"),
    ("not yet valid", lambda: ISSUING.leaf(valid=(NOW + DAY, NOW + 2 * DAY)), Rejection.NOT_YET_VALID,
     "the certificate is not valid before 2026-11-22T12:00:00Z"),
    ("self-signed", lambda: Ca(ISSUING.certificate, ISSUING.key).leaf(subject=ISSUING.certificate.subject),
     Rejection.SELF_SIGNED, "the certificate is its own issuer"),
    ("no key usage", lambda: ISSUING.leaf(extensions={"usage": None}), Rejection.KEY_USAGE_MISSING,
     "the certificate has no keyUsage"),
    ("unknown critical extension",
     lambda: ISSUING.leaf(extensions={"odd": (UNKNOWN_EXTENSION, True)}),
     Rejection.CRITICAL_EXTENSION, "critical extensions that are not recognised: 1.2.3"),
    ("critical policies", lambda: ISSUING.leaf(extensions={"policies": (make.policies(make.POLICY), True)}),
     Rejection.CRITICAL_EXTENSION, "critical extensions that are not recognised: 2.5.29.32"),
    ("a CA's own", lambda: ISSUING.leaf(extensions={"bc": (x509.BasicConstraints(ca=True, path_length=None), True)}),
     Rejection.CA_CERTIFICATE, "a CA's own certificate speaks for no client"),
    ("1024 bits", lambda: ISSUING.leaf(key=make.rsa_key("weak", 1024)), Rejection.WEAK_KEY,
     "the RSA key has 1024 bits: 2048 is the least"),
    ("Ed25519", lambda: ISSUING.leaf(key=make.ed25519_key()), Rejection.UNSUPPORTED_KEY,
     "the certificate's key is neither RSA nor P-256"),
    ("P-384", lambda: ISSUING.leaf(key=make.ec_key("leaf", "P-384")), Rejection.UNSUPPORTED_KEY,
     "an EC key must be on P-256"),
    ("another hierarchy", lambda: OTHER_ROOT.leaf(), Rejection.UNTRUSTED,
     "no path to a trusted root from the issuer CN=Production root,O=Test,C=NO at 2026-11-21T12:00:00Z"),
    ("forged signature", lambda: ISSUING.leaf(signed_by=make.rsa_key("forger")), Rejection.UNTRUSTED,
     "no path to a trusted root from the issuer CN=Issuing,O=Test,C=NO at 2026-11-21T12:00:00Z"),
    ("no policy", lambda: ISSUING.leaf(extensions={"policies": None}), Rejection.POLICY,
     "no allowed policy: the certificate has none, allowed are 2.16.578.1.29.913.200.*"),
    ("other policy", lambda: ISSUING.leaf(extensions={"policies": (make.policies("2.16.578.1.29.913.20"), False)}),
     Rejection.POLICY,
     "no allowed policy: the certificate has 2.16.578.1.29.913.20, allowed are 2.16.578.1.29.913.200.*"),
    ("no organisation number", lambda: ISSUING.leaf(subject=make.distinguished_name(C="NO", O="A", CN="B")),
     Rejection.NO_ORGANISATION_NUMBER,
     "the subject holds no organisation number, neither in serialNumber, O nor organizationIdentifier"),
]  # fmt: skip


@pytest.mark.parametrize(("leaf", "reason", "message"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_certificate_that_breaks_one_rule_is_refused_with_that_reason(
    leaf: Callable[[], x509.Certificate], reason: Rejection, message: str
) -> None:
    error = rejection(leaf())
    assert (error.reason, str(error)) == (reason, message)


def test_the_rules_come_in_the_order_of_the_contract() -> None:
    worst = OTHER_ROOT.leaf(
        valid=(NOW - 2 * DAY, NOW - DAY), key=make.rsa_key("weak", 1024), extensions={"usage": None, "policies": None}
    )
    assert rejection(worst).reason == Rejection.EXPIRED
    assert rejection(worst, now=NOW - 2 * DAY).reason == Rejection.KEY_USAGE_MISSING


@pytest.mark.parametrize(
    ("authority", "fault"),
    [
        (lambda: ROOT.ca("Expired", valid=(NOW - 2 * DAY, NOW - DAY)), "expired"),
        (lambda: ROOT.ca("No CA", is_ca=False), "no CA"),
        (lambda: ROOT.ca("No signing", usage=make.key_usage("digital_signature")), "keyUsage without keyCertSign"),
        (lambda: ROOT.ca("Weak", key=make.rsa_key("weak", 1024)), "1024 bits"),
        (lambda: ISSUING.ca("Too deep"), "below a path length of 0"),
        (lambda: OTHER_ROOT, "a root of one's own"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_path_through_a_bad_authority_is_no_path(authority: Callable[[], Ca], fault: str) -> None:
    ca = authority()
    assert rejection(ca.leaf(), ca.certificate, ISSUING.certificate).reason == Rejection.UNTRUSTED, fault


def test_an_enterprise_certificate_can_not_issue_another() -> None:
    holder = Ca(ISSUING.leaf(key=make.rsa_key("leaf")), make.rsa_key("leaf"))
    below = holder.leaf(subject=make.SEID1)
    assert rejection(below, holder.certificate).reason == Rejection.UNTRUSTED


def test_a_maze_of_certificates_that_sign_each_other_does_not_lead_astray() -> None:
    key = make.rsa_key("maze")
    maze = [make.root("Maze", key=key).certificate for _ in range(9)]
    assert rejection(Ca(maze[0], key).leaf(), *maze).reason == Rejection.UNTRUSTED
    leaf = ISSUING.leaf()
    assert validate_chain([leaf, *maze[:8], ISSUING.certificate], ROOT_ALONE, NOW).issuer == ISSUING.certificate


def test_an_issuers_name_in_a_message_is_one_printable_line() -> None:
    name = "x\n\x1b[31m\u202e" + "y" * 50
    error = rejection(make.root(name).leaf())
    assert error.reason == Rejection.UNTRUSTED
    assert str(error).isprintable()


def test_a_certificate_whose_extensions_can_not_be_read_is_malformed() -> None:
    broken = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.19"), b"\xff\xff")
    assert rejection(ISSUING.leaf(extensions={"bc": (broken, False)})).reason == Rejection.MALFORMED


@pytest.mark.parametrize(
    ("policy", "allowed", "passes"),
    [
        ("2.16.578.1.26.1.3.2", ("2.16.578.1.26.1.3.2",), True),
        ("2.16.578.1.26.1.3.21", ("2.16.578.1.26.1.3.2",), False),
        ("2.16.578.1.26.1.3.2", ("2.16.578.1.26.1.3.2.*",), False),
        ("2.16.578.1.29.13.200.1.1", ("2.16.578.1.29.13.200.*",), True),
        ("2.16.578.1.29.13.200.1.1", ("1.2.3", "2.16.578.*"), True),
        ("2.16.578.1.29.13.200.1.1", (), False),
    ],
)
def test_policies_match_to_the_letter_or_under_a_trailing_star(
    policy: str, allowed: tuple[str, ...], passes: bool
) -> None:
    leaf = ISSUING.leaf(extensions={"policies": (make.policies("1.1.1", policy), False)})
    anchors = TrustAnchors(ANCHORS.roots, ANCHORS.intermediates, allowed)
    if passes:
        assert validate_chain([leaf], anchors, NOW).orgno == ORGNO
    else:
        assert rejection(leaf, anchors=anchors).reason == Rejection.POLICY


def test_without_trust_anchors_nothing_is_trusted() -> None:
    assert rejection(ISSUING.leaf(), ISSUING.certificate, anchors=TrustAnchors((), (), ("*",))).reason == "untrusted"


def test_an_issuing_ca_can_be_a_trust_anchor_but_a_leaf_can_not() -> None:
    leaf = ISSUING.leaf()
    anchors = TrustAnchors((ISSUING.certificate,), (), ANCHORS.policies)
    assert validate_chain([leaf], anchors, NOW).chain == (leaf, ISSUING.certificate)
    with pytest.raises(ValueError, match="a trust anchor is a CA's certificate"):
        TrustAnchors((leaf,))


def test_trust_anchors_are_read_from_pem_bundles() -> None:
    roots = ROOT.certificate.public_bytes(Encoding.PEM) + OTHER_ROOT.certificate.public_bytes(Encoding.PEM)
    anchors = TrustAnchors.from_pem(roots, ISSUING.certificate.public_bytes(Encoding.PEM), ["1.2.*"])
    assert anchors == TrustAnchors((ROOT.certificate, OTHER_ROOT.certificate), (ISSUING.certificate,), ("1.2.*",))
    assert TrustAnchors.from_pem(roots, b"\n").intermediates == ()
    with pytest.raises(ValueError, match="PEM"):
        TrustAnchors.from_pem(b"nothing")


# Revocation (maskinporten.md §2.5 rule 6; RFC 5280 §6.3)

LEAF = ISSUING.leaf()
VALIDATED = validate_chain([LEAF], ANCHORS, NOW)


def revocation_reason(*crls: x509.CertificateRevocationList, validated: ValidatedCertificate = VALIDATED) -> Rejection:
    with pytest.raises(CertificateRejectedError) as caught:
        check_revocation(validated, crls, NOW)
    return caught.value.reason


def issuing_distribution_point(url: str = CRL_URL, **only: bool) -> x509.IssuingDistributionPoint:
    names = ("only_contains_user_certs", "only_contains_ca_certs", "indirect_crl", "only_contains_attribute_certs")
    return x509.IssuingDistributionPoint(
        full_name=[x509.UniformResourceIdentifier(url)],
        relative_name=None,
        only_some_reasons=frozenset({x509.ReasonFlags.key_compromise}) if only.get("only_some_reasons") else None,
        **{name: only.get(name, False) for name in names},
    )


def test_a_certificate_that_no_crl_lists_passes() -> None:
    check_revocation(VALIDATED, [ISSUING.crl(), ISSUING.crl(ISSUING.leaf())], NOW)


def test_a_certificate_on_the_crl_is_revoked() -> None:
    with pytest.raises(CertificateRejectedError, match="revoked at 2026-11-21T11:00:00Z") as caught:
        check_revocation(VALIDATED, [ISSUING.crl(), ISSUING.crl(ISSUING.leaf(), LEAF)], NOW)
    assert caught.value.reason == Rejection.REVOKED


def test_without_a_crl_a_certificate_that_names_one_is_refused() -> None:
    assert revocation_reason() == Rejection.CRL_MISSING


def test_a_certificate_that_names_no_crl_passes_without() -> None:
    leaf = ISSUING.leaf(extensions={"crl": None})
    check_revocation(validate_chain([leaf], ANCHORS, NOW), [], NOW)


def test_a_certificate_whose_crl_lies_where_nobody_can_fetch_it_is_refused() -> None:
    leaf = ISSUING.leaf(extensions={"crl": (make.distribution_points("ldap://crl.example/x"), False)})
    with pytest.raises(CertificateRejectedError) as caught:
        check_revocation(validate_chain([leaf], ANCHORS, NOW), [], NOW)
    assert caught.value.reason == Rejection.CRL_MISSING


def test_only_http_distribution_points_are_fetched_from() -> None:
    points = make.distribution_points("ldap://crl.example/x", "HTTPS://crl.example/a.crl", "http://crl.example/b.crl")
    leaf = ISSUING.leaf(extensions={"crl": (points, False)})
    urls = validate_chain([leaf], ANCHORS, NOW).crl_urls
    assert urls == ("HTTPS://crl.example/a.crl", "http://crl.example/b.crl")


@pytest.mark.parametrize(
    "crl",
    [
        pytest.param(lambda: ISSUING.crl(next_update=NOW), id="due"),
        pytest.param(lambda: ISSUING.crl(this_update=NOW - 3 * DAY, next_update=NOW - DAY), id="stale"),
        pytest.param(lambda: ISSUING.crl(this_update=NOW + DAY, next_update=NOW + 2 * DAY), id="from the future"),
    ],
)
def test_a_crl_outside_of_its_time_is_stale(crl: Callable[[], x509.CertificateRevocationList]) -> None:
    assert revocation_reason(crl()) == Rejection.CRL_STALE


@pytest.mark.parametrize(
    "crl",
    [
        pytest.param(lambda: ROOT.crl(), id="of another CA"),
        pytest.param(lambda: ISSUING.crl(key=ROOT.key), id="signed by another CA"),
        pytest.param(lambda: ISSUING.crl(key=make.ec_key("forger")), id="signed with another kind of key"),
        pytest.param(lambda: OTHER_ROOT.crl(), id="of another hierarchy"),
        pytest.param(lambda: ISSUING.crl(extensions=[(x509.DeltaCRLIndicator(1), True)]), id="delta"),
        pytest.param(
            lambda: ISSUING.crl(extensions=[(issuing_distribution_point(only_contains_ca_certs=True), True)]),
            id="of CAs alone",
        ),
        pytest.param(
            lambda: ISSUING.crl(extensions=[(issuing_distribution_point(only_some_reasons=True), True)]),
            id="of some reasons",
        ),
        pytest.param(
            lambda: ISSUING.crl(extensions=[(issuing_distribution_point(indirect_crl=True), True)]), id="indirect"
        ),
        pytest.param(
            lambda: ISSUING.crl(extensions=[(issuing_distribution_point("http://crl.example/part2.crl"), True)]),
            id="of another part",
        ),
    ],
)
def test_a_crl_that_can_not_be_relied_on_refuses_the_certificate(
    crl: Callable[[], x509.CertificateRevocationList],
) -> None:
    assert revocation_reason(crl()) == Rejection.CRL_UNTRUSTED


def test_a_crl_of_end_entities_at_the_same_address_counts() -> None:
    point = issuing_distribution_point(only_contains_user_certs=True)
    check_revocation(VALIDATED, [ISSUING.crl(extensions=[(point, True), (x509.CRLNumber(4), False)])], NOW)


def test_a_ca_that_may_not_sign_crls_has_none() -> None:
    ca = ROOT.ca("No CRLs", usage=make.key_usage("key_cert_sign"))
    validated = validate_chain([ca.leaf(), ca.certificate], ROOT_ALONE, NOW)
    assert revocation_reason(ca.crl(), validated=validated) == Rejection.CRL_UNTRUSTED
