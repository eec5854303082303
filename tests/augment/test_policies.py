"""Policies: images stay images, random numbers hang on seed, epoch and sample alone, and YAML is
only data.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep.augment.policies import POLICIES, Policy, policy
from dataprep.augment.serialised import step
from dataprep.errors import InputError, OptionError
from dataprep.normalisation.library import albumentations
from tests.conftest import textured

IMAGE = textured(3, 80, 60)
NAMES = [
    "none",
    "light",
    "standard",
    "strong",
    "geometric",
    "colour",
    "elastic",
    "medical",
    "document",
    "aerial",
]


def test_the_named_policies_are_these() -> None:
    assert list(POLICIES) == NAMES
    assert all(each.purpose for each in POLICIES.values())


@pytest.mark.filterwarnings("ignore:The image is already gray")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(60, 80, 3), (60, 80, 1), (60, 80), (5, 5, 3)])
def test_an_image_stays_an_image_of_its_channels(name: str, shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    kept = image.copy()
    for epoch in range(6):
        changed = policy(name).augment(image, sample="a.jpg", epoch=epoch)
        assert changed.dtype == np.uint8
        assert changed.ndim == image.ndim
        assert changed.shape[2:] == image.shape[2:]
    assert (image == kept).all()


@pytest.mark.parametrize("name", NAMES)
def test_seed_epoch_sample_and_copy_decide_and_nothing_else(name: str) -> None:
    strong = policy(name)
    first = strong.augment(IMAGE, sample="a.jpg", epoch=2, seed=7)
    strong.augment(IMAGE, sample="b.jpg", epoch=2, seed=7)
    again = pickle.loads(pickle.dumps(strong)).augment(IMAGE, sample="a.jpg", epoch=2, seed=7)
    assert first.shape == again.shape
    assert (first == again).all()
    own = {"sample": "a.jpg", "epoch": 2, "seed": 7, "copy": 0}
    for argument, values in (
        ("sample", [f"{number}.jpg" for number in range(8)]),
        ("epoch", range(3, 11)),
        ("seed", range(8, 16)),
        ("copy", range(1, 9)),
    ):
        changed = [strong.augment(IMAGE, **{**own, argument: value}) for value in values]
        differs = any(
            each.shape != first.shape or (each != first).any() for each in changed
        )  # one of eight: a light policy leaves some images as they are
        assert differs == bool(strong.steps), argument
    if not strong.steps:
        assert (first == IMAGE).all()


def test_processes_and_threads_give_the_same_images() -> None:
    code = (
        "import hashlib, sys; sys.path.insert(0, '.')\n"
        "from dataprep.augment.policies import policy\n"
        "from tests.augment.test_policies import IMAGE\n"
        "for n in {}: print(hashlib.md5(policy('strong').augment(IMAGE, "
        "sample=f'{{n}}.jpg').tobytes()).hexdigest())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code.format(order)], capture_output=True, text=True, check=True
        ).stdout.split()
        for order in ("range(6)", "reversed(range(6))")
    ]
    assert runs[0] == runs[1][::-1]
    assert len(set(runs[0])) == 6
    serial = [policy("strong").augment(IMAGE, sample=f"{n}.jpg") for n in range(40)]
    with ThreadPoolExecutor(4) as pool:
        threaded = list(
            pool.map(lambda n: policy("strong").augment(IMAGE, sample=f"{n}.jpg"), range(40))
        )
    assert all(
        one.shape == other.shape and (one == other).all()
        for one, other in zip(serial, threaded, strict=True)
    )


def test_steps_draw_independently() -> None:
    """albumentations by itself seeds all steps alike, so that mirrored images would always be
    turned over, too.
    """
    flips = Policy("flips", (step("HorizontalFlip", p=0.5), step("VerticalFlip", p=0.5)))
    seen = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    for n in range(200):
        changed = flips.augment(IMAGE, sample=str(n))
        for mirrored, turned in seen:
            seen[mirrored, turned] += bool(
                (changed == IMAGE[:: -1 if turned else 1, :: -1 if mirrored else 1]).all()
            )
    assert min(seen.values()) > 25
    compose, drawn = flips.compose(0), set()
    for _ in range(60):
        changed = compose(image=IMAGE)["image"]
        drawn |= {
            key
            for key in seen
            if (changed == IMAGE[:: -1 if key[1] else 1, :: -1 if key[0] else 1]).all()
        }
    assert len(drawn) == 4


@pytest.mark.parametrize("name", ["geometric", "standard", "aerial"])
def test_boxes_masks_and_keypoints_stay_on_their_object(name: str) -> None:
    image, mask = np.full((120, 160, 3), 20, np.uint8), np.zeros((120, 160), np.uint8)
    image[50:70, 60:90], mask[50:70, 60:90] = (250, 250, 250), 1
    augmenter = policy(name).augmenter(
        1, boxes="pascal_voc", keypoints="xy", label_fields=["kinds"]
    )
    seen = 0
    for n in range(25):
        made = augmenter(
            image,
            sample=str(n),
            mask=mask,
            bboxes=[(60, 50, 90, 70)],
            kinds=["thing"],
            keypoints=[(75.0, 60.0)],
        )
        if not len(made["bboxes"]) or not len(made["keypoints"]):
            continue
        seen += 1
        left, top, right, bottom = made["bboxes"][0][:4]
        bright = made["image"].mean(axis=2) > made["image"].mean(axis=2).max() * 0.6
        rows, columns = np.nonzero(bright)
        x, y = made["keypoints"][0]
        assert made["kinds"] == ["thing"]
        assert left - 3 <= np.percentile(columns, 5) <= np.percentile(columns, 95) <= right + 3
        assert top - 3 <= np.percentile(rows, 5) <= np.percentile(rows, 95) <= bottom + 3
        assert abs(x - columns.mean()) < 6
        assert abs(y - rows.mean()) < 6
        assert made["mask"][bright].mean() > 0.9
    assert seen > 15


def test_a_size_is_met() -> None:
    assert policy("strong").augmenter(0, size=(32, 48))(IMAGE, sample="a")["image"].shape == (
        32,
        48,
        3,
    )


@pytest.mark.parametrize("name", NAMES)
def test_yaml_brings_the_same_images_back(name: str) -> None:
    text = POLICIES[name].to_yaml()
    back = Policy.from_yaml(text)
    assert back.name == name
    assert Policy.from_yaml(back.to_yaml()) == back
    for n in range(4):
        ours, theirs = (each.augment(IMAGE, sample=str(n)) for each in (POLICIES[name], back))
        assert (ours == theirs).all()


def test_albumentations_reads_our_yaml_and_we_read_its_own(tmp_path) -> None:
    path = tmp_path / "policy.yaml"
    policy("strong").save(path)
    loaded = albumentations().load(str(path), data_format="yaml")
    assert len(loaded.transforms) == len(policy("strong").steps)
    albumentations().save(loaded, str(path), data_format="yaml")
    assert (
        Policy.load(path).augment(IMAGE, sample="a") == policy("strong").augment(IMAGE, sample="a")
    ).all()
    assert policy(str(path)).steps == Policy.load(path).steps


def test_an_edited_figure_counts(tmp_path) -> None:
    content = yaml.safe_load(policy("light").to_yaml())
    content["transform"]["transforms"][0]["p"] = 1.0
    del content["transform"]["transforms"][1:]
    edited = Policy.from_yaml(yaml.safe_dump(content))
    assert (edited.augment(IMAGE, sample="a") == IMAGE[:, ::-1]).all()


def _with(transform: object, **top: object) -> str:
    return yaml.safe_dump(
        {"transform": {"__class_fullname__": "Compose", "p": 1.0, "transforms": [transform], **top}}
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("!!python/object/apply:os.system ['touch /tmp/owned']", "no YAML that can be read"),
        ("a: &a [x, x]\nb: [*a, *a]", "references"),
        ("- 1", "key 'transform'"),
        ("transform: 3", "key 'transform'"),
        (": :\n-", "no YAML"),
        ("[" * 5000, "levels of nesting"),
        (_with({"__class_fullname__": "os.system", "p": 1}), "no transform that a policy may have"),
        (_with({"__class_fullname__": "HorizontalFlop", "p": 1}), "Did you mean 'HorizontalFlip'"),
        (_with({"__class_fullname__": "Lambda", "p": 1}), "no transform that a policy may have"),
        (
            _with({"__class_fullname__": "TextImage", "font_path": "/etc/passwd", "p": 1}),
            "no transform that a policy may have",
        ),
        (_with({"__class_fullname__": "Affine", "rotat": [0, 5], "p": 1}), "Did you mean 'rotate'"),
        (_with({"__class_fullname__": "HorizontalFlip", "p": 7}), "cannot be made"),
        (
            _with({"__class_fullname__": "HorizontalFlip", "p": float("nan")}),
            "expected p to be a number",
        ),
        (_with({"__class_fullname__": "OneOf", "p": 1, "transforms": "all"}), "list of transforms"),
        (_with(3), "expected __class_fullname__"),
        (
            _with({"__class_fullname__": "HorizontalFlip", "p": 1}, bbox_params={"format": "coco"}),
            "belongs to the call",
        ),
        (_with({"__class_fullname__": "HorizontalFlip", "p": 1}, p=0.5), "expected p: 1.0"),
    ],
)
def test_hostile_yaml_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Policy.from_yaml(text)


@settings(max_examples=40, deadline=None)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["transform", "transforms", "__class_fullname__", "p"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_yaml_is_a_policy_or_an_input_error(content: object) -> None:
    try:
        made = Policy.from_yaml(yaml.safe_dump(content))
    except InputError:
        return
    assert isinstance(made, Policy)


def test_without_leaves_out_what_may_harm() -> None:
    assert policy("standard").changes == ("mirror", "colour")
    assert policy("aerial").changes == ("mirror", "upside-down", "turn", "colour")
    for each in POLICIES.values():
        less = each.without(*each.changes)
        assert less.changes == ()
        assert (less is each) == (each.changes == ())
    grey = policy("strong").without("colour")
    image = np.zeros((40, 40, 3), np.uint8) + np.array([200, 60, 60], np.uint8)
    for n in range(20):
        changed = grey.augment(image, sample=str(n)).astype(int)
        assert abs(changed[..., 1] - changed[..., 2]).mean() < 25
    with pytest.raises(OptionError, match="Did you mean 'mirror'"):
        policy("light").without("miror")


def test_unknown_names_are_told() -> None:
    with pytest.raises(OptionError, match="Did you mean 'strong'"):
        policy("stron")
    with pytest.raises(InputError, match="cannot read the policy"):
        policy("nowhere.yaml")
    with pytest.raises(OptionError, match="boxes: expected one of coco"):
        policy("light").compose(boxes="cocoa")


def test_nothing_is_sent_and_torch_is_not_loaded() -> None:
    code = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise AssertionError('a socket was opened')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "from dataprep.augment.policies import Policy, policy\n"
        "import numpy as np\n"
        "policy('strong').augment(np.zeros((9, 9, 3), np.uint8), sample='a')\n"
        "Policy.from_yaml(policy('strong').to_yaml())\n"
        "assert 'torch' not in sys.modules and 'albumentations.pytorch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_another_series_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(albumentations(), "__version__", "2.1.0")
    albumentations.cache_clear()
    try:
        with pytest.raises(OptionError, match=r"needs albumentations 2\.0\.8, found 2\.1\.0"):
            albumentations()
    finally:
        albumentations.cache_clear()
