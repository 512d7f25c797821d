"""What Jinja makes of our templates, with less to do for each value: a page has hundreds.

Jinja wraps each value that it writes into a `Markup` of its own, only to join all of them to one text; each sentence
without gaps, and each macro, goes through `Context.call`, which looks for what hardly any of them want. All this is
said here as what it comes to. `code_generator_class` and `context_class` are Jinja's own ways to that.
"""

from types import BuiltinMethodType, FunctionType
from typing import Any, ClassVar

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame, optimizeconst
from jinja2.runtime import Context, Macro

# Its one private name: the loop in C without the `Markup` around it, which is 0.05 µs instead of 0.3.
from markupsafe import Markup, _escape_inner, escape  # type: ignore[attr-defined]

from app import i18n

_GETTEXT = ("_", "gettext")
_PLAIN = (FunctionType, BuiltinMethodType)


def written(value: Any) -> str:
    """As `escape`, for what is joined at once."""
    kind = type(value)
    if kind is str:
        return _escape_inner(value)
    if kind is Markup:
        # As much a string as any, to whoever joins.
        return value  # type: ignore[no-any-return]
    if kind is int:
        return str(value)
    return escape(value)


def said(message: str) -> Markup:
    """A sentence of ours without gaps."""
    return i18n.marked(i18n.current_locale(), message)


def _is_sentence(node: nodes.Call) -> bool:
    called, args = node.node, node.args
    return (
        isinstance(called, nodes.Name)
        and called.name in _GETTEXT
        and len(args) == 1
        and isinstance(args[0], nodes.Const)
        and not (node.kwargs or node.dyn_args or node.dyn_kwargs)
    )


class Writer(CodeGenerator):
    """Jinja's, where it escapes; the same code in templates that do not (mails' texts)."""

    _OURS: ClassVar[str] = f"from {__name__} import said, written"

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802 (Jinja's name)
        self.writeline(self._OURS)
        super().visit_Template(node, frame)

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape or finalize.src is not None:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write("written(")

    @optimizeconst
    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: N802, FBT
        if frame.eval_ctx.autoescape and not frame.eval_ctx.volatile and _is_sentence(node):
            self.write("said(")
            self.visit(node.args[0], frame)
            self.write(")")
        else:
            super().visit_Call(node, frame, forward_caller=forward_caller)


class Drawing(Context):
    """Jinja's, which asks of less when a macro or a plain function is called."""

    def call(self, called: Any, /, *args: Any, **kwargs: Any) -> Any:
        """As Jinja's. `kwargs` may hold names of Jinja's own, for functions that want the context."""
        kind = type(called)
        if kind is Macro:
            args = (self.eval_ctx, *args)
        elif kind not in _PLAIN or hasattr(called, "jinja_pass_arg"):
            return super().call(called, *args, **kwargs)
        kwargs.pop("_block_vars", None)
        kwargs.pop("_loop_vars", None)
        return called(*args, **kwargs)
