"""The texts of a lesson: what of Markdown is read, and that HTML is only ever text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convoscope.core.errors import RequestError
from convoscope.lessons.tour_text import Node, read_text


def flat(nodes: Any) -> Any:
    """The tree as lists: [tag, child, …]."""
    return [node if isinstance(node, str) else [node.tag, *flat(node.children)] for node in nodes]


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("One\ntwo", [["p", "One", " ", "two"]]),
        ("One\n\nTwo", [["p", "One"], ["p", "Two"]]),
        ("a **b *c*** d", [["p", "a ", ["strong", "b ", ["em", "c"]], " d"]]),
        ("`x < 3`", [["p", ["code", "x < 3"]]]),
        ("- a\n- b", [["ul", ["li", "a"], ["li", "b"]]]),
        ("1. a\n2. b", [["ol", ["li", "a"], ["li", "b"]]]),
        ("```\ncode\n```", [["pre", "code\n"]]),
        ("a  \nb", [["p", "a", ["br"], "b"]]),
        (
            "| a |\n|---|\n| 1 |",
            [["table", ["thead", ["tr", ["th", "a"]]], ["tbody", ["tr", ["td", "1"]]]]],
        ),
        ("<b>no</b> <script>x</script>", [["p", "<b>no</b> <script>x</script>"]]),
        ("# no heading", [["p", "# no heading"]]),
        ("![no](picture.png)", None),
        ("n × m", [["p", "n × m"]]),
    ],
)  # fmt: skip
def test_what_is_read(text: str, tree: Any) -> None:
    if tree is None:
        with pytest.raises(RequestError):
            read_text(text)
    else:
        assert _joined(flat(read_text(text))) == _joined(tree)


def _joined(tree: Any) -> str:
    return str(tree).replace("', '", "")


def test_numbers_are_set_to_the_right() -> None:
    table = read_text("| a | b |\n|---|--:|\n| 1 | 2 |")[0]
    row = table.children[1].children[0]  # type: ignore[union-attr]
    assert [cell.right for cell in row.children] == [False, True]  # type: ignore[union-attr]


@pytest.mark.parametrize("address", ["https://example.org/a", "http://example.org", "mailto:a@b.c", "?level=bench"])
def test_links_lead_to_websites_and_to_the_page(address: str) -> None:
    link = read_text(f"[there]({address})")[0].children[0]
    assert isinstance(link, Node)
    assert (link.tag, link.href, link.children) == ("a", address, ["there"])


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "JaVaScRiPt:x", "data:text/html,x", "file:///etc/passwd", "//evil.example", "x", ""],
)
def test_other_links_are_refused(address: str) -> None:
    with pytest.raises(RequestError):
        read_text(f"[there](<{address}>)")


@given(st.text(max_size=80) | st.text(alphabet="*_`[]()<>!|-\n 1.a&;#\\", max_size=60))
def test_any_text_becomes_a_tree(text: str) -> None:
    try:
        nodes = read_text(text)
    except RequestError:
        return
    for node in _all(nodes):
        assert node.href is None or node.href.lower().startswith(("http://", "https://", "mailto:", "?"))


def _all(nodes: Any) -> Any:
    for node in nodes:
        if isinstance(node, Node):
            yield node
            yield from _all(node.children)
