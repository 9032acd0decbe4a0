"""The nets of MAGAN (Wang, Cully, Chang & Demiris, 2017) by their authors' code: settings of nets that are here.

    MNIST      G 50 noises (128)7c-(64)4c2s-(1)4c2s                  D 784-256-256-784 fully connected
    CIFAR-10   G 320 noises (512)4c-(256)4c2s-(128)4c2s-(3)4c2s      D (128)4c2s-(256)4c2s-(512)4c2s and its mirror
    CelebA     G 350 noises (512)4c-(256)4c2s-...-(64)4c2s-(3)4c2s   D (64)4c2s-...-(512)4c2s and its mirror

No batch norm anywhere; biases. Outputs end in the data's range, [0, 1] for MNIST and [-1, 1] for the others. The
discriminators' ReLU is leaky (0.2) on colour images.

Initial weights, `std="magan"`: layers before a ReLU have He's deviation with output maps times kernel as the fan-in;
all others, which are the generators' last layer and the whole auto-encoders of colour images, have Xavier's rule,
uniform. The fully connected net has N(0, 0.05^2) throughout, the deviation of its first layer.
"""

from ebgan.nets.dcgan import ConvAutoencoder, ConvGenerator
from ebgan.nets.mlp import MLPAutoencoder

MNIST_GENERATOR = ConvGenerator(layers="(128)7c-(64)4c2s-(1)4c2s", noise=50, batch_norm=False, bias=True, std="magan")
MNIST_AUTOENCODER = MLPAutoencoder(depth=3, width=256, output="limits", batch_norm=False, std=0.05)
CIFAR10_GENERATOR = ConvGenerator(width=128, noise=320, batch_norm=False, bias=True, std="magan")
CIFAR10_AUTOENCODER = ConvAutoencoder(encoder="(128)4c2s-(256)4c2s-(512)4c2s", batch_norm=False, std="magan")
CELEBA_GENERATOR = ConvGenerator(width=64, noise=350, batch_norm=False, bias=True, std="magan")
CELEBA_AUTOENCODER = ConvAutoencoder(encoder="(64)4c2s-(128)4c2s-(256)4c2s-(512)4c2s", batch_norm=False, std="magan")
