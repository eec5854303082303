"""Images to vectors: what an embedder is, the default one, and those that users bring."""
