"""Inspect and talk: photos and good references in; verdict, picture and a conversation out.

Thin: it shows what an `Inspection` and a `Chat` say. What belongs to one visitor lives in that visitor's `Session`.
"""

import html
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from assistant import UserError
from assistant.conversation import Chat, Turn
from assistant.store.pictures import digest_of
from assistant.web.inspecting import add_photo, reinspect
from assistant.web.other_photos import asks_no_more, compared, compares, found, named_photo
from assistant.web.picture import region_at
from assistant.web.results import drawn, seen, show, talk, updates
from assistant.web.session import Pending, Photo, Session
from assistant.web.strip import clicked
from assistant.web.transcript import lines, messages, typed
from assistant.web.uploads import Uploads, files_of, name_of, opened
from assistant.web.workshop import Workshop

HINT = "I need a photo first: drop one on the left, or click an example."


@dataclass(frozen=True)
class InspectPanel:
    """What happens on this panel, one method per event; most give the values of `Results.components`."""

    workshop: Workshop

    def shown(self, session: Session) -> tuple[Any, ...]:
        """What `Results.components` show now: the end of every event, of any panel, that changes the session."""
        return show(self.workshop, session)

    def redraw(self, session: Session, control: str, value: Any) -> tuple[Any, ...]:
        """The photo shown otherwise, after a control that is named for a field of `Look` was set."""
        session.set_look(**{control: value})
        return drawn(session)

    def stop(self, session: Session) -> None:
        """End the answer being written."""
        session.stop()

    def add(self, session: Session, uploads: Uploads | None) -> Iterator[tuple[Any, ...]]:
        """Photos dropped, pasted or taken: None to empty the place for them, then as `shown`, after each photo."""
        if not uploads:
            yield gr.skip(), *updates()
            return
        session.message, first = "", None
        for file in files_of(uploads):
            try:
                if add_photo(self.workshop, session, opened(file), name_of(file)):
                    gr.Info("The oldest photos have left the conversation. For many photos there is Batch.")
            except UserError as error:
                session.message = str(error)
            else:  # the first of several stays in view while the others are inspected
                session.photo = first = first if first in session.photos else session.photo
            yield None, *self.shown(session)

    def example(self, session: Session, index: int) -> tuple[Any, ...]:
        """A rendered part with its good parts."""
        from data_gen.examples import EXAMPLES, render

        photo, references = render(index)
        session.product, session.message = None, ""
        session.references = {digest_of(pixels): pixels for pixels in references}
        add_photo(self.workshop, session, photo, EXAMPLES[index][0])
        return self.shown(session)

    def select(self, session: Session, event: gr.EventData) -> tuple[Any, ...]:
        """Show another photo of the conversation; `refresh` comes after it."""
        session.message = ""
        if photo := _photo(session, event):
            session.turn_to(photo)
        return self.shown(session)

    def enter(self, session: Session) -> tuple[Any, ...]:
        """The page or the tab was opened: products, model or photo may have changed elsewhere since."""
        self._renew(session)
        return self.shown(session)

    def refresh(self, session: Session) -> tuple[Any, ...]:
        """Inspect the shown photo again where something changed since."""
        return self.shown(session) if self._renew(session) else updates()

    def _renew(self, session: Session) -> bool:
        """Says whether there is something new to show."""
        try:
            return reinspect(self.workshop, session)
        except UserError as error:
            session.message = str(error)
            return True

    def remove(self, session: Session, event: gr.EventData) -> tuple[Any, ...]:
        """Take a photo out of the conversation."""
        session.message = ""
        if photo := _photo(session, event):
            session.remove(photo)
        return self.shown(session)

    def zoom(self, session: Session, event: gr.EventData) -> tuple[Any, ...]:
        """Enlarge a region by its number, or with 0 show the whole photo."""
        photo, number = session.photo, clicked(event)
        if photo is not None and number.isascii() and number.isdigit():
            photo.zoomed = int(number) if int(number) <= len(photo.chat.inspection.regions) else 0
        return seen(self.workshop, session)

    def point(self, session: Session, event: gr.SelectData) -> tuple[Any, ...]:
        """A click on the picture: enlarge the region there, or show the whole photo again."""
        photo, place = session.photo, event.index
        if photo is not None and isinstance(place, list | tuple) and len(place) == 2:
            x, y = (float(edge) for edge in place)
            photo.zoomed = 0 if photo.enlarged else region_at(photo.chat.inspection, x, y)
        return seen(self.workshop, session)

    def answer(self, session: Session, question: str) -> Iterator[tuple[Any, ...]]:
        """Stream an answer: the question box (emptied once), how long it took, then as `shown`."""
        question = question.strip()
        if session.photo is None:
            said = [{"role": "user", "content": question}, {"role": "assistant", "content": HINT}]
            yield "", "", *(updates(chatbot=said) if question else updates())
        elif question:
            yield from self._about(session, session.photo, question)

    def suggested(self, session: Session, event: gr.EventData) -> Iterator[tuple[Any, ...]]:
        """The same for a suggested question."""
        yield from self.answer(session, clicked(event))

    def again(self, session: Session, event: gr.RetryData) -> Iterator[tuple[Any, ...]]:
        """The same for a question that was asked already, with other words where the model has some."""
        yield from self._instead(session, event.index, None)

    def edit(self, session: Session, event: gr.EditData) -> Iterator[tuple[Any, ...]]:
        """The same for another question in the place of one that was asked; what followed it is forgotten."""
        yield from self._instead(session, event.index, typed(str(event.value)))

    def _about(self, session: Session, photo: Photo, question: str) -> Iterator[tuple[Any, ...]]:
        """An answer about the photo that is shown, or another one that the question names, which is then shown."""
        other = named_photo(question, session.photos, photo)
        if other is None:
            yield from self._reply(session, photo, question)
        elif compares(question):  # no part of a chat, whose model knows one photo
            photo.past.append(Turn(question, compared(photo, other)))
            yield "", "", *talk(session)
        else:
            session.turn_to(other)
            if asks_no_more(question):
                other.past.append(Turn(question, found(other)))
            yield "", "", *self.shown(session)
            if not asks_no_more(question):
                yield from self._reply(session, other, question)

    def _instead(self, session: Session, index: Any, question: str | None) -> Iterator[tuple[Any, ...]]:
        spoken = lines(session)
        line = spoken[index] if isinstance(index, int) and 0 <= index < len(spoken) else None
        if line is None or line.role != "user" or line.photo is None:
            yield gr.skip(), gr.skip(), *talk(session)
            return
        session.turn_to(line.photo)
        asked = line.photo.chat.take_back(line.turn) if line.turn >= 0 else typed(line.text)
        yield from self._reply(session, line.photo, question or asked, varied=question is None)

    def _reply(self, session: Session, photo: Photo, question: str, varied: bool = False) -> Iterator[tuple[Any, ...]]:
        chat, before, first, start = photo.chat, photo.chat.inspection, 0.0, time.perf_counter()
        pending = session.pending = Pending(photo, question)
        try:
            yield "", "", *updates(chatbot=messages(session), stop=gr.update(interactive=True))
            said = ""
            for piece in chat.stream(question, photo.drawn, varied=varied):
                if photo not in session.photos or photo.chat is not chat:  # the answer has no place any more
                    return
                first = first or time.perf_counter() - start
                pending.said = said = said + piece
                yield gr.skip(), gr.skip(), *updates(chatbot=messages(session))
        except UserError as error:
            gr.Warning(html.escape(str(error)))
        finally:
            if session.pending is pending:
                session.pending = None
        took = f"Answered in {time.perf_counter() - start:.1f} s, first words after {first:.1f} s." if first else ""
        yield gr.skip(), took, *(talk(session) if chat.inspection is before else self.shown(session))

    def restart(self, session: Session) -> tuple[Any, ...]:
        """A new conversation about the photo that is shown."""
        session.message = ""
        if (kept := session.photo) is not None:
            for photo in list(session.photos):
                session.remove(photo)
            chat, chosen = kept.chat, kept.drawn
            kept.renew(Chat(chat.assistant, chat.photo, chat.whole, chat.references, chat.corrections))
            kept.past, kept.drawn = [], chosen
            session.add(kept)
            kept.note("A new conversation about the same photo. What would you like to know?")
        return self.shown(session)


def _photo(session: Session, event: gr.EventData) -> Photo | None:
    """The photo of the conversation that was clicked."""
    return next((photo for photo in session.photos if str(photo.number) == clicked(event)), None)
