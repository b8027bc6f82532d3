"""Parameters: queries, forms and multipart bodies, and the structures that they spell."""

import string
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tencentcloud.common.common_client import CommonClient

from mockvod.wire.errors import ApiError, InvalidParameter, InvalidRequest
from mockvod.wire.params import parse_multipart, parse_query, unflatten

names = st.text(string.ascii_letters + "_", min_size=1, max_size=8)
values = st.recursive(
    st.text(max_size=8),
    lambda below: st.lists(below, min_size=1, max_size=4) | st.dictionaries(names, below, min_size=1, max_size=4),
    max_leaves=12,
)
structures = st.dictionaries(names, values, max_size=4)


def flatten(structure: Mapping[str, Any]) -> dict[str, str]:
    """The parameters that Tencent's SDKs make of *structure*: lists count from 0, None and empty are left out."""
    return {".".join(path): text for path, text in _leaves(structure, ())}


def _leaves(value: Any, path: tuple[str, ...]) -> Iterable[tuple[tuple[str, ...], str]]:
    if isinstance(value, Mapping):
        for key, child in value.items():
            yield from _leaves(child, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for index, child in enumerate(value):
            yield from _leaves(child, (*path, str(index)))
    elif isinstance(value, bool):
        yield path, "true" if value else "false"
    elif value is not None:
        yield path, str(value)


def short(value: object) -> str:
    return repr(value)[:40]


# Structures


def test_numbers_make_a_list_and_names_an_object() -> None:
    pairs = [("EventHandles.0", "a"), ("EventHandles.1", "b"), ("Key.Sub", "c"), ("Keys.0.Sub", "d"), ("Plain", "")]
    assert unflatten(pairs) == {
        "EventHandles": ["a", "b"],
        "Key": {"Sub": "c"},
        "Keys": [{"Sub": "d"}],
        "Plain": "",
    }


@pytest.mark.parametrize(
    "indexes",
    [["1", "2", "3"], ["3", "4", "5"], ["0", "7", "12"], ["01", "2", "010"], ["2", "10", "9" * 5000]],
    ids=short,
)
def test_a_list_may_start_anywhere_and_have_gaps(indexes: list[str]) -> None:
    pairs = [(f"EventHandles.{index}", value) for index, value in zip(indexes, "abc", strict=True)]
    assert unflatten(reversed(pairs)) == {"EventHandles": ["a", "b", "c"]}


def test_a_level_with_numbers_and_names_is_an_object() -> None:
    assert unflatten([("A.0", "x"), ("A.B", "y")]) == {"A": {"0": "x", "B": "y"}}


@pytest.mark.parametrize("digits", ["-1", "+1", "१", "1a", "1_0"])
def test_only_plain_digits_are_an_index(digits: str) -> None:
    assert unflatten([(f"A.{digits}", "x")]) == {"A": {digits: "x"}}


def test_the_top_is_always_an_object() -> None:
    assert unflatten([("0", "x")]) == {"0": "x"}
    assert unflatten([]) == {}


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        (["A", "A.0"], "A.0"),
        (["A.0", "A"], "A"),
        (["A.B.C", "A.B"], "A.B"),
        (["A.B", "A.B.C.D"], "A.B.C.D"),
        (["A", "A"], "A"),
        (["A.0", "A.0"], "A.0"),
        ([""], ""),
        (["."], "."),
        (["A."], "A."),
        ([".A"], ".A"),
        (["A..B"], "A..B"),
        ([".".join("A" * 17)], ".".join("A" * 17)),
        ([".".join("A" * 5000)], ".".join("A" * 5000)),
    ],
    ids=short,
)
def test_a_contradiction_is_refused_with_its_key(keys: list[str], named: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        unflatten([(key, "x") for key in keys])
    assert f"`{named}`" in caught.value.message()


def test_a_repeated_key_is_distinguished_from_one_with_parts() -> None:
    with pytest.raises(InvalidParameter, match="more than once"):
        unflatten([("A.B", "x"), ("A.B", "x")])
    with pytest.raises(InvalidParameter, match="both a value and parts"):
        unflatten([("A.B", "x"), ("A", "x")])
    with pytest.raises(InvalidParameter, match="continues another parameter that has a value"):
        unflatten([("A", "x"), ("A.B", "x")])


def test_sixteen_parts_are_deep_enough() -> None:
    assert flatten(unflatten([(".".join("A" * 16), "x")])) == {".".join("A" * 16): "x"}


def test_what_the_sdk_spells_is_what_we_spell() -> None:
    structure = {
        "EventHandles": ["a", "b"],
        "Key": {"Sub": "c", "List": [{"X": "1"}, {"X": "2"}]},
        "Ext": "",
        "No": None,
    }
    assert flatten(structure) == CommonClient._fix_params(CommonClient.__new__(CommonClient), structure)


def test_other_types_are_spelled_out() -> None:
    assert flatten({"On": True, "Off": False, "N": 10, "F": 1.5, "None": None, "Empty": [], "T": ("a",)}) == {
        "On": "true",
        "Off": "false",
        "N": "10",
        "F": "1.5",
        "T.0": "a",
    }


@given(structures)
def test_a_structure_survives_its_spelling(structure: dict[str, Any]) -> None:
    assert unflatten(flatten(structure).items()) == structure


@given(structures)
def test_a_structure_survives_a_query(structure: dict[str, Any]) -> None:
    assert unflatten(parse_query(urlencode(flatten(structure)))) == structure


@given(st.dictionaries(st.integers(0, 10**30), st.text(), min_size=1), st.randoms())
def test_gaps_are_closed_in_numerical_order(by_index: dict[int, str], shuffler: Any) -> None:
    pairs = [(f"A.{index}", value) for index, value in by_index.items()]
    shuffler.shuffle(pairs)
    assert unflatten(pairs) == {"A": [by_index[index] for index in sorted(by_index)]}


@given(st.lists(st.tuples(st.text("A.0", max_size=6), st.text(max_size=2)), max_size=6))
def test_any_keys_make_a_structure_or_an_error_of_the_api(pairs: list[tuple[str, str]]) -> None:
    try:
        structure = unflatten(pairs)
    except InvalidParameter:
        return
    assert sorted(flatten(structure).values()) == sorted(value for _, value in pairs)


# Queries and forms


def test_a_query_is_decoded_in_order() -> None:
    assert parse_query("B=a+b%20c%2B&A=&B=%E4%BA%91&C=d=e") == [("B", "a b c+"), ("A", ""), ("B", "云"), ("C", "d=e")]
    assert parse_query("") == []
    assert parse_query("A=云") == [("A", "云")]


@pytest.mark.parametrize("raw", ["A", "A=1&B", "A=1&", "&A=1", "A=1&&B=2", "&"])
def test_a_pair_without_an_equals_sign_gets_tencents_message(raw: str) -> None:
    with pytest.raises(InvalidParameter, match=r"^Url key and value should be splited by `=`\.$"):
        parse_query(raw)


@pytest.mark.parametrize("raw", ["A=%FF", "%C3=1", "A=%ED%A0%80", "A=\udcff", "\udcff=1"])
def test_a_query_has_to_be_utf_8(raw: str) -> None:
    with pytest.raises(InvalidParameter, match="UTF-8"):
        parse_query(raw)


def test_a_query_has_a_thousand_pairs_at_most() -> None:
    assert len(parse_query("&".join(["A=1"] * 1000))) == 1000
    with pytest.raises(InvalidParameter, match="1000"):
        parse_query("&".join(["A=1"] * 1001))


@given(st.lists(st.tuples(st.text(), st.text())))
def test_pairs_survive_encoding(pairs: list[tuple[str, str]]) -> None:
    assert parse_query(urlencode(pairs)) == pairs


# Multipart

CONTENT_TYPE = "multipart/form-data; boundary=Bnd"


def part(content: bytes, *headers: str, name: str = "A") -> bytes:
    head = "\r\n".join([f'Content-Disposition: form-data; name="{name}"', *headers])
    return b"--Bnd\r\n%b\r\n\r\n%b\r\n" % (head.encode(), content)


END = b"--Bnd--\r\n"


def test_parts_are_text_or_json() -> None:
    body = part("云\r\nx".encode()) + part(b'{"B": [1, "x"]}', "Content-Type: application/json", name="J") + END
    assert parse_multipart(body, CONTENT_TYPE) == {"A": "云\r\nx", "J": {"B": [1, "x"]}}


def test_a_boundary_may_be_quoted_and_of_any_case() -> None:
    body = part(b"x") + END
    assert parse_multipart(body, 'multipart/form-data; charset=utf-8; boundary="Bnd"') == {"A": "x"}


def test_a_part_with_a_file_name_is_bytes() -> None:
    body = b'--Bnd\r\nContent-Disposition: form-data; name="F"; filename="F"\r\n\r\n\xff\x00\r\n--Bnd--\r\n'
    assert parse_multipart(body, CONTENT_TYPE) == {"F": b"\xff\x00"}


def test_no_body_is_no_parameters() -> None:
    assert parse_multipart(b"", CONTENT_TYPE) == {}


NESTED = b"".join(
    b"--B%d\r\nContent-Disposition: form-data; name=A\r\nContent-Type: multipart/mixed; boundary=B%d\r\n\r\n"
    % (n, n + 1)
    for n in range(2000)
)


@pytest.mark.parametrize(
    ("body", "content_type", "named"),
    [
        (b"x", "application/json", "application/json"),
        (b"x", "multipart/mixed; boundary=Bnd", "multipart/mixed"),
        (b"x", "", "not multipart/form-data"),
        (b"x", "multipart/form-data", "no boundary"),
        (b"", "multipart/form-data", "no boundary"),
        (b"x", CONTENT_TYPE, "StartBoundaryNotFound"),
        (END, CONTENT_TYPE, "malformed"),
        (part(b"x"), CONTENT_TYPE, "CloseBoundaryNotFound"),
        (part(b"x", "nonsense") + END, CONTENT_TYPE, "part `A`.*MissingHeaderBodySeparator"),
        (b"--Bnd\r\n\r\nx\r\n" + END, CONTENT_TYPE, "without a name"),
        (part(b"x", name="") + END, CONTENT_TYPE, "without a name"),
        (part(b"x") + part(b"y") + END, CONTENT_TYPE, "`A`.*twice"),
        (part(b"\xff") + END, CONTENT_TYPE, "UTF-8.*`A`"),
        (part(b"{", "Content-Type: application/json") + END, CONTENT_TYPE, "JSON.*`A`"),
        (part(b"\xff", "Content-Type: application/json") + END, CONTENT_TYPE, "UTF-8.*`A`"),
        (part(b"[" * 100_000, "Content-Type: application/json") + END, CONTENT_TYPE, "JSON.*`A`"),
        (
            part(b"--I\r\n\r\nx\r\n--I--\r\n", "Content-Type: multipart/mixed; boundary=I") + END,
            CONTENT_TYPE,
            "parts within the part `A`",
        ),
        (NESTED, "multipart/form-data; boundary=B0", "without end"),
    ],
    ids=short,
)
def test_a_malformed_multipart_body_is_refused_with_the_reason(body: bytes, content_type: str, named: str) -> None:
    with pytest.raises(InvalidRequest, match=named):
        parse_multipart(body, content_type)


@given(st.binary(max_size=60).filter(lambda content: b"--Bnd" not in content))
def test_a_file_survives_a_multipart_body(content: bytes) -> None:
    body = b'--Bnd\r\nContent-Disposition: form-data; name="F"; filename="F"\r\n\r\n%b\r\n--Bnd--\r\n' % content
    assert parse_multipart(body, CONTENT_TYPE) == {"F": content}


snippets = st.sampled_from(
    [
        b"--Bnd",
        b"--",
        b"\r\n",
        b"\n",
        b":",
        b"Content-Disposition: form-data; name=A",
        b"Content-Type: ",
        b"message/rfc822",
        b"application/json",
        b"multipart/mixed; boundary=I",
        b"--I",
        b"Content-Transfer-Encoding: base64",
        b"\xff",
        b"=?x",
    ]
)


@given(st.lists(snippets, max_size=20).map(b"".join), st.sampled_from([CONTENT_TYPE, "multipart/form-data; \udcff=é"]))
def test_any_body_makes_parameters_or_an_error_of_the_api(body: bytes, content_type: str) -> None:
    try:
        params = parse_multipart(body, content_type)
    except ApiError:
        return
    assert all(isinstance(name, str) for name in params)
