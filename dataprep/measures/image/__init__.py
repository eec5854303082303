"""What is measured of one decoded image: tones, focus, grain, frames, patches, spectrum; and the
close-ups that a second decoding at full size allows.

One family of measures a file. Imports `measures.decode` and `measures.contract`.
"""
