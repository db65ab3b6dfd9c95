"""What README, CONTRIBUTING, CHANGELOG and docs/ say is true of the program: links, commands, outputs, Python code."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image

import convoscope as cs
from benchmarks.figures import FIGURES, PLACES
from convoscope import models
from convoscope.classical import registry as learners
from convoscope.cli import make_app, run
from convoscope.convolution import kernels
from convoscope.core.messages import using_language
from convoscope.data import read_image
from convoscope.data import registry as data_sets
from convoscope.data.augment import Augmentation
from convoscope.league import registry as league_rows
from convoscope.models.parameters import parameters_of
from convoscope.runs.views import registry as views
from convoscope.shipping.export import export
from convoscope.training.recipe import Setting, recipe_names

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SPANISH = DOCS / "es"
TRANSLATED = {
    ROOT / "README.md": ROOT / "README.es.md",
    **{page: SPANISH / page.relative_to(DOCS) for page in sorted(DOCS.rglob("*.md")) if SPANISH not in page.parents},
}
PAGES = [*TRANSLATED, *TRANSLATED.values(), ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]

# Commands whose output is the same on every machine, so that a page may print it.
SAME_EVERYWHERE = {"convolve", "kernels", "summary"}

PICTURE_BYTES = 150_000

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_GENERATED = re.compile(r"<!-- table:.*?<!-- end -->", re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_COMMAND = re.compile(r"(?:^|\s|/)convoscope(?= |$)(.*)")
_PATH = re.compile(r"(?:(?:convoscope|tests|docs|benchmarks|\.ci)/[\w./-]*|[\w.-]+\.(?:md|txt|cff)|pyproject\.toml)")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[str]:
    return [content for kind, content in _FENCE.findall(page.read_text("utf-8")) if kind == language]


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", page.read_text("utf-8"))


def headings(page: Path) -> list[tuple[int, str]]:
    found = re.findall(r"^(#+) (.+)$", prose(page), re.MULTILINE)
    return [(len(signs), words) for signs, words in found]


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    words = (re.sub(r"[^\w\- ]", "", title.lower()) for _, title in headings(page))
    return {word.replace(" ", "-") for word in words}


def transcripts(page: Path) -> Iterator[tuple[str, str]]:
    """The commands of console blocks with the output below each."""
    for block in blocks(page, "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield command, output


def commands(page: Path) -> list[str]:
    """Every ``convoscope …`` of a page, without the name of the program."""
    lines = [line for kind in ("sh", "bash") for block in blocks(page, kind) for line in block.splitlines()]
    lines += [command for command, _ in transcripts(page)]
    lines += [code for code in _CODE.findall(prose(page)) if code.startswith("convoscope ")]
    return [match[1].strip() for line in lines if (match := _COMMAND.search(line)) and "python -c" not in line]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(prose(page)):
        if re.match(r"https?:", target):
            continue
        place, _, anchor = target.partition("#")
        file = (page.parent / place).resolve() if place else page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file), target


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_pictures_are_made_by_the_script(page: Path) -> None:
    made = {place / f"{name}.png" for place in PLACES.values() for name in FIGURES}
    for words, target in _PICTURE.findall(page.read_text("utf-8")):
        file = (page.parent / target).resolve()
        compared = file.name.startswith("error-against-time-")  # one a data set, by `benchmarks.drawing`
        assert words.strip(), target
        assert file in made or compared, f"{target}: python -m benchmarks.figures does not make it"
        assert file.stat().st_size < PICTURE_BYTES, target
        assert (SPANISH in file.parents) == (page in TRANSLATED.values()), f"{target}: of the other language"


def test_every_picture_that_is_made_is_shown() -> None:
    shown = {
        (page.parent / target).resolve() for page in PAGES for _, target in _PICTURE.findall(page.read_text("utf-8"))
    }
    assert {place / f"{name}.png" for place in PLACES.values() for name in FIGURES} - shown == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_paths_exist(page: Path) -> None:
    named = {code for code in _CODE.findall(prose(page)) if _PATH.fullmatch(code)}
    missing = [path for path in named if not (ROOT / path).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_parse(page: Path) -> None:
    command: Any = typer.main.get_command(make_app())
    _silence(command)
    for line in commands(page):
        words = shlex.split(line, comments=True)
        if len(words) == 1 and words[0] in command.commands:
            continue  # the name of a command, not a call
        try:
            command.main(words, prog_name="convoscope", standalone_mode=False)
        except Exception as error:
            pytest.fail(f"convoscope {line}: {error}")


def _silence(command: Any) -> None:
    for inner in getattr(command, "commands", {}).values():
        _silence(inner)
    if not hasattr(command, "commands"):
        command.callback = lambda **_: None


@pytest.mark.parametrize("page", [*TRANSLATED, *TRANSLATED.values()], ids=name_of)
def test_outputs_are_what_the_program_prints(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spanish = page in TRANSLATED.values()
    for command, output in transcripts(page):
        words = shlex.split(command)
        if words[1] not in SAME_EVERYWHERE or "runs/" in command:
            continue
        with using_language("es" if spanish else "en"):
            run(words[1:])
        printed = capsys.readouterr()
        assert (printed.err + printed.out).strip() == output.strip(), command


@pytest.mark.slow
@pytest.mark.parametrize("page", TRANSLATED, ids=name_of)
def test_python_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # A page may register an example: let it be forgotten afterwards.
    for known in (models.registry, views):
        monkeypatch.setattr(known, "_members", {name: known.get(name) for name in known})
    names: dict[str, Any] = {"__name__": "page"}
    for block in blocks(page, "python"):
        exec(compile(block, name_of(page), "exec"), names)


@pytest.mark.slow
def test_the_script_for_small_devices_answers_as_the_run_does(tmp_path: Path) -> None:
    page = DOCS / "how-to" / "small-device.md"
    script = next(block for block in blocks(page, "python") if block.startswith("# classify.py"))
    assert not re.search(r"^(?:import|from) (?:convoscope|torch)", script, re.MULTILINE)
    (tmp_path / "classify.py").write_text(script, "utf-8")
    trained = cs.train("digits", "typical:blocks=2", epochs=2, out=tmp_path / "run")
    file = export(trained).file
    pictures = []
    images = cs.load("digits").test.images[:, 0]
    # Grey, palette, with transparency, and of another size: as files come.
    drawn = [Image.fromarray(image).convert(mode) for image, mode in zip(images, ("L", "P", "RGBA", "L"), strict=False)]
    drawn[3] = drawn[3].resize((21, 13))
    drawn.append(Image.fromarray(np.random.default_rng(0).integers(0, 65536, (8, 8), np.uint16)))
    for number, picture in enumerate(drawn):
        pictures.append(f"{number}.png")
        picture.save(tmp_path / pictures[-1])
    for mode, clear in (("L", int(images[5].max())), ("RGB", (int(images[5].max()),) * 3)):
        pictures.append(f"clear-{mode}.png")
        Image.fromarray(images[5]).convert(mode).save(tmp_path / pictures[-1], transparency=clear)
    done = subprocess.run(
        [sys.executable, "classify.py", str(file), *pictures],
        cwd=tmp_path, capture_output=True, encoding="utf-8", check=True,
    )  # fmt: skip
    expected = [
        f"{name}  {answer.label}  {answer.probability:.1%}"
        for name, answer in zip(
            pictures, trained.predict([read_image(tmp_path / name) for name in pictures]), strict=True
        )
    ]
    assert done.stdout.splitlines() == expected


@pytest.mark.parametrize("page", TRANSLATED, ids=name_of)
def test_both_languages_say_the_same(page: Path) -> None:
    other = TRANSLATED[page]
    assert [level for level, _ in headings(page)] == [level for level, _ in headings(other)]
    for kind in ("python", "sh", "bash", "toml"):
        assert blocks(page, kind) == blocks(other, kind)
    assert [command for command, _ in transcripts(page)] == [command for command, _ in transcripts(other)]
    assert re.findall(r"<!-- table:.*-->", page.read_text("utf-8")) == re.findall(
        r"<!-- table:.*-->", other.read_text("utf-8")
    )
    rows = [len(re.findall(r"^\|", _GENERATED.sub("", prose(each)), re.MULTILINE)) for each in (page, other)]
    assert rows[0] == rows[1]


@pytest.mark.parametrize("folder", [ROOT / "docs", ROOT / "docs" / "es"], ids=["en", "es"])
def test_every_member_is_in_its_page(folder: Path) -> None:
    expected = {
        "data.md": list(data_sets),
        "convolution.md": list(kernels),
        "classical.md": list(learners),
        "inspection.md": list(views),
        "league.md": list(league_rows),
        "training.md": [*recipe_names(), *(set(Setting.model_fields) - {"augmentation"}), *Augmentation.model_fields],
    }
    for page, members in expected.items():
        text = (folder / page).read_text("utf-8")
        assert not [member for member in members if f"`{member}`" not in text], page


@pytest.mark.parametrize("page", ["README.md", "README.es.md"])
def test_every_room_is_told(page: str) -> None:
    told = re.findall(r"^\| `convoscope/(\w+)/`", (ROOT / page).read_text("utf-8"), re.MULTILINE)
    assert sorted(told) == sorted(each.parent.name for each in (ROOT / "convoscope").glob("*/__init__.py"))


def test_the_import_contract_is_told_as_it_is_checked() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    checked = [set(re.findall(r"\w+", layer)) for layer in reversed(settings["contracts"][0]["layers"])]
    section = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## The import contract")[2].partition("## ")[0]
    told = [set(re.findall(r"\w+", line)) for line in section.splitlines() if line.startswith("    ")]
    assert [*told, {"__main__"}] == checked


@pytest.mark.parametrize("folder", [ROOT / "docs", ROOT / "docs" / "es"], ids=["en", "es"])
def test_every_network_is_told_with_its_parameters(folder: Path) -> None:
    text = (folder / "models.md").read_text("utf-8")
    for name in models.registry:
        row = next((line for line in text.splitlines() if line.startswith(f"| `{name}` |")), "")
        told = dict(re.findall(r"`(\w+)=([^`]+)`", row.rpartition(" | ")[2] or row))
        defaults = {each.name: each.default for each in parameters_of(models.registry.get(name)).values()}
        assert told == {key: _as_typed(value) for key, value in defaults.items()}, name


def _as_typed(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "-".join(map(str, value))
    return value if isinstance(value, str) else f"{value:g}"


@pytest.mark.parametrize("folder", [ROOT / "docs", ROOT / "docs" / "es"], ids=["en", "es"])
def test_every_option_is_in_the_page_of_the_command_line(folder: Path) -> None:
    text = (folder / "cli.md").read_text("utf-8")
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    command: Any = typer.main.get_command(make_app())
    for name, inner in command.commands.items():
        section = sections[name]
        for one in getattr(inner, "commands", {"": inner}).values():
            options = [option for each in one.params for option in each.opts if option.startswith("--")]
            assert not [
                option
                for option in options
                if option not in ("--json", "--lang", "--help") and not re.search(rf"`{option}\b", section)
            ], name
