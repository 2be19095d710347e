"""The reader of Structs gives what protobuf's own conversion gives."""

from __future__ import annotations

from typing import Any

from google.protobuf import struct_pb2
from google.protobuf.json_format import MessageToDict
from hypothesis import given, settings
from hypothesis import strategies as st

from infrascan.providers.gcp.wire import Reader

SCALARS = (
    st.none()
    | st.booleans()
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
)
KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=140)
DATA = st.dictionaries(
    KEYS,
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
        max_leaves=12,
    ),
    max_size=5,
)


def packed(data: dict[str, Any]) -> bytes:
    message = struct_pb2.Struct()
    message.update(data)
    return message.SerializeToString()


@settings(max_examples=150, deadline=None)
@given(DATA)
def test_it_agrees_with_protobuf(data: dict[str, Any]):
    raw = packed(data)
    expected = MessageToDict(struct_pb2.Struct.FromString(raw))
    assert Reader().struct(raw, 0, len(raw)) == expected


def test_whole_numbers_stay_whole_and_strings_are_shared():
    reader = Reader()
    raw = packed({"n": 318576589455, "f": 0.5, "zone": "europe-west1-b", "other": "europe-west1-b"})
    found = reader.struct(raw, 0, len(raw))
    assert isinstance(found["n"], int)
    assert found["zone"] is found["other"]
    again = reader.struct(raw, 0, len(raw))
    assert again["zone"] is found["zone"]
    assert reader.same("a" + "b") is reader.same("ab")
