"""Whether a structure has the members that a model of Tencent's SDK has, all of them and no others, at every depth."""

import inspect
import re
from functools import cache
from typing import Any

from tencentcloud.vod.v20180717 import models


@cache
def members(model: str) -> dict[str, str]:
    """The members of a model, and the model of each that has one (`` for plain values)."""
    source = inspect.getsource(getattr(models, model).__init__)
    found = re.findall(r":type (\w+): (?:list of )?(?::class:`tencentcloud\.vod\.v20180717\.models\.)?(\w+)", source)
    return {name: kind if hasattr(models, kind) else "" for name, kind in found if name != "RequestId"}


def differences(structure: Any, model: str, place: str = "") -> list[str]:
    """The members that *structure* lacks or has too many, by their places; nothing where it is null."""
    if structure is None:
        return []
    if isinstance(structure, list):
        return [one for number, item in enumerate(structure) for one in differences(item, model, f"{place}[{number}]")]
    if not model:
        return []
    known = members(model)
    missing = [f"{place}.{name} is missing" for name in known.keys() - structure.keys()]
    strange = [f"{place}.{name} is unknown" for name in structure.keys() - known.keys()]
    inner = [
        one
        for name in known.keys() & structure.keys()
        for one in differences(structure[name], known[name], f"{place}.{name}")
    ]
    return [*missing, *strange, *inner]
