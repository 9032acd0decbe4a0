"""Images that are handed to a run in Python: read as what they are, or refused with how to convert them."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ebgan.data import Packed
from ebgan.data.given import ImageReader
from ebgan.errors import UsageError
from ebgan.experiment import Data, Experiment
from ebgan.runs.loading import assemble
from ebgan.runs.run import DataFacts, Run

COLOUR = np.random.default_rng(0).integers(0, 256, (5, 3, 8, 8), dtype=np.uint8)
GREY = np.random.default_rng(1).integers(0, 256, (5, 1, 8, 8), dtype=np.uint8)
HALF_BRIGHT = torch.tensor(COLOUR) / 255
EXACT = torch.tensor(COLOUR) / 127.5 - 1

colour = ImageReader(shape=(3, 8, 8), size=8)
grey = ImageReader(shape=(1, 8, 8), size=8)


@pytest.mark.parametrize(
    "given",
    [
        COLOUR,
        COLOUR.transpose(0, 2, 3, 1),
        torch.tensor(COLOUR),
        torch.tensor(COLOUR).to(memory_format=torch.channels_last),
        EXACT,
        EXACT.double().numpy(),
        EXACT.numpy().astype(">f4"),
        EXACT.numpy()[::-1][::-1],
        EXACT.clone().requires_grad_(),
        Packed(COLOUR),
        list(COLOUR),
        [Image.fromarray(image) for image in COLOUR.transpose(0, 2, 3, 1)],
        [EXACT[0], COLOUR[1], Image.fromarray(COLOUR[2].transpose(1, 2, 0)), COLOUR[3:]],
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_same_images_in_any_form_are_the_same_numbers(given: object) -> None:
    torch.testing.assert_close(colour(given), EXACT, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("given", "limits"),
    [(HALF_BRIGHT, (0, 1)), (HALF_BRIGHT * 255, (0.0, 255.0)), (HALF_BRIGHT.half() * 0 + EXACT, (-1, 1))],
)
def test_floats_in_a_range_that_is_stated_are_brought_to_ours(given: torch.Tensor, limits: tuple[float, float]) -> None:
    torch.testing.assert_close(colour(given, limits), EXACT, atol=1e-5, rtol=0)


def test_a_single_image_is_a_batch_of_one() -> None:
    for single in (EXACT[0], COLOUR[0], COLOUR[0].transpose(1, 2, 0), Image.fromarray(COLOUR[0].transpose(1, 2, 0))):
        torch.testing.assert_close(colour(single), EXACT[:1], atol=1e-6, rtol=0)
    for single in (GREY[0], GREY[0, 0], Image.fromarray(GREY[0, 0])):
        torch.testing.assert_close(grey(single), torch.tensor(GREY[:1]) / 127.5 - 1)
    assert grey(GREY[:, 0]).shape == (5, 1, 8, 8)
    assert grey(GREY[:0]).shape == grey([]).shape == (0, 1, 8, 8)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (COLOUR.astype(np.int64), "images are int64; expected uint8 from 0 to 255, or floats .*give them as uint8"),
        (COLOUR.astype(np.uint16) * 257, "these are from .* to 6.*: scale that range to 0 to 255"),
        (torch.tensor(COLOUR).int() - 128, "these are from -128 to 12.: scale that range"),
        (COLOUR > 100, "images are bool; .*convert them to uint8, with 255 for True"),
        (EXACT.clone().index_put_((torch.tensor(1),), torch.tensor(float("nan"))), "not finite"),
        (EXACT / 0, "not finite"),
        (HALF_BRIGHT * 255, r"images are from 0 to 255; .*give limits=\(0, 255\)"),
        (EXACT * 3, r"images are from -3 to 3; .*give limits=\(BLACK, WHITE\)"),
        (COLOUR.astype(complex), "images are complex128"),
        (np.array([None, "x"]), "images are object"),
        ("pictures/cat.png", r"images are a str; expected a tensor.*open_data\(PATH\) reads files"),
        (None, "images are a NoneType"),
        (COLOUR[:, :1], r"\[5, 1, 8, 8\]; expected \[count, 3, 8, 8\].*channels must be 3"),
        (COLOUR[:, :2], "channels must be 3"),
        (np.zeros((5, 8, 8, 4), np.uint8), "channels must be 3"),
        (EXACT[..., :7], r"expected \[count, 3, 8, 8\].*uint8 and Pillow pictures are resized, others are not"),
        (COLOUR.reshape(5, -1), r"\[5, 192\]; expected"),
        (np.zeros((3, 9, 3), np.uint8), r"\[3, 9, 3\]; expected"),
        (Image.new("F", (8, 8)), "floating-point numbers has no known range"),
        ([COLOUR[0], "x"], "images are a str"),
    ],
    ids=lambda value: None if isinstance(value, str) else type(value).__name__,
)
def test_what_cannot_be_told_is_refused_with_the_mend(given: object, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        colour(given)


def test_three_grey_images_without_a_channel_axis_may_be_one_picture_and_are_refused() -> None:
    with pytest.raises(UsageError, match="3 images or one picture of 3 channels: give all four dimensions"):
        grey(torch.zeros(3, 8, 8))


def test_images_that_are_never_below_zero_are_warned_of() -> None:
    with pytest.warns(UserWarning, match=r"for images in \[0, 1\], give limits=\(0, 1\)"):
        colour(HALF_BRIGHT)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        colour(HALF_BRIGHT, (0, 1))
        colour(torch.zeros(2, 3, 8, 8))


@pytest.mark.parametrize("limits", [(1, 0), (0, 0), (0, float("nan"))])
def test_a_range_without_length_is_refused(limits: tuple[float, float]) -> None:
    with pytest.raises(UsageError, match="expected two numbers, black and white, black below white"):
        colour(HALF_BRIGHT, limits)


def test_pictures_are_sized_and_their_channels_made_like_the_data() -> None:
    big = np.kron(COLOUR, np.ones((1, 1, 3, 3), np.uint8))
    for given in (big, big.transpose(0, 2, 3, 1), [Image.fromarray(image) for image in big.transpose(0, 2, 3, 1)]):
        assert (colour(given) - EXACT).abs().mean() < 0.2
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "I", "I;16"):
        picture = Image.new(mode if mode != "LAB" else "RGB", (9, 12))
        assert colour(picture).shape == (1, 3, 8, 8)
        assert grey(picture).shape == (1, 1, 8, 8)


def test_a_transparent_picture_lies_on_black_and_a_turned_one_is_upright(tmp_path: Path) -> None:
    assert colour(Image.new("RGBA", (8, 8), (255, 255, 255, 0))).max() == -1
    stripe = Image.new("RGB", (8, 8))
    stripe.paste((255, 255, 255), (0, 0, 8, 4))
    exif = stripe.getexif()
    exif[0x0112] = 6  # to be turned by a quarter
    stripe.save(tmp_path / "turned.png", exif=exif)
    turned = colour(Image.open(tmp_path / "turned.png"))[0, 0]
    assert turned[0].tolist() == [-1.0] * 4 + [1.0] * 4


def a_run(data: Data, shape: tuple[int, int, int]) -> Run:
    return assemble(Experiment(data=data), DataFacts(shape, (), ""), "cpu")


def test_a_run_reads_pictures_by_its_own_padding_and_crop() -> None:
    padded = a_run(Data(padding=2), (1, 12, 12)).energy(GREY)
    by_hand = torch.nn.functional.pad(torch.tensor(GREY) / 127.5 - 1, (2, 2, 2, 2), value=-1)
    torch.testing.assert_close(padded, a_run(Data(), (1, 12, 12)).energy(by_hand))
    cropped = a_run(Data(size=8, crop=4), (3, 4, 4))
    torch.testing.assert_close(cropped.energy(COLOUR), cropped.energy(EXACT[..., 2:6, 2:6]))


def test_every_verb_of_a_run_reads_alike() -> None:
    run = a_run(Data(), (3, 8, 8))
    for verb in (run.energy, run.encode, run.reconstruct):
        torch.testing.assert_close(verb(COLOUR), verb(HALF_BRIGHT, limits=(0, 1)), atol=1e-5, rtol=1e-4)
        with pytest.raises(UsageError, match="not finite"):
            verb(EXACT * float("nan"))


def test_points_are_taken_as_they_are_and_pictures_are_none() -> None:
    points = ImageReader(shape=(2, 1, 1), points=True)
    assert torch.equal(points(torch.full((4, 2, 1, 1), 37.0)), torch.full((4, 2, 1, 1), 37.0))
    for given, said in (
        (np.zeros((4, 2, 1, 1), np.uint8), "images are uint8; expected floats"),
        (torch.full((4, 2, 1, 1), torch.inf), "not finite"),
        (torch.zeros(4, 2), r"expected \[count, 2, 1, 1\]"),
        (Image.new("L", (1, 2)), "images are a Pillow picture; expected points"),
    ):
        with pytest.raises(UsageError, match=said):
            points(given)
