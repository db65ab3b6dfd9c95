"""``convoscope export``: a run as one ONNX file with its certificate, as a script of plain PyTorch, or as a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convoscope.cli._common import AsJson, DataDir, Lang, answer
from convoscope.core.errors import RequestError
from convoscope.core.messages import say
from convoscope.core.numerals import grouped

if TYPE_CHECKING:
    from convoscope.shipping.certificate import Certificate
    from convoscope.shipping.export import Exported


def _option(name: str, key: str, **settings: Any) -> Any:
    return typer.Option(name, help=say(f"shipping.help_{key}"), show_default=False, **settings)


def register(app: typer.Typer) -> None:
    """Add the command, its help in the language in use."""

    @app.command(help=say("shipping.help_export"))
    def export(
        run: Annotated[Path, typer.Argument(metavar="RUN", help=say("cli.argument_run"), show_default=False)],
        out: Annotated[Path | None, _option("--out", "out", metavar="FILE")] = None,
        int8: Annotated[bool, _option("--int8", "int8")] = False,
        script: Annotated[bool, _option("--script", "script")] = False,
        page: Annotated[bool, _option("--page", "page")] = False,
        overwrite: Annotated[bool, _option("--overwrite", "overwrite")] = False,
        data_dir: DataDir = None,
        as_json: AsJson = False,
        lang: Lang = None,
    ) -> None:
        _one_form({"--int8": int8, "--script": script, "--page": page})
        if script:
            _write_script(run, out, overwrite, as_json)
            return
        if page:
            _write_page(run, out, overwrite, data_dir, as_json)
            return
        from convoscope.runs import Run
        from convoscope.shipping.export import export as write

        made = write(Run(run), out, int8=int8, overwrite=overwrite, data_dir=data_dir)
        answer(as_json, {"run": str(run), **made.to_dict()}, _words(made))


def _one_form(asked: dict[str, bool]) -> None:
    given = [name for name, wanted in asked.items() if wanted]
    if len(given) > 1:
        raise RequestError("shipping.one_form", given=", ".join(given))


def _write_script(run: Path, out: Path | None, overwrite: bool, as_json: bool) -> None:
    from convoscope.runs import Run
    from convoscope.shipping.script import write_script

    file = write_script(Run(run), out, overwrite=overwrite)
    answer(as_json, {"run": str(run), "file": str(file)}, say("shipping.script_written", file=file))


def _write_page(run: Path, out: Path | None, overwrite: bool, data_dir: Path | None, as_json: bool) -> None:
    from convoscope.runs import Run
    from convoscope.web.offline import write_page

    made = write_page(Run(run), out, overwrite=overwrite, data_dir=data_dir)
    certificate = made.certificate
    lines = [
        say("shipping.page_written", file=made.file, size=grouped(made.size / 1000)),
        say("shipping.same", checked=grouped(certificate.checked), difference=f"{certificate.max_abs_difference:.2g}"),
        _test_error(certificate),
    ]
    answer(as_json, {"run": str(run), **made.to_dict()}, "\n".join(lines))


def _test_error(certificate: Certificate) -> str:
    return say(
        "shipping.test_error",
        error=f"{certificate.test_error:.2%}",
        errors=grouped(certificate.test_errors),
        checked=grouped(certificate.checked),
    )


def _words(made: Exported) -> str:
    told = made.to_dict()
    certificate = made.certificate
    checked = grouped(certificate.checked)
    sizes = certificate.other_sizes
    compared = {"checked": checked, "difference": f"{certificate.max_abs_difference:.2g}"}
    lost = f"{100 * certificate.error_lost:+.2f}"
    speeds = {name: grouped(speed) for name, speed in certificate.images_per_second.items()}
    lines = [
        say("shipping.exported", file=made.file, size=grouped(made.size / 1000), opset=told["opset"]),
        say("shipping.same", **compared)
        if made.precision == "float32"
        else say("shipping.int8_cost", **compared, count=grouped(certificate.disagreements), lost=lost),
        _test_error(certificate),
        say(
            "shipping.sizes_differ" if sizes["max_pixel_difference"] else "shipping.sizes_same",
            count=sizes["checked"],
            most=sizes["max_pixel_difference"],
        ),
        say("shipping.speed", **speeds, threads=certificate.threads),
    ]
    return "\n".join(lines)
