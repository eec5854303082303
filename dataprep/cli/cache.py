"""``dataprep cache``."""

from __future__ import annotations

from typing import Annotated

import typer

cache = typer.Typer(help="Look at or empty the cache of measured files.", no_args_is_help=True)

_Folder = Annotated[str, typer.Option("--cache-dir", help="Cache folder; default: the user's.")]


@cache.command()
def info(cache_dir: _Folder = "") -> None:
    """Where the cache is, how large it is and how many files it knows."""
    from dataprep.measures.cache import cache_info

    facts = cache_info(cache_dir)
    typer.echo(f"folder    {facts['folder']}")
    typer.echo(
        f"size      {facts['bytes'] / 1e6:,.1f} MB of at most {facts['capacity'] / 1e6:,.0f} MB"
    )
    typer.echo(f"files     {facts['files']:,} known by path, {facts['rows']:,} by content")


@cache.command()
def clear(cache_dir: _Folder = "") -> None:
    """Delete the cache; the next audit measures every file again."""
    from dataprep.measures.cache import clear_cache

    typer.echo(f"freed {clear_cache(cache_dir) / 1e6:,.1f} MB")
