"""Operations on deployments, through their API, their stack's state and their cloud's logs, buckets and functions."""
