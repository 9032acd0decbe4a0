"""A fingerprint of the weights that an energy is read with: a threshold belongs to them."""

from __future__ import annotations

import hashlib

from torch import nn


def fingerprint(discriminator: nn.Module) -> str:
    """Sixteen hex digits that differ for other weights of the discriminator, or another precision."""
    digest = hashlib.sha256()
    for name, value in sorted(discriminator.state_dict().items()):
        digest.update(f"{name} {value.dtype} {list(value.shape)}".encode())
        digest.update(value.detach().cpu().double().numpy().tobytes())
    return digest.hexdigest()[:16]
