"""Durations: `500ms`, `30s`, `5m`, `1h`, `4d`, or plain seconds."""

import math

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(text: str) -> float:
    """*text* in seconds. Raises ValueError with the valid forms."""
    text = text.strip()
    unit = next((unit for unit in _UNITS if text.endswith(unit)), "")
    try:
        number = float(text.removesuffix(unit)) * _UNITS.get(unit, 1.0)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError("must be seconds, or a duration such as 500ms, 30s, 5m, 1h, 4d")
    return number
