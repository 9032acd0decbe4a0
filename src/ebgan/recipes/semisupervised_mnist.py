"""The Ladder network and EBGAN-LN on MNIST with few labels (EBGAN, section 4.2, table 2 and appendix D).

The net is permutation-invariant, 784-1000-500-250-250-250-10, on 28x28 images in [0, 1]. A step reads 100 labelled
images and 100 of all images, labelled ones among them. The Ladder network: Adam with beta1 0.5, 2e-4, weight 1000/784
of the squared error, 120,000 steps, the last third with a rate that falls to 0. EBGAN-LN: the margin falls from 16 to 0
over 60,000 steps, after which the generator rests for another 120,000; 5e-4 for the discriminator and 2.5e-4 for the
generator, which fall to 0 over the last 60,000.

What the paper leaves open: the generator (the best fully connected one of its grid), the range (that of Rasmus et al.),
how the margin falls (linearly), whether the weight is on the samples' term too (it is: `objective.weighs`), and on
which images evaluation's statistics are taken (all: `nets.discriminator.statistics`).
"""

from dataclasses import replace

from ebgan.energies import AutoencoderEnergy, LadderEnergy
from ebgan.experiment import Data, Experiment, Labelled, Nets, Optimisers
from ebgan.nets.ladder import Ladder
from ebgan.nets.mlp import MLPGenerator
from ebgan.objectives import EBGAN, Scheduled, SemiSupervised
from ebgan.recipes.index import recipe
from ebgan.schedules import Linear, Steps
from ebgan.training.game import Turns
from ebgan.training.optim import Adam

BATCH = 100
LADDER_STEPS, EBGAN_LN_STEPS = 120_000, 180_000
LADDER_RATE = 2e-4
QUARTER_RATE = 4 * LADDER_RATE  # in a quarter of the steps Adam then goes as far


@recipe("semisupervised_mnist.ladder", source="EBGAN, table 2, LN bottom-layer-cost")
def ladder() -> Experiment:
    """The Ladder network with the cost of the pixels on MNIST, 100 labels."""
    return ladder_of(LADDER_STEPS)


@recipe("semisupervised_mnist.ebgan_ln", source="EBGAN, table 2, LN bottom-layer-cost, EBGAN")
def ebgan_ln() -> Experiment:
    """EBGAN-LN on MNIST, 100 labels: a generator teaches the Ladder network with a margin that falls to 0."""
    return ebgan_ln_of(EBGAN_LN_STEPS)


@recipe("semisupervised_mnist.ladder_quarter", source="EBGAN, table 2, LN bottom-layer-cost, in a quarter of the steps")
def ladder_quarter() -> Experiment:
    """The Ladder network on MNIST in a quarter of the steps, at four times the rate: a run of `reproduce table2`."""
    return shortened(ladder_of(LADDER_STEPS // 4, rate=QUARTER_RATE))


@recipe("semisupervised_mnist.ebgan_ln_quarter", source="EBGAN, table 2, EBGAN-LN in a quarter of the steps")
def ebgan_ln_quarter() -> Experiment:
    """EBGAN-LN on MNIST in a quarter of the steps, with decays to match: a run of `reproduce table2`."""
    return shortened(ebgan_ln_of(EBGAN_LN_STEPS // 4))


@recipe("semisupervised_mnist.ladder_control_quarter", source="EBGAN, table 2, EBGAN-LN without its generator")
def ladder_control_quarter() -> Experiment:
    """EBGAN-LN without its generator, in a quarter of the steps: what of a gain is due to steps and rate."""
    return without_generator(ebgan_ln_quarter())


@recipe("semisupervised_mnist.ladder_full", source="Rasmus et al., table 1, full cost")
def ladder_full() -> Experiment:
    """The Ladder network with a cost on every layer on MNIST, 100 labels: its authors' weights, EBGAN's length."""
    alone = ladder_of(LADDER_STEPS)
    return replace(
        alone,
        nets=replace(alone.nets, discriminator=Ladder(top_scale=True)),
        energy=LadderEnergy(),
        objective=SemiSupervised(inner=EBGAN(), weight=1.0),
        optimisers=_optimisers(alone.images, 2e-3, 2e-3, beta1=0.9),
    )


@recipe("semisupervised_mnist.supervised", source="EBGAN, table 2, labelled images alone")
def supervised() -> Experiment:
    """The encoder of the Ladder network on the 100 labelled images alone: what unlabelled images are to beat."""
    alone = ladder_of(LADDER_STEPS // 10)
    return replace(
        alone,
        nets=replace(alone.nets, discriminator=Ladder(statistics="labelled")),
        objective=SemiSupervised(inner=EBGAN(), weight=0.0),
    )


def ladder_of(steps: int, labels: int = 100, seed: int = 0, rate: float = LADDER_RATE) -> Experiment:
    """The Ladder network in so many steps; the generator has no turn."""
    images = steps * BATCH
    return Experiment(
        data=Data(source="mnist", limits=(0.0, 1.0)),
        labelled=Labelled(count=labels),
        nets=Nets(generator=MLPGenerator(depth=5, width=800), discriminator=Ladder()),
        energy=AutoencoderEnergy(unit="sse"),
        objective=SemiSupervised(inner=EBGAN()),
        optimisers=_optimisers(images, rate, rate),
        turns=Turns(generator=0),
        images=images,
        batch=BATCH,
        seed=seed,
    )


def ebgan_ln_of(steps: int, labels: int = 100, seed: int = 0) -> Experiment:
    """EBGAN-LN in so many steps: a third of play while the margin falls, a third alone, a third of a falling rate."""
    images = steps * BATCH
    margin = Linear(start=16.0, end=0.0, finish=images // 3)
    return replace(
        ladder_of(steps, labels, seed),
        objective=SemiSupervised(inner=Scheduled(EBGAN(margin=16.0), margin=margin)),
        optimisers=_optimisers(images, 5e-4, 2.5e-4),
        turns=Turns(generator=Steps(values=(1.0, 0.0), boundaries=(images // 3,))),
    )


def shortened(made: Experiment) -> Experiment:
    """What runs of a quarter of the steps have besides: Rasmus et al.'s gamma at the softmax.

    Without gamma batch norm bounds the logits, so that no image gets more than 0.757 of its class, and the labelled
    images have a say to the end. docs/recipes/semisupervised.md has the errors with and without.
    """
    return replace(made, nets=replace(made.nets, discriminator=Ladder(top_scale=True)))


def without_generator(made: Experiment) -> Experiment:
    """The Ladder network in the steps and with the rates of an EBGAN-LN."""
    assert isinstance(made.objective, SemiSupervised)
    return replace(made, objective=replace(made.objective, inner=EBGAN()), turns=Turns(generator=0))


def _optimisers(images: int, discriminator: float, generator: float, beta1: float = 0.5) -> Optimisers:
    """Adam with rates that fall to 0 over the last third."""
    falling = Linear(start=1.0, end=0.0, begin=images * 2 // 3, finish=images)
    return Optimisers(
        discriminator=Adam(lr=discriminator, beta1=beta1, decay=falling),
        generator=Adam(lr=generator, beta1=beta1, decay=falling),
    )
