"""The public interface of VOD, read from the source of Tencent's Python SDK and the description in their CLI.

Nothing of theirs is imported or kept: names, types, order and numbers are.
"""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pydantic import BaseModel

COMMITTED: Final = Path(__file__).parent / "surface.json"
SDK_FOLDER: Final = Path("tencentcloud", "vod", "v20180717")
CLI_FILE: Final = Path("tccli", "services", "vod", "v20180717", "api.json")


class Surface(BaseModel):
    """One version of the interface. What comes from the CLI is empty when only the SDK was read."""

    sdk: str = ""
    cli: str = ""
    actions: list[str]
    error_codes: list[str]
    event_types: list[str]
    """The values of EventType that the fields of EventContent are documented with."""
    structures: dict[str, dict[str, str]]
    """Name of a structure (`PullEventsRequest`, `EventContent`) to its fields in order, each with its type."""
    required: dict[str, list[str]] = {}
    """Name of a request to the parameters that must be given."""
    numbers: dict[str, list[str]]
    """`Action` or `ActionRequest.Parameter` to the numbers in its description: limits, defaults, times."""

    def save(self, path: Path) -> None:
        """Written so that a change of one structure is a change of one line."""
        parts = []
        for name, value in self.model_dump().items():
            text = json.dumps(value, ensure_ascii=False)
            if isinstance(value, dict):
                lines = [f"  {json.dumps(key)}: {json.dumps(one)}" for key, one in sorted(value.items())]
                text = "{\n" + ",\n".join(lines) + "\n}"
            elif isinstance(value, list):
                text = "[\n" + ",\n".join(f"  {json.dumps(one)}" for one in value) + "\n]"
            parts.append(f"{json.dumps(name)}: {text}")
        path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")

    def reachable(self, *names: str) -> dict[str, dict[str, str]]:
        """The structures called *names* and those within them."""
        found: dict[str, dict[str, str]] = {}
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name in self.structures and name not in found:
                found[name] = self.structures[name]
                waiting += [kind.removeprefix("list of ") for kind in found[name].values()]
        return found


def read(sdk: Path, cli: Path | None = None) -> Surface:
    """The surface of the packages unpacked in the folders *sdk* and *cli*. Raises OSError when they are not there."""
    models = _parse(sdk / SDK_FOLDER / "models.py")
    client = _parse(sdk / SDK_FOLDER / "vod_client.py")
    classes = {node.name: node for node in models.body if isinstance(node, ast.ClassDef)}
    documents = {name: _fields(node) for name, node in classes.items()}
    methods = {
        node.name: ast.get_docstring(node) or ""
        for one in client.body
        if isinstance(one, ast.ClassDef)
        for node in one.body
        if isinstance(node, ast.FunctionDef) and f"{node.name}Request" in classes
    }
    numbers = {action: _numbers(text.partition(":param")[0]) for action, text in methods.items()} | {
        f"{name}.{field}": _numbers(text)
        for name, fields in documents.items()
        if name.endswith("Request")
        for field, (_, text) in fields.items()
        if field != "SubAppId"  # described by a date
    }
    description = json.loads((cli / CLI_FILE).read_text(encoding="utf-8")) if cli else {"actions": {}, "objects": {}}
    return Surface(
        actions=sorted(methods.keys() | description["actions"].keys()),
        error_codes=sorted(_error_codes(_parse(sdk / SDK_FOLDER / "errorcodes.py"))),
        event_types=list(_event_types(documents["EventContent"])),
        structures={name: {field: kind for field, (kind, _) in fields.items()} for name, fields in documents.items()},
        required={name: fields for name, fields in _required(description) if fields},
        numbers={name: found for name, found in numbers.items() if found},
    )


def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _fields(node: ast.ClassDef) -> dict[str, tuple[str, str]]:
    """Fields of a model in order, each with type and description, from the docstring of its `__init__`."""
    for one in node.body:
        if isinstance(one, ast.FunctionDef) and one.name == "__init__":
            pattern = r":param _(\w+): (.*?)\n\s*:type \w+: (list of )?(?::class:`[\w.]*?(?=\w+`))?(\w+)"
            found = re.findall(pattern, ast.get_docstring(one, clean=False) or "", re.DOTALL)
            return {name: (several + kind, text) for name, text, several, kind in found}
    return {}


def _error_codes(module: ast.Module) -> Iterator[str]:
    for node in module.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            yield str(node.value.value)


def _event_types(fields: dict[str, tuple[str, str]]) -> Iterator[str]:
    """From the list that describes EventType, then from the descriptions of the other fields."""
    seen = {""}
    for name, (_, text) in fields.items():
        pattern = r"<li>\s*(\w+)[：:]" if name == "EventType" else r"(?:事件类型为|EventType 为)\s*(\w+)"
        for found in re.findall(pattern, text, re.ASCII):
            if found not in seen:
                seen.add(found)
                yield found


def _required(description: dict[str, dict[str, dict[str, list[dict[str, str]]]]]) -> Iterator[tuple[str, list[str]]]:
    for name, one in description["objects"].items():
        if name.endswith("Request"):
            yield name, sorted(member["name"] for member in one["members"] if member.get("required"))


def _numbers(text: str) -> list[str]:
    """Numbers in a description, without those of links, markup and ids."""
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)|<[^>]*>|https?://\S+", r" \1 ", text)
    return re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])", plain, re.ASCII)
