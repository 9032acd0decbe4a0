"""Pictures that are all normal: an energy that is to find others.

    ebgan train folder.anomaly RUN --data good/
    ebgan score RUN new/ --normals kept_out/ --contamination 0.01

The nets and rates are those of `folder.ebgan`, without mirroring, since a mirrored part may be the anomaly. The
negatives are half samples and half noised data, as of `EnergyAnomalyDetector`. The margin is calibrated, and the length
a sixth of that recipe's. All of this is ours; on pictures it is unmeasured.
"""

from __future__ import annotations

from dataclasses import replace

from ebgan.experiment import Data, Experiment
from ebgan.recipes.index import recipe
from ebgan.recipes.pictures64 import IMAGES, SETS, ebgan
from ebgan.samplers import Noised

NOISE = 0.25  # standard deviation, of pixels in [-1, 1]


@recipe("folder.anomaly", source="EBGAN's energy as a detector, on your pictures")
def folder() -> Experiment:
    """EBGAN with noised negatives on a folder of normal pictures at 64x64 (--data FOLDER), for `ebgan score`."""
    return replace(
        ebgan(SETS["folder"]),
        data=Data(source="pictures", size=64),
        sampler=Noised(share=0.5, noise=NOISE),
        images=IMAGES // 6,
    )
