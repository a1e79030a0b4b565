import click

from vall_e.testing import CommandContract


class TestCommand(CommandContract):
    def make(self):
        @click.command()
        def hum():
            """Hum a tune."""

        return hum
