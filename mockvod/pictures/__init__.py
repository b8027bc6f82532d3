"""Snapshots as images: drawn, or cut from a video. Knows nothing of the service."""
