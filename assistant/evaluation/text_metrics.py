"""Free sentences beside a reference: BLEU-4 (Papineni et al. 2002, sacrebleu) and ROUGE-L (Lin 2004, rouge-score).

Both reward the same words, not the same meaning: they rank models on one benchmark, no more.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from assistant.evaluation import Row
from assistant.evaluation.metrics import mean

TYPES = ("description", "reasoning", "conversation")  # answered in sentences of one's own
FEWEST_WORDS = 4  # a shorter reference has no 4-gram, and is a value rather than a sentence


def has_reference(row: Row) -> bool:
    """Is the row's answer a free sentence?"""
    answer = row["answer"]
    return row["type"] in TYPES and isinstance(answer, str) and len(answer.split()) >= FEWEST_WORDS


def text_scores(predictions: Sequence[str], references: Sequence[str]) -> dict[str, float | None]:
    """`bleu_4` of the whole corpus (13a tokens) and `rouge_l`, the mean F1 (no stemming), in [0, 1]; None for none."""
    if not predictions:
        return {"bleu_4": None, "rouge_l": None}
    from rouge_score.rouge_scorer import RougeScorer
    from sacrebleu import corpus_bleu

    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    pairs = zip(predictions, references, strict=True)
    return {
        "bleu_4": corpus_bleu(list(predictions), [list(references)]).score / 100,
        "rouge_l": mean([scorer.score(reference, prediction)["rougeL"].fmeasure for prediction, reference in pairs]),
    }


def summarize_text(records: Iterable[Row]) -> dict[str, dict[str, float | None]] | None:
    """Text scores by type, and their number of rows; None where no row has a free sentence to compare with."""
    pairs: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for record in records:
        if has_reference(record):
            pairs[record["type"]].append((record["prediction"], record["answer"]))
    found = {kind: text_scores(*zip(*pairs[kind], strict=True)) | {"count": len(pairs[kind])} for kind in sorted(pairs)}
    return found or None
