"""``convoscope kernels``: the named kernels with their numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from convoscope.cli._common import AsJson, Lang, answer
from convoscope.core.messages import say

if TYPE_CHECKING:
    from convoscope.convolution import Kernel


def register(app: typer.Typer) -> None:
    """Add the command, its help in the language in use."""

    @app.command(help=say("convolution.help_kernels"))
    def kernels(
        names: Annotated[
            list[str] | None, typer.Argument(metavar="NAME…", help=say("convolution.help_names"), show_default=False)
        ] = None,
        as_json: AsJson = False,
        lang: Lang = None,
    ) -> None:
        from convoscope.convolution import kernels as known

        chosen = [known[name] for name in names or known]
        words = "\n\n".join(_described(kernel) for kernel in chosen)
        answer(as_json, {"kernels": [kernel.to_dict() for kernel in chosen]}, words)


def _described(kernel: Kernel) -> str:
    given = ", ".join(f"{name}={value}" for name, value in kernel.parameters.items())
    head = f"{kernel.spec}: {kernel.name}" + (f" ({given})" if given else "")
    return f"{head}\n{kernel.meaning}\n\n{kernel}\n\n{kernel.source}"
