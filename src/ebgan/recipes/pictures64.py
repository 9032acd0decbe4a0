"""Faces, bedrooms and your own pictures at 64x64: DCGAN, EBGAN, EBGAN-PT, BEGAN, MAGAN and LS-GAN on each.

`faces64` is the paper's CelebA (figures 6 and 14) and `bedrooms64` its LSUN (figures 5 and 12), from your own copies
of faces and bedrooms; `bedrooms64_patches` are pieces of 64x64, cut at random out of bedrooms of 96x96 (appendix F,
figures 11 and 13); `folder` takes a folder of any pictures by `--data`, and by `--size` other sizes than 64.

The nets, the margins (20 for faces, 80 for bedrooms) and the pulling-away weight 0.1 are the EBGAN paper's. It leaves
batch, rates and length open: 64, Adam with 0.0002 and beta1 0.5, and 25 epochs of 24,000 images are the DCGAN code's
but for the epoch. Its CelebA is ten times as large. Pictures are mirrored at random, as in that code. DCGAN runs "under
the same configuration": the same generator and optimisers. BEGAN keeps what is its own (figure 1 with n = 128, batch
16, a rate of 0.0001 that is halved, down to a quarter, where M_global stalls for an epoch), and so does MAGAN (its nets
for CelebA, Adamax, two epochs of pretraining). LS-GAN has DCGAN's nets and its authors' rate,
distance, weights and last ReLU.

One thing is no paper's: pictures and metrics are those of an average of the generator's weights, with a half-life of
10,000 images as in StyleGAN2. It changes nothing that is trained; `--ema None` shows the last weights, as the papers
do and `ebgan reproduce`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ebgan.energies import AutoencoderEnergy, LogisticEnergy, ScalarEnergy
from ebgan.experiment import Data, Experiment, Nets, Optimisers
from ebgan.nets.began import BEGANAutoencoder, BEGANGenerator
from ebgan.nets.dcgan import ConvAutoencoder, ConvDiscriminator, ConvGenerator
from ebgan.nets.magan import CELEBA_AUTOENCODER, CELEBA_GENERATOR
from ebgan.objectives import BEGAN, EBGAN, GAN, MAGAN, LossSensitiveGAN
from ebgan.recipes.index import recipe
from ebgan.samplers import Prior
from ebgan.training.adamax import Adamax
from ebgan.training.optim import Adam
from ebgan.training.plateau import Plateau

IMAGES = 600_000
HALF_LIFE = 10_000  # images, of the average of the generator's weights
WINDOW = 10_000  # images in which BEGAN's measure may stall, where nobody knows how many an epoch has


@dataclass(frozen=True)
class PictureSet:
    """A set of pictures and its settings."""

    title: str
    data: Data
    margin: float | None  # of EBGAN, in the L2 norm over pixels in [-1, 1]; None is calibrated before training
    epoch: int | None  # about how many there are; None where nobody knows
    figures: tuple[str, str]  # of the EBGAN paper: of DCGAN and EBGAN-PT, and of EBGAN


CELEBA, LSUN = ("EBGAN, figure 6", "EBGAN, figure 14"), ("EBGAN, figure 5", "EBGAN, figure 12")
PATCHES = ("EBGAN, figure 11", "EBGAN, figure 13")
SETS = {
    "faces64": PictureSet("faces", Data(source="faces64", size=64, flip=True), 20.0, 24_000, CELEBA),
    "bedrooms64": PictureSet("bedrooms", Data(source="bedrooms64", size=64, flip=True), 80.0, 1_500, LSUN),
    "bedrooms64_patches": PictureSet(
        "pieces of 96x96 bedrooms", Data(source="bedrooms96", size=96, crop=64, flip=True), 80.0, 1_500, PATCHES
    ),
    "folder": PictureSet("a folder of pictures", Data(source="pictures", size=64, flip=True), None, None, CELEBA),
}


def base(pictures: PictureSet) -> Experiment:
    """The common settings of the recipes of a set, with the nets and rates of the EBGAN paper."""
    return Experiment(
        data=pictures.data,
        nets=Nets(generator=ConvGenerator(), discriminator=ConvAutoencoder()),
        optimisers=Optimisers(discriminator=Adam(lr=2e-4), generator=Adam(lr=2e-4)),
        images=IMAGES,
        ema=HALF_LIFE,
    )


def dcgan(pictures: PictureSet) -> Experiment:
    """DCGAN: the probabilistic GAN with convolutional nets."""
    nets = Nets(generator=ConvGenerator(), discriminator=ConvDiscriminator())
    return replace(base(pictures), nets=nets, energy=LogisticEnergy(), objective=GAN())


def ebgan(pictures: PictureSet) -> Experiment:
    """EBGAN with a convolutional auto-encoder."""
    return replace(base(pictures), objective=EBGAN(margin=pictures.margin))


def ebgan_pt(pictures: PictureSet) -> Experiment:
    """EBGAN-PT: EBGAN with the pulling-away term, weight 0.1."""
    return replace(base(pictures), objective=EBGAN(margin=pictures.margin, pulling_away=0.1))


def began(pictures: PictureSet) -> Experiment:
    """BEGAN: the balance k in place of a margin, gamma 0.5."""
    adam, plateau = Adam(lr=1e-4), Plateau(patience=pictures.epoch or WINDOW, floor=0.25)
    return replace(
        base(pictures),
        nets=Nets(generator=BEGANGenerator(), discriminator=BEGANAutoencoder()),
        energy=AutoencoderEnergy(unit="l1"),
        sampler=Prior(distribution="uniform"),
        objective=BEGAN(gamma=0.5, lambda_k=1e-3),
        optimisers=Optimisers(discriminator=adam, generator=adam, plateau=plateau),
        batch=16,
    )


def magan(pictures: PictureSet) -> Experiment:
    """MAGAN: a margin that falls to the energy of the data, by epochs."""
    adamax = Adamax(lr=5e-4)
    return replace(
        base(pictures),
        nets=Nets(generator=CELEBA_GENERATOR, discriminator=CELEBA_AUTOENCODER),
        energy=AutoencoderEnergy(unit="sse"),
        objective=MAGAN(epoch=pictures.epoch),
        optimisers=Optimisers(discriminator=adamax, generator=adamax),
        pretraining=2 * pictures.epoch if pictures.epoch else None,
    )


def loss_sensitive(pictures: PictureSet) -> Experiment:
    """LS-GAN: the loss-sensitive GAN (not least squares), a margin for each pair of picture and sample."""
    adam = Adam(lr=1e-4)
    return replace(
        base(pictures),
        nets=Nets(generator=ConvGenerator(), discriminator=ConvDiscriminator()),
        energy=ScalarEnergy(nonnegative=True),
        sampler=Prior(distribution="uniform"),
        objective=LossSensitiveGAN(scale=2e-4, real_weight=0.0),
        optimisers=Optimisers(discriminator=adam, generator=adam),
    )


def _enter_family(name: str, pictures: PictureSet) -> None:
    first, second = pictures.figures
    _enter(f"{name}.dcgan", first, dcgan, pictures)
    _enter(f"{name}.ebgan", second, ebgan, pictures)
    _enter(f"{name}.ebgan_pt", first, ebgan_pt, pictures)
    _enter(f"{name}.began", "BEGAN, figure 1", began, pictures)
    _enter(f"{name}.magan", "MAGAN, CelebA", magan, pictures)
    _enter(f"{name}.loss_sensitive", "LS-GAN", loss_sensitive, pictures)


def _enter(name: str, source: str, make: Callable[[PictureSet], Experiment], pictures: PictureSet) -> None:
    def made() -> Experiment:
        return make(pictures)

    made.__doc__ = f"{(make.__doc__ or '').rstrip('.')}, on {pictures.title} at 64x64."
    recipe(name, source)(made)


for _name, _pictures in SETS.items():
    _enter_family(_name, _pictures)
