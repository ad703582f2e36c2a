"""Running checks against somebody's files, and saying what came out."""
