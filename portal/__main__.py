"""`python -m portal COMMAND`: how an installed Textdesk starts its own commands, whatever is on the PATH."""

from portal.command_line import main

main()
