"""The HTTP API: `/api/v1` reads what exists, with keys.

Every read of personal data names its purpose and is made as the viewer that the
key names. Answers are JSON, errors are problems (RFC 9457), and the document at
``/api/v1/openapi.json`` describes all of it.
"""

from importlib.metadata import version

from fastapi import APIRouter, FastAPI

from cauce.activate.deliveries import Deliveries
from cauce.activate.status import Destinations
from cauce.app.api.answers import describe
from cauce.app.api.counting import Counting, Requests
from cauce.app.api.definitions import definition_routes
from cauce.app.api.deliveries import delivery_routes
from cauce.app.api.destinations import destination_routes
from cauce.app.api.groups import group_routes
from cauce.app.api.identity import identity_routes
from cauce.app.api.identity_acts import act_routes
from cauce.app.api.identity_audit import identity_audit_routes
from cauce.app.api.log import log_routes
from cauce.app.api.metrics import health_routes, metrics_routes
from cauce.app.api.problems import PROBLEMS, answer_with_problems
from cauce.app.api.profile_graph import profile_graph_routes
from cauce.app.api.profiles import profile_routes
from cauce.app.api.quarantine import quarantine_routes
from cauce.app.api.review import review_routes
from cauce.app.api.segments import segment_routes
from cauce.app.compose import Composition
from cauce.app.profile_ids import every_profile_id
from cauce.govern.keys import KeyRing
from cauce.vocabulary.moment import Clock

PREFIX = "/api/v1"


def create_api(
    composition: Composition, keys: KeyRing, clock: Clock, requests: Requests | None = None
) -> FastAPI:
    """The application, reading from one space under the definitions in force; ``requests`` goes on counting.

    Raises ``BadSettings`` if its definitions are wrong.
    """
    app = FastAPI(
        title="Cauce",
        version=version("cauce"),
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
        responses=PROBLEMS,  # type: ignore[arg-type]
    )
    app.state.keys = keys
    requests = requests or Requests()
    deliveries = Deliveries(composition.state, clock, composition.access.require)
    routes = APIRouter()
    routes.include_router(health_routes(composition))
    routes.include_router(metrics_routes(composition, deliveries, requests, clock))
    app.include_router(routes, include_in_schema=False)  # where probes and Prometheus look first
    for router in (
        routes,
        profile_graph_routes(composition),
        profile_routes(composition, clock),
        group_routes(composition),
        identity_audit_routes(composition),
        segment_routes(composition, clock),
        identity_routes(composition),
        act_routes(composition, clock),
        review_routes(composition, clock),
        log_routes(composition, clock),
        quarantine_routes(composition.quarantine),
        definition_routes(composition, clock),
        destination_routes(Destinations(composition.state, composition.in_force)),
        delivery_routes(
            deliveries,
            lambda text, caller: every_profile_id(
                composition, text, purpose=caller.purpose, viewer=caller.viewer
            ),
        ),
    ):
        app.include_router(router, prefix=PREFIX)
    answer_with_problems(app)
    describe(app)
    app.add_middleware(Counting, requests=requests, prefix=PREFIX)
    return app
