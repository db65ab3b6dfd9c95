from __future__ import annotations

import json

import pytest
import torch

from convoscope import models
from convoscope.core.messages import using_language


def test_json_has_the_keys_that_outside_checks_read():
    told = models.summary("lenet5", (1, 28, 28)).to_dict()
    assert list(told) == ["layers", "parameters", "macs", "train_flops_per_image"]
    assert list(told["layers"][0]) == ["name", "kind", "output_shape", "parameters", "macs", "receptive_field"]
    assert told["layers"][0] == {
        "name": "c1",
        "kind": "Conv2d",
        "output_shape": [6, 28, 28],
        "parameters": 156,
        "macs": 6 * 28 * 28 * 25,
        "receptive_field": 5,
    }
    assert (told["parameters"], told["macs"]) == (61_706, 416_520)
    assert json.loads(json.dumps(told)) == told


def test_a_field_that_is_no_square_has_two_numbers():
    told = models.summary("dense-800", (3, 8, 12), classes=2).to_dict()
    assert told["layers"][1]["receptive_field"] == [8, 12]


@pytest.mark.parametrize("name", list(models.registry))
def test_a_specification_and_its_net_are_told_alike(name):
    net = models.build(name, (3, 32, 32), 10)
    assert models.summary(net, (3, 32, 32)) == models.summary(name, (3, 32, 32))


def test_a_net_too_large_to_hold_is_still_told():
    told = models.summary("dense-6", (3, 4000, 4000))
    assert told.layers[1].parameters == (3 * 4000 * 4000 + 1) * 2500


def test_classes_are_those_asked_for():
    assert models.summary("lenet5", (1, 28, 28), classes=47).layers[-1].output_shape == (47,)


def test_no_random_number_is_drawn_for_a_specification():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    models.summary("convnet", (1, 28, 28))
    assert torch.equal(torch.rand(1), expected)


TABLE = """\
layer    kind     output  parameters    MACs   memory  receptive field
───────  ───────  ──────  ──────────  ──────  ───────  ───────────────
input             1x8x12
flatten  Flatten      96           0       0    384 B                1
fc1      Linear      800      77,600  76,800  3.1 KiB             8x12
act1     ReLU        800           0       0  3.1 KiB             8x12
output   Linear        2       1,602   1,600      8 B             8x12
───────  ───────  ──────  ──────────  ──────  ───────  ───────────────
total                         79,202  78,400  6.6 KiB
Training on one image takes 316,800 floating-point operations (forward and backward)."""


def test_the_table():
    assert str(models.summary("dense-800", (1, 8, 12), classes=2)) == TABLE


def test_the_table_in_spanish():
    with using_language("es"):
        words = str(models.summary("dense-800", (1, 8, 12), classes=2))
    assert "parámetros" in words
    assert "77\u00a0600" in words
    assert "3,1 KiB" in words
    assert "316\u00a0800 operaciones" in words


def test_every_line_of_a_table_is_as_wide_as_its_rule():
    lines = str(models.summary("resnet", (3, 224, 224))).splitlines()
    assert max(len(line) for line in lines[:-1]) == len(lines[1])
