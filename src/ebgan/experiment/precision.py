"""Choose a precision: bf16 if the hardware has instructions for it and the nets are large, else fp32.

Torch computes in bfloat16 on any processor. Without instructions for it every product is emulated and takes 2 to 200
times as long as in float32. Small nets spend little of a step on matrix products, so that bf16 gains nothing there.
"""

from __future__ import annotations

import platform
import time

import torch

from ebgan.experiment import Precision

# Measured on one thread of a processor with AVX512-BF16 (docs/performance.md), for fully connected nets: a bf16 step
# takes 1.1 times as long as in fp32 with 200,000 weights, the same with 460,000, and 0.8 times as long with 1,000,000.
LARGE = 500_000  # weights of both nets together
FIRST_SIDE, LAST_SIDE = 64, 4096  # of the square matrices that `product_speed` multiplies


def multiplies_bf16(device: torch.device | str) -> bool:
    """Whether the hardware of a device has instructions for bfloat16 products, which are then faster than float32."""
    kind = torch.device(device).type
    if kind == "cuda":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    return kind == "cpu" and processor_multiplies_bf16()


def suited(weights: int, native: bool) -> Precision:
    """The precision for nets with this many weights; `native`: the device has instructions for bf16."""
    return "bf16" if native and weights >= LARGE else "fp32"


def emulation_warning(precision: Precision | None, device: torch.device | str) -> str | None:
    """A warning if bf16 is asked for and emulated, with how much slower it is on this device; else None."""
    if precision != "bf16" or torch.device(device).type == "meta" or multiplies_bf16(device):
        return None
    times = product_speed("fp32", device, 0.05) / product_speed("bf16", device, 0.05)
    what = "processor" if torch.device(device).type == "cpu" else "accelerator"
    return (
        f"precision=bf16: the {what} here has no instructions for bf16 and emulates it: a product of matrices takes "
        f"{times:.2g} times as long as in fp32"
    )


def product_speed(precision: Precision, device: torch.device | str, seconds: float) -> float:
    """Floating-point operations a second in products of square matrices, with torch's current number of threads.

    The matrices grow until a product takes a quarter of the `seconds`, so that slow arithmetic takes little longer.
    """
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    side, until, best = FIRST_SIDE, time.perf_counter() + seconds, 0.0
    while True:
        matrix = torch.ones(side, side, dtype=dtype, device=device)
        took = min(_seconds_of_a_product(matrix) for _ in range(2))
        best = max(best, 2 * side**3 / took)
        if time.perf_counter() >= until:
            return best
        if 8 * took < seconds / 4 and side < LAST_SIDE:
            side *= 2


def _seconds_of_a_product(matrix: torch.Tensor) -> float:
    begun = time.perf_counter()
    (matrix @ matrix)[0, 0].item()  # waits for the device
    return max(time.perf_counter() - begun, 1e-9)


def processor_multiplies_bf16() -> bool:
    """Ask oneDNN; on x86 it also says yes for AVX512 without bf16, which emulates it 2.4 times as slow as fp32."""
    try:
        answer = bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    except AttributeError:  # a torch without oneDNN
        return False
    x86 = platform.machine().lower() in ("x86_64", "amd64", "i386", "i686")
    return answer and (not x86 or torch.cpu._is_avx512_bf16_supported())
