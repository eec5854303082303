"""Bytes to pixels: formats detected from content, headers read without decoding, JPEG by
libjpeg-turbo and everything else by Pillow, very large images in strips, and the small views and
thumbnails made of them.

What fails to decode is returned with a reason, never raised. Imports `schemas`, `backends` and the
contracts of this package; no measure.
"""
