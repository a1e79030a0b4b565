"""`python -m vall_e` is `vall-e`."""

from vall_e.cli.app import cli

if __name__ == "__main__":
    cli(prog_name="vall-e")
