"""The head of classes on an auto-encoder: what it reads, what it leaves alone, and what it is refused for."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ebgan.errors import UsageError
from ebgan.experiment import Nets
from ebgan.experiment.building import build
from ebgan.experiment.stacking import stacked
from ebgan.nets.base import BuildContext, Classifier, DiscriminatorSpec
from ebgan.nets.began import BEGANAutoencoder
from ebgan.nets.class_head import ClassHead
from ebgan.nets.dcgan import ConvAutoencoder
from ebgan.nets.ladder import Ladder
from ebgan.nets.layers import compute_in
from ebgan.nets.mlp import MLPAutoencoder, MLPDiscriminator
from ebgan.recipes import find

Sites = Callable[..., BuildContext]
Numbers = Callable[..., Tensor]
NET = MLPAutoencoder(depth=3, width=6, dropout=0.25, std=0.5)
CLASSES = 5


def classes_on(context: BuildContext, classes: int = CLASSES) -> BuildContext:
    return replace(context, classes=classes)


def test_a_head_that_has_nothing_to_learn_from_is_refused() -> None:
    made = find("semisupervised_mnist.ebgan_ae").make()
    alone = replace(made, objective=made.objective.inner)  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match=r"a class head learns nothing from .*: wrap the objective in SemiSupervised"):
        build(alone, (1, 8, 8), classes=10)


def test_the_logits_are_a_linear_function_of_the_code(context: Sites, numbers: Numbers) -> None:
    net = ClassHead(net=NET).build(classes_on(context(5))).eval()
    assert isinstance(net, Classifier)
    x = numbers(8, 2, 3, 4).float()
    head = dict(net.named_parameters())
    torch.testing.assert_close(net.classify(x), net(x)[0] @ head["head.weight"].T + head["head.bias"])
    assert head["head.weight"].shape == (CLASSES, 6)
    assert float(head["head.weight"].detach().std()) == pytest.approx(6**-0.5, rel=0.5)


def test_code_and_reconstruction_are_those_of_the_net_without_a_head(context: Sites, numbers: Numbers) -> None:
    headed, bare = ClassHead(net=NET).build(classes_on(context(5))), NET.build(context(5))
    x = numbers(8, 2, 3, 4).float()
    for one, other in zip(headed(x), bare(x), strict=True):
        assert torch.equal(one, other)


def test_each_model_of_a_stack_tells_classes_as_it_does_alone(context: Sites, numbers: Numbers) -> None:
    seeds, specs = (5, 6, 7), [ClassHead(net=replace(NET, dropout=rate)) for rate in (0.125, 0.25, 0.5)]
    stack = stacked(specs).build(classes_on(context(*seeds)))
    compute_in(stack, torch.float64)
    x = numbers(3, 8, 2, 3, 4)
    together = stack.classify(x)
    for model, (seed, spec) in enumerate(zip(seeds, specs, strict=True)):
        net = spec.build(classes_on(context(seed)))
        compute_in(net, torch.float64)
        torch.testing.assert_close(together[model], net.classify(x[model]), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("spec", [ConvAutoencoder(encoder="(4)4c2s-(6)4c2s"), BEGANAutoencoder(width=4, code=7)])
def test_the_code_of_any_auto_encoder_is_measured(spec: DiscriminatorSpec) -> None:
    made = find("digits").make()
    learns = replace(
        find("semisupervised_mnist.began").make(),
        nets=Nets(generator=made.nets.generator, discriminator=ClassHead(net=spec)),
    )
    game, _ = build(learns, (1, 16, 16), classes=CLASSES)
    net = game.discriminator.net
    assert isinstance(net, Classifier)
    assert net.classify(torch.zeros(3, 1, 16, 16)).shape == (3, CLASSES)


@pytest.mark.parametrize("spec", [MLPDiscriminator(width=6), Ladder(widths=(6,))])
def test_a_net_without_a_code_or_with_classes_of_its_own_is_refused(spec: DiscriminatorSpec, context: Sites) -> None:
    with pytest.raises(UsageError, match=r"nets\.discriminator\.net: .* choose MLPAutoencoder"):
        ClassHead(net=spec).build(classes_on(context(5)))


def test_data_without_classes_is_refused_with_the_mend(context: Sites) -> None:
    with pytest.raises(UsageError, match=r"needs data with classes.* or choose MLPAutoencoder without a head"):
        ClassHead(net=NET).build(classes_on(context(5), 0))
