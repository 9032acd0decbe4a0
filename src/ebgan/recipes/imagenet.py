"""EBGAN-PT on ImageNet at 128x128 and on its breeds of dogs at 256x256 (EBGAN, appendices F and G, figures 7 and 8).

Margins 40 and 80, generators with planes of noise at every size and the auto-encoder 64-128-256-512 are the paper's. It
leaves batch, rates and length open: 64 and Adam with 0.0002 as on 64x64, and some 10 epochs of 1.3 million images or
50 of the dogs, of which there are about 150,000. Pictures and metrics are those of the generator's average, as on
64x64; `--ema None` shows the last weights, as the paper does.
"""

from ebgan.experiment import Data, Experiment, Nets, Optimisers
from ebgan.nets.dcgan import ConvAutoencoder
from ebgan.nets.imagenet import NoisyGenerator
from ebgan.objectives import EBGAN
from ebgan.recipes.index import recipe
from ebgan.recipes.pictures64 import HALF_LIFE
from ebgan.training.optim import Adam

AUTOENCODER = ConvAutoencoder(encoder="(64)4c2s-(128)4c2s-(256)4c2s-(512)4c2s")


@recipe("imagenet128.ebgan_pt", source="EBGAN, figure 7")
def imagenet128() -> Experiment:
    """EBGAN-PT on ImageNet at 128x128, with noise at every size of the generator."""
    return experiment(Data(source="imagenet128", size=128, flip=True), margin=40.0, images=13_000_000)


@recipe("imagenet256_dogs.ebgan_pt", source="EBGAN, figure 8")
def imagenet256_dogs() -> Experiment:
    """EBGAN-PT on ImageNet's breeds of dogs at 256x256, with noise at every size of the generator."""
    return experiment(Data(source="imagenet256_dogs", size=256, flip=True), margin=80.0, images=7_500_000)


def experiment(data: Data, margin: float, images: int) -> Experiment:
    """EBGAN-PT with the nets of appendices F and G."""
    adam = Adam(lr=2e-4)
    return Experiment(
        data=data,
        nets=Nets(generator=NoisyGenerator(), discriminator=AUTOENCODER),
        objective=EBGAN(margin=margin, pulling_away=0.1),
        optimisers=Optimisers(discriminator=adam, generator=adam),
        images=images,
        ema=HALF_LIFE,
    )
