"""Several processes that train together, the ranks: what they exchange, and how they start, wait and end."""

from ebgan.distributed.exchange import (
    Rank,
    RankLostError,
    default_device,
    gather_across_ranks,
    largest_across_ranks,
    mean_across_ranks,
    rank,
    refuse_apart,
    sum_across_ranks,
    usable_device,
)

__all__ = [
    "Rank",
    "RankLostError",
    "default_device",
    "gather_across_ranks",
    "largest_across_ranks",
    "mean_across_ranks",
    "rank",
    "refuse_apart",
    "sum_across_ranks",
    "usable_device",
]
