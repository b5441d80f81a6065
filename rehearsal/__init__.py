"""Rehearses promotions on the laptop's clouds, under traffic, with good builds and bad ones: `make rehearse`."""
