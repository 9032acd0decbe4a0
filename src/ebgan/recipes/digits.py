"""The main job of `make train`: real handwritten digits that need no download; and the same by class."""

from dataclasses import replace

from ebgan.experiment import Data, Evaluation, Experiment, Nets, Optimisers
from ebgan.nets.by_class import ClassAutoencoder, ClassGenerator
from ebgan.nets.mlp import MLPAutoencoder, MLPGenerator
from ebgan.objectives import EBGAN, ClassConditional
from ebgan.recipes.index import recipe
from ebgan.training.optim import Adam


@recipe("digits", source="EBGAN, section 4.1, made small")
def digits() -> Experiment:
    """EBGAN-PT on the 1,797 real 8x8 digits that ship inside scikit-learn: under a minute on two CPU cores."""
    return Experiment(
        data=Data(source="digits"),
        nets=Nets(
            generator=MLPGenerator(depth=4, width=256, noise=32), discriminator=MLPAutoencoder(depth=2, width=256)
        ),
        objective=EBGAN(margin=3.0, pulling_away=0.1),
        optimisers=Optimisers(discriminator=Adam(lr=1e-3), generator=Adam(lr=1e-3)),
        images=400_000,
        evaluation=Evaluation(),
    )


@recipe("digits.by_class", source="EBGAN, section 5")
def by_class() -> Experiment:
    """EBGAN-PT of images and classes on the same digits, with the nets of `digits`: samples of the class asked for."""
    plain = digits()
    nets = Nets(
        generator=ClassGenerator(net=plain.nets.generator), discriminator=ClassAutoencoder(net=plain.nets.discriminator)
    )
    return replace(plain, nets=nets, objective=ClassConditional(inner=plain.objective), images=200_000)
