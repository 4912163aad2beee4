"""`python -m bot.cli`."""

from bot.cli.main import main

main(prog_name="countersign")
