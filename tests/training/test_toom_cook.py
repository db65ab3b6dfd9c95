from __future__ import annotations

import pytest
import torch

from convoscope.training.toom_cook import best_tile, tile_of


@pytest.mark.parametrize("outputs", range(3, 8))
def test_a_tile_computes_a_convolution_with_the_fewest_products(outputs: int) -> None:
    tile = tile_of(outputs)
    inputs, kernel = torch.rand(outputs + 2, outputs + 2).double(), torch.rand(3, 3).double()
    of_inputs, to_outputs, of_kernel = tile.of_inputs.double(), tile.to_outputs.double(), tile.kernel.double()
    assert tile.places == outputs + 2
    products = (of_inputs @ inputs @ of_inputs.T) * (of_kernel @ kernel.flatten()).view(tile.places, tile.places)
    expected = torch.nn.functional.conv2d(inputs[None, None], kernel[None, None])[0, 0]
    torch.testing.assert_close(to_outputs @ products @ to_outputs.T, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("height", "width", "outputs", "products"),
    [(3, 3, 3, 25), (4, 4, 4, 36), (6, 6, 6, 64), (7, 7, 7, 81), (15, 15, 5, 441), (16, 16, 4, 576), (28, 28, 7, 1296)],
)
def test_maps_get_the_tile_that_fills_them_best(height: int, width: int, outputs: int, products: int) -> None:
    tile = best_tile(height, width)
    assert tile.outputs == outputs
    assert tile.count(height, width) * tile.places**2 == products
