"""EBGAN-PT in plain PyTorch, as a script that is copied from a repository: what `whole_command.py` compares us with.

    python benchmarks/plain_ebgan.py digits|mnist OUT [--images N]

The nets, losses, rates and pictures are those of the recipes `digits` and `mnist.ebgan_pt`: a grid of 100 samples
before the first step and after each tenth of the run, the losses on the console, the weights at the end. As in DCGAN's
code the generator learns from the samples that the discriminator was shown. It measures nothing, and cannot go on after
a stop. MNIST's four files are looked for in $EBGAN_DATA and in the folder mnist there.
"""

import argparse
import gzip
import os
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("data", choices=["digits", "mnist"])
parser.add_argument("out", type=Path)
parser.add_argument("--images", type=int, default=100_000)
parser.add_argument("--batch", type=int, default=64)
parser.add_argument("--lr", type=float, default=1e-3)
parser.add_argument("--weight", type=float, default=0.1, help="of the pulling-away term")
parser.add_argument("--seed", type=int, default=0)
options = parser.parse_args()
torch.manual_seed(options.seed)
device = "cuda" if torch.cuda.is_available() else "cpu"


def load_images():
    """All images [N, pixels] in [-1, 1]."""
    if options.data == "digits":
        return torch.tensor(load_digits().data / 8 - 1, dtype=torch.float32)
    home = Path(os.environ["EBGAN_DATA"])
    name = "train-images-idx3-ubyte.gz"
    with gzip.open(next(path for path in (home / "mnist" / name, home / name) if path.exists())) as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    padded = np.pad(pixels, ((0, 0), (2, 2), (2, 2)))
    return torch.from_numpy(padded).float().div(127.5).sub(1).flatten(1)


SIZES = {"digits": (64, 32, 256, 3, 256, 3.0), "mnist": (1024, 100, 800, 4, 1024, 10.0)}
pixels, noise, width, hidden, code_size, margin = SIZES[options.data]


class Generator(nn.Module):
    """Noise to images in [-1, 1]."""

    def __init__(self):
        super().__init__()
        layers, inputs = [], noise
        for _ in range(hidden):
            layers += [nn.Linear(inputs, width), nn.BatchNorm1d(width), nn.ReLU()]
            inputs = width
        self.layers = nn.Sequential(*layers, nn.Linear(width, pixels), nn.Tanh())

    def forward(self, z):
        return self.layers(z)


class Discriminator(nn.Module):
    """Images to their codes and energies."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(pixels, code_size), nn.ReLU())
        self.decoder = nn.Linear(code_size, pixels)

    def forward(self, x):
        code = self.encoder(x)
        return code, (self.decoder(code) - x).norm(dim=1)


def pulling_away(code):
    """EBGAN, equation 14."""
    unit = functional.normalize(code)
    n = len(code)
    return ((unit @ unit.T).square().sum() - n) / (n * (n - 1))


def save_grid(images, path):
    """100 images as one picture."""
    side = int(pixels**0.5)
    grid = images.view(10, 10, side, side).permute(0, 2, 1, 3).reshape(10 * side, 10 * side)
    picture = grid.add(1).mul(127.5).clamp(0, 255).byte().cpu().numpy()
    Image.fromarray(picture).resize((480, 480), Image.Resampling.NEAREST).save(path)


generator, discriminator = Generator().to(device), Discriminator().to(device)
for layer in (*generator.modules(), *discriminator.modules()):
    if isinstance(layer, nn.Linear):
        nn.init.normal_(layer.weight, 0.0, 0.02)
        nn.init.zeros_(layer.bias)
adam_d = torch.optim.Adam(discriminator.parameters(), options.lr, betas=(0.5, 0.999))
adam_g = torch.optim.Adam(generator.parameters(), options.lr, betas=(0.5, 0.999))
loader = DataLoader(TensorDataset(load_images()), options.batch, shuffle=True, drop_last=True)
fixed = torch.randn(100, noise, device=device)
options.out.mkdir(parents=True, exist_ok=True)
seen, due = 0, 0

while seen < options.images:
    for (images,) in loader:
        if seen >= due:
            with torch.no_grad():
                save_grid(generator(fixed), options.out / f"{seen:09d}.png")
            due += max(options.images // 10, 1)
        real = images.to(device)
        fake = generator(torch.randn(options.batch, noise, device=device))
        loss_d = discriminator(real)[1].mean() + functional.relu(margin - discriminator(fake.detach())[1]).mean()
        adam_d.zero_grad()
        loss_d.backward()
        adam_d.step()
        code, energy = discriminator(fake)
        loss_g = energy.mean() + options.weight * pulling_away(code)
        adam_g.zero_grad()
        loss_g.backward()
        adam_g.step()
        seen += options.batch
        if seen // options.batch % 100 == 0:
            print(f"{seen:>9,} images  D {loss_d.item():8.4f}  G {loss_g.item():8.4f}", flush=True)
        if seen >= options.images:
            break
with torch.no_grad():
    save_grid(generator(fixed), options.out / f"{seen:09d}.png")
torch.save({"generator": generator.state_dict(), "discriminator": discriminator.state_dict()}, options.out / "last.pt")
