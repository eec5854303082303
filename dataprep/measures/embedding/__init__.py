"""Images to vectors: what an embedder is, the default one, and those that users bring.

Imports `schemas`, `registry` and `measures.cache`; torch only in `hugging_face`, when asked for.
"""
