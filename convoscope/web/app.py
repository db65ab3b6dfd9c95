"""The page's server: one FastAPI application over the page, its files and the interface under ``/api/v1``."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from convoscope import __version__
from convoscope.core.messages import language as language_in_use
from convoscope.core.messages import say
from convoscope.web import api_bench, api_exercises, api_inspect, api_labels, api_lessons, api_network, api_predict
from convoscope.web.assets import Asset, assets
from convoscope.web.faults import add_handlers
from convoscope.web.guard import LOOPBACK, Guard
from convoscope.web.predicting import Predictor
from convoscope.web.touring import Lessons, OpenTour

if TYPE_CHECKING:
    from convoscope.runs.run import Run
    from convoscope.shipping.classifier import Classifier
    from convoscope.web.network import Network


def create_app(
    run: Run | None = None,
    language: str | None = None,
    *,
    classifier: Classifier | None = None,
    lesson: OpenTour | None = None,
    hosts: Iterable[str] | None = LOOPBACK,
) -> FastAPI:
    """The application.

    Args:
        run: the trained network of the network level; without one the page says how to train one.
        language: for readers whose browser asks for neither Spanish nor English; the one in use when None.
        classifier: a shipped classifier to predict with; the run's own when None.
        lesson: a lesson beside those that come with the program.
        hosts: names the server answers to, as `convoscope.web.guard.Guard` takes them; None for any IP address.
    """
    app = FastAPI(
        title="Convoscope", version=__version__, docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json"
    )
    app.state.network = None if run is None else _opened(run)
    app.include_router(api_bench.router)
    app.include_router(api_exercises.router)
    app.include_router(api_network.router)
    app.state.sheets = api_inspect.Sheets()
    app.include_router(api_inspect.router)
    app.include_router(api_labels.router)
    app.state.lessons = Lessons(lesson)
    app.include_router(api_lessons.router)
    app.include_router(api_predict.router)
    app.include_router(api_predict.plain)
    app.state.predictor = _predictor(run, classifier)
    _add_page(app)
    add_handlers(app)
    app.add_middleware(Guard, language=language or language_in_use(), hosts=hosts)
    return app


def _opened(run: Run) -> Network:
    from convoscope.web.network import Network

    return Network(run)


def _predictor(run: Run | None, classifier: Classifier | None) -> Predictor | None:
    if classifier is not None:
        return Predictor(lambda: classifier)
    return None if run is None else Predictor(lambda: _shipped(run))


def _shipped(run: Run) -> Classifier:
    from convoscope.shipping.export import classifier_of

    return classifier_of(run)


def _add_page(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    def page(request: Request) -> Response:
        return _served(request, _page())

    @app.get("/static/{name}", include_in_schema=False)
    def static(name: str, request: Request) -> Response:
        asset = assets().get(name)
        if asset is None or name.endswith(".html"):
            raise HTTPException(404)
        return _served(request, asset)


def _page() -> Asset:
    """``index.html`` in the reader's language, with its modules named so that they load side by side."""
    shell = assets()["index.html"]
    modules = (name for name in assets() if name.endswith(".js"))
    preloads = "\n".join(f'<link rel="modulepreload" href="/static/{name}">' for name in modules)
    words = {"language": language_in_use(), "title": say("web.page_title"), "noscript": say("web.noscript")}
    text = shell.text.replace("<!-- modules -->", preloads)
    for name, value in words.items():
        text = text.replace("{{" + name + "}}", html.escape(value))
    return Asset(text, shell.media_type, f'{shell.tag[:-1]}-{words["language"]}"')


def _served(request: Request, asset: Asset) -> Response:
    # Files are asked for again each time, and answered with "unchanged": an update is never half seen.
    headers = {"ETag": asset.tag, "Cache-Control": "no-cache", "Vary": "Accept-Language"}
    if request.headers.get("if-none-match") == asset.tag:
        return Response(status_code=304, headers=headers)
    return Response(asset.text, media_type=asset.media_type, headers=headers)
