"""The summary of ``dataprep predict``: what was predicted, refused, unreadable, and how often
each class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.baselines.inference.model_card import ModelCard

#: Classes that are named, the most frequent first.
_NAMED = 20


class Counts:
    """Counts the rows of tables that pass by."""

    def __init__(self) -> None:
        self.rows = self.predicted = self.refused = self.unreadable = self.missing = 0
        self._classes: Counter[str] = Counter()

    def over(self, tables: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        """The same tables, counted."""
        try:
            for table in tables:
                self._add(table)
                yield table
        finally:
            tables.close()  # type: ignore[attr-defined]

    def _add(self, table: pd.DataFrame) -> None:
        lost = table["lost"] != ""
        missing = table["lost"].str.startswith("missing")
        refused = (table["abstained"] & ~lost) if "abstained" in table else lost & False
        said = ~lost & ~refused
        self.rows += len(table)
        self.missing += int(missing.sum())
        self.unreadable += int((lost & ~missing).sum())
        self.refused += int(refused.sum())
        self.predicted += int(said.sum())
        if "abstained" in table:
            for answer in table.loc[said, "predicted"].astype("str"):
                self._classes.update(answer.split("|") if answer else ["(none)"])

    def summary(self) -> str:
        """One line."""
        parts = [f"{self.rows:,} image{'s' * (self.rows != 1)}: {self.predicted:,} predicted"]
        others = (
            (self.refused, "refused"),
            (self.unreadable, "not readable"),
            (self.missing, "not there"),
        )
        return ", ".join(parts + [f"{count:,} {words}" for count, words in others if count])

    def shown(self) -> list[tuple[str, int]]:
        """Class and how often it was predicted, the most frequent first; what is beyond twenty
        classes together.
        """
        ordered = sorted(self._classes.items(), key=lambda item: (-item[1], item[0]))
        rest = sum(count for _, count in ordered[_NAMED:])
        return ordered[:_NAMED] + (
            [(f"{len(ordered) - _NAMED:,} further classes", rest)] if rest else []
        )


def refusal_words(card: ModelCard, abstain_below: float | None, risk: float | None) -> str:
    """When the model refused, in a sentence."""
    if card.kind == "regression":
        return "Nothing is refused: the model predicts numbers and gives no confidence"
    if abstain_below is not None:
        return f"Refused below a confidence of {abstain_below:g}, as asked for"
    if risk is not None:
        return (
            f"Refused below a confidence of {card.abstain_below(risk):.3g}, for an error of "
            "at "
            f"most {risk:.0%} among the answers"
        )
    usual = card.usual_abstention
    if usual is None:
        return (
            "Nothing was refused: training found no confidence that keeps the error low with "
            "certainty; answers may be wrong"
        )
    return (
        f"Refused below a confidence of {usual['threshold']:.3g}, which keeps the error among "
        f"answers at {usual['wished']:.0%} "
        "or below on images like those of validation; --abstain-below 0 answers all"
    )
