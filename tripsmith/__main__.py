"""`python -m tripsmith` is the command `tripsmith`."""

from tripsmith.cli import main

main()
