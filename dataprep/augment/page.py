"""augment.html: the policy, why it was chosen, what it does to the classes, and pictures of it;
one file that needs no other.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dataprep.augment.strength import TOO_STRONG
from dataprep.reports.audit.html import draw_page

if TYPE_CHECKING:
    from dataprep.augment.policies import Policy
    from dataprep.augment.strength import Effect, Safety


def render_page(
    policy: Policy, reasons: Sequence[str], safety: Safety | None, pictures: bytes, root: str
) -> str:
    """The page as text.

    Args:
        policy: the policy in use.
        reasons: why, in sentences.
        safety: what policies do; None where there are no embeddings or nobody asked.
        pictures: PNG file; empty for none.
        root: folder of the images.
    """
    context: Mapping[str, Any] = {
        "chosen": policy,
        "reasons": [text[:1].upper() + text[1:] for text in reasons],
        "root": root,
        "safety": safety,
        "rows": _rows(safety),
        "classes": _classes(safety, policy.name),
        "limit": TOO_STRONG,
        "yaml": policy.to_yaml(),
        "picture": base64.b64encode(pictures).decode("ascii"),
    }
    return draw_page(
        "augment.html.j2", ("report.css", "augment.css"), {"theme": "theme.js"}, context
    )


def _rows(safety: Safety | None) -> list[dict[str, Any]]:
    """One line of the table for each policy."""
    if safety is None:
        return []
    return [
        _figures(name, effect, safety.is_too_strong(name))
        for name, effect in safety.overall.items()
    ]


def _classes(safety: Safety | None, policy: str) -> list[dict[str, Any]]:
    """One line for each class, those that change most first."""
    if safety is None or policy not in safety.by_class:
        return []
    effects = sorted(
        safety.by_class[policy].items(),
        key=lambda entry: -(entry[1].changed if entry[1].known else -1),
    )
    return [_figures(name, effect, effect.too_strong) for name, effect in effects]


def _figures(name: str, effect: Effect, strong: bool) -> dict[str, Any]:
    known = effect.known > 0
    return {
        "name": name,
        "known": effect.known,
        "images": effect.images,
        "strong": strong,
        "likeliest": effect.likeliest,
        "changed": f"{effect.changed:.0%}" if known else "not known",
        "interval": f"{effect.interval[0]:.0%} to {effect.interval[1]:.0%}" if known else "",
        "bar": round(100 * effect.changed, 1) if known else 0.0,
        "distance": f"{effect.distance:.2f}",
        "relative": "" if math.isnan(effect.relative) else f"{effect.relative:.0%}",
        "beyond": f"{effect.beyond:.0%}",
    }
