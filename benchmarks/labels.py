"""Quality of the label checks: false alarms and recall of label-spelling and of label-shift.

    python benchmarks/labels.py [--draws 60] [--names FILE]

label-spelling: names of the classes of well-known data sets (and of FILE, one a line), with class
sizes from equal to a long tail. Every claim on them is a false alarm; then one misspelling of each
kind is planted in a class of at least 40 samples. label-shift: random splits of labels from equal
to Zipf-distributed (every claim is a false alarm), and splits whose mix is shifted by a stated
total variation distance.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from dataprep.checks.splits.label_shift import LabelShift
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.text.spelling import misspellings

NAMES = {
    "CIFAR-100": """apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly
        camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab
        crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo
        keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain
        mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain
        plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk
        skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone
        television tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm""",
    "Food-101": """apple_pie baby_back_ribs baklava beef_carpaccio beef_tartare beet_salad beignets bibimbap
        bread_pudding breakfast_burrito bruschetta caesar_salad cannoli caprese_salad carrot_cake
        ceviche cheesecake cheese_plate chicken_curry chicken_quesadilla chicken_wings
        chocolate_cake chocolate_mousse churros clam_chowder club_sandwich crab_cakes creme_brulee
        croque_madame cup_cakes deviled_eggs donuts dumplings edamame eggs_benedict escargots
        falafel filet_mignon fish_and_chips foie_gras french_fries french_onion_soup french_toast
        fried_calamari fried_rice frozen_yogurt garlic_bread gnocchi greek_salad
        grilled_cheese_sandwich grilled_salmon guacamole gyoza hamburger hot_and_sour_soup hot_dog
        huevos_rancheros hummus ice_cream lasagna lobster_bisque lobster_roll_sandwich
        macaroni_and_cheese macarons miso_soup mussels nachos omelette onion_rings oysters pad_thai
        paella pancakes panna_cotta peking_duck pho pizza pork_chop poutine prime_rib
        pulled_pork_sandwich ramen ravioli red_velvet_cake risotto samosa sashimi scallops
        seaweed_salad shrimp_and_grits spaghetti_bolognese spaghetti_carbonara spring_rolls steak
        strawberry_shortcake sushi tacos takoyaki tiramisu tuna_tartare waffles""",
    "COCO": """person bicycle car motorcycle airplane bus train truck boat traffic_light fire_hydrant stop_sign
        parking_meter bench bird cat dog horse sheep cow elephant bear zebra giraffe backpack
        umbrella handbag tie suitcase frisbee skis snowboard sports_ball kite baseball_bat
        baseball_glove skateboard surfboard tennis_racket bottle wine_glass cup fork knife spoon
        bowl banana apple sandwich orange broccoli carrot hot_dog pizza donut cake chair couch
        potted_plant bed dining_table toilet tv laptop mouse remote keyboard cell_phone microwave
        oven toaster sink refrigerator book clock vase scissors teddy_bear hair_drier toothbrush""",
    "Pets": """Abyssinian american_bulldog american_pit_bull_terrier basset_hound beagle Bengal Birman Bombay boxer
        British_Shorthair chihuahua Egyptian_Mau english_cocker_spaniel english_setter
        german_shorthaired great_pyrenees havanese japanese_chin keeshond leonberger Maine_Coon
        miniature_pinscher newfoundland Persian pomeranian pug Ragdoll Russian_Blue saint_bernard
        samoyed scottish_terrier shiba_inu Siamese Sphynx staffordshire_bull_terrier wheaten_terrier
        yorkshire_terrier""",
    "numbered": " ".join(
        [*(f"class_{i}" for i in range(60)), *(f"n{1440764 + 37 * i:08d}" for i in range(60))]
    ),
    "lesions": "benign malignant nevus melanoma seborrheic_keratosis actinic_keratosis "
    "basal_cell_carcinoma "
    "squamous_cell_carcinoma dermatofibroma vascular "
    "grade_i grade_ii grade_iii grade_iv normal abnormal hypothyroid hyperthyroid typical atypical",
}
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def swapped(name: str, rng: np.random.Generator) -> str:
    place = int(rng.integers(0, len(name) - 1))
    return name[:place] + name[place : place + 2][::-1] + name[place + 2 :]


def doubled(name: str, rng: np.random.Generator) -> str:
    place = int(rng.integers(1, len(name)))
    return name[: place + 1] + name[place] + name[place + 1 :]


def left_out(name: str, rng: np.random.Generator) -> str:
    place = int(rng.integers(0, len(name)))
    return name[:place] + name[place + 1 :]


def changed(name: str, rng: np.random.Generator) -> str:
    place = int(rng.integers(0, len(name)))
    return name[:place] + str(rng.choice(list(LETTERS))) + name[place + 1 :]


KINDS: dict[str, Callable[[str, np.random.Generator], str]] = {
    "case": lambda name, rng: name.swapcase(),
    "white space": lambda name, rng: f"{name} ",
    "joined otherwise": lambda name, rng: name.replace("_", "-") if "_" in name else name.title(),
    "two letters swapped": swapped,
    "letter doubled": doubled,
    "letter left out": left_out,
    "letter changed": changed,
}


def sizes(classes: int, tail: float, rng: np.random.Generator) -> np.ndarray:
    """Class sizes up to 1,000 that fall with the rank to the power of `tail`, in random order."""
    return rng.permutation(np.maximum(1, 1000 / np.arange(1, classes + 1) ** tail).astype(int))


def spelling(draws: int, vocabularies: dict[str, list[str]]) -> None:
    print(f"\nlabel-spelling, {draws} draws of class sizes for each vocabulary and tail\n")
    print(
        f"{'vocabulary':<12}{'classes':>8}{'false alarms: equal sizes':>28}{'tail 1':>9}{'tail 2':>9}"
    )
    rng = np.random.default_rng(0)
    seen: dict[str, set[tuple[str, str]]] = {}
    for vocabulary, names in vocabularies.items():
        rates = []
        for tail in (0.0, 1.0, 2.0):
            found = [
                (each.label, each.meant)
                for _ in range(draws)
                for each in misspellings(dict(zip(names, sizes(len(names), tail, rng))))
            ]
            seen.setdefault(vocabulary, set()).update(found)
            rates.append(len(found) / (draws * len(names)))
        print(f"{vocabulary:<12}{len(names):>8}{rates[0]:>28.2%}{rates[1]:>9.2%}{rates[2]:>9.2%}")
    print(
        "\nfalse alarms:",
        {name: sorted(pairs)[:6] for name, pairs in seen.items() if pairs} or "none",
    )
    print(f"\n{'planted':<22}{'found':>8}{'of':>8}")
    words = [names for vocabulary, names in vocabularies.items() if vocabulary != "numbered"]
    for kind, spoil in KINDS.items():
        hits = list(planted(spoil, words, draws * 4, rng))
        print(f"{kind:<22}{np.mean(hits):>8.0%}{len(hits):>8}")


def planted(
    spoil: Callable[[str, np.random.Generator], str],
    words: list[list[str]],
    draws: int,
    rng: np.random.Generator,
) -> Iterator[bool]:
    for _ in range(draws):
        names = words[int(rng.integers(len(words)))]
        counts = dict(zip(names, sizes(len(names), 0.5, rng).tolist()))
        right = str(rng.choice([name for name, count in counts.items() if count >= 40]))
        wrong = spoil(right, rng)
        if wrong not in counts:
            counts[wrong] = int(rng.integers(1, 4))
            yield (wrong, right) in {(each.label, each.meant) for each in misspellings(counts)}


def shift(draws: int) -> None:
    rng = np.random.default_rng(1)
    print(f"\nlabel-shift, {draws} random splits (80/10/10) each: share with a claim\n")
    print(
        f"{'samples':>8}{'classes':>9}{'tail':>6}{'no shift':>10}{'distance .10':>14}{'.20':>7}{'.30':>7}"
    )
    alarms = []
    for rows in (100, 1000, 10_000):
        for classes in (2, 10, 100):
            for tail in (0.0, 1.0):
                mix = 1 / np.arange(1, classes + 1) ** tail
                rates = [
                    np.mean([claimed(rows, mix / mix.sum(), by, rng) for _ in range(draws)])
                    for by in (0.0, 0.1, 0.2, 0.3)
                ]
                alarms.append(rates[0])
                print(
                    f"{rows:>8}{classes:>9}{tail:>6.0f}{rates[0]:>10.1%}{rates[1]:>14.0%}{rates[2]:>7.0%}{rates[3]:>7.0%}"
                )
    print(f"\nfalse alarms over all: {np.mean(alarms):.2%} of {draws * len(alarms):,} data sets")


def claimed(rows: int, mix: np.ndarray, by: float, rng: np.random.Generator) -> bool:
    """Whether a claim is made when the mix of the test split is shifted by the total variation
    distance `by`.
    """
    parts = {"train": rows * 8 // 10, "val": rows // 10, "test": rows // 10}
    other = shifted(mix, by, rng)
    labels = np.concatenate(
        [
            rng.choice(len(mix), size, p=other if name == "test" else mix)
            for name, size in parts.items()
        ]
    )
    table = pd.DataFrame(
        {
            "label": pd.Categorical.from_codes(labels, [f"c{i:03d}" for i in range(len(mix))]),
            "split": pd.Categorical(np.repeat(list(parts), list(parts.values()))),
        }
    )
    return any(
        len(batch) for batch in LabelShift().find(Dataset("drawn", table, "classification"), None)
    )


def shifted(mix: np.ndarray, by: float, rng: np.random.Generator) -> np.ndarray:
    """A mix at the total variation distance `by` (or as near as may be): some classes lose in
    proportion, the others gain.
    """
    loses = rng.permutation(len(mix)) < (len(mix) + 1) // 2
    by = min(by, 0.99 * mix[loses].sum())
    return np.where(loses, mix * (1 - by / mix[loses].sum()), mix * (1 + by / mix[~loses].sum()))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=60)
    parser.add_argument("--names", help="text file with one class name a line")
    options = parser.parse_args()
    vocabularies = {name: text.split() for name, text in NAMES.items()}
    if options.names:
        with open(options.names, encoding="utf-8") as file:
            vocabularies[options.names] = [line.strip() for line in file if line.strip()]
    spelling(options.draws, vocabularies)
    shift(options.draws)


if __name__ == "__main__":
    main()
