"""What holds for every objective."""

from typing import Any

import pytest
import torch
from torch import Tensor

from ebgan.experiment.stacking import stacked
from ebgan.objectives import Objective
from ebgan.records import Losses, Reading


def both_losses(objective: Objective[Any], state: Any, turn: Any) -> list[Losses]:
    real, fake, batch, sample = turn
    losses = [objective.discriminator(state, real, fake, batch), objective.generator(state, fake, sample)]
    losses += [objective.penalty(state, place, real.energy) for place in objective.asks.slopes]
    if objective.asks.misnames:
        losses.append(objective.misnamed(state, real, fake, batch))
    if objective.asks.classifies and real.code is not None:
        losses.append(objective.classification(state, real.code, real.code.argmin(-1)))
    return losses


def moved(objective: Objective[Any], turn: Any, energy_means: Any, models: tuple[int, ...] = ()) -> Any:
    """A state after pretraining and two steps, so that whatever can move has moved."""
    state = objective.after_pretraining(objective.init(models), turn.real.energy)
    for images in (20, 40):
        state = objective.update(state, energy_means(turn, images))
    return state


def tensors(state: Any) -> list[Tensor]:
    return [state] if isinstance(state, Tensor) else [tensor for part in state for tensor in tensors(part)]


def permuted(reading: Reading) -> Reading:
    order = [3, 5, 0, 2, 1, 4]
    return Reading(*(None if value is None else value[order] for value in reading))


def test_the_total_is_the_sum_of_the_named_terms(objectives: Any, turns: Any) -> None:
    objective = objectives[0]
    for losses in both_losses(objective, objective.init((3,)), turns):
        assert losses.terms
        torch.testing.assert_close(losses.total, torch.stack(list(losses.terms.values())).sum(0))


def test_the_batch_axis_alone_is_reduced(objectives: Any, turn: Any, turns: Any, energy_means: Any) -> None:
    objective = objectives[0]
    for given, models in ((turn, ()), (turns, (3,))):
        state = objective.init(models)
        for losses in [*both_losses(objective, state, given), objective.data_loss(state, given.real, given.batch)]:
            assert losses.total.shape == models
            assert {term.shape for term in losses.terms.values()} == {models}
        seen = objective.metrics(state, given.fake, energy_means(given, 64))
        assert {value.shape for value in seen.values()} <= {models}
        assert ("convergence" in seen) == objective.asks.convergence


def test_each_model_of_a_stack_fares_as_it_does_alone(objectives: Any, turns: Any, energy_means: Any) -> None:
    together = stacked(objectives)
    state = moved(together, turns, energy_means, (3,))
    for model, objective in enumerate(objectives):
        turn = turns.of(model)
        own = moved(objective, turn, energy_means)
        for all_losses, losses in zip(
            both_losses(together, state, turns), both_losses(objective, own, turn), strict=True
        ):
            torch.testing.assert_close(all_losses.total[model], losses.total, rtol=1e-12, atol=0)
            for name, term in losses.terms.items():
                torch.testing.assert_close(all_losses.terms[name][model], term, rtol=1e-12, atol=0)
        seen = together.metrics(state, turns.fake, energy_means(turns, 60))
        for name, value in objective.metrics(own, turn.fake, energy_means(turn, 60)).items():
            torch.testing.assert_close(seen[name][model], value, rtol=1e-12, atol=0)


@pytest.mark.parametrize("models", [(), (3,)])
def test_the_state_is_a_record_of_tensors_that_update_and_begin_return_anew(
    objectives: Any, models: tuple[int, ...], turn: Any, turns: Any, energy_means: Any
) -> None:
    objective, given = objectives[0], turns if models else turn
    first = objective.init(models)
    kept = [tensor.clone() for tensor in tensors(first)]
    for state in (
        objective.update(first, energy_means(given, 64)),
        objective.after_pretraining(first, given.real.energy),
        objective.skip_generator(first, torch.tensor(64)),
    ):
        assert type(state) is type(first)
        assert hasattr(state, "_fields")
        before = tensors(first)
        assert [(x.shape, x.dtype) for x in tensors(state)] == [(x.shape, x.dtype) for x in before]
        assert {x.shape for x in before} <= {(), models}
    for old, new in zip(kept, tensors(first), strict=True):
        assert torch.equal(old, new)  # the one that went in is as it was


def test_the_order_of_the_batch_changes_nothing(objectives: Any, turn: Any) -> None:
    objective = objectives[0]
    sample = turn.sample._replace(data=permuted(turn.sample.data))
    shuffled = turn._replace(real=permuted(turn.real), fake=permuted(turn.fake), sample=sample)
    state = objective.init()
    for before, after in zip(both_losses(objective, state, turn), both_losses(objective, state, shuffled), strict=True):
        torch.testing.assert_close(after.total, before.total, rtol=1e-12, atol=0)


def test_the_discriminators_loss_reads_data_and_samples_and_the_generators_samples_alone(
    objectives: Any, turn: Any, energy_means: Any
) -> None:
    objective = objectives[0]
    state = moved(objective, turn, energy_means)
    for reading in (turn.real, turn.fake):
        for tensor in reading[1:]:
            tensor.requires_grad_(True)
    discriminator, generator, *_ = both_losses(objective, state, turn)
    assert pulls(discriminator, turn.real)
    assert pulls(discriminator, turn.fake)
    assert pulls(generator, turn.fake)
    assert not pulls(generator, turn.real)


def pulls(losses: Losses, reading: Reading) -> bool:
    gradients = torch.autograd.grad(losses.total, reading[1:], retain_graph=True, allow_unused=True)
    assert all(gradient is None or gradient.isfinite().all() for gradient in gradients)
    return any(gradient is not None and bool(gradient.any()) for gradient in gradients)


def test_what_it_needs_and_is_not_given_is_said_with_the_mend(objectives: Any, turn: Any) -> None:
    objective = objectives[0]
    bare = turn._replace(real=Reading(*turn.real[:2]), fake=Reading(*turn.fake[:2]))
    if objective.asks.needs - {"floor"}:  # a reading does not tell what it has no less than
        with pytest.raises(ValueError, match=r"needs an energy with .*: use the"):
            both_losses(objective, objective.init(), bare)
    else:
        assert all(losses.total.isfinite() for losses in both_losses(objective, objective.init(), bare))
