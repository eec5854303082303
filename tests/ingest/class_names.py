"""Names of classes as data sets have them, with commas, spaces, slashes and bars, and cells that
do hold several labels.
"""

from __future__ import annotations

IMAGENET = """tench, Tinca tinca
goldfish, Carassius auratus
great white shark, white shark, man-eater, man-eating shark, Carcharodon carcharias
tiger shark, Galeocerdo cuvieri
hammerhead, hammerhead shark
electric ray, crampfish, numbfish, torpedo
stingray
cock
hen
ostrich, Struthio camelus
brambling, Fringilla montifringilla
goldfinch, Carduelis carduelis
house finch, linnet, Carpodacus mexicanus
junco, snowbird
indigo bunting, indigo finch, indigo bird, Passerina cyanea
robin, American robin, Turdus migratorius
bulbul
jay
magpie
chickadee
kite
bald eagle, American eagle, Haliaeetus leucocephalus
vulture
great grey owl, great gray owl, Strix nebulosa
European fire salamander, Salamandra salamandra
common newt, Triturus vulgaris
eft
spotted salamander, Ambystoma maculatum
axolotl, mud puppy, Ambystoma mexicanum
bullfrog, Rana catesbeiana
tree frog, tree-frog
tailed frog, bell toad, ribbed toad, tailed toad, Ascaphus trui
loggerhead, loggerhead turtle, Caretta caretta
mud turtle
terrapin
box turtle, box tortoise
crane
maillot
maillot, tank suit
missile
projectile, missile
sunglass
sunglasses, dark glasses, shades
Cardigan, Cardigan Welsh corgi
cardigan
trailer truck, tractor trailer, trucking rig, rig, articulated lorry, semi
ice cream, icecream
corn
ear, spike, capitulum
bow tie, bow-tie, bowtie
horse cart, horse-cart
barrow, garden cart, lawn cart, wheelbarrow""".splitlines()

BIRDS = """Black-footed Albatross;Laysan Albatross;Sooty Albatross;Groove-billed Ani;Crested Auklet;Least Auklet;Parakeet Auklet
Rhinoceros Auklet;Brewer Blackbird;Red-winged Blackbird;Rusty Blackbird;Yellow-headed Blackbird;Bobolink;Indigo Bunting
Lazuli Bunting;Painted Bunting;Cardinal;Spotted Catbird;Gray Catbird;Yellow-breasted Chat;Eastern Towhee;Chuck-will Widow
Brandt Cormorant;Red-faced Cormorant;Pelagic Cormorant;Bronzed Cowbird;Shiny Cowbird;Brown Creeper;American Crow;Fish Crow
Black-billed Cuckoo;Mangrove Cuckoo;Yellow-billed Cuckoo;Gray-crowned Rosy Finch;Purple Finch;Northern Flicker;Gadwall
American Goldfinch;European Goldfinch;Boat-tailed Grackle;Eared Grebe;Horned Grebe;Western Grebe;California Gull;Herring Gull
Blue Jay;Florida Jay;Green Jay;Mallard;Western Meadowlark;Tree Sparrow;House Sparrow;Tree Swallow;Bank Swallow;Common Tern
Black Tern;Least Tern;Common Yellowthroat;Common Raven;White-necked Raven;Western Wood Pewee;American Redstart"""

CARS = """AM General Hummer SUV 2000;Acura RL Sedan 2012;Acura TL Sedan 2012;Acura TL Type-S 2008;Acura TSX Sedan 2012
Acura Integra Type R 2001;Acura ZDX Hatchback 2012;Audi RS 4 Convertible 2008;Audi A5 Coupe 2012;Audi TTS Coupe 2012
Audi R8 Coupe 2012;Audi V8 Sedan 1994;Audi 100 Sedan 1994;Audi 100 Wagon 1994;Audi S6 Sedan 2011;Audi S5 Convertible 2012
Audi S5 Coupe 2012;Audi S4 Sedan 2012;Audi S4 Sedan 2007;BMW ActiveHybrid 5 Sedan 2012;BMW 1 Series Convertible 2012
BMW 1 Series Coupe 2012;BMW 3 Series Sedan 2012;BMW 3 Series Wagon 2012;BMW 6 Series Convertible 2007;BMW X5 SUV 2007
BMW X6 SUV 2012;BMW M3 Coupe 2012;BMW M5 Sedan 2010;BMW M6 Convertible 2010;BMW X3 SUV 2012;BMW Z4 Convertible 2012
Bentley Continental GT Coupe 2012;Bentley Continental GT Coupe 2007;Chevrolet Silverado 1500 Extended Cab 2012
Chevrolet Silverado 1500 Regular Cab 2012;Dodge Ram Pickup 3500 Crew Cab 2010;Dodge Ram Pickup 3500 Quad Cab 2009"""

PLANTS = """Tomato healthy;Tomato early blight;Tomato late blight;Tomato leaf mold;Potato healthy;Potato early blight
Potato late blight;Apple scab;Apple black rot;Apple cedar rust;Apple healthy;Grape black rot;Grape healthy;Grape leaf blight
Cherry healthy;Cherry powdery mildew;Corn common rust;Corn healthy;Peach bacterial spot;Peach healthy;Pepper bacterial spot
Pepper healthy;Squash powdery mildew;Strawberry healthy;Strawberry leaf scorch"""

COCO = """person;bicycle;car;motorcycle;airplane;bus;train;truck;boat;traffic light;fire hydrant;stop sign;parking meter;bench
bird;cat;dog;horse;sheep;cow;elephant;bear;zebra;giraffe;backpack;umbrella;handbag;tie;suitcase;frisbee;skis;snowboard;sports ball
kite;baseball bat;baseball glove;skateboard;surfboard;tennis racket;bottle;wine glass;cup;fork;knife;spoon;bowl;banana
apple;sandwich
orange;broccoli;carrot;hot dog;pizza;donut;cake;chair;couch;potted plant;bed;dining table;toilet;tv;laptop;mouse;remote;keyboard
cell phone;microwave;oven;toaster;sink;refrigerator;book;clock;vase;scissors;teddy bear;hair drier;toothbrush"""


def _split(text: str) -> list[str]:
    return [name for line in text.splitlines() for name in line.split(";")]


_COLOURS = ("red", "blue", "black", "white", "green", "brown")

#: Names that stay whole, whatever is in them.
WHOLE: dict[str, list[str]] = {
    "imagenet": IMAGENET,
    "birds": _split(BIRDS),
    "cars": _split(CARS),
    "plants": _split(PLANTS),
    "coco": _split(COCO),
    "clothes": [
        f"{colour} {item}"
        for colour in _COLOURS
        for item in ("dress", "shirt", "shoes", "shorts", "jeans", "hat")
    ],
    "wild": ["dog", "cat", "dog, wild", "cat, wild"],
    "wild and tame": [
        "dog, tame",
        "dog, wild",
        "cat, tame",
        "cat, wild",
        "horse, tame",
        "horse, wild",
    ],
    "hierarchy": ["animal|dog", "animal|cat", "animal|cow", "plant|rose", "plant|oak"],
    "semicolons": [
        "Bacteria; Firmicutes; Bacilli",
        "Bacteria; Firmicutes; Clostridia",
        "Archaea; Thermo; Coccus",
    ],
    "one pair": ["salt", "pepper", "salt, pepper", "sugar"],
    "not applicable": ["n/a", "yes/no", "yes", "no"],
    "places": ["Paris, France", "Lyon, France", "Rome, Italy", "Milan, Italy", "Bonn, Germany"],
    "people": ["Bush, George", "Blair, Tony", "Bush, Jeb", "Blair, Cherie", "Smith, George"],
    "boxes": ["0.5 0.25 0.1 0.2", "0.5 0.5 0.1 0.2", "0.25 0.5 0.2 0.1", "0.5 0.1"],
    "intervals": ["(0, 18]", "(18, 40]", "(40, 65]", "[65, 120)"],
    "dates": ["May 1, 2020", "May 2, 2020", "June 1, 2020"],
}

#: Cells that hold several labels, with how many different labels there are.
SEVERAL: dict[str, tuple[list[str], int]] = {
    "chest": (
        [
            "No Finding",
            "Infiltration",
            "Effusion",
            "Atelectasis",
            "Nodule",
            "Mass",
            "Effusion|Infiltration",
            "Cardiomegaly",
            "Atelectasis|Infiltration",
            "Atelectasis|Effusion",
            "Cardiomegaly|Effusion",
            "Mass|Nodule",
            "Atelectasis|Effusion|Mass",
        ],
        7,
    ),
    "planet": (
        [
            "haze primary",
            "agriculture clear primary water",
            "clear primary",
            "agriculture clear habitation primary road",
            "cloudy",
            "haze primary water",
            "agriculture clear cultivation primary water",
            "clear primary water",
            "partly_cloudy primary",
            "agriculture clear primary road",
            "clear cultivation primary road",
            "agriculture partly_cloudy primary water",
            "clear habitation road",
            "agriculture haze primary",
            "partly_cloudy road water",
            "clear water",
        ],
        10,
    ),
    "protein": (
        [
            "16 0",
            "7 1 2 0",
            "5",
            "1",
            "18",
            "0",
            "25 2",
            "0 25",
            "7",
            "2",
            "16",
            "25",
            "0 5",
            "2 18",
        ],
        8,
    ),
    "commas": (["scab", "rust", "scab,rust", "healthy", "rust,frog_eye", "scab,frog_eye,rust"], 4),
    "semicolons": (["a; b", "b", "a", "c; a", "b; c", "c"], 3),
    "numbers": (["1", "2", "1,2", "3", "2,3", "1,2,3"], 3),
}
