"""The built-in Firestore: a small gRPC server for google.firestore.v1, used if Google's emulator is not installed.

It supports the calls with which google-cloud-firestore gets, creates, sets, updates and deletes documents (with
preconditions and in batches) and lists a collection by id. It answers all others with UNIMPLEMENTED.
https://cloud.google.com/firestore/docs/reference/rpc/google.firestore.v1
"""
