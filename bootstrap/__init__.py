"""What an account needs before GitHub Actions deploys into it: state, a key for secrets, trust and rights.

aws/ and gcp/ are Pulumi projects, each run once by an administrator: docs/bootstrap.md.
"""
