"""Section 2.2 of the EBGAN paper measured: Lemma 1, Theorems 1 and 2, and "the discriminator is flat in the end".

First exactly, in a game on a few points with tables as players (`equilibrium`), then with nets on a one-dimensional
Gaussian (`flatness`). The slides' sentence about the end is Theorem 2(b); for a GAN, it is D = 1/2.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from ebgan.experiment import Experiment
from ebgan.objectives import EBGAN
from ebgan.recipes.index import Scale
from ebgan.report import Panel, panels
from ebgan.reproductions.claims import Claim, Findings, Request
from ebgan.reproductions.comparison import spread
from ebgan.reproductions.theory.equilibrium import Position, best_energies, play, total_variation, value
from ebgan.reproductions.theory.flatness import DISCRIMINATORS, NetsAt, setting, watch
from ebgan.reproductions.verdicts import within

MARGIN = 10.0
ROUNDS = 10_000
DATA, SAMPLES = (0.5, 0.3, 0.2), (0.2, 0.3, 0.5)
SEEDS: dict[Scale, int] = {"tiny": 1, "cpu": 5}  # of each run with nets
IMAGES: dict[Scale, int] = {"tiny": 10 * 128, "cpu": 3_000 * 128}  # points seen by each run with nets
FLAT = 0.2  # a standard deviation below this share of the margin, or of ln 2, counts as flat
NEAR = 0.05  # largest relative error of a value that counts as equal


def reproduce(asked: Request) -> Findings:
    """Lemma 1, Theorems 1 and 2, and "the discriminator is flat in the end"."""
    asked.note(f"playing {ROUNDS:,} rounds on three places and on four")
    game, beyond = (play(torch.tensor(data).double(), MARGIN, ROUNDS) for data in (DATA, (*DATA, 0.0)))
    claims = [lemma_1(), corollary(), *theorems(game, beyond)]
    runs = {}
    for objective in DISCRIMINATORS:
        experiment, looks = setting(objective, IMAGES[asked.scale]), []
        for seed in range(asked.seeds or SEEDS[asked.scale]):
            asked.note(f"training {objective} on a Gaussian, seed {seed}")
            looks.append(watch(replace(experiment, seed=seed)))
        runs[objective] = looks[0]
        claims += in_the_end(experiment, looks)
    return Findings(claims, {"theory": panels(curves(game, runs))})


def lemma_1() -> Claim:
    """Check on a fine grid of y that the minimum of a y + b [m - y]_+ over y >= 0 is m min(a, b)."""
    energies = torch.linspace(0, 3 * MARGIN, 30_001, dtype=torch.float64)
    weights = torch.cartesian_prod(*[torch.linspace(0, 2, 21, dtype=torch.float64)] * 2)
    a, b = weights.T[..., None]
    least = (a * energies + b * (MARGIN - energies).relu()).min(-1).values
    error = float((least - MARGIN * weights.min(-1).values).abs().max())
    return Claim("Lemma 1: min over y of a y + b [m - y]+, 441 pairs (a, b)", "m min(a, b)", _off(error), error < 1e-9)


def corollary() -> Claim:
    """V(G, D*) on three points."""
    data, samples = torch.tensor(DATA).double(), torch.tensor(SAMPLES).double()
    expected = MARGIN * (1 - total_variation(data, samples))
    found = value(data, samples, best_energies(data, samples, MARGIN), MARGIN)
    claim = "V(G, D*) = m (1 - TV), m = 10, p = (.5, .3, .2), q = (.2, .3, .5)"
    return Claim(claim, f"{expected:.4f}", f"{found:.4f}", math.isclose(found, expected, abs_tol=1e-6))


def theorems(game: list[Position], beyond: list[Position]) -> list[Claim]:
    """Theorems 1 and 2 in the exact game; in `beyond`, one point has no data."""
    end, gamma = game[-1], float(game[-1].energies.mean())
    off, on = float(beyond[-1].energies[-1]), float(beyond[-1].energies[:-1].mean())
    return [
        Claim("Theorem 1: V at the equilibrium, m = 10", "10", f"{end.value:.6f}", abs(end.value - MARGIN) < 1e-4),
        Claim("Theorem 2(a): samples as the data, TV", "0", f"{end.variation:.1e}", end.variation < 1e-4),
        Claim(
            "Theorem 2(b): energy constant over the data, largest difference",
            "0",
            f"{end.spread:.1e}",
            end.spread < 1e-2,
        ),
        Claim("Theorem 2(b): that constant, gamma", "in [0, 10]", f"{gamma:.4f}", 0 <= gamma <= MARGIN),
        Claim("energy of a place without data, next to gamma", f">= {on:.4f}", f"{off:.4f}", off >= on),
    ]


def in_the_end(experiment: Experiment, runs: list[list[NetsAt]]) -> list[Claim]:
    """Claims about trained nets, one run per seed: V near its equilibrium value, and a flat energy on the data."""
    objective = experiment.objective
    if isinstance(objective, EBGAN):
        assert objective.margin is not None
        name, scale, best = "EBGAN", objective.margin, objective.margin
        constant, ends = f"gamma in [0, {scale:g}]", (0.0, scale)
    else:
        name, scale, best = "GAN", math.log(2), 2 * math.log(2)
        constant, ends = f"-log 1/2 = {scale:.4f}", _near(scale)
    values, gammas, spreads = ([getattr(looks[-1], what) for looks in runs] for what in ("value", "gamma", "spread"))
    widest = max(look.spread for looks in runs for look in looks)
    nearer = [looks[-1].distance / looks[0].distance for looks in runs]
    return [
        within(values, *_near(best)).claim(f"{name} on a Gaussian: V at the end", f"{best:.4f}", spread(values)),
        within(gammas, *ends).claim(f"{name}: mean energy over the data", constant, spread(gammas)),
        within(spreads, high=FLAT * scale).claim(
            f"{name}: flat in the end, standard deviation of the energy over the data",
            f"small beside {scale:.2g}: below {FLAT * scale:.2g}",
            f"{spread(spreads)} (at most {widest:.4f} on the way)",
        ),
        within(nearer, high=FLAT).claim(
            f"{name}: samples as the data, Wasserstein-1 distance over that at the start",
            f"below {FLAT}",
            spread(nearer),
        ),
    ]


def _near(number: float) -> tuple[float, float]:
    return (1 - NEAR) * number, (1 + NEAR) * number


def curves(game: list[Position], runs: dict[str, list[NetsAt]]) -> list[Panel]:
    """Curves of the exact game on three points, and of the energy in each run with nets."""
    rounds = [*range(100), *range(100, ROUNDS, 50)]
    energies = torch.stack([game[index].energies for index in rounds], 1)
    values = torch.tensor([[game[index].value for index in rounds]])
    drawn = [
        Panel("three places: energy of each", torch.tensor(rounds).numpy(), energies.numpy(), "rounds"),
        Panel("three places: V(G, D), to m = 10", torch.tensor(rounds).numpy(), values.numpy(), "rounds"),
    ]
    for name, looks in runs.items():
        heights = torch.stack([each.energy for each in looks[1:]])
        title = f"{name}: energy over the data's range, dark is late"
        drawn.append(Panel(title, looks[0].axis.numpy(), heights.numpy(), "x", moments=True))
    return drawn


def _off(error: float) -> str:
    return f"off by at most {error:.0e}" if error else "exactly"
