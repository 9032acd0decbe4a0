"""Training followed by TensorBoard, wandb, trackio, mlflow, or a logger of your own.

with tracked("tensorboard", "runs/mine") as observer:
    ebgan.train(experiment, "runs/mine", observer=observer)
"""

from ebgan.runs.tracking.following import Follower, tracked
from ebgan.runs.tracking.logger import Logger

__all__ = ["Follower", "Logger", "tracked"]
