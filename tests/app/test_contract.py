"""The app, in this process, does what its openapi.json says: every status, header and body that occurs is in it."""

# schemathesis is typed in part.
# pyright: reportUnknownMemberType=false, reportUntypedFunctionDecorator=false

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import settings

from app.settings import AuthSettings, Settings
from local.cloud.issuer import AUDIENCE, Issuer
from tests.app.openapi_file import quiet_app

type Case = schemathesis.Case[Any]

CONFIG = schemathesis.Config.from_path(Path(__file__).parents[2] / "schemathesis.toml")
FEW = settings(max_examples=8, derandomize=True, deadline=None, database=None)
ISSUER = Issuer()
WITH_ISSUER = Settings(demo=True, auth=AuthSettings(ISSUER.url, AUDIENCE))


def contract(app: Flask) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_wsgi("/openapi.json", app, config=CONFIG)


@pytest.fixture(scope="module")
def issuer() -> Generator[Issuer]:
    with ISSUER as issuer:
        yield issuer


@contract(quiet_app(Settings(demo=True))).parametrize()
@FEW
def test_without_an_issuer(case: Case) -> None:
    case.call_and_validate()


@contract(quiet_app(WITH_ISSUER)).parametrize()
@FEW
def test_with_an_issuer(case: Case, issuer: Issuer) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {issuer.token('1', 'users:admin')}"})
