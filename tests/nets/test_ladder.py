"""The Ladder network: its passes, its noise, its statistics, and what it is refused for."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from ebgan.nets.base import BuildContext, Denoiser
from ebgan.nets.ladder import Ladder
from ebgan.nets.layers import compute_in
from ebgan.nets.noise import Noise
from ebgan.nets.standardise import Standardise
from ebgan.randomness import Randomness
from ebgan.records import Batch

Numbers = Callable[..., Tensor]
SMALL = Ladder(widths=(7, 6))
SHAPE = (2, 3, 4)


def net_of(spec: Ladder = SMALL, seed: int | list[int] = 0) -> Denoiser:
    net = spec.build(BuildContext(SHAPE, (0.0, 1.0), Randomness.of(torch.tensor(seed)), 5))
    compute_in(net, torch.float64)
    with torch.no_grad():
        for name, weight in net.named_parameters():
            if name.startswith("combinators"):
                weight.add_(0.125)
    return net


def by_hand(net: Denoiser, images: Tensor, noise: list[Tensor]) -> tuple[list[Tensor], Tensor, list[Tensor]]:
    """The equations of the module's docstring, written out: z of each layer, logits, and estimates."""
    weights = dict(net.named_parameters())

    def standard(x: Tensor) -> Tensor:
        return (x - x.mean(0)) / (x.var(0, unbiased=False) + 1e-10).sqrt()

    def combined(layer: int, z: Tensor, u: Tensor) -> Tensor:
        a = weights[f"combinators.{layer}.a"]
        mean = a[0] * torch.sigmoid(a[1] * u + a[2]) + a[3] * u + a[4]
        share = a[5] * torch.sigmoid(a[6] * u + a[7]) + a[8] * u + a[9]
        return (z - mean) * share + mean

    z = [images.flatten(1) + noise[0]]
    hidden = z[0]
    for layer in range(3):
        z.append(standard(hidden @ weights[f"encoder.{layer}.weight"].T) + noise[layer + 1])
        logits = z[-1] + weights[f"shifts.{layer}.shift"]
        hidden = logits.relu()
    estimates = [combined(3, z[3], standard(logits.softmax(-1)))]
    for layer in (2, 1, 0):
        estimates.append(combined(layer, z[layer], standard(estimates[-1] @ weights[f"decoder.{layer}.weight"].T)))
    return z, logits, estimates[::-1]


def test_a_pass_is_that_of_the_papers_equations(numbers: Numbers) -> None:
    net, images = net_of(), numbers(9, *SHAPE)
    noise = [each.double() for each in net_of().noise(images)]  # type: ignore[operator]
    _, logits, estimates = by_hand(net, images, noise)
    code, guessed, clean = net.denoise(images, 1)
    torch.testing.assert_close(guessed[0], estimates[0])
    torch.testing.assert_close(clean[0], images.flatten(1))
    torch.testing.assert_close(net_of().classify(images), logits)
    torch.testing.assert_close(net_of()(images)[1], estimates[0].reshape(images.shape))
    assert code.shape == (9, 6)


def test_the_layers_above_are_compared_in_the_units_of_the_clean_pass(numbers: Numbers) -> None:
    net, images = net_of(), numbers(9, *SHAPE)
    noise = [each.double() for each in net_of().noise(images)]  # type: ignore[operator]
    _, _, estimates = by_hand(net, images, noise)
    z, _, _ = by_hand(net, images, [torch.zeros_like(each) for each in noise])
    _, guessed, clean = net.denoise(images, 4)
    hidden = images.flatten(1)
    for layer in range(1, 4):
        before = hidden @ dict(net.named_parameters())[f"encoder.{layer - 1}.weight"].T
        torch.testing.assert_close(clean[layer], z[layer])
        expected = (estimates[layer] - before.mean(0)) / (before.var(0, unbiased=False) + 1e-10).sqrt()
        torch.testing.assert_close(guessed[layer], expected)
        hidden = (z[layer] + dict(net.named_parameters())[f"shifts.{layer - 1}.shift"]).relu()


def test_the_vanilla_combinator_is_that_of_its_equation(numbers: Numbers) -> None:
    net = net_of(replace(SMALL, combinator="vanilla"))
    combinator = net.get_submodule("combinators.1")
    z, u = numbers(5, 7), numbers(5, 7).flip(0)
    a, b, c = (weight.detach() for weight in combinator.parameters())
    blends = [row[0] + row[1] * z + row[2] * u + row[3] * z * u for row in (a, c)]
    torch.testing.assert_close(combinator(z, u), blends[0] + b[0] * blends[1].sigmoid())
    fresh = replace(SMALL, combinator="vanilla").build(BuildContext(SHAPE, None, Randomness.of(0), 5))
    torch.testing.assert_close(fresh.get_submodule("combinators.1")(z, u), (z + z.sigmoid()).float(), check_dtype=False)


def test_noise_is_drawn_anew_in_each_pass_and_never_in_evaluation(numbers: Numbers) -> None:
    net, images = net_of(), numbers(9, *SHAPE)
    assert not torch.equal(net.classify(images), net.classify(images))
    net.eval()
    assert torch.equal(net.classify(images), net.classify(images))


def test_noise_has_its_standard_deviation_on_every_layer_of_every_model(numbers: Numbers) -> None:
    noise = Noise(torch.tensor([0.5, 2.0]), (30, 50), Randomness.of(torch.tensor([1, 2])), "test")
    first, second = noise(torch.zeros(2, 400, *SHAPE))
    assert (first.shape, second.shape) == ((2, 400, 30), (2, 400, 50))
    for part in (first, second):
        assert part.std((-1, -2)).tolist() == pytest.approx([0.5, 2.0], rel=0.03)
    assert noise.seen == 400


def test_standardise_takes_the_batch_in_training_and_moves_by_follow_alone(numbers: Numbers) -> None:
    """The running statistics are torch's: means of all batches (momentum=None) at first, then moving averages."""
    norm = Standardise(3, momentum=0.25).double()
    torchs = nn.BatchNorm1d(3, eps=1e-10, affine=False, momentum=None).double()
    batches = numbers(6, 8, 3) * 3 + 1
    torch.testing.assert_close(norm(batches[0]), torchs(batches[0]))
    torchs.reset_running_stats()
    assert torch.equal(norm.mean, torch.zeros(3).double())
    for place, x in enumerate(batches):
        torchs.momentum = None if place < 4 else 0.25
        norm.follow(x)
        torchs(x)
        torch.testing.assert_close(norm.mean, torchs.running_mean)
        torch.testing.assert_close(norm.variance, torchs.running_var)
    torch.testing.assert_close(norm.eval()(x), torchs.eval()(x))


def test_standardise_gives_each_model_its_own_statistics(numbers: Numbers) -> None:
    stack, x = Standardise(3, (2,)).double(), numbers(2, 5, 3) * torch.tensor([[[1.0]], [[9.0]]])
    stack.follow(x)
    for model in range(2):
        alone = Standardise(3).double()
        alone.follow(x[model])
        torch.testing.assert_close(stack(x)[model], alone(x[model]))
        torch.testing.assert_close((stack.mean[model], stack.variance[model]), (alone.mean, alone.variance))


@pytest.mark.parametrize("statistics", ["unlabelled", "labelled"])
def test_evaluation_takes_the_statistics_of_the_images_that_were_chosen(numbers: Numbers, statistics: str) -> None:
    net = net_of(replace(SMALL, statistics=statistics))
    unlabelled, labelled = numbers(400, *SHAPE), numbers(400, *SHAPE) * 2 + 1
    for norm in net.modules():
        if isinstance(norm, Standardise):
            assert norm.followed == 0  # so that one batch is all that is remembered
    net.observe(Batch(unlabelled, labelled=Batch(labelled)))
    chosen = unlabelled if statistics == "unlabelled" else labelled
    _, logits, estimates = by_hand(net, chosen, [torch.zeros(1, dtype=torch.float64)] * 4)
    net.eval()
    torch.testing.assert_close(net.classify(chosen), logits, rtol=0.05, atol=0.05)
    torch.testing.assert_close(net(chosen)[1].flatten(1), estimates[0], rtol=0.05, atol=0.05)


def test_observing_moves_no_weight_and_no_noise(numbers: Numbers) -> None:
    net = net_of()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    net.observe(Batch(numbers(9, *SHAPE)))
    moved = {name for name, value in net.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == {name for name in before if "norms" in name}


def test_a_stack_is_its_models_side_by_side(numbers: Numbers) -> None:
    stack, images = net_of(seed=[3, 9]), numbers(2, 6, *SHAPE)
    together = stack.denoise(images, 4), stack.classify(images)
    for model, seed in enumerate((3, 9)):
        alone = net_of(seed=seed)
        denoised, logits = alone.denoise(images[model], 4), alone.classify(images[model])
        torch.testing.assert_close(together[1][model], logits)
        torch.testing.assert_close([each[model] for each in together[0].estimates], list(denoised.estimates))
        torch.testing.assert_close([each[model] for each in together[0].clean], list(denoised.clean))


def test_it_is_refused_without_classes_and_for_settings_that_make_no_net() -> None:
    with pytest.raises(ValueError, match="needs data with classes"):
        SMALL.build(BuildContext(SHAPE, None, Randomness.of(0)))
    with pytest.raises(ValueError, match="expected at least one hidden layer"):
        Ladder(widths=())
    with pytest.raises(ValueError, match=r"widths=0: expected at least 1"):
        Ladder(widths=(3, 0))
    with pytest.raises(ValueError, match="noise=-1"):
        Ladder(noise=-1.0)
