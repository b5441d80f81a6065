"""Firestore on the laptop: a small gRPC server of google.firestore.v1, for when Google's emulator is not installed.

It serves what google-cloud-firestore calls to get, create, set, update and delete documents (with preconditions and in
batches) and to list a collection by id. The rest is answered UNIMPLEMENTED.
https://cloud.google.com/firestore/docs/reference/rpc/google.firestore.v1
"""

from local.cloud.gcp.firestore.server import FirestoreServer

__all__ = ["FirestoreServer"]
