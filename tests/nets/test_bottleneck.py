"""The auto-encoder of tables: its code, its depth, and a stack of it."""

import pytest
import torch

from ebgan.errors import UsageError
from ebgan.nets.base import BuildContext
from ebgan.nets.bottleneck import BottleneckAutoencoder
from ebgan.randomness import Randomness

SPEC = BottleneckAutoencoder(width=8, code=2)


def test_the_code_has_its_units_and_the_output_the_shape_of_the_rows() -> None:
    net = SPEC.build(BuildContext((5, 1, 1), None, Randomness.of(1)))
    code, output = net(torch.randn(7, 5, 1, 1))
    assert code.shape == (7, 2)
    assert output.shape == (7, 5, 1, 1)


def test_outputs_lie_on_a_surface_of_as_many_dimensions_as_the_code_has() -> None:
    net = SPEC.build(BuildContext((5, 1, 1), None, Randomness.of(1))).double()
    row = torch.randn(1, 5, 1, 1, dtype=torch.float64)
    slopes = torch.autograd.functional.jacobian(lambda images: net(images)[1].flatten(), row).reshape(5, 5)
    assert torch.linalg.matrix_rank(slopes, rtol=1e-9) == 2


def test_each_model_of_a_stack_is_the_one_of_its_seed() -> None:
    rows, seeds = torch.randn(7, 5, 1, 1), torch.tensor([4, 9])
    together = SPEC.build(BuildContext((5, 1, 1), None, Randomness.of(seeds)))(rows.expand(2, 7, 5, 1, 1))[1]
    for model, seed in enumerate(seeds.tolist()):
        alone = SPEC.build(BuildContext((5, 1, 1), None, Randomness.of(seed)))(rows)[1]
        torch.testing.assert_close(together[model], alone)


@pytest.mark.parametrize("field", ["width", "code"])
def test_no_units_are_refused(field: str) -> None:
    with pytest.raises(UsageError, match=f"nets.discriminator.{field}"):
        BottleneckAutoencoder(**{field: 0})
