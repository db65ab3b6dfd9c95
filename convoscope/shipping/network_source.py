"""A network written out as plain PyTorch: one line a layer, under the names that its weights have."""

from __future__ import annotations

import inspect
import operator
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from convoscope.core.errors import RequestError

if TYPE_CHECKING:
    from torch import fx, nn


def network_source(model: nn.Module, name: str) -> str:
    """``make_model()`` and ``prepare(model, pictures)``, with the classes they need."""
    from convoscope.models.whitening import Whitening, fit_whitening

    own = {type(module): None for module in model.modules() if not any(module.children()) and not _is_torchs(module)}
    classes = [source(kind) for kind in own]
    layers = [f"        self.{child} = {_constructor(module, name, 8)}" for child, module in model.named_children()]
    network = "\n".join(
        [
            "class Network(nn.Module):",
            f'    """{name}: (B, C, H, W) to logits (B, classes)."""',
            "",
            "    def __init__(self):",
            "        super().__init__()",
            *layers,
            "",
            "    def forward(self, x):",
            *_steps(model, name),
        ]
    )
    made = "\n".join(
        [
            "def make_model():",
            '    """The network; layers that the recipe keeps as they are don\'t learn."""',
            "    model = Network()",
            "    for name, parameter in model.named_parameters():",
            "        parameter.requires_grad_(name not in FROZEN)",
            "    return model",
        ]
    )
    whitened = Whitening in own
    prepare = "\n".join(
        [
            "def prepare(model, pictures):",
            '    """What must be worked out from pictures before the training."""',
            "    fit_whitening(model, (scaled(some.float()) for some in pictures[:5000].split(500)))"
            if whitened
            else "    del model, pictures",
        ]
    )
    if whitened:
        classes = ["_LEAST_VARIANCE = 5e-4", *classes, source(fit_whitening)]
    return "\n\n\n".join([*classes, network, made, prepare])


def _steps(model: nn.Module, name: str) -> list[str]:
    """The body of ``forward``, each layer a line."""
    from torch import fx

    class Tracer(fx.Tracer):
        """Takes every module without children as a layer."""

        def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:  # noqa: ARG002
            return not any(m.children())

    try:
        graph = Tracer().trace(model)
    except Exception as error:  # tracing runs the network's own code on stand-ins
        raise not_scriptable(name, f"{error}".splitlines()[0] if str(error) else type(error).__name__) from error
    words: dict[str, str] = {}
    lines = []
    for node in graph.nodes:
        arguments = ", ".join(_argument(one, words) for one in node.args)
        if node.op == "placeholder":
            words[node.name] = "x"
            continue
        if node.op == "output":
            lines.append(f"        return {arguments}")
            continue
        if node.op == "call_module":
            made = f"self.{node.target}({arguments})"
        elif node.op == "call_function" and node.target in (operator.add, operator.mul) and not node.kwargs:
            sign = " + " if node.target is operator.add else " * "
            made = sign.join(_argument(one, words) for one in node.args)
        else:
            raise not_scriptable(name, f"{node.op} {node.target}")
        # A value that the next layer alone takes needs no name of its own.
        words[node.name] = "x" if _is_passed_on(node) else node.name
        lines.append(f"        {words[node.name]} = {made}")
    return lines


def _is_passed_on(node: fx.Node) -> bool:
    return len(node.users) == 1 and next(iter(node.users)) is node.next and not _still_needed(node)


def _still_needed(node: fx.Node) -> bool:
    """Whether what ``x`` holds now is taken later: then it must not be replaced."""
    later = node.next
    while later.op != "root":
        if any(one is not node and one in later.all_input_nodes for one in node.all_input_nodes):
            return True
        later = later.next
    return False


def _argument(value: Any, words: dict[str, str]) -> str:
    return words[value.name] if hasattr(value, "name") else repr(value)


def _is_torchs(module: nn.Module) -> bool:
    return type(module).__module__.startswith("torch.nn.modules")


def _constructor(module: nn.Module, name: str, indent: int) -> str:
    """The call that makes `module` anew; its further lines are indented by `indent`."""
    from convoscope.models.modules import Add, MapScale, ScaledTanh, TableConv2d
    from convoscope.models.whitening import Whitening

    if any(module.children()):
        inner = [f'"{child}": {_constructor(one, name, indent + 4)},' for child, one in module.named_children()]
        lines = [" " * (indent + 4) + line for line in inner]
        return "\n".join(["nn.ModuleDict({", *lines, " " * indent + "})"])
    if _is_torchs(module):
        return f"nn.{module!r}"
    own: dict[type[nn.Module], Callable[[Any], str]] = {
        Add: lambda _: "Add()",
        ScaledTanh: lambda _: "ScaledTanh()",
        MapScale: lambda one: f"MapScale({len(one.weight)})",
        TableConv2d: lambda one: f"TableConv2d({_table(one.pairs.tolist())}, {one.kernel_size[0]})",
        Whitening: lambda one: f"Whitening({one.in_channels}, {one.kernel_size[0]}, {one.stride[0]})",
    }
    if type(module) not in own:
        raise not_scriptable(name, type(module).__name__)
    return own[type(module)](module)


def _table(pairs: list[list[int]]) -> str:
    """The maps that each output map sees, from (output, seen) pairs."""
    outputs, seen = pairs
    rows = [tuple(one for to, one in zip(outputs, seen, strict=True) if to == at) for at in range(max(outputs) + 1)]
    return repr(tuple(rows))


def source(thing: Any) -> str:
    """The lines that define a class or function."""
    return textwrap.dedent(inspect.getsource(thing)).rstrip()


def not_scriptable(name: str, reason: str) -> RequestError:
    """The error for a network that can't be written out."""
    return RequestError("shipping.not_scriptable", model=name, reason=reason)
