"""The countries that a form offers for numbers without a country code."""

import phonenumbers


def countries() -> list[tuple[str, str]]:
    """ISO codes with their calling codes, as a select offers them."""
    known = (
        (code, phonenumbers.country_code_for_region(code)) for code in sorted(phonenumbers.SUPPORTED_REGIONS)
    )
    return [(code, f"{code} +{calling}") for code, calling in known]
