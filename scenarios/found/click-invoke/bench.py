"""A command of a group with options of some types, parsed and called; the best of 15 rounds."""

import json
import time

import click


@click.group()
@click.option("--verbose", is_flag=True)
def cli(verbose):
    pass


@cli.command()
@click.argument("names", nargs=-1)
@click.option("--count", "-n", type=int, default=1)
@click.option("--ratio", type=float)
@click.option("--kind", type=click.Choice(["small", "large"]), default="small")
@click.option("--dry/--no-dry", default=True)
@click.option("--tag", multiple=True)
def make(**options):
    pass


def round_of(calls):
    began = time.process_time()
    for _ in range(calls):
        cli.main(
            ["--verbose", "make", "-n", "3", "--kind", "large", "--tag", "a", "--tag", "b", "one", "two"],
            "cli",
            standalone_mode=False,
        )
    return time.process_time() - began


print(json.dumps({"cpu_seconds": min(round_of(60) for _ in range(15))}))
