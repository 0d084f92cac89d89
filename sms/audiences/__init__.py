"""From a file or a paste to rows, and audiences that are kept."""
