"""Images in memory: every kind is read as its files would be, under its own name, and nothing
stays behind.
"""

from __future__ import annotations

import gc
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import dataprep
from dataprep.errors import InputError, OptionError


def picture(seed: int, shape: tuple[int, ...] = (40, 48, 3)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def jpeg(seed: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(picture(seed)).save(out, "JPEG")
    return out.getvalue()


def pixels(dataset: dataprep.Dataset, name: str) -> np.ndarray:
    with Image.open(dataset.path(name)) as image:
        return np.asarray(image)


def labels(dataset: dataprep.Dataset) -> dict[str, str]:
    return dataset.samples["label"].astype(object).to_dict()


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def spools(tmp_path: Path) -> list[str]:
    return [name for name in os.listdir(tmp_path) if name.startswith("dataprep-memory")]


def test_a_mapping_from_name_to_image_keeps_names_and_pixels(tmp_path):
    images = {
        "cat/a.png": picture(1),
        "b": Image.fromarray(picture(2)),
        "c.jpg": jpeg(3),
        "d.jpg": picture(4),
        "grey.png": picture(5, (9, 8)),
    }
    dataset = dataprep.scan(
        images, labels={"cat/a.png": "cat", "b": "dog", "c.jpg": "cat", "d.jpg": "dog"}
    )
    assert list(dataset.samples.index) == list(images)
    for name in ("cat/a.png", "d.jpg", "grey.png"):
        np.testing.assert_array_equal(pixels(dataset, name), images[name])
    np.testing.assert_array_equal(pixels(dataset, "b"), np.asarray(images["b"]))
    assert Path(dataset.path("c.jpg")).read_bytes() == images["c.jpg"]
    assert dataset.samples["label"].tolist()[:4] == ["cat", "dog", "cat", "dog"]
    audit = dataprep.audit(dataset, only=["extension-mismatch", "unreadable"])
    assert not len(audit.issues)
    assert len(spools(tmp_path)) == 1


def test_the_folder_goes_with_the_last_data_set(tmp_path):
    dataset = dataprep.scan([picture(1), picture(2)])
    other = dataset.where([True, False]).assign(x=1)
    del dataset
    gc.collect()
    assert os.path.isfile(other.path("000000.png"))
    del other
    gc.collect()
    assert spools(tmp_path) == []


@pytest.mark.parametrize("end", ["", "raise SystemExit(3)", "raise ValueError('of the user')"])
def test_the_folder_goes_with_the_program(tmp_path, end):
    code = (
        "import numpy, dataprep\nd = dataprep.scan([numpy.zeros((8, 8, 3), 'uint8')])\n"
        f"print(d.root)\n{end}"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith(str(tmp_path))
    assert spools(tmp_path) == []


def test_an_error_on_the_way_leaves_nothing(tmp_path):
    def broken():
        yield picture(1)
        raise KeyError("of the user")

    with pytest.raises(KeyError):
        dataprep.scan(broken())
    with pytest.raises(InputError):
        dataprep.scan([np.full((4, 4, 3), np.nan)])
    gc.collect()
    assert spools(tmp_path) == []


def test_images_are_streamed():
    alive = 0
    most = 0

    class Watched:
        shape, dtype = (4, 4, 3), np.dtype(np.uint8)

        def __init__(self, seed):
            nonlocal alive, most
            alive += 1
            most = max(most, alive)
            self.seed = seed

        def __array__(self, dtype=None, copy=None):
            return picture(self.seed, (4, 4, 3))

        def __del__(self):
            nonlocal alive
            alive -= 1

    assert len(dataprep.scan(Watched(i) for i in range(200))) == 200
    assert most < 50


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (picture(1).astype(np.float32) / 255, picture(1)),
        (picture(1).astype(np.float64), picture(1)),
        (picture(1).astype(np.int64), picture(1)),
        (np.moveaxis(picture(1), 2, 0), picture(1)),
        (picture(1, (8, 9, 1)), picture(1, (8, 9, 1))[..., 0]),
        (picture(1, (8, 9, 4)), picture(1, (8, 9, 4))),
        (picture(1, (8, 9)) > 128, (picture(1, (8, 9)) > 128) * np.uint8(255)),
    ],
)
def test_arrays_of_every_kind(array, expected):
    dataset = dataprep.scan([array])
    np.testing.assert_array_equal(pixels(dataset, "000000.png"), expected)
    assert not dataset.notes


def test_sixteen_bits_stay_sixteen_bits():
    import cv2

    grey = np.arange(64 * 48, dtype=np.uint16).reshape(48, 64) * 20
    colour = np.stack([grey, grey[::-1], grey[:, ::-1]], axis=-1)
    dataset = dataprep.scan({"grey.png": grey, "colour.png": colour})
    np.testing.assert_array_equal(pixels(dataset, "grey.png").astype(np.uint16), grey)
    np.testing.assert_array_equal(
        cv2.imread(dataset.path("colour.png"), cv2.IMREAD_UNCHANGED)[..., ::-1], colour
    )


def test_fractions_are_rounded_and_said_and_one_scale_is_for_all():
    dark = np.full((6, 6, 3), 0.75)
    dataset = dataprep.scan([dark, picture(2).astype(np.float32)])
    assert pixels(dataset, "000000.png").max() == 1
    assert dataset.notes == ("1 of 2 images have fractional pixels, which were rounded to 8 bits",)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (picture(1).astype(np.float32) / 128 - 1, "before they are normalised"),
        (np.full((4, 4), np.nan), "values from nan"),
        (picture(1, (9, 9, 7)), "expected 1 to 4 channels"),
        (np.full((4, 4), 70000), "whole numbers from"),
        (np.zeros((4, 4), complex), "expected numbers"),
        (None, "expected a PIL image"),
        ("x", "expected a PIL image"),
    ],
)
def test_what_is_no_image_costs_no_other(bad, says):
    dataset = dataprep.scan([picture(1), picture(2), bad])
    assert len(dataset) == 3
    assert says in dataset.notes[0]
    assert os.path.getsize(dataset.path("000002")) == 0
    with pytest.raises(
        InputError, match="none of the 2 elements|expected paths or images|no file of files"
    ):
        dataprep.scan([bad] * 2)


def test_pil_images_keep_their_own_file_where_untouched(tmp_path):
    (tmp_path / "a.jpg").write_bytes(jpeg(1))
    lazy, loaded, drawn = (Image.open(tmp_path / "a.jpg") for _ in range(3))
    loaded.load()
    drawn.load()
    drawn.putpixel((0, 0), (255, 0, 255))
    stream = Image.open(io.BytesIO(jpeg(2)))
    dataset = dataprep.scan(
        {"lazy.jpg": lazy, "loaded.jpg": loaded, "drawn.jpg": drawn, "stream.jpg": stream}
    )
    for name in ("lazy.jpg", "loaded.jpg"):
        assert Path(dataset.path(name)).read_bytes() == jpeg(1)
    assert Path(dataset.path("stream.jpg")).read_bytes() == jpeg(2)
    np.testing.assert_array_equal(pixels(dataset, "drawn.jpg"), np.asarray(drawn))


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "RGBA", "I;16", "I", "F", "CMYK", "YCbCr", "LAB", "HSV"]
)
def test_every_mode_of_pil(mode):
    image = Image.new(mode, (7, 5))
    assert (
        pixels(dataprep.scan([image, image]), dataprep.scan([image]).samples.index[0]).shape[:2]
        == (5, 7)
        or mode == "HSV"
    )


def test_names_that_no_file_can_have():
    images = {
        "../up.png": 1,
        "/etc/abs.png": 2,
        "x" * 300 + ".png": 3,
        "a": 4,
        "a/b.png": 5,
        "C:\\d.png": 6,
        "nul\0.png": 7,
        "": 8,
        "~/e.png": 9,
        "http://f/g.png?h": 10,
        ".hidden.png": 11,
        "caf\udce9.png": 12,
    }
    dataset = dataprep.scan({name: picture(seed) for name, seed in images.items()})
    assert len(dataset) == len(images)
    assert [
        np.array_equal(pixels(dataset, name), picture(seed))
        for name, seed in zip(dataset.samples.index, images.values())
    ] == [True] * len(images)
    assert "have another name here" in dataset.notes[0]
    assert not len(dataset.faults)


def test_equal_names_are_numbered():
    class Pairs:
        def __len__(self):
            return 2

        def __getitem__(self, row):
            return {"image": picture(row), "name": "same.png", "label": "ab"[row]}

    assert list(dataprep.scan(Pairs()).samples.index) == ["same.png", "same-2.png"]


def test_lists_with_labels():
    pairs = [(picture(i), "ab"[i % 2]) for i in range(4)]
    apart = dataprep.scan([image for image, _ in pairs], labels=["a", "b", "a", "b"])
    assert (
        labels(dataprep.scan(pairs))
        == labels(apart)
        == {f"00000{i}.png": "ab"[i % 2] for i in range(4)}
    )
    batch = dataprep.audit(
        np.stack([image for image, _ in pairs]), labels=[0, 1, 0, 1], only=["dark"]
    )
    assert batch.dataset.classes == ("0", "1")
    for kind in (np.array, pd.Series, iter, tuple):
        assert labels(
            dataprep.scan([image for image, _ in pairs], labels=kind(["a", "b", "a", "b"]))
        ) == labels(apart)
    with pytest.raises(OptionError, match="expected 4, one for each image, got 3"):
        dataprep.scan([image for image, _ in pairs], labels=np.array(["a"] * 3))
    with pytest.raises(OptionError, match="expected 4, one for each image, got 3"):
        dataprep.scan([image for image, _ in pairs], labels=["a"] * 3)
    with pytest.raises(OptionError, match="option labels"):
        dataprep.scan([image for image, _ in pairs], labels="abab")
    with pytest.raises(OptionError, match="option labels"):
        dataprep.scan(".", labels=["a"])


def test_one_image_and_nothing_are_refused():
    for source in (Image.fromarray(picture(1)), jpeg(1), picture(1, (8, 8))):
        with pytest.raises(InputError, match="got one image"):
            dataprep.scan(source)
    with pytest.raises(InputError, match="no batch of images"):
        dataprep.scan(picture(1))
    for nothing in ({}, [], np.zeros((0, 4, 4, 3), np.uint8), pd.DataFrame({"path": []})):
        with pytest.raises(InputError):
            dataprep.scan(nothing)


class ClassLabel:
    def __init__(self, names):
        self.names = names


class Value: ...


class Sequence:
    def __init__(self, feature):
        self.feature = feature


class HuggingFace:
    """Stands for ``datasets.Dataset``: rows, features, and an image column that can be left
    undecoded.
    """

    class Image:
        def __init__(self, decode=True):
            self.decode = decode

    def __init__(self, rows, features):
        self.rows, self.features = rows, features

    def cast_column(self, name, feature):
        assert feature.decode is False
        return HuggingFace(self.rows, {**self.features, name: feature})

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, row):
        return self.rows[row]

    def __iter__(self):
        return iter(self.rows)


def hugging_face(kind: object = None, **columns: list) -> HuggingFace:
    rows = [
        {
            "img": {"bytes": jpeg(i), "path": f"/cache/deep/{i}.jpg"},
            **{k: v[i] for k, v in columns.items()},
        }
        for i in range(3)
    ]
    return HuggingFace(
        rows, {"img": HuggingFace.Image(), **{name: kind or Value() for name in columns}}
    )


def test_hugging_face_keeps_bytes_names_and_classes():
    source = hugging_face(ClassLabel(["cat", "dog"]), fine_label=[1, 0, -1])
    source.features["note"] = Value()
    for i, row in enumerate(source.rows):
        row["note"] = f"n{i}"
    dataset = dataprep.scan(source)
    assert list(dataset.samples.index) == ["0.jpg", "1.jpg", "2.jpg"]
    assert dataset.samples["label"].tolist()[:2] == ["dog", "cat"]
    assert dataset.samples["label"].isna().tolist() == [False, False, True]
    assert dataset.samples["note"].astype("str").tolist() == ["n0", "n1", "n2"]
    assert Path(dataset.path("1.jpg")).read_bytes() == jpeg(1)


def test_hugging_face_splits_lists_and_columns():
    both = {
        "train": hugging_face(ClassLabel(["a", "b"]), label=[0, 1, 0]),
        "test": hugging_face(ClassLabel(["a", "b"]), label=[1, 1, 0]),
    }
    dataset = dataprep.scan(both)
    assert dataset.samples["split"].astype("str").value_counts().to_dict() == {
        "train": 3,
        "test": 3,
    }
    assert "train/0.jpg" in dataset.samples.index
    several = dataprep.scan(
        hugging_face(Sequence(ClassLabel(["a", "b"])), labels=[[0], [0, 1], []])
    )
    assert (several.task, several.classes) == ("multi-label", ("a", "b"))
    assert several.samples["label"].tolist()[:2] == ["a", "a|b"]
    named = dataprep.scan(hugging_face(breed=["x", "y", "x"]), label_column="breed")
    assert named.classes == ("x", "y")
    other = dataprep.scan(
        hugging_face(label=["x", "y", "x"], dx=["p", "q", "p"]), label_column="dx"
    )
    assert other.classes == ("p", "q")
    assert other.samples["manifest_label"].tolist() == ["x", "y", "x"]
    with pytest.raises(InputError, match="no column 'bread'"):
        dataprep.scan(hugging_face(breed=["x", "y", "x"]), label_column="bread")
    with pytest.raises(InputError, match="no column of images"):
        dataprep.scan(HuggingFace([{"text": "x"}], {"text": Value()}))


class Pairs:
    """Stands for a torchvision data set."""

    classes = ["plane", "car"]  # noqa: RUF012

    def __init__(self, images, targets):
        self.images, self.targets = images, targets

    def __len__(self):
        return len(self.images)

    def __getitem__(self, row):
        if self.images[row] is None:
            raise OSError("truncated")
        return self.images[row], self.targets[row]


def test_pairs_of_image_and_target():
    dataset = dataprep.scan(
        Pairs([Image.fromarray(picture(i)) for i in range(3)] + [None], [1, 0, np.int64(1), 0])
    )
    assert dataset.samples["label"].tolist()[:3] == ["car", "plane", "car"]
    assert "element 3: OSError: truncated" in dataset.notes[0]
    several = dataprep.scan(Pairs([picture(i) for i in range(3)], [[1, 1], [0, 1], [0, 0]]))
    assert (several.task, several.classes) == ("multi-label", ("car", "plane"))


def test_data_sets_of_torch(tmp_path):
    torch = pytest.importorskip("torch")
    from torch.utils.data import ConcatDataset, Subset, TensorDataset

    images = torch.rand(4, 3, 8, 9)
    tensors = dataprep.scan(TensorDataset(images, torch.tensor([0, 1, 0, 1])))
    assert labels(tensors) == {f"00000{i}.png": str(i % 2) for i in range(4)}
    expected = np.rint(np.moveaxis(images[0].numpy(), 0, 2).astype(float) * 255)
    np.testing.assert_array_equal(pixels(tensors, "000000.png"), expected)
    pairs = Pairs([picture(i) for i in range(4)], [0, 1, 0, 1])
    assert labels(dataprep.scan(Subset(pairs, [3, 0]))) == {
        "000000.png": "car",
        "000001.png": "plane",
    }
    assert dataprep.scan(ConcatDataset([pairs, pairs])).classes == ("car", "plane")


def test_a_data_set_that_reads_files_is_read_from_them(tmp_path):
    for i in range(4):
        place = tmp_path / "data" / "ab"[i % 2] / f"{i}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(jpeg(i))

    class ImageFolder(Pairs):
        classes = ["a", "b"]  # noqa: RUF012
        loader = None

        def __init__(self):
            self.samples = [
                (str(tmp_path / "data" / "ab"[i % 2] / f"{i}.jpg"), i % 2) for i in range(4)
            ]
            self.images = self.samples

    class Subset:
        def __init__(self, dataset, indices):
            self.dataset, self.indices = dataset, indices

        def __len__(self):
            return len(self.indices)

        def __getitem__(self, row):
            return self.dataset[self.indices[row]]

    dataset = dataprep.scan(ImageFolder())
    assert labels(dataset) == {"a/0.jpg": "a", "b/1.jpg": "b", "a/2.jpg": "a", "b/3.jpg": "b"}
    assert dataset.root == str(tmp_path / "data")
    assert len(dataprep.scan(Subset(ImageFolder(), [0, 3]))) == 2
    parts = dataprep.scan(
        {"train": Subset(ImageFolder(), [0, 3]), "val": Subset(ImageFolder(), [1])}
    )
    assert parts.samples["split"].astype("str").tolist() == ["train", "train", "val"]
    assert not spools(tmp_path)


def test_tables_in_memory(tmp_path, monkeypatch):
    for i in range(4):
        (tmp_path / f"{i}.jpg").write_bytes(jpeg(i))
    (tmp_path / "extra.jpg").write_bytes(jpeg(9))
    frame = pd.DataFrame(
        {
            "file": [f"{i}.jpg" for i in range(4)],
            "dx": ["a", "b", "a", None],
            "split": ["train"] * 3 + ["test"],
        }
    )
    given = dataprep.scan(tmp_path, manifest=frame, label_column="dx")
    assert given.samples["label"].tolist()[:3] == ["a", "b", "a"]
    assert "extra.jpg" in set(given.faults["target"])
    monkeypatch.chdir(tmp_path)
    assert len(dataprep.scan(frame, label_column="dx")) == 4
    absolute = frame.assign(file=[str(tmp_path / name) for name in frame["file"]])
    monkeypatch.chdir("/")
    assert dataprep.scan(absolute, label_column="dx").root == str(tmp_path)
    with pytest.raises(InputError, match="no column 'dy'"):
        dataprep.scan(absolute, label_column="dy")
    cells = pd.DataFrame({"image": [jpeg(1), jpeg(2)], "label": ["x", "y"], "age": [3, 4]})
    assert labels(dataprep.scan(cells)) == {"000000.jpg": "x", "000001.jpg": "y"}
    assert labels(dataprep.scan({str(tmp_path / "0.jpg"): "p", str(tmp_path / "1.jpg"): "q"})) == {
        "0.jpg": "p",
        "1.jpg": "q",
    }


def test_an_audit_of_memory_says_what_one_of_files_says(tmp_path):
    for i in range(6):
        (tmp_path / "f").mkdir(exist_ok=True)
        (tmp_path / "f" / f"{i}.jpg").write_bytes(jpeg(min(i, 4)))
    options = {"skip": ["outlier"], "pass_options": dataprep.PassOptions(embedder="", jobs=1)}
    files = dataprep.audit(tmp_path / "f", **options)
    memory = dataprep.audit({f"{i}.jpg": jpeg(min(i, 4)) for i in range(6)}, **options)
    assert memory.issues.table.astype("str").equals(files.issues.table.astype("str"))
    assert len(files.issues.table)
    dataprep.report(memory, tmp_path / "out")
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000


def test_records_of_a_torch_data_set_have_the_names_of_its_classes():
    from torch.utils.data import Dataset, Subset

    class Records(Dataset):
        classes = ["plane", "car"]  # noqa: RUF012

        def __len__(self):
            return 4

        def __getitem__(self, row):
            return {"image": picture(row), "label": row % 2}

    assert dataprep.scan(Records()).classes == ("car", "plane")
    assert list(labels(dataprep.scan(Subset(Records(), [1, 2]))).values()) == ["car", "plane"]
