"""The command line: parse, call, print. One command a file; what is heavy is imported inside the commands."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Sequence

import typer

from convoscope.core.errors import RequestError
from convoscope.core.messages import LANGUAGES, say, set_language


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
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(run(arguments))


def run(arguments: list[str]) -> int:
    """Run one command and give its exit code."""
    try:
        _choose_language(arguments)
        command = typer.main.get_command(make_app())
        result = command.main(arguments, prog_name="convoscope", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except RequestError as error:
        return _complain(str(error), error.exit_code)
    except typer.TyperException as error:
        return _complain(_sentence(error), 2)
    except (typer.Abort, KeyboardInterrupt):
        return _complain(say("cli.interrupted"), 1)
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): nobody is left to tell.
        sys.stderr.close()
        return 0


def _root(version: bool = typer.Option(False, "--version", help="Version.", is_eager=True)) -> None:
    if version:
        from convoscope import __version__

        typer.echo(f"convoscope {__version__}")
        raise typer.Exit


def _choose_language(arguments: list[str]) -> None:
    """``--lang`` anywhere; it must be known before the help texts are written."""
    for at, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if name == "--lang":
            set_language(value if equals else (arguments[at + 1] if at + 1 < len(arguments) else ""))


def _complain(sentence: str, code: int) -> int:
    print(sentence, file=sys.stderr)
    return code


def _sentence(error: typer.TyperException) -> str:
    """What Typer found wrong with the words given, as one sentence of ours.

    Typer keeps the classes of these errors to itself, so they are told apart by name.
    """
    kind = type(error).__name__
    if kind == "NoArgsIsHelpError":
        return error.format_message()
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "convoscope"
    if kind == "NoSuchOption":
        near = ", ".join(getattr(error, "possibilities", None) or ()) or "--help"
        return say("cli.no_such_option", option=getattr(error, "option_name", ""), near=near, command=command)
    if kind == "MissingParameter":
        parameter = getattr(error, "param", None)
        return say("cli.missing", name=parameter.human_readable_name if parameter else "", command=command)
    return say("cli.usage", problem=error.format_message().rstrip("."), command=command)


__all__ = ["LANGUAGES", "main", "make_app", "run"]
