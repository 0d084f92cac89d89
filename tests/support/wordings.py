"""What the page of a template's wording posts."""


def rows(**places: dict[str, str]) -> dict[str, str]:
    """The fields of each placeholder, by its name."""
    found = {"place-TOTAL_FORMS": str(len(places)), "place-INITIAL_FORMS": "0"}
    for number, (name, fields) in enumerate(places.items()):
        found |= {f"place-{number}-{field}": value for field, value in ({"name": name} | fields).items()}
    return found
