"""Firestore on the laptop: Google's emulator, or a built-in server."""
