"""Images for torch: the pixels that the audit saw, the label as a number, in this process and in
others.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dataprep.errors import InputError, OptionError
from dataprep.measures.decode.decoding import open_pixels
from dataprep.measures.options import PassOptions
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.split import Split
from dataprep.schemas.text.extras import how_to_install
from tests.conftest import save, textured

torch = pytest.importorskip("torch")

from torch.utils.data import DataLoader  # noqa: E402

from dataprep.baselines import torch_dataset  # noqa: E402

NAMES = [f"{number}.png" for number in range(6)]
PARTS = ["train"] * 3 + ["val"] * 2 + ["test"]


@pytest.fixture
def split(tmp_path: Path) -> Split:
    for number, name in enumerate(NAMES):
        save(textured(number, 24, 16), tmp_path / "images" / name)
    samples = pd.DataFrame(
        {"label": pd.Categorical(["cat", "dog", "cat", "dog", "cat", "bird"]), "split": PARTS},
        index=pd.Index(NAMES, name="sample"),
    )
    return Split(
        Dataset(str(tmp_path / "images"), samples, "classification", ("bird", "cat", "dog"))
    )


def with_columns(split: Split, task: str = "classification", **columns: Any) -> Split:
    return replace(split, dataset=replace(split.dataset.assign(**columns), task=task))  # type: ignore[arg-type]


def halved(pixels: Any) -> Any:
    return pixels[::2, ::2]


def test_images_are_tensors_from_0_to_1_with_class_numbers_of_the_whole_data_set(
    split: Split,
) -> None:
    data = torch_dataset(split)
    assert len(data) == 3
    image, label = data[1]
    assert (image.dtype, tuple(image.shape), label.dtype, label.item()) == (
        torch.float32,
        (3, 16, 24),
        torch.int64,
        2,
    )
    assert np.array_equal(
        (image.numpy() * 255).round().astype(np.uint8).transpose(1, 2, 0), textured(1, 24, 16)
    )
    assert (data.classes, data.names, data.targets.tolist()) == (
        ("bird", "cat", "dog"),
        NAMES[:3],
        [1, 2, 1],
    )
    assert torch_dataset(split, "test")[0][1].item() == 0
    assert np.array_equal(data[-1][0], data[2][0])
    with pytest.raises(IndexError):
        data[3]


def test_parts_folds_and_repeats(split: Split) -> None:
    assert torch_dataset(split, ("val", "test")).names == NAMES[3:]
    assert len(torch_dataset(split.dataset, None)) == 6
    repeated = with_columns(split, split_2=PARTS[::-1])
    assert torch_dataset(repeated, "train", column="split_2").names == NAMES[3:]
    with pytest.raises(OptionError, match="expected one of test, train, val, got 'fold1'"):
        torch_dataset(split, "fold1")
    with pytest.raises(OptionError, match="no column 'split_3'"):
        torch_dataset(split, column="split_3")
    with pytest.raises(OptionError, match='on_error: expected "raise" or "skip"'):
        torch_dataset(split, on_error="ignore")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["rotated", "alpha", "deep", "palette", "grey"])
def test_pixels_are_those_that_the_audit_measures(split: Split, tmp_path: Path, kind: str) -> None:
    path, array = tmp_path / "images" / NAMES[0], textured(9, 24, 16)
    if kind == "rotated":
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.fromarray(array).save(path, format="JPEG", exif=exif, quality=95)
    elif kind == "alpha":
        Image.fromarray(
            np.dstack([array, np.arange(16 * 24, dtype=np.uint8).reshape(16, 24)])
        ).save(path)
    elif kind == "deep":
        Image.fromarray(array[:, :, 0].astype(np.uint16) * 257).save(path)
    elif kind == "palette":
        Image.fromarray(array).quantize(8).save(path)
    else:
        Image.fromarray(array[:, :, 0]).save(path)
    image, _ = torch_dataset(split, transform=lambda pixels: pixels.copy())[0]
    seen = open_pixels(path.read_bytes()).rgb
    assert np.array_equal((image.numpy() * 255).round().astype(np.uint8).transpose(1, 2, 0), seen)
    assert tuple(image.shape) == ((3, 24, 16) if kind == "rotated" else (3, 16, 24))


def test_a_transform_gets_pixels_that_it_may_write_to(split: Split) -> None:
    def mark(pixels: Any) -> Any:
        assert (pixels.dtype, pixels.shape) == (np.uint8, (16, 24, 3))
        pixels[:] = 51
        return pixels

    data = torch_dataset(split, transform=mark)
    assert torch.equal(data[0][0], torch.full((3, 16, 24), 0.2))
    assert torch_dataset(split, transform=lambda pixels: pixels.mean())[0][0] == pytest.approx(
        textured(0, 24, 16).mean()
    )
    floats = torch_dataset(split, transform=lambda pixels: pixels[:, :, 0].astype(np.float64))[0][0]
    assert (floats.dtype, tuple(floats.shape)) == (torch.float64, (1, 16, 24))
    tensor = torch.ones(2)
    assert torch_dataset(split, transform=lambda pixels: tensor)[0][0] is tensor


def test_transforms_of_albumentations_are_called_in_their_way(
    split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_ALBUMENTATIONS_UPDATE", "1")
    albumentations = pytest.importorskip("albumentations")
    transform = albumentations.Compose(
        [albumentations.HorizontalFlip(p=1.0), albumentations.Resize(8, 8)]
    )
    image, _ = torch_dataset(split, transform=transform)[0]
    assert tuple(image.shape) == (3, 8, 8)
    single = albumentations.HorizontalFlip(p=1.0)
    flipped = torch_dataset(split, transform=single)[0][0]
    assert torch.equal(flipped, torch_dataset(split)[0][0].flip(2))


def test_several_labels_and_figures(split: Split) -> None:
    several = with_columns(split, "multi-label", label=["a|c", "b", None, "a", "a", "b"])
    several = replace(several, dataset=replace(several.dataset, classes=("a", "b", "c")))
    with pytest.warns(UserWarning, match=r"1 samples have no label and are left out: 2.png"):
        data = torch_dataset(several)
    assert data.targets.tolist() == [[1, 0, 1], [0, 1, 0]]
    assert (data[0][1].dtype, data[0][1].tolist()) == (torch.float32, [1, 0, 1])
    figures = with_columns(split, "regression", label=[0.5, 1.5, 2.5, 3.5, 4.5, 5.5])
    label = torch_dataset(figures)[1][1]
    assert (label.dtype, label.item(), tuple(label.shape)) == (torch.float32, 1.5, ())
    with pytest.raises(OptionError, match="pass labels=False"):
        torch_dataset(with_columns(split, "detection"))


def test_images_alone(split: Split) -> None:
    samples = split.dataset.samples.drop(columns="label")
    bare = replace(split, dataset=replace(split.dataset, samples=samples, task="none", classes=()))
    data = torch_dataset(bare, labels=False)
    assert tuple(data[0].shape) == (3, 16, 24)
    assert data.targets is None


def test_what_the_audit_could_not_read_is_left_out_and_told(split: Split) -> None:
    lost = with_columns(split, lost=pd.Categorical(["", "truncated", "", "missing", "missing", ""]))
    with pytest.warns(
        UserWarning, match="1 samples could not be read by the audit and are left out: 1.png"
    ):
        assert torch_dataset(lost).names == ["0.png", "2.png"]
    with (
        pytest.raises(InputError, match="no image is left"),
        pytest.warns(UserWarning, match="2 samples"),
    ):
        torch_dataset(lost, "val")


def test_a_file_that_fails_later_is_named_or_replaced(split: Split, tmp_path: Path) -> None:
    (tmp_path / "images/1.png").write_bytes(b"no image")
    data = torch_dataset(split)
    with pytest.raises(InputError, match=r"1\.png: not-an-image .*Run dataprep audit again"):
        data[1]
    skipping = torch_dataset(split, on_error="skip")
    with pytest.warns(UserWarning, match=r"1\.png: not-an-image .*another image is taken"):
        image, label = skipping[1]
    assert torch.equal(image, data[2][0])
    assert label == data[2][1]
    for name in NAMES:
        (tmp_path / "images" / name).unlink()
    with (
        pytest.raises(InputError, match="16 images in a row cannot be read"),
        pytest.warns(UserWarning, match="missing"),
    ):
        skipping[0]


def test_limits_of_decoding_are_options(split: Split) -> None:
    save(textured(1, 400, 300), Path(split.dataset.root) / NAMES[0])
    assert tuple(torch_dataset(split)[0][0].shape) == (3, 300, 400)
    with pytest.raises(InputError, match="too-large"):
        torch_dataset(split, options=PassOptions(max_megapixels=0.1))[0]


def test_workers_that_are_spawned_get_the_same(split: Split) -> None:
    data = torch_dataset(split, None, transform=halved)
    loader = DataLoader(data, batch_size=2, num_workers=1, multiprocessing_context="spawn")
    batches = list(loader)
    assert [tuple(images.shape) for images, _ in batches] == [(2, 3, 8, 12)] * 3
    assert torch.equal(torch.cat([labels for _, labels in batches]), torch.tensor(data.targets))
    assert torch.equal(batches[1][0][1], data[3][0])


def test_a_pickle_of_many_names_is_small_and_whole() -> None:
    names = [f"folder/{number:06d}.jpg" for number in range(10_000)] + ["caf\\xe9.jpg"]
    samples = pd.DataFrame({"split": "train"}, index=pd.Index(names, name="sample"))
    data = torch_dataset(Dataset("/somewhere", samples), labels=False)
    again = pickle.loads(pickle.dumps(data))
    assert again.names == names
    assert len(pickle.dumps(data)) < 100 * len(names)


def test_torch_is_loaded_by_whoever_needs_it_and_its_absence_explained() -> None:
    code = (
        "import sys, dataprep.baselines; assert 'torch' not in sys.modules\n"
        "sys.modules['torch'] = None\n"
        "from dataprep.errors import InputError\n"
        "try: dataprep.baselines.torch_dataset\n"
        "except InputError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"torch is not installed: {how_to_install('train')}"
