"""Who sent this, and who only says so."""

import hashlib
import hmac

import pytest

from bisector.formats.alerts.signature import REPLAY_WINDOW, Scheme, delivery, sign, verified

BODY, NOW, SECRET = b'{"scenario": "s"}', 1_795_680_000.0, "s3cret"


def made(scheme: Scheme, secret: str = SECRET, body: bytes = BODY, at: float = NOW) -> dict[str, str]:
    stamp = str(int(at))
    plain = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    stamped = hmac.new(secret.encode(), f"{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {
        Scheme.BISECTOR: {
            "x-bisector-delivery": "d1",
            "x-bisector-timestamp": stamp,
            "x-bisector-signature": sign(secret, "d1", int(at), body),
        },
        Scheme.GITHUB: {"x-hub-signature-256": f"sha256={plain}", "x-github-delivery": "g1"},
        Scheme.GRAFANA: {"x-grafana-alerting-timestamp": stamp, "x-grafana-alerting-signature": stamped},
        Scheme.BEARER: {"authorization": f"Bearer {secret}"},
    }[scheme]


@pytest.mark.parametrize("scheme", Scheme)
def test_the_right_secret_opens_and_every_other_does_not(scheme: Scheme) -> None:
    assert verified(scheme, [SECRET], made(scheme), BODY, NOW)
    assert verified(scheme, ["new", SECRET], made(scheme), BODY, NOW), "a secret is rotated"
    assert not verified(scheme, ["other"], made(scheme), BODY, NOW)
    assert not verified(scheme, [SECRET], {}, BODY, NOW)
    if scheme is not Scheme.BEARER:
        assert not verified(scheme, [SECRET], made(scheme), BODY + b" ", NOW)


@pytest.mark.parametrize("scheme", [Scheme.BISECTOR, Scheme.GRAFANA])
@pytest.mark.parametrize("by", [-REPLAY_WINDOW - 1, REPLAY_WINDOW + 1])
def test_an_old_delivery_or_one_of_the_future_is_refused(scheme: Scheme, by: float) -> None:
    assert verified(scheme, [SECRET], made(scheme, at=NOW - by / 2), BODY, NOW)
    assert not verified(scheme, [SECRET], made(scheme, at=NOW - by), BODY, NOW)


def test_grafana_may_send_no_time() -> None:
    plain = hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()
    assert verified(Scheme.GRAFANA, [SECRET], {"x-grafana-alerting-signature": plain}, BODY, NOW)


@pytest.mark.parametrize("name", ["x-hub-signature-256", "authorization", "x-bisector-signature"])
@pytest.mark.parametrize("value", ["", "sha256=", "sha256=é", "Bearer é", "Bearer ", "\x00", "sha256=" + "0" * 64])
def test_strange_headers_are_only_refused(name: str, value: str) -> None:
    headers = {name: value, "x-bisector-timestamp": "²", "x-bisector-delivery": "d"}
    assert not any(verified(scheme, [SECRET], headers, BODY, NOW) for scheme in Scheme)


def test_a_token_is_shown_as_one() -> None:
    assert verified(Scheme.BEARER, [SECRET], {"authorization": f"bearer {SECRET}"}, BODY, NOW)
    for header in (f"Basic {SECRET}", SECRET, f" {SECRET}"):
        assert not verified(Scheme.BEARER, [SECRET], {"authorization": header}, BODY, NOW)


@pytest.mark.parametrize("secrets", [[], [""], ["a", ""]])
def test_no_secret_is_no_hook(secrets: list[str]) -> None:
    with pytest.raises(ValueError, match="without a secret"):
        verified(Scheme.GITHUB, secrets, {}, BODY, NOW)


def test_a_delivery_has_the_senders_name_or_its_contents() -> None:
    assert delivery(Scheme.GITHUB, made(Scheme.GITHUB), BODY) == "g1"
    assert delivery(Scheme.BEARER, {}, BODY) == delivery(Scheme.BEARER, {}, BODY) != delivery(Scheme.BEARER, {}, b"")
