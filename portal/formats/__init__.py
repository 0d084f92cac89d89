"""How dates and times are written where no page says it: in the Django admin, and by a filter without a format."""
