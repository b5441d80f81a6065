"""A fake of the provider gcp, which forwards to the daemon; the daemon keeps Google Cloud's resources."""
