"""The demo of `manage.py up --demo`: a team, a catalogue and a sandbox to try things out with."""
