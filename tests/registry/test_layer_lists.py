"""A list of layers is read strictly, means one thing, and is bounded before anything is built."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.errors import InvalidRequest
from backend.registry.layer_lists import LAYERS, MAX_CHARACTERS, MAX_LAYERS, is_layer_list, read_layer_list
from models.architectures import sequential

CONVOLUTIONAL = """
[{"type": "Conv2d", "in_channels": 1, "out_channels": 4, "kernel_size": [4, 4], "stride": 2, "padding": 1},
 {"type": "ReLU"}, "Flatten", {"type": "Linear", "out_features": 10, "in_features": 784, "bias": true}]
"""


def test_layers_are_those_that_can_be_built() -> None:
    assert set(LAYERS) == set(sequential.LAYERS)


def test_read_layer_list_text_is_canonical_and_reads_back() -> None:
    listed = read_layer_list(CONVOLUTIONAL)
    assert listed.text == (
        '[{"type":"Conv2d","in_channels":1,"out_channels":4,"kernel_size":4,"stride":2,"padding":1},"ReLU","Flatten",'
        '{"type":"Linear","in_features":784,"out_features":10}]'
    )
    assert listed.layers[0][1]["stride"] == [2, 2] and listed.layers[0][1]["groups"] == 1
    assert read_layer_list(listed.text) == listed
    assert listed.name.startswith("sequential-") and len(listed.name) == 23


def test_read_layer_list_another_meaning_has_another_name() -> None:
    first = read_layer_list('[{"type": "MaxPool2d", "kernel_size": 2}]')
    assert first == read_layer_list('[{"type": "MaxPool2d", "kernel_size": [2, 2], "stride": 2}]')
    assert first.layers[0][1]["stride"] == [2, 2]
    assert first.name != read_layer_list('[{"type": "MaxPool2d", "kernel_size": 2, "stride": 1}]').name
    assert read_layer_list('[{"type": "MaxPool2d", "kernel_size": 2, "stride": 1}]').layers[0][1]["stride"] == [1, 1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[", "not valid JSON"),
        ("[" * 10_000, "not valid JSON"),
        ("{}", "JSON list of 1 to 100"),
        ("[]", "JSON list of 1 to 100"),
        (json.dumps(["ReLU"] * (MAX_LAYERS + 1)), "JSON list of 1 to 100"),
        ('["ReLU"' + " " * MAX_CHARACTERS, "longer than 16,384"),
        ('["Evil"]', "Layer 0 is a 'Evil', which is not supported"),
        ('["ReLU", "__import__"]', "Layer 1 is a '__import__'"),
        ("[3]", "Layer 0 must be a name"),
        ('[{"in_features": 3}]', "Layer 0 must be a name"),
        ('["Linear"]', "in_features is missing"),
        ('[{"type": "ReLU", "inplace": true}]', "no argument 'inplace'; it has: none"),
        ('[{"type": "Linear", "in_features": true, "out_features": 1}]', "in_features must be a whole number"),
        ('[{"type": "Linear", "in_features": 1.0, "out_features": 1}]', "in_features must be a whole number"),
        ('[{"type": "Linear", "in_features": [1], "out_features": 1}]', "in_features must be a whole number"),
        ('[{"type": "Linear", "in_features": 65537, "out_features": 1}]', "from 1 to 65536"),
        ('[{"type": "Linear", "in_features": 0, "out_features": 1}]', "from 1 to 65536"),
        ('[{"type": "Linear", "in_features": 1, "out_features": 1, "bias": 1}]', "bias must be true or false"),
        ('[{"type": "Linear", "in_features": ' + "9" * 5000 + ', "out_features": 1}]', "not valid JSON"),
        ('[{"type": "AdaptiveAvgPool2d", "output_size": [1, 2, 3]}]', "a whole number or two from 1 to 64"),
        ('[{"type": "LeakyReLU", "negative_slope": 1e999}]', "must be a number from 0 to 1"),
        ('[{"type": "LeakyReLU", "negative_slope": NaN}]', "not valid JSON"),
        ('[{"type": "Linear", "type": "ReLU"}]', "the same name twice"),
        ('[{"type": ["Linear"]}]', "Layer 0 must be a name"),
    ],
    ids=lambda value: value[:24],
)
def test_read_layer_list_wrong_list_is_refused_by_name(text: str, words: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_layer_list(text)
    assert words in refused.value.message and refused.value.details["ask"] == "architecture"
    assert len(refused.value.message) < 600


@pytest.mark.parametrize(("text", "is_one"), [(" [1]", True), ("{}", True), ("resnet18", False), ("", False)])
def test_is_layer_list_goes_by_the_first_sign(text: str, is_one: bool) -> None:
    assert is_layer_list(text) is is_one


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(sorted(LAYERS)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "kernel_size", "in_features", "num_features", "p", "bias"]), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(JSON_VALUES, max_size=4))
def test_read_layer_list_any_json_is_taken_or_refused(content: Any) -> None:
    try:
        listed = read_layer_list(json.dumps(content))
    except InvalidRequest:
        return
    assert read_layer_list(listed.text) == listed
