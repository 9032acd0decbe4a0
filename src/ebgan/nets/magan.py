"""The nets of MAGAN (Wang, Cully, Chang & Demiris, 2017) as in the authors' code: settings of other nets.

    MNIST      G 50 noises (128)7c-(64)4c2s-(1)4c2s                  D 784-256-256-784 fully connected
    CIFAR-10   G 320 noises (512)4c-(256)4c2s-(128)4c2s-(3)4c2s      D (128)4c2s-(256)4c2s-(512)4c2s and its mirror
    CelebA     G 350 noises (512)4c-(256)4c2s-...-(64)4c2s-(3)4c2s   D (64)4c2s-...-(512)4c2s and its mirror

No batch norm; layers have biases. Outputs are squashed to the data's range, [0, 1] for MNIST and [-1, 1] for the
others. On colour images the discriminators use LeakyReLU (0.2).

Initial weights, `std="magan"`: layers before a ReLU have He's standard deviation with output maps times kernel size as
fan-in; all others, the generators' last layers and the auto-encoders of colour images, have Xavier's uniform rule. The
fully connected net has N(0, 0.05^2) in all layers, the standard deviation of its first layer.
"""

from ebgan.nets.dcgan import ConvAutoencoder, ConvGenerator
from ebgan.nets.mlp import MLPAutoencoder

MNIST_GENERATOR = ConvGenerator(layers="(128)7c-(64)4c2s-(1)4c2s", noise=50, batch_norm=False, bias=True, std="magan")
MNIST_AUTOENCODER = MLPAutoencoder(depth=3, width=256, output="limits", batch_norm=False, std=0.05)
CIFAR10_GENERATOR = ConvGenerator(width=128, noise=320, batch_norm=False, bias=True, std="magan")
CIFAR10_AUTOENCODER = ConvAutoencoder(encoder="(128)4c2s-(256)4c2s-(512)4c2s", batch_norm=False, std="magan")
CELEBA_GENERATOR = ConvGenerator(width=64, noise=350, batch_norm=False, bias=True, std="magan")
CELEBA_AUTOENCODER = ConvAutoencoder(encoder="(64)4c2s-(128)4c2s-(256)4c2s-(512)4c2s", batch_norm=False, std="magan")
