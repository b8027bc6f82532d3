"""What differs between two versions of the interface, and what mockvod does not know of one."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel

from mockvod.http.actions import SIMULATED, find
from mockvod.wire.actions import VOD_ACTIONS
from mockvod.wire.error_codes import DOCUMENTED
from mockvod.wire.event_types import CARRIERS
from tests.drift.surface import Surface

IDENTIFICATION = {"EventHandle", "EventType"}  # fields of EventContent that carry no structure


class Finding(NamedTuple):
    """Several changes of one kind, and what they mean for mockvod."""

    title: str
    names: list[str]
    meaning: str

    def __str__(self) -> str:
        return "\n".join([f"{self.title}:", *(f"    {name}" for name in self.names), f"  {self.meaning}"])


def changes(old: Surface, new: Surface) -> Iterator[Finding]:
    """What *new* adds to, removes from and changes in *old*, as far as it concerns what mockvod simulates."""
    for title, before, after, more, fewer in (
        (
            "actions",
            old.actions,
            new.actions,
            "mockvod answers InvalidAction to them. List them in mockvod/wire/actions.py.",
            "mockvod still knows them. Keep them while older SDKs call them.",
        ),
        (
            "error codes",
            old.error_codes,
            new.error_codes,
            "The fault error_code rejects them. List them in mockvod/wire/error_codes.py.",
            "mockvod still injects them. Keep them while older SDKs document them.",
        ),
        (
            "event types",
            old.event_types,
            new.event_types,
            "mockvod cannot emit them by name. Add them to mockvod/wire/event_types.py, and an example to fixtures/.",
            "mockvod still emits them. Keep them while older SDKs document them.",
        ),
    ):
        yield from _names(f"{title} added", sorted(set(after) - set(before)), more)
        yield from _names(f"{title} removed", sorted(set(before) - set(after)), fewer)
    yield from _structures(
        "parameters",
        old.reachable(*(f"{name}Request" for name in SIMULATED)),
        new.reachable(*(f"{name}Request" for name in SIMULATED)),
        "mockvod rejects them with UnknownParameter. Add them to the model of the request in mockvod/wire.",
        "mockvod still accepts them. Keep them while older SDKs send them.",
    )
    results = ["EventContent", *(f"{name}Response" for name in SIMULATED)]
    yield from _structures(
        "fields of results and events",
        old.reachable(*results),
        new.reachable(*results),
        "mockvod does not send them. See whether an example or a result needs them.",
        "If mockvod sends them, the new SDK warns that they are unknown. See fixtures/ and mockvod/service.",
    )
    yield from _names(
        "order of the fields of EventContent changed",
        _moved(list(old.structures["EventContent"]), list(new.structures["EventContent"])),
        "mockvod sends null fields in the order of mockvod/wire/event_types.py.",
    )
    simulated = {*SIMULATED, *(f"{name}Request" for name in SIMULATED)}
    yield from _names(
        "required parameters changed",
        list(_values(_of(simulated, old.required), _of(simulated, new.required))),
        "Compare with the models in mockvod/wire: a required parameter has no default there.",
    )
    yield from _names(
        "numbers in descriptions changed",
        list(_values(_of(simulated, old.numbers), _of(simulated, new.numbers))),
        "A limit, default or time may have changed. Compare with mockvod/settings.py and the models in mockvod/wire.",
    )


def gaps(surface: Surface) -> Iterator[Finding]:
    """What of *surface* mockvod does not know."""
    yield from _names(
        "actions that mockvod does not know",
        sorted(set(surface.actions) - VOD_ACTIONS),
        "It answers InvalidAction to them. List them in mockvod/wire/actions.py.",
    )
    yield from _names(
        "error codes that mockvod does not know",
        sorted(set(surface.error_codes) - DOCUMENTED),
        "They cannot be injected. List them in mockvod/wire/error_codes.py.",
    )
    yield from _names(
        "event types that mockvod does not know",
        [name for name in surface.event_types if name not in CARRIERS],
        "They cannot be emitted by name. Add them to mockvod/wire/event_types.py.",
    )
    fields = [name for name in surface.structures["EventContent"] if name not in IDENTIFICATION]
    yield from _names(
        "fields of EventContent that mockvod does not know, or in another order",
        [name for name in fields if name not in CARRIERS.values()] or _moved(list(CARRIERS.values()), fields),
        "Add them to mockvod/wire/event_types.py, in the order of the SDK.",
    )
    yield from _names(
        "parameters that mockvod does not know",
        [path for name in SIMULATED for path in _unknown(surface, f"{name}Request", _model(name))],
        "It rejects them with UnknownParameter. Add them to the model of the request in mockvod/wire.",
    )


def _names(title: str, names: list[str], meaning: str) -> Iterator[Finding]:
    if names:
        yield Finding(title, names, meaning)


def _structures(
    title: str, old: dict[str, dict[str, str]], new: dict[str, dict[str, str]], more: str, fewer: str
) -> Iterator[Finding]:
    before, after = _flat(old), _flat(new)
    yield from _names(f"{title} added", [f"{name}: {after[name]}" for name in sorted(after.keys() - before)], more)
    yield from _names(f"{title} removed", [f"{name}: {before[name]}" for name in sorted(before.keys() - after)], fewer)
    both = {name: before[name] for name in before.keys() & after}
    yield from _names(
        f"types of {title} changed",
        list(_values(both, {name: after[name] for name in both})),
        "Compare with the models in mockvod/wire and the examples in fixtures/.",
    )


def _flat(structures: dict[str, dict[str, str]]) -> dict[str, str]:
    return {f"{name}.{field}": kind for name, fields in structures.items() for field, kind in fields.items()}


def _of(simulated: Iterable[str], values: dict[str, list[str]]) -> dict[str, str]:
    wanted = frozenset(simulated)
    return {name: ", ".join(value) for name, value in values.items() if name.partition(".")[0] in wanted}


def _values(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield f"{name}: {old.get(name, 'none')} → {new.get(name, 'none')}"


def _moved(old: list[str], new: list[str]) -> list[str]:
    """Names in both lists whose place among the names in both has changed."""
    before, after = [name for name in old if name in new], [name for name in new if name in old]
    return [name for name, other in zip(after, before, strict=True) if name != other]


def _model(action: str) -> type[BaseModel]:
    row = find(action)
    assert row is not None, action
    return row.call


def _unknown(surface: Surface, structure: str, model: type[BaseModel]) -> Iterator[str]:
    """Fields of *structure* and of those within it that *model* does not have."""
    fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    for name, kind in surface.structures.get(structure, {}).items():
        if name not in fields:
            yield f"{structure}.{name}"
            continue
        for inner in _models_in(fields[name]):
            yield from _unknown(surface, kind.removeprefix("list of "), inner)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)
