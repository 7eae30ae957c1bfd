"""The OpenAPI document against the server: whatever it allows is answered as it says, and nothing fails."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.entry.server.conftest import TOKEN, Serve

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)


@pytest.mark.slow
@pytest.mark.parametrize("token", ["", TOKEN])
def test_every_operation_answers_as_the_document_says(serve: Serve, token: str) -> None:
    world = serve(server={"token_env": ["SERVER_TOKEN"]} if token else {})
    world.client.post("/v1/jobs", json=world.order(), headers=_headers(token))
    schema = schemathesis.openapi.from_dict(world.client.get("/v1/openapi.json", headers=_headers(token)).json())
    schema.app = world.client.app
    found = list(schema.get_all_operations())
    operations = [result.ok() for result in found if isinstance(result, Ok)]
    assert len(operations) == len(found)
    assert len(operations) >= 10
    for operation in operations:
        for sent in {token, ""} if token else {""}:
            _try(operation, _headers(sent), allowed=sent == token)


def _try(operation: Any, headers: dict[str, str], *, allowed: bool) -> None:
    quiet = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]

    @settings(max_examples=40, deadline=None, suppress_health_check=quiet, database=None)
    @given(case=operation.as_strategy())
    def one(case: Any) -> None:
        response = case.call(headers={**headers, "host": "testserver"})
        if not allowed and not case.path.startswith(("/health", "/ready", "/v1/hooks")):
            assert response.status_code == 401
            return
        case.validate_response(response, checks=CHECKS)

    one()


def _headers(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"} if token else {}
