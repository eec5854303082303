"""Small signatures by which copies are found among a million images: the DCT hash in eight
orientations, the sketch of edges and the 32 x 32 thumb.

Imports `measures.decode` and `measures.image`.
"""
