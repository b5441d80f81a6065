"""Google Cloud: Cloud Run, Firestore, and the outputs of the resources with behaviour."""
