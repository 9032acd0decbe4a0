"""Data-parallel training with several processes (ranks): communication, launching, waiting and failure."""

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
