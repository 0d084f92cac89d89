"""`python -m sms.webex.sandbox`: the sandbox without Django."""

import sys

from sms.webex.sandbox.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
