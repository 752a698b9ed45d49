"""The OpenAPI document against the application: generated requests never break it, and responses fit what it says."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
import sqlalchemy
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.server import create_app
from backend.settings import Settings
from backend.store import database
from backend.store.tables import Checkpoint
from tests.api.site import Site, environment_of, fill_home

CHECKS = [not_a_server_error, response_schema_conformance, content_type_conformance, status_code_conformance]
EXAMPLES = 40  # per operation; the whole has to stay under half a minute
UPLOAD_EXAMPLES = 5  # each starts a child process that opens the file
EVIDENCE = "/api/v1/evaluations/{evaluation_id}/evidence"
UPLOADS = {("post", "/api/v1/datasets"), ("post", "/api/v1/checkpoints"), ("post", EVIDENCE)}
OPERATIONS = [
    ("get", "/api/v1/health"),
    ("get", "/api/v1/datasets"),
    ("post", "/api/v1/datasets"),
    ("get", "/api/v1/datasets/{dataset_id}"),
    ("patch", "/api/v1/datasets/{dataset_id}"),
    ("get", "/api/v1/datasets/{dataset_id}/samples/{index}.png"),
    ("get", "/api/v1/architectures"),
    ("get", "/api/v1/attacks"),
    ("get", "/api/v1/flags"),
    ("put", "/api/v1/uploads"),
    ("get", "/api/v1/uploads/{upload_id}/preview"),
    ("get", "/api/v1/checkpoints"),
    ("post", "/api/v1/checkpoints"),
    ("get", "/api/v1/checkpoints/{checkpoint_id}"),
    ("patch", "/api/v1/checkpoints/{checkpoint_id}"),
    ("delete", "/api/v1/checkpoints/{checkpoint_id}"),
    ("get", "/api/v1/bundles"),
    ("post", "/api/v1/bundles"),
    ("post", "/api/v1/tables"),
    ("get", "/api/v1/evaluations"),
    ("post", "/api/v1/evaluations"),
    ("get", "/api/v1/evaluations/{evaluation_id}"),
    ("post", "/api/v1/evaluations/{evaluation_id}/cancel"),
    ("post", "/api/v1/evaluations/{evaluation_id}/resume"),
    ("get", "/api/v1/evaluations/{evaluation_id}/events"),
    ("get", "/api/v1/evaluations/{evaluation_id}/margins"),
    ("get", "/api/v1/evaluations/{evaluation_id}/noise"),
    ("get", "/api/v1/evaluations/{evaluation_id}/log"),
    ("get", "/api/v1/evaluations/{evaluation_id}/samples/{index}/adversarial.png"),
    ("get", "/api/v1/evaluations/{evaluation_id}/samples/{index}/adversarial.npy"),
    ("post", "/api/v1/evaluations/{evaluation_id}/samples/{index}/adversarial"),
    ("get", "/api/v1/evaluations/{evaluation_id}/samples/{index}/perturbation.png"),
    ("get", EVIDENCE),
    ("post", EVIDENCE),
    ("post", "/api/v1/evaluations/{evaluation_id}/replay"),
    ("post", "/api/v1/evaluations/{evaluation_id}/attack-harder"),
    ("post", "/api/v1/comparisons/replay"),
    ("post", "/api/v1/comparisons/slices"),
    ("post", "/api/v1/comparisons/layers"),
    ("get", "/api/v1/evidence"),
    ("get", "/api/v1/evidence/{evidence_id}"),
    ("get", "/api/v1/evidence/{evidence_id}/attempts"),
    ("get", "/api/v1/evidence/{evidence_id}/slice"),
    ("get", "/api/v1/evidence/{evidence_id}/layers"),
    ("post", "/api/v1/evidence/{evidence_id}/cancel"),
    ("post", "/api/v1/evidence/{evidence_id}/resume"),
    ("get", "/api/v1/evidence/{evidence_id}/events"),
    ("get", "/api/v1/pruning-methods"),
    ("get", "/api/v1/prunings"),
    ("post", "/api/v1/prunings"),
    ("post", "/api/v1/prunings/estimate"),
    ("get", "/api/v1/prunings/{pruning_id}"),
    ("post", "/api/v1/prunings/{pruning_id}/cancel"),
    ("post", "/api/v1/prunings/{pruning_id}/resume"),
    ("get", "/api/v1/prunings/{pruning_id}/events"),
    ("get", "/api/v1/claims"),
    ("get", "/api/v1/claims/references"),
    ("get", "/api/v1/families"),
    ("get", "/api/v1/families/{checkpoint_id}"),
    ("get", "/api/v1/comparisons"),
    ("get", "/api/v1/comparisons/columns"),
    ("get", "/api/v1/comparisons/several"),
    ("get", "/api/v1/comparisons/several/columns"),
    ("get", "/api/v1/comparisons/samples"),
    # Last, because nothing is left of what they delete.
    ("delete", "/api/v1/evidence/{evidence_id}"),
    ("delete", "/api/v1/prunings/{pruning_id}"),
    ("delete", "/api/v1/evaluations/{evaluation_id}"),
    ("delete", "/api/v1/datasets/{dataset_id}"),
]


@pytest.fixture(scope="module")
def own_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A home that only this module changes."""
    folder = tmp_path_factory.mktemp("contract")
    with environment_of(folder / "home"):
        yield fill_home(folder / "home", folder)


class WithoutLifespan:
    """The application to a client that would start and stop it around every test.

    Starting loads the shipped checkpoints and results in a thread, which writes into the home while it is taken down.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            raise NotImplementedError("clients read this as: there is no lifespan")
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def own_app(own_site: Site) -> WithoutLifespan:
    app = create_app(Settings(allowed_hosts="testserver"))
    app.state.stopping.set()  # a stream of events ends after what there is, instead of waiting for more
    return WithoutLifespan(app)


@pytest.fixture(scope="module")
def schema(own_app: WithoutLifespan) -> Any:
    return schemathesis.openapi.from_asgi("/api/openapi.json", own_app)


def test_operations_listed_here_are_all_there_are(schema: Any) -> None:
    found = {(result.ok().method, result.ok().path) for result in schema.get_all_operations()}
    assert found - set(OPERATIONS) == set(), "add these to OPERATIONS, so that generated requests try them"
    assert set(OPERATIONS) - found == set(), "no such routes: take these out of OPERATIONS"


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_generated_requests_get_the_responses_that_the_document_promises(
    own_site: Site, schema: Any, method: str, path: str
) -> None:
    known = {
        "evaluation_id": own_site.pruned_evaluation,
        "checkpoint_id": own_site.pruned,
        "dataset_id": "digits",
        "index": own_site.attacked,
        "dense": own_site.dense_evaluation,
        "pruned": own_site.pruned_evaluation,
        "eps": "8/255",
        "evidence_id": own_site.evidence,
        "pruning_id": own_site.pruning,
    }
    # What a body may name that exists; the rows and the budget stay as they were made up.
    bodies = {
        "checkpoint_id": {"checkpoint_id": own_site.dense, "dataset_id": "digits"},
        "source_evaluation_id": {"source_evaluation_id": own_site.dense_evaluation},
        "budget": {"samples": [own_site.attacked]},
        "training_dataset_id": {"parent_id": own_site.dense, "training_dataset_id": "training", "method": "lwm"},
        "pruned": {"dense": own_site.dense_evaluation, "pruned": own_site.pruned_evaluation},
    }

    @settings(
        max_examples=UPLOAD_EXAMPLES if (method, path) in UPLOADS else EXAMPLES,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=schema[path][method].as_strategy(), is_known=st.sampled_from([True, True, True, False]))
    def ask(case: Any, is_known: bool) -> None:
        if is_known:  # generated ids name nothing and generated text is no eps, so most requests ask for what exists
            for place in (case.path_parameters, case.query):
                place.update({name: known[name] for name in known if name in place})
            for field, values in bodies.items():
                if isinstance(case.body, dict) and field in case.body:
                    case.body.update(values)
        case.validate_response(case.call(), checks=CHECKS)

    ask()


def test_application_under_generated_requests_is_never_started(own_site: Site, schema: Any) -> None:
    names = sqlalchemy.select(Checkpoint.name).where(Checkpoint.name.startswith("cnn-"))
    with database.reading() as session:
        assert session.scalars(names).all() == [], "the shipped checkpoints came into this module's home"
