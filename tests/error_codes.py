"""Which error codes an action of API 3.0 may return: those on its list, and the common ones.

The codes that mockvod can return are read from the code: `raised_by` follows an action through every function of
mockvod that it names. A code is therefore written as a whole where its error is made.
"""

from collections.abc import Callable, Iterator
from dis import get_instructions
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final

from mockvod.wire.action_codes import listed
from mockvod.wire.error_codes import DOCUMENTED
from mockvod.wire.errors import ApiError

COMMON: Final = {
    code for code in DOCUMENTED if "." not in code or code.startswith(("AuthFailure.", "RequestLimitExceeded."))
}
"""The common list of documents 266/31774 and 266/34188."""


def may_return(action: str, code: str) -> bool:
    return code in COMMON or code in listed().get(action, ())


def raised_by(function: Callable[..., Any]) -> set[str]:
    """The codes of all errors that *function*, and what it calls in mockvod, can raise."""
    codes: set[str] = set()
    seen: set[int] = set()
    waiting: list[Any] = [function]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, str) and one in DOCUMENTED:
            codes.add(one)
        elif isinstance(one, type) and issubclass(one, ApiError) and hasattr(one, "code"):
            codes.add(one.code)
        elif isinstance(one, FunctionType) and one.__module__.startswith("mockvod."):
            waiting += _used_by(one)
    return codes


def _used_by(function: FunctionType) -> Iterator[Any]:
    """The values that *function* names: globals, closed-over values, literals and members of named tuples."""
    names: set[str] = set()
    members: set[str] = set()
    for code in _codes_in(function.__code__):
        names |= {one.argval for one in get_instructions(code) if one.opname == "LOAD_GLOBAL"}
        members |= {*code.co_names}
        yield from code.co_consts
    held = [cell.cell_contents for cell in function.__closure__ or ()]
    for value in [*held, *(function.__globals__.get(name) for name in names)]:
        yield value
        if isinstance(value, ModuleType) or hasattr(value, "_fields"):
            yield from (getattr(value, name) for name in members if hasattr(value, name))


def _codes_in(code: CodeType) -> Iterator[CodeType]:
    """*code*, and that of the functions within it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes_in(constant)
