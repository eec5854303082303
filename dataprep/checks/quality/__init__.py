"""Checks of how well single images are made: exposure, sharpness, noise, compression, size,
borders.

One check a file; `close_ups` is what they see at full size. Imports `checks.contract`,
`checks.statistics` and `measures.image`.
"""
