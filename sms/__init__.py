"""The domain: everything that would still exist if the browser disappeared."""
