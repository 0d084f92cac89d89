"""How a file is read, as arguments of a command."""

from django.core.management.base import CommandParser

from sms.audiences.files.choices import HIDDEN


def add_reading_arguments(parser: CommandParser) -> None:
    parser.add_argument("--column", metavar="HEADING", help="of the numbers, if it is not found")
    parser.add_argument(
        "--sheet", default="", help="of a workbook; the first visible one that has rows if left out"
    )
    parser.add_argument(
        "--heading-row",
        type=int,
        metavar="N",
        help="the row with the headings, 0 for none; found if left out",
    )
    says = (
        "what becomes of rows that are hidden, as a filter does; a file with such rows is refused without it"
    )
    parser.add_argument("--hidden-rows", default="", choices=HIDDEN, help=says)
    says = "what becomes of hidden columns; left out if not said"
    parser.add_argument("--hidden-columns", default="", choices=HIDDEN, help=says)
