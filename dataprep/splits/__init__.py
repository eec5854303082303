"""Splitting: units that stay whole, a division that keeps every mix alike, and the proof that nothing leaks."""
