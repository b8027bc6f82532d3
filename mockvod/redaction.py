"""What is never shown: secrets by their names, and passwords in URLs."""

import re
from typing import Final

SECRET_NAMES: Final = frozenset({"secret_key", "sign_key", "SecretKey", "SignKey", "Signature", "Token", "token"})
"""Fields and parameters whose values are secrets."""

NOT_SHOWN: Final = "(not shown)"

# The greedy part reaches the last @ before the path: a password may contain one.
_PASSWORD = re.compile(r"(?P<user>[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#:@\"']*):[^\s/?#\"']*@")
_PARAMETER = re.compile(rf"(?i)(?P<name>[?&](?:{'|'.join(SECRET_NAMES)})=)[^&\s\"']*")


def redacted(text: str) -> str:
    """*text* without the passwords of its URLs and the secrets of its query strings."""
    if "@" in text and "://" in text:
        text = _PASSWORD.sub(r"\g<user>:***@", text)
    return _PARAMETER.sub(r"\g<name>***", text) if "=" in text else text
