"""Google Cloud: Cloud Run, Firestore, and the outputs of all other resources."""
