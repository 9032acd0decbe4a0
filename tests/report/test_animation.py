import numpy as np
from PIL import Image

from ebgan.report import save_gif


def test_a_film_shows_every_picture_in_its_time_and_begins_again(tmp_path):
    frames = [Image.new("L", (6, 4), shade) for shade in (0, 128, 255)]
    save_gif(frames, tmp_path / "new folder" / "film.gif", [50, 60, 70])
    with Image.open(tmp_path / "new folder" / "film.gif") as film:
        assert (film.n_frames, film.info["loop"]) == (3, 0)
        for place, (shade, time) in enumerate(((0, 50), (128, 60), (255, 70))):
            film.seek(place)
            assert film.info["duration"] == time
            assert (np.asarray(film.convert("L")) == shade).all()
