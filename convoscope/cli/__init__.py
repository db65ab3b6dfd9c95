"""The command line: parse, call, print. One command a file; what is heavy is imported inside the commands."""

from __future__ import annotations

import atexit
import contextvars
import errno
import gc
import importlib
import logging
import os
import pkgutil
import sys
import traceback
from collections.abc import Sequence

import typer

from convoscope.cli._common import Lang
from convoscope.cli._help import translate_help
from convoscope.cli._mistakes import command_named, sentence
from convoscope.core.errors import RequestError
from convoscope.core.messages import LANGUAGES, say, set_language
from convoscope.core.reasons import in_words

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_CLOSED = (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP)
_INTERRUPTED = 130  # Typer's exit code for Ctrl-C


def make_app() -> typer.Typer:
    """The application with every command of this package, its help in the language in use."""
    app = typer.Typer(
        name="convoscope",
        help=say("cli.about"),
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for module in sorted(found.name for found in pkgutil.iter_modules(__path__) if not found.name.startswith("_")):
        importlib.import_module(f"{__name__}.{module}").register(app)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 2 the request was wrong, 1 a fault of ours."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A file's name may hold bytes that are no text, and a terminal may not know every letter.
            stream.reconfigure(errors="backslashreplace")
    # Matplotlib tells where it keeps its cache of fonts; that is nothing to a person who trains a network.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    # Python would look through all that is loaded for what can be freed, for a second, only to end.
    atexit.register(gc.freeze)
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(run(arguments))


def run(arguments: list[str]) -> int:
    """Run one command and give its exit code; a language chosen by it is not chosen beyond it."""
    return contextvars.copy_context().run(_run, arguments)


def _run(arguments: list[str]) -> int:
    try:
        arguments = _take_language(arguments)
        _refuse_empty(arguments)
        _check_place()
        command = typer.main.get_command(make_app())
        translate_help(command)
        result = command.main(arguments, prog_name="convoscope", standalone_mode=False)
        if sys.stdout:
            sys.stdout.flush()  # here, where a failure can still be told
    except RequestError as error:
        return _complain(str(error), error.exit_code)
    except typer.TyperException as error:
        return _complain(sentence(error, command_named(command, arguments)), 2)
    except (typer.Abort, KeyboardInterrupt):
        return _complain(say("cli.interrupted"), 1)
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): nobody is left to tell.
        _drop_output()
        return 0
    except SystemExit as error:
        if not isinstance(error.__context__, BrokenPipeError):
            raise
        _drop_output()  # the same, caught by Typer first
        return 0
    except Exception as error:
        if os.environ.get("CONVOSCOPE_TRACEBACK"):
            raise
        told = _system_said(error) if isinstance(error, OSError) else None
        return _fault(error) if told is None else told
    if result == _INTERRUPTED:
        return _complain(say("cli.interrupted"), 1)
    return result if isinstance(result, int) else 0


def _show_version(asked: bool) -> None:
    if asked:
        from convoscope import __version__

        typer.echo(f"convoscope {__version__}")
        raise typer.Exit


def _root(
    version: bool = typer.Option(False, "--version", is_eager=True, callback=_show_version), lang: Lang = None
) -> None:
    """The options that stand before a command."""


def _take_language(arguments: list[str]) -> list[str]:
    """Choose the language of ``--lang``, wherever it stands, and give the other words.

    It must be known before the help texts are written, so Typer would come to it too late.
    """
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        if word == "--":
            return [*rest, word, *words]
        if name == "--lang":
            set_language(value if equals else next(words, ""))
        else:
            rest.append(word)
    return rest


def _refuse_empty(arguments: list[str]) -> None:
    """An empty word is an unset variable of a script; taken as a path it would mean the folder one is in."""
    for at, word in enumerate(arguments):
        if word == "" or (word.startswith("--") and word.find("=") == len(word) - 1):
            before = arguments[at - 1] if word == "" and at else word.rstrip("=")
            raise RequestError("cli.empty", before=before or "convoscope")


def _check_place() -> None:
    """A folder that was removed while one was in it breaks libraries in ways that nobody understands."""
    try:
        os.getcwd()
    except OSError as error:
        raise RequestError("cli.no_place", reason=error.strerror or str(error)) from error


def _complain(words: str, code: int) -> int:
    print(words, file=sys.stderr)
    return code


def _system_said(error: OSError) -> int | None:
    """The exit code of what is the system's, and so the user's, to mend; None, and nothing said, for all else."""
    reason = in_words(error.strerror or str(error))
    if error.filename is None and error.errno in _NO_ROOM and sys.stdout:
        _drop_output()
        return _complain(say("cli.output_lost", reason=reason), 2)
    if error.filename is not None and error.errno in _CLOSED:
        return _complain(say("cli.path_closed", path=error.filename, reason=reason), 2)
    return None


def _fault(error: Exception) -> int:
    """A mistake of this program, not of its user, in one sentence."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else "?"
    detail = " ".join(str(error).split())[:300]
    return _complain(say("cli.fault", kind=type(error).__name__, detail=detail, place=place), 1)


def _drop_output() -> None:
    # Python flushes standard output once more when it ends, and would complain again.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


__all__ = ["LANGUAGES", "main", "make_app", "run"]
