"""Our assistant as it answers in a conversation: same prompts, same grounding, but many rows at once."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from assistant import UserError
from assistant.assistant import Assistant
from assistant.conversation import Chat
from assistant.evaluation import Row
from assistant.evaluation.answering import LeftOut, Model
from assistant.evaluation.answering.batches import in_batches
from assistant.evaluation.answering.dialogue import Dialogue
from assistant.grounding import contradictions
from assistant.lvlm.batching import letter_scores


class Ours:
    """Rows about one photo share its Inspection; each is a conversation of its own.

    Args:
        assistant: with its language model.
    """

    def __init__(self, assistant: Assistant) -> None:
        self.assistant = assistant

    @classmethod
    def of(cls, chosen: Model) -> "Ours":
        return cls(Assistant.from_pretrained(chosen.name))

    def answers(self, subjects: Iterable[list[Row]], folder: Path) -> Iterator[Row | LeftOut]:
        """See `Answerer`."""
        for done in in_batches(self._open(subjects, folder), self._step):
            yield done if isinstance(done, LeftOut) else self._record(done)

    def _open(self, subjects: Iterable[list[Row]], folder: Path) -> Iterator[Dialogue[Chat] | LeftOut]:
        for rows in subjects:
            references = [folder / path for path in rows[0]["references"]]
            try:
                first = self.assistant.start_chat(folder / rows[0]["image"], references=references)
            except UserError as error:
                yield LeftOut(rows[0]["image"], error, len(rows))
                continue
            for row in rows:
                chat = Chat(self.assistant, first.photo, first.inspection)
                yield Dialogue(row, chat, first.photo.size // 3)

    def _step(self, batch: Sequence[Dialogue[Chat]]) -> None:
        with self.assistant.speaking():
            written = self.assistant.say_together([each.opened.prompt(each.question) for each in batch])
        assert self.assistant.language is not None, "who has spoken has a language model"
        processor = self.assistant.language[1]
        for dialogue, tokens, first in zip(batch, written.tokens, written.first, strict=True):
            dialogue.scores = letter_scores(first, processor.tokenizer, dialogue.letters) if dialogue.letters else None
            words = processor.decode(tokens).rstrip("\ufffd")  # a character cut off at the end, which no stream tells
            dialogue.replies.append(dialogue.opened.add_turn(dialogue.question, words))

    @staticmethod
    def _record(done: Dialogue[Chat]) -> Row:
        inspection = done.opened.inspection
        wrong = [
            f"{claim.kind}: {'not ' if claim.negated else ''}{claim.value}"
            for question, reply in zip(done.questions, done.replies, strict=True)
            for claim in contradictions(reply, inspection, question)
        ]
        return done.record(inspection.to_json(), wrong)
