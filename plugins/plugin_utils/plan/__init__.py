"""What a run of `site` would change: read into one model (`model`), shown in several ways."""
