"""What is measured of one decoded image: tones, focus, grain, frames, patches, spectrum; and the
close-ups of images that may be blurred, noisy or enlarged.

One family of measures a file. Imports `measures.decode` and `measures.contract`.
"""
