"""One new image against images that are known: what a gate before labelling or training asks.

`known_images` holds the known set and answers, `one_image` measures an image in this process,
`usual` judges it by the checks of a data set. Imports `engine` and below.
"""
