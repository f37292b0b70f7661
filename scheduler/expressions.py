"""`{{ }}` in the texts of an IR: Jinja2 expressions over parameters and globals, and nothing more of Jinja2.

An expression is `parameters.name` or `globals.name`, the operators and comparisons of Jinja2, `a if b else c`, and the
filters below. There are no statements, comments, calls, loops or attributes of values, so that time and size of the
result are bounded by the text's own. In a text of Bloblang a value is written as a literal, never as code.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from jinja2 import StrictUndefined, nodes
from jinja2.exceptions import SecurityError, TemplateSyntaxError, UndefinedError
from jinja2.sandbox import SandboxedEnvironment

from scheduler import literals
from scheduler.errors import InvalidInputError
from scheduler.model.alike import nearest
from scheduler.model.pipeline import Scalar
from scheduler.model.problem import Problem

Scope: TypeAlias = Mapping[str, Mapping[str, Scalar]]
"""Root (`parameters`, `globals`) -> name -> value."""
Names: TypeAlias = Mapping[str, Collection[str] | None]
"""Root -> the names that there are; None: any."""

GLOBALS: Final = ("artifactStoreUrl", "gitServerUrl", "logLevel", "registry", "traceEndpoint")
"""What an expression may name as `globals.<name>`: the platform's, not the author's."""

MAX_TEXT: Final = 64 * 1024
MAX_RESULT: Final = 256 * 1024
MAX_NODES: Final = 200
"""Of one expression."""
FILTERS: Final = ("abs", "float", "int", "length", "lower", "round", "string", "trim", "upper")

_PURE: Final = (
    nodes.Const, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Pos, nodes.Concat,
    nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.CondExpr, nodes.List, nodes.Tuple,
)  # fmt: skip


class _Environment(SandboxedEnvironment):
    """Arithmetic is for numbers: a product of strings would grow without bound."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        numbers = all(isinstance(side, int | float) and not isinstance(side, bool) for side in (left, right))
        strings = operator == "+" and isinstance(left, str) and isinstance(right, str)
        if not (numbers or strings):
            raise SecurityError(f"'{operator}' takes two numbers" + (" or two strings" if operator == "+" else ""))
        return super().call_binop(context, operator, left, right)


_ENVIRONMENT: Final = _Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
_ENVIRONMENT.filters = {name: _ENVIRONMENT.filters[name] for name in FILTERS}
_ENVIRONMENT.globals = {}


@dataclass(frozen=True, slots=True)
class _Expression:
    node: nodes.Expr
    reference: tuple[str, str] | None
    """(root, name) when the expression is nothing but that."""


_Part: TypeAlias = str | _Expression


def has_expressions(text: str) -> bool:
    return "{{" in text or "{%" in text or "{#" in text


def size(text: str) -> int:
    """Characters inside `{{ }}`.

    >>> size("a {{ b }} c {{ d")
    5
    """
    return sum(len(piece.partition("}}")[0]) for piece in text.split("{{")[1:])


def apply_text(text: str, scope: Scope, *, document: str = "", pointer: str = "") -> Scalar:
    """`text` with its expressions' values; a text that is exactly one expression becomes that value, type and all.

    Raises InvalidInputError with every problem of the text.
    """
    return _applied(text, scope, literals.plain, document=document, pointer=pointer)


def apply_bloblang(text: str, scope: Scope, *, document: str = "", pointer: str = "") -> str:
    """Bloblang `text` in which each expression is replaced by its value's literal.

    An expression inside a string of the text is refused: there a value could become code.
    Raises InvalidInputError with every problem of the text.
    """
    applied = _applied(text, scope, literals.bloblang, document=document, pointer=pointer)
    return applied if isinstance(applied, str) else literals.bloblang(applied)


def check(text: str, names: Names, *, bloblang: bool) -> tuple[Problem, ...]:
    """Every problem that `text` has whatever the values are, unknown names in untaken branches among them.

    They have no place: the caller knows it.
    """
    return _parsed(text, names, bloblang=bloblang)[1]


def _applied(text: str, scope: Scope, write: Callable[[Scalar], str], *, document: str, pointer: str) -> Scalar:
    if not has_expressions(text):
        return text
    parts, found = _parsed(text, scope, bloblang=write is literals.bloblang)
    problems = list(found)
    applied: Scalar = None
    if not problems:
        with _reported(problems):
            applied = _joined(parts, scope, write)
    if problems:
        raise InvalidInputError([replace(problem, document=document, pointer=pointer) for problem in problems])
    return applied


def _parsed(text: str, names: Names, *, bloblang: bool) -> tuple[tuple[_Part, ...], tuple[Problem, ...]]:
    """The parts of a text, and all that is wrong with them before any value is put in."""
    problems: list[Problem] = []
    told: set[str] = set()
    parts: tuple[_Part, ...] = ()
    if not has_expressions(text):
        return (text,), ()

    def report(message: str, candidates: Callable[[], tuple[str, ...]] = tuple) -> None:
        if message not in told:
            told.add(message)
            problems.append(Problem(message=message, candidates=candidates()))

    with _reported(problems):
        parts = _parts(text)
        for part in parts:
            if isinstance(part, _Expression):
                _check_node(part.node, names, report)
        if bloblang and (why := literals.misplaced(part if isinstance(part, str) else None for part in parts)):
            report(f"an expression {why}")
    return parts, tuple(problems)


@contextmanager
def _reported(problems: list[Problem]) -> Iterator[None]:
    """Jinja2's errors, and ours, as one more problem."""
    try:
        yield
    except TemplateSyntaxError as error:
        problems.append(Problem(message=f"line {error.lineno} of the text: {error.message}"))
    except ValueError as error:
        problems.append(Problem(message=f"an expression {error}"))
    except (SecurityError, UndefinedError, TypeError, ArithmeticError) as error:
        problems.append(Problem(message=f"an expression cannot be computed: {error}"))
    except RecursionError:
        problems.append(Problem(message="an expression is nested too deep"))


def _parts(text: str) -> tuple[_Part, ...]:
    if len(text) > MAX_TEXT:
        raise ValueError(f"may stand in a text of at most {MAX_TEXT} characters; this one has {len(text)}")
    for opening, what in (("{%", "statements"), ("{#", "comments")):
        if opening in text:
            raise ValueError(f"is all that may be written; '{opening}' would begin one of Jinja2's {what}")
    output = [node for statement in _ENVIRONMENT.parse(text).body for node in statement.iter_child_nodes()]
    return tuple(
        node.data if isinstance(node, nodes.TemplateData) else _Expression(node, _reference(node))
        for node in output
        if isinstance(node, nodes.Expr)
    )


def _joined(parts: tuple[_Part, ...], scope: Scope, write: Callable[[Scalar], str]) -> Scalar:
    values = iter(_values([part for part in parts if isinstance(part, _Expression)], scope))
    if len(parts) == 1 and isinstance(parts[0], _Expression) and write is literals.plain:
        return next(values)
    pieces: list[str] = []
    size = 0
    for part in parts:
        pieces.append(part if isinstance(part, str) else write(next(values)))
        size += len(pieces[-1])
        if size > MAX_RESULT:
            raise ValueError(f"makes the text longer than {MAX_RESULT} characters")
    return "".join(pieces)


def _values(expressions: list[_Expression], scope: Scope) -> Iterator[Scalar]:
    for expression in expressions:
        if expression.reference is not None:
            root, name = expression.reference
            yield scope[root][name]
        else:
            yield _computed(expression.node, scope)


def _computed(node: nodes.Expr, scope: Scope) -> Scalar:
    result = nodes.Assign(nodes.Name("result", "store"), node, lineno=1)
    module: Any = _ENVIRONMENT.from_string(nodes.Template([result], lineno=1)).make_module(dict(scope))
    value = module.result
    if isinstance(value, StrictUndefined) or not isinstance(value, str | int | float | bool | None):
        raise ValueError(f"must give a string, a number, true, false or null, not a {type(value).__name__}")
    return value


def _check_node(node: nodes.Node, known: Names, report: Callable[..., None]) -> None:
    """Report what is not allowed, and every name that is not known, wherever in the expression it stands."""
    waiting: list[nodes.Node] = [node]
    seen = 0
    while waiting:
        current = waiting.pop()
        seen += 1
        if seen > MAX_NODES:
            return report(f"an expression has more than {MAX_NODES} parts")
        if isinstance(current, nodes.Name | nodes.Getattr | nodes.Getitem):
            _check_reference(current, known, report)
            continue
        if isinstance(current, nodes.Filter):
            _check_filter(current, report)
        elif not isinstance(current, _PURE):
            report(f"{_SPOKEN.get(type(current), type(current).__name__)} cannot be used in an expression")
            continue
        waiting.extend(reversed(list(current.iter_child_nodes())))
    return None


def _check_reference(node: nodes.Expr, known: Names, report: Callable[..., None]) -> None:
    reference = _reference(node)
    if reference is None:
        name = node.name if isinstance(node, nodes.Name) else ""
        what = f"'{name}' names no value here" if name else "a name must be written out, as in parameters.name"
        return report(what, lambda: nearest(f"parameters.{name}", _spellings(known)))
    root, name = reference
    if root not in known:
        return report(f"'{root}' is not known in an expression", lambda: tuple(sorted(known)))
    there = known[root]
    if there is not None and name not in there:
        message = f"no {root.removesuffix('s')} is named '{name}'"
        return report(message, lambda: tuple(_spelled(root, item) for item in nearest(name, there)))
    return None


def _check_filter(node: nodes.Filter, report: Callable[..., None]) -> None:
    if node.name not in FILTERS:
        return report(f"the filter '{node.name}' cannot be used", lambda: nearest(node.name, FILTERS))
    given = [*node.args, *(keyword.value for keyword in node.kwargs)]
    small = all(isinstance(arg, nodes.Const) and not (isinstance(arg.value, int) and arg.value > 15) for arg in given)
    if not small or node.dyn_args is not None or node.dyn_kwargs is not None:
        # round(n) computes 10 ** n
        report(f"what the filter '{node.name}' is given must be written out, a number at most 15")
    return None


def _reference(node: nodes.Node) -> tuple[str, str] | None:
    match node:
        case nodes.Getattr(node=nodes.Name(name=root), attr=name):
            return root, name
        case nodes.Getitem(node=nodes.Name(name=root), arg=nodes.Const(value=str(name))):
            return root, name
    return None


def _spellings(known: Names) -> list[str]:
    return [_spelled(root, name) for root, there in known.items() for name in there or ()]


def _spelled(root: str, name: str) -> str:
    return f"{root}.{name}" if name.isidentifier() else f"{root}['{name}']"


_SPOKEN: Final[Mapping[type[nodes.Node], str]] = {
    nodes.Call: "a call",
    nodes.Pow: "'**'",
    nodes.Test: "'is'",
    nodes.Dict: "a dictionary",
    nodes.Slice: "a slice",
    nodes.TemplateData: "text",
}
