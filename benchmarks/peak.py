"""The machine's peak: floating-point operations a second of a square matrix product, in a bounded time.

    python benchmarks/peak.py [--device cpu]

Sizes grow from small ones, and stop growing where one product takes a tenth of a second: a processor without bf16
arithmetic may need two hundred times as long for bf16 as for float32. Each type takes about two seconds.
"""

from __future__ import annotations

import argparse
import time

import torch

SMALLEST, LARGEST, LARGEST_DEVICE = 128, 2048, 8192
LONGEST, ALL = 0.1, 1.0  # seconds of a product that is followed by a larger one, and of all those of the last size


def peak(dtype: torch.dtype, device: str) -> float:
    """Operations a second of the product of two square matrices, 2 n^3 each: the best of all sizes that were tried."""
    size, best = SMALLEST, 0.0
    while True:
        a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
        torch.mm(a, b)  # a first one may have to choose its kernel
        seconds = least(a, b, LONGEST)
        best = max(best, 2 * size**3 / seconds)
        if seconds > LONGEST or size >= (LARGEST if device == "cpu" else LARGEST_DEVICE):
            return max(best, 2 * size**3 / least(a, b, ALL))
        size *= 2


def least(a: torch.Tensor, b: torch.Tensor, span: float) -> float:
    """Seconds of a product, the least of all that are done in a span of time, at least two."""
    best, begun, done = float("inf"), _now(), 0
    while done < 2 or _now() - begun < span:
        before = _now()
        torch.mm(a, b)
        best, done = min(best, _now() - before), done + 1
    return best


def _now() -> float:
    if torch.accelerator.is_available():
        torch.accelerator.synchronize()
    return time.perf_counter()


def main() -> None:
    """Print the peak of each type."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cpu")
    device = parser.parse_args().device
    for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        print(f"{name}  {peak(dtype, device) / 1e9:8.1f} GFLOP/s", flush=True)


if __name__ == "__main__":
    main()
