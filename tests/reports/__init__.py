"""Facts and the reports that read them."""
