"""What is never shown: secrets by their names, and passwords in URLs."""

import re
from collections.abc import Iterable
from typing import Any, Final

SECRET_NAMES: Final = frozenset({"secret_key", "sign_key", "SecretKey", "SignKey", "Signature", "Token", "token"})
"""Fields and parameters whose values are secrets."""

NOT_SHOWN: Final = "(not shown)"
REDACTED: Final = "***"

_CREDENTIALS: Final = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "x-tc-token"})

# The greedy part reaches the last @ before the path: a password may contain one.
_PASSWORD = re.compile(r"(?P<user>(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s/?#:@\"']*):[^\s/?#\"']*@")
_PARAMETER = re.compile(rf"(?i)(?P<name>[?&](?:{'|'.join(SECRET_NAMES)})=)[^&\s\"']*")


def redacted(text: str) -> str:
    """*text* without the passwords of its URLs and the secrets of its query strings."""
    if "@" in text and "://" in text:
        text = _PASSWORD.sub(rf"\g<user>:{REDACTED}@", text)
    return _PARAMETER.sub(rf"\g<name>{REDACTED}", text) if "=" in text else text


def redacted_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """*headers* without credentials."""
    return [(name, REDACTED if name.lower() in _CREDENTIALS else redacted(value)) for name, value in headers]


def shown_setting(name: str, value: Any) -> Any:
    """The value of a setting as people may see it: `***` for a secret, URLs without their password."""
    if name in SECRET_NAMES:
        return REDACTED if value else value
    return redacted(value) if isinstance(value, str) else value
