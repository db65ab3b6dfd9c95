"""The command line as a whole: exit codes, one sentence for every mistake, one JSON object, both languages."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from convoscope import Run, __version__, models, train
from convoscope.cli import run as run_command
from convoscope.core.messages import language
from convoscope.runs.views import registry as views
from convoscope.training.recipe import recipe_names

_content = io.BytesIO()
Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(_content, format="PNG")
PNG = _content.getvalue()

COMMAND = [sys.executable, "-m", "convoscope"]
COMMANDS = ("convolve", "data", "evaluate", "kernels", "predict", "serve", "summary", "train")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train("digits", "dense-800", epochs=1, out=tmp_path_factory.mktemp("runs") / "run").path


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


class Told:
    """What a command answered, and how it ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err
        assert "Traceback" not in out + err

    @property
    def sentence(self) -> str:
        """All that was said on standard error, which is one line, of a request that was refused."""
        assert self.code == 2, (self.out, self.err)
        assert self.out == ""
        (line,) = self.err.splitlines()
        return line

    @property
    def json(self) -> dict[str, Any]:
        assert self.code == 0, self.err
        value = json.loads(self.out)
        assert isinstance(value, dict)
        assert self.out.count("\n") == 1
        return value


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command in this process."""

    def run(*words: object) -> Told:
        code = run_command([str(word) for word in words])
        return Told(code, *capsys.readouterr())

    return run


def in_a_process(*words: object, environment: dict[str, str] | None = None, **more: Any) -> Told:
    done = subprocess.run(
        [*COMMAND, *map(str, words)],
        capture_output=True,
        timeout=300,
        check=False,
        env={**os.environ, **(environment or {})},
        **more,
    )
    return Told(done.returncode, done.stdout.decode(), done.stderr.decode())


# Words that are wrong


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["trian"], "convoscope has no command 'trian'; did you mean 'train'? There are: convolve, data,"),
        (["zzz"], "convoscope has no command 'zzz'. There are: convolve,"),
        (["data", "shwo"], "convoscope data has no command 'shwo'; did you mean 'show'?"),
        (["--lang", "en"], "Usage: convoscope"),
        (["train", "--epcohs", "3"], "convoscope train has no option --epcohs; try --epochs."),
        (["train", "--zzz"], "convoscope train has no option --zzz; try --help."),
        (["train", "--epochs"], "The option --epochs needs a value after it"),
        (["train", "--json=3"], "The option --json takes no value"),
        (["train", "--epochs", "x"], "--epochs takes a whole number, and 'x' is none"),
        (["train", "--epochs", "1.5"], "--epochs takes a whole number, and '1.5' is none"),
        (["train", "--checkpoint-seconds", "x"], "--checkpoint-seconds takes a number, and 'x' is none"),
        (["train", "digits"], "convoscope train got more than it takes: digits; did you mean --data digits?"),
        (["train", "a", "b"], "convoscope train got more than it takes: a b; see convoscope train --help."),
        (["evaluate"], "convoscope evaluate needs RUN; see convoscope evaluate --help."),
        (["predict", "runs/1"], "convoscope predict needs IMAGE…"),
        (["train", "--data", ""], "An empty word follows --data"),
        (["train", "--out="], "An empty word follows --out"),
        (["train", "--out=runs/abc=", "--epochs", "0"], "0 epochs were asked for"),
        (["data", "preview", "digits", "--count", "0"], "--count takes a number of at least 1, and 0 is less"),
        (["data", "preview", "digits", "--count", "51"], "--count takes a number of at most 50, and 51 is more"),
        (["league", "--compare", "knn"], "--compare needs 2 values after it; see convoscope league --help."),
        (["data", "list", "--data-dir"], "needs a value after it; see convoscope data list --help."),
        (["evaluate", "n" * 300], "can't be reached (File name too long)"),
        (["summary", "./" + "n" * 300], "can't be reached (File name too long)"),
        (["train", "--resume", "n" * 300], "can't be reached (File name too long)"),
        ([""], "An empty word follows convoscope"),
        (["--lang"], "There is no language ''; choose one of: en, es."),
        (["train", "--lang", "fr"], "There is no language 'fr'"),
        (["train", "--data", "digit"], "did you mean 'digits'"),
        (["train", "--data", "a" * 5000], "There is no data set"),
        (["train", "--data", "a/" * 3000], "There is no folder"),
        (["train", "--data", "digits", "--out", "/dev/null/run"], "can't be written (Not a directory)"),
        (["train", "--resume", "/nowhere"], "/nowhere holds no run"),
        (["evaluate", "/nowhere"], "/nowhere holds no run"),
        (["predict", "/nowhere", "a.png"], "/nowhere holds no run"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_a_mistake_is_told_in_one_sentence(tell: Any, words: list[str], sentence: str) -> None:
    told = tell(*words)
    if sentence.startswith("Usage"):  # without a command there is only the help to give
        assert told.code == 2
        assert sentence in told.err
    else:
        assert sentence in told.sentence


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["trian"], "convoscope no tiene la orden 'trian'; ¿quiso decir 'train'?"),
        (["train", "--epcohs", "3"], "convoscope train no tiene la opción --epcohs; pruebe --epochs."),
        (["train", "--epochs", "x"], "--epochs espera un número entero y 'x' no lo es"),
        (["train", "--epochs"], "La opción --epochs necesita un valor"),
        (["evaluate"], "convoscope evaluate necesita EJECUCIÓN"),
        (["train", "digits"], "convoscope train recibió palabras de más: digits"),
        (["train", "--data", "digit"], "No existe un conjunto de datos 'digit'; ¿quiso decir 'digits'?"),
        (["data", "preview", "digits", "--count", "0"], "--count espera un número de al menos 1 y 0 es menor"),
        (["league", "--compare", "knn"], "La opción --compare necesita 2 valores"),
        (["evaluate", "n" * 300], "(nombre de archivo demasiado largo)"),
    ],
)
@pytest.mark.parametrize("place", ["before", "after"])
def test_mistakes_in_spanish(tell: Any, words: list[str], sentence: str, place: str) -> None:
    before = language()
    told = tell("--lang=es", *words) if place == "before" else tell(*words[:1], "--lang", "es", *words[1:])
    assert sentence in told.sentence
    assert language() == before


# Help


@pytest.mark.parametrize("command", [None, *COMMANDS, "data preview"])
def test_help_in_both_languages(tell: Any, command: str | None) -> None:
    words = command.split() if command else []
    english, spanish = tell(*words, "--help"), tell(*words, "--help", "--lang", "es")
    assert english.code == spanish.code == 0
    assert english.out.startswith("Usage: convoscope")
    assert spanish.out.startswith("Uso: convoscope")
    for word in (
        "Usage",
        "Options:",
        "Arguments:",
        "Commands:",
        "Show this",
        "NAME",
        "FOLDER",
        "[OPTIONS]",
        "[required]",
        "ADDRESS",
    ):
        assert word not in spanish.out
    for added in ("[default", "<path>", "<str>", "<list[str]>", "<="):
        assert added not in spanish.out + english.out
    assert "Opciones:" in spanish.out
    assert english.err == spanish.err == ""


@pytest.mark.parametrize(
    ("command", "known"), [("train", models.registry), ("train", recipe_names()), ("inspect", views)]
)
def test_help_names_every_member(tell: Any, command: str, known: Iterable[str]) -> None:
    told = set(re.findall(r"[\w-]+", tell(command, "--help").out))
    assert not [name for name in known if name not in told]


def test_without_words_there_is_help(tell: Any) -> None:
    told = tell()
    assert told.code == 2
    assert told.err.startswith("Usage: convoscope")


def test_version(tell: Any) -> None:
    told = tell("--version")
    assert (told.code, told.out) == (0, f"convoscope {__version__}\n")


def test_a_fault_of_ours_is_told_too(tell: Any, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a\nfault")

    monkeypatch.setattr("convoscope.runs.Run.evaluate", broken)
    told = tell("evaluate", trained)
    assert told.code == 1
    assert told.err.startswith("A fault of Convoscope, not of yours: ZeroDivisionError in test_main.py:")
    assert told.err.count("\n") == 1
    monkeypatch.setenv("CONVOSCOPE_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        tell("evaluate", trained)


# Answers


def test_train_answers(tell: Any, tmp_path: Path) -> None:
    words = ["train", "--data", "digits", "--model", "dense-800", "--epochs", "1", "--out", tmp_path / "run"]
    told = tell(*words, "--json")
    assert told.json.keys() >= {"run", "test_error", "test_count", "seconds", "train_flops", "parameters"}
    assert told.json == Run(tmp_path / "run").metrics
    assert f"convoscope predict {tmp_path / 'run'}" in told.err
    assert "already holds a run" in tell(*words).sentence
    resumed = tell("train", "--resume", tmp_path / "run", "--lang", "es")
    assert resumed.out.startswith("Error de prueba")


def test_evaluate_answers(tell: Any, trained: Path) -> None:
    result = tell("evaluate", trained, "--json").json
    assert result.keys() >= {"run", "test_error", "test_count", "seconds", "train_flops", "parameters", "confusion"}
    metrics = Run(trained).metrics
    assert metrics is not None
    assert result["test_error"] == metrics["test_error"]
    told = tell("evaluate", trained, "--tta", "shift", "--lang", "es")
    assert "aumento en la prueba: shift" in told.out
    assert told.err == ""


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "some pictures"
    folder.mkdir()
    for name in ("ñandú 🐈.png", "b.png"):
        Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(folder / name)
    (folder / "notes.txt").write_text("no picture")
    (folder / "empty.png").write_bytes(b"")
    (folder / ".hidden.png").write_bytes(b"")
    return folder


def test_predict_answers(tell: Any, trained: Path, pictures: Path) -> None:
    told = tell("predict", trained, pictures, pictures / "b.png", "--json")
    result = told.json
    files = [Path(item["file"]).name for item in result["predictions"]]
    assert files == ["b.png", "ñandú 🐈.png", "b.png"]
    for item in result["predictions"]:
        assert item["label"] == max(item["probabilities"], key=item["probabilities"].get)
        assert item["probability"] == max(item["probabilities"].values())
    assert [Path(item["file"]).name for item in result["unread"]] == ["empty.png", "notes.txt"]
    left_out = told.err.splitlines()
    assert len(left_out) == 2
    assert left_out[0] == f"{pictures / 'empty.png'} left out: the file is empty"
    words = tell("predict", trained, pictures)
    assert len(words.out.splitlines()) == 2


def test_predict_keeps_no_picture_at_its_full_size(
    tell: Any, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[tuple[int, ...]] = []
    predict = Run.predict

    def watched(run: Run, images: Any) -> Any:
        held.extend(image.shape for image in images)
        return predict(run, images)

    photograph = Image.linear_gradient("L").resize((640, 480))
    photograph.save(tmp_path / "a.png")
    monkeypatch.setattr(Run, "predict", watched)
    (told,) = tell("predict", trained, tmp_path / "a.png", "--json").json["predictions"]
    assert held == [(1, 8, 8)]
    assert told["probability"] == predict(Run(trained), np.asarray(photograph))[0].probability


def test_predict_takes_a_picture_from_standard_input(
    tell: Any, trained: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = (pictures / "b.png").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert tell("predict", trained, "-", "--json").json["predictions"][0]["file"] == "-"
    monkeypatch.setattr(sys, "stdin", None)  # closed
    told = tell("predict", trained, "-")
    assert told.code == 2


def test_predict_looks_into_folders_behind_links_once(tell: Any, trained: Path, pictures: Path) -> None:
    far = pictures.parent / "far"
    far.mkdir()
    (far / "c.png").write_bytes((pictures / "b.png").read_bytes())
    (pictures / "link").symlink_to(far)
    (far / "back").symlink_to(pictures)
    (pictures / "nowhere.png").symlink_to("gone")
    told = tell("predict", trained, pictures, "--json").json
    files = [item["file"] for item in told["predictions"]]
    assert files == [str(pictures / name) for name in ("b.png", "link/c.png", "ñandú 🐈.png")]
    unread = {item["file"]: item["reason"] for item in told["unread"]}
    assert unread[str(pictures / "link" / "back")] == "a link to a folder that is read already"
    assert unread[str(pictures / "nowhere.png")] == "can't be read (No such file or directory)"


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Path]:
    """A folder that nobody but root may look into."""
    folder = tmp_path / "locked"
    folder.mkdir()
    (folder / "x.png").write_bytes(b"")
    folder.chmod(0)
    yield folder
    folder.chmod(0o700)


def without_rights(*words: object) -> Told:
    """Run a command in a process that may do no more than any user, whoever runs the tests."""
    if os.geteuid() != 0:
        return in_a_process(*words)
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("root may look anywhere, and there is no setpriv to give that up")
    rights = "-dac_override,-dac_read_search"
    done = subprocess.run(
        [setpriv, f"--bounding-set={rights}", f"--inh-caps={rights}", *COMMAND, *map(str, words)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    return Told(done.returncode, done.stdout, done.stderr)


@pytest.mark.skipif(os.name != "posix", reason="permissions are others here")
@pytest.mark.parametrize(
    "words",
    [
        ["evaluate", "LOCKED/run"],
        ["summary", "LOCKED/run"],
        ["predict", "LOCKED", "x.png"],
        ["convolve", "LOCKED/x.png", "--kernel", "sharpen"],
    ],
)
def test_a_path_that_is_closed_to_us_is_no_fault_of_ours(locked: Path, words: list[str]) -> None:
    told = without_rights(*(word.replace("LOCKED", str(locked)) for word in words), "--lang", "es")
    assert f"{locked}" in told.sentence
    assert "permiso denegado" in told.sentence


@pytest.mark.skipif(os.name != "posix", reason="permissions are others here")
def test_predict_names_the_folders_that_it_may_not_look_into(trained: Path, locked: Path) -> None:
    (locked.parent / "b.png").write_bytes(PNG)
    told = without_rights("predict", trained, locked.parent, locked / "x.png", "--json").json
    assert [item["file"] for item in told["predictions"]] == [str(locked.parent / "b.png")]
    reason = "can't be read (Permission denied)"
    assert told["unread"] == [{"file": str(path), "reason": reason} for path in (locked, locked / "x.png")]


def test_names_that_would_break_a_line_are_escaped_for_people(tell: Any, pictures: Path) -> None:
    for name in ("one\ntwo", "three"):
        (pictures / "set" / name).mkdir(parents=True)
        for number in range(4):
            picture = Image.fromarray(np.full((8, 8), 40 * number + len(name), dtype=np.uint8))
            picture.save(pictures / "set" / name / f"{number}.png")
    lines = tell("data", "check", pictures / "set").out.splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["one\\ntwo", "three"]
    classes = tell("data", "check", pictures / "set", "--json").json["classes"]
    assert [row["name"] for row in classes] == ["one\ntwo", "three"]


def test_nothing_to_predict(tell: Any, trained: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "files tried: 0" in tell("predict", trained, tmp_path / "empty").sentence
    told = tell("predict", trained, tmp_path / "nowhere.png", trained / "run.json")
    assert told.code == 2
    assert len(told.err.splitlines()) == 3
    assert told.err.splitlines()[0] == (
        f"{tmp_path / 'nowhere.png'} left out: can't be read (No such file or directory)"
    )
    assert told.err.splitlines()[-1].startswith("Nothing named is a picture that can be read")


@pytest.mark.skipif(os.name != "posix", reason="no limit on the size of files here")
@pytest.mark.parametrize(
    "words",
    [
        ["convolve", "digits:0", "--kernel", "sharpen", "--out", "old.png"],
        ["convolve", "digits:0", "--kernel", "sharpen", "--out", "old.html"],
        ["data", "preview", "digits", "--out", "old.png"],
        ["inspect", "RUN", "--view", "errors", "--out", "old.html"],
        ["inspect", "RUN", "--view", "errors", "--out", "old.png"],
    ],
    ids=lambda words: f"{words[0]}-{words[-1]}",
)
def test_an_older_file_stays_whole_where_the_new_one_finds_no_room(
    tell: Any, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    import resource

    monkeypatch.chdir(tmp_path)
    old = tmp_path / words[-1]
    old.write_bytes(b"old" * 1000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50, before[1]))
    try:
        told = tell(*(trained if word == "RUN" else word for word in words))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert f"{words[-1]} could not be written (File too large)" in told.sentence
    assert old.read_bytes() == b"old" * 1000
    assert list(tmp_path.iterdir()) == [old]


# Real processes


def test_names_of_any_bytes_in_any_locale(trained: Path, pictures: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(pictures) + b"/b\xffd.png"))
    odd.write_bytes((pictures / "b.png").read_bytes())
    words = ["predict", trained, odd, pictures / "ñandú 🐈.png", "--json"]
    told = in_a_process(*words, environment={"PYTHONIOENCODING": "ascii"})
    files = [item["file"] for item in told.json["predictions"]]
    assert files == [str(odd), str(pictures / "ñandú 🐈.png")]


def test_the_locale_chooses_the_language() -> None:
    told = in_a_process("evaluate", "/nowhere", environment={"LC_ALL": "es_ES.UTF-8"})
    assert "no contiene una ejecución" in told.sentence


def test_a_reader_that_has_gone_is_no_fault(trained: Path) -> None:
    """As in ``convoscope evaluate RUN | head -0``."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*COMMAND, "evaluate", trained], stdout=write, stderr=subprocess.PIPE, timeout=300, check=False
    )
    os.close(write)
    assert done.stderr == b""
    assert done.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_an_answer_that_cannot_be_written_is_told() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, "kernels"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=300, check=False
        )
    assert done.returncode == 2
    assert done.stderr.startswith("The answer could not be written to standard output (No space left on device)")
    assert done.stderr.count("\n") == 1


def test_without_a_home_or_a_place_to_write(trained: Path, tmp_path: Path) -> None:
    """Nothing but the request is spoken of, even where no library can keep its cache."""
    told = in_a_process(
        *("train", "--data", "digits", "--model", "dense-800", "--epochs", "1", "--json", "--out", tmp_path / "run"),
        environment={"HOME": "/proc/nowhere", "XDG_CACHE_HOME": "/proc/nowhere", "COLUMNS": "10", "NO_COLOR": "1"},
        cwd="/",
    )
    assert told.json["test_count"] == 360
    assert len(told.err.splitlines()) == 1


def test_an_interrupted_training_keeps_its_weights_and_goes_on(tmp_path: Path, tell: Any) -> None:
    out = tmp_path / "run"
    words = ["train", "--data", "digits", "--model", "dense-800", "--epochs", "5000", "--checkpoint-seconds", "1000"]
    process = subprocess.Popen(
        [*COMMAND, *words, "--json", "--out", out], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 200
    while not (out / "model.safetensors").exists() and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    answer, words_said = process.communicate(timeout=200)
    told = Told(process.returncode, answer, words_said)
    assert told.json["interrupted"] is True
    assert 0 < told.json["epochs"] < 5000
    assert "Interrupted. The best weights so far are kept" in told.err
    # It was asked for more epochs than a test has time for: shorten the plan, then let it finish.
    config = json.loads((out / "run.json").read_text())
    config["epochs"] = told.json["epochs"] + 1
    (out / "run.json").write_text(json.dumps(config))
    resumed = tell("train", "--resume", out, "--json").json
    assert resumed["interrupted"] is False
    assert resumed["epochs"] == told.json["epochs"] + 1


@pytest.mark.parametrize(
    ("statement", "heavy"),
    [
        ("import convoscope", ("torch", "numpy", "sklearn", "scipy", "matplotlib", "PIL", "typer", "rich", "pydantic")),
        ("import convoscope.cli; convoscope.cli.run(['--help'])", ("torch", "numpy", "sklearn", "matplotlib")),
        ("import convoscope.cli; convoscope.cli.run(['train', '--help'])", ("torch", "sklearn", "matplotlib")),
        ("import convoscope; convoscope.convolve([[1, 2]], [[1]])", ("torch", "sklearn", "matplotlib")),
    ],
)
def test_what_is_heavy_is_loaded_when_it_is_needed(statement: str, heavy: tuple[str, ...]) -> None:
    script = f"{statement}\nimport sys\nprint([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=100, check=False)
    assert done.stderr.strip() == "[]"


def test_a_folder_that_has_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = (
        f"import os; os.chdir({str(gone)!r}); os.rmdir({str(gone)!r}); import convoscope.cli; convoscope.cli.main()"
    )
    done = subprocess.run([sys.executable, "-c", script, "kernels"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "can't be found any more" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_run_in_a_folder_of_any_name(tmp_path: Path) -> None:
    out = tmp_path / os.fsdecode(b"a b \xff")
    words = ["--data", "digits", "--model", "dense-800", "--epochs", "1", "--json"]
    told = in_a_process("train", *words, "--out", out)
    assert told.json["run"] == str(out)
    assert f"convoscope predict '{tmp_path / 'a b '}" in told.err  # quoted, to be copied
    assert Run(out).predict(np.zeros((8, 8), np.uint8))[0].label in "0123456789"
