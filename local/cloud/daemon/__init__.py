"""The process that holds both clouds, and its control API."""

import os

# gRPC's core writes to stderr itself, for example when a server stops while one of its threads polls. Errors of calls
# are raised in Python all the same (https://grpc.github.io/grpc/core/md_doc_environment_variables.html).
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
