"""A view as one HTML file that works from disk: no server, no network, and a policy that allows neither."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from pathlib import Path
from typing import Any

from convoscope.core.files import write_atomically
from convoscope.core.messages import say
from convoscope.web.assets import assets
from convoscope.web.bundle import bundle
from convoscope.web.document import Traces, trace_document

_HEADINGS = {"bench": "bench_title", "layers": "network_title", "league": "league_title", "offline": "classify_title"}
_START = """
view_js.showView(document.getElementById("view"), JSON.parse(document.getElementById("given").textContent));
"""


def convolution_page(traces: Traces, path: Path | str) -> Path:
    """Write the page of a convolution, a pooling, or a convolution and the pooling after it.

    Raises:
        RequestError: the file can't be written.
    """
    target = Path(path)
    write_atomically(target, page_of(trace_document(traces)).encode())
    return target


def page_of(document: dict[str, Any]) -> str:
    """The page of a document (see `convoscope.web.document`), as text that UTF-8 can hold."""
    script = f'"use strict";\n{bundle("view.js")}{_START}'
    style = assets()["style.css"].text
    policy = f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data: blob:"
    # "<" would let a text in the document end the element it stands in.
    given = json.dumps(document, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
    page = f"""<!doctype html>
<html lang="{document["language"]}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{html.escape(_title(document))}</title>
<style>{style}</style>
</head>
<body class="convoscope">
<noscript><p class="lead">{html.escape(say("web.noscript"))}</p></noscript>
<header class="unseen"><h1>{html.escape(say("web.page_title"))}</h1></header>
<main id="view"></main>
<script type="application/json" id="given">{given}</script>
<script>{script}</script>
</body>
</html>
"""
    # A path that is no text stands there as Python's escapes, which are JSON's too.
    return page.encode("utf-8", "backslashreplace").decode()


def _title(document: dict[str, Any]) -> str:
    """What the page shows, and by which program; of several pages that are open, each is told from the others."""
    code = document["language"]
    if document["level"] == "sheet":
        title = document["title"]
        heading = title if isinstance(title, str) else title[code]
    else:
        data = document.get("data") or {}
        heading = document["messages"][code][_HEADINGS[document["level"]]].format(data=data.get("name", ""))
    return f"{heading} – {say('web.page_title')}"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
