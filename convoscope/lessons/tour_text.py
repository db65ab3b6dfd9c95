"""The texts of a lesson: a small part of Markdown, read into a tree that the page draws; HTML is only ever text.

Paragraphs, bold, italics, code, lists, links and tables. Links lead to a website, a mail address, or a place on the
page itself, written as its address is: ``?level=bench&kernel=sobel-x``.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Literal, TypeAlias

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pydantic import BaseModel

from convoscope.core.errors import RequestError

Tag: TypeAlias = Literal[
    "p", "strong", "em", "code", "pre", "a", "br", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td"
]

_RULES = ("list", "table", "fence", "emphasis", "backticks", "link", "newline", "escape", "entity")
_LINK = re.compile(r"https?://[^\s/]|mailto:[^\s/]|\?[^\s]", re.IGNORECASE)
_PLAIN = {"text": "", "softbreak": " "}


class Node(BaseModel):
    """A part of a text.

    Attributes:
        tag: what it is, by its name in HTML.
        href: where a link leads.
        right: whether a cell of a table is set to the right, as numbers are.
        children: what it holds.
    """

    tag: Tag
    href: str | None = None
    right: bool = False
    children: list[Node | str] = []


def read_text(text: str) -> list[Node]:
    """The paragraphs, lists and tables of `text`.

    Raises:
        RequestError: a link leads elsewhere than a lesson's links may.
    """
    root = Node(tag="p")
    _add(root, _markdown().parse(text))
    return [node for node in root.children if isinstance(node, Node)]


@cache
def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("zero").enable(_RULES)
    # Refused links would stay in the text as they were typed; they are told instead.
    markdown.validateLink = _any_link  # type: ignore[method-assign]
    return markdown


def _any_link(url: str) -> bool:  # noqa: ARG001
    return True


def _add(parent: Node, tokens: list[Token]) -> None:
    open_nodes = [parent]
    for token in tokens:
        if token.type == "inline":
            _add(open_nodes[-1], token.children or [])
        elif token.hidden:
            continue  # the paragraph of a list's item that has only one
        elif token.nesting == 1:
            node = _node(token)
            open_nodes[-1].children.append(node)
            open_nodes.append(node)
        elif token.nesting == -1:
            open_nodes.pop()
        else:
            open_nodes[-1].children.append(_leaf(token))


def _node(token: Token) -> Node:
    right = "right" in str(token.attrGet("style") or "")
    return Node(tag=token.tag, href=_href(token), right=right)  # type: ignore[arg-type]


def _leaf(token: Token) -> Node | str:
    if token.type == "fence":
        return Node(tag="pre", children=[token.content])
    if token.type == "code_inline":
        return Node(tag="code", children=[token.content])
    if token.type == "hardbreak":
        return Node(tag="br")
    return _PLAIN.get(token.type) or token.content


def _href(token: Token) -> str | None:
    href = token.attrGet("href")
    if href is not None and not _LINK.match(str(href)):
        raise RequestError("tours.link", asked=href)
    return None if href is None else str(href)
