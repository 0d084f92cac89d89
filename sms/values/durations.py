"""How long something has lasted, for sentences."""


def duration(seconds: float) -> str:
    """`95` → `95 s`, `240` → `4 min`, `9000` → `2 hours`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} hours"
