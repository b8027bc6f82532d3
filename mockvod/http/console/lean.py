"""Makes the console's files smaller when they are sent: no comments, no indentation, no spaces that mean nothing."""

import re
from typing import Final

_SCRIPT: Final = re.compile(
    r"""(?P<comment> //[^\n]* | /\*.*?\*/ ) | (?P<space> \s+ )
      | '(?:\\.|[^'\\])*' | "(?:\\.|[^"\\])*" | [\w$]+ | .""",
    re.VERBOSE | re.DOTALL,
)
_TEMPLATE: Final = re.compile(r"[`}](?:\\.|\$(?!\{)|[^`$\\])*(?:`|\$\{)", re.DOTALL)
"""A part of a template literal: from its beginning, or the end of `${…}`, to the next `${` or its end."""
_REGEX: Final = re.compile(r"/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/")
_BEFORE_REGEX: Final = frozenset("(,=:[!&|?{;>")
_WORDS_BEFORE_REGEX: Final = frozenset("return case typeof throw await yield".split())
"""A slash after one of these characters or words begins a regular expression; after anything else it divides."""

_NO_END: Final = frozenset(["", *"{[(,;"])
"""After these no statement ends; before those of _NO_BEGIN one ends without a new line, if at all."""
_NO_BEGIN: Final = frozenset("}])")

_CSS_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_CSS_SPACE: Final = re.compile(r"\s*([{};,]|:(?= ))\s*")
_INDENTATION: Final = re.compile(r"\n\s*")


def lean(text: str, suffix: str) -> str:
    """Minify the *text* of a file whose name ends in *suffix*. Strings lose only their indentation."""
    if suffix == ".js":
        return _script(text)
    text = _INDENTATION.sub("\n", text)
    return _CSS_SPACE.sub(r"\1", _CSS_COMMENT.sub("", text)) if suffix == ".css" else text


def _script(text: str) -> str:
    sent = [""]
    templates: list[int] = []  # of each open template literal: how many braces are open in its ${…}
    at, space = 0, ""
    while at < len(text):
        first = text[at]
        is_rest = first == "}" and bool(templates) and not templates[-1]
        if first == "`" or is_rest:
            found = _TEMPLATE.match(text, at)
        else:
            may_be_regex = sent[-1][-1:] in _BEFORE_REGEX or sent[-1].strip() in _WORDS_BEFORE_REGEX
            found = (_REGEX.match(text, at) if may_be_regex else None) or _SCRIPT.match(text, at)
        if found is None:
            raise ValueError(f"a template literal does not end: {text[at : at + 40]!r}")
        at, part = found.end(), found[0]
        if found.re is _TEMPLATE:
            if is_rest:
                templates.pop()
            if part.endswith("${"):
                templates.append(0)
            part = _INDENTATION.sub("\n", part)
        elif found.lastgroup == "comment":
            continue
        elif found.lastgroup == "space":
            space = "\n" if "\n" in space + part else " "
            continue
        elif part in {"{", "}"} and templates:
            templates[-1] += 1 if part == "{" else -1
        sent.append(_between(sent[-1][-1:], space, part[0]) + part)
        space = ""
    return "".join(sent)


def _between(before: str, space: str, after: str) -> str:
    """What is sent of *space*: line ends where they may end a statement, and what keeps two words apart."""
    if space == "\n":
        return "" if before in _NO_END or after in _NO_BEGIN else "\n"
    apart = (_is_word(before) and _is_word(after)) or (before == after and before in {"+", "-"})
    return space if apart else ""


def _is_word(character: str) -> bool:
    return character.isalnum() or character in {"_", "$"}
