"""Which place of the photo questions and corrections are about: a region that was found, or one that is drawn."""

import html
from dataclasses import dataclass, fields
from typing import Any

import gradio as gr
import numpy as np

from assistant import UserError
from assistant.area import Area, Piece
from assistant.corrections import mask_of
from assistant.inspection import KINDS, Inspection, Region
from assistant.steering import around
from assistant.web.corrections_list import UNNAMED
from assistant.web.drawing import backdrop, drawing_surface, drawn_piece
from assistant.web.picture import draw
from assistant.web.results import Results
from assistant.web.session import Session
from assistant.web.style import QUIET

WHOLE, DRAWN = 0, -1  # values of the choice beside the numbers of the regions
NO_PLACE = "Draw a place on the photo first, or choose a numbered region."


@dataclass(frozen=True)
class Picker:
    """The components that choose a place.

    `surface` is seen in the place of the picture while something is drawn; `actions` are shown when a place is chosen,
    `whole` when not all of the photo is judged; `kind` is what a chosen region looks like.
    """

    choice: gr.Radio
    surface: gr.HTML
    kind: gr.Dropdown
    actions: gr.Column
    whole: gr.Button

    @property
    def components(self) -> list[Any]:
        """As outputs of an event."""
        return [getattr(self, field.name) for field in fields(self)]


def picked(**changes: Any) -> tuple[Any, ...]:
    """For `Picker.components`: these change, by name, the others stay."""
    return tuple(changes.get(field.name, gr.skip()) for field in fields(Picker))


def region_name(region: Region) -> str:
    """A region in words that stay true when it is inspected again."""
    return f"the region in the {region.position}"


def choices(inspection: Inspection | None) -> list[tuple[str, int]]:
    """What can be chosen on an inspected photo."""
    regions = inspection.regions if inspection else ()
    named = [(f"{number} · {region.type or region.position}", number) for number, region in enumerate(regions, 1)]
    return [("All of it", WHOLE), *named, ("Draw a place", DRAWN)]


def marked(session: Session, choice: object) -> np.ndarray:
    """The pixels, (H, W) bool, that a correction of the chosen place is about.

    Args:
        choice: as the browser has it, which may be of the inspection before this one.

    Raises:
        UserError: no photo is shown or no place of it is chosen.
    """
    if session.photo is None or session.inspection is None:
        raise UserError("there is no photo yet", "drop one on the left, or click an example")
    regions = session.inspection.regions
    if isinstance(choice, int) and 1 <= choice <= len(regions):
        return mask_of(session.inspection, regions[choice - 1])
    if choice != DRAWN or session.photo.drawn is None:
        raise UserError("no place is chosen", "choose a numbered region, or draw a place on the photo")
    return session.photo.drawn.mask


@dataclass(frozen=True)
class PlacePanel:
    """What happens when a place is chosen or drawn; each event gives values for `Picker.components`."""

    def offer(self, session: Session) -> tuple[Any, ...]:
        """After every new inspection, and for another photo: its regions, with the one chosen that is enlarged."""
        photo, inspection = session.photo, session.inspection
        (before, enlarged), zoomed = session.offered, photo.enlarged if photo else WHOLE
        session.offered = inspection, zoomed
        if photo is None or inspection is not before:
            whole = gr.update(visible=inspection is not None and inspection.area is not None)
            _, surface, kind, actions, _ = self._choose(session, zoomed)
            choice, cleared = gr.update(choices=choices(inspection), value=zoomed), surface | {"value": ""}
            return picked(choice=choice, surface=cleared, kind=kind, actions=actions, whole=whole)
        return picked() if zoomed == enlarged else self._choose(session, zoomed)

    def choose(self, session: Session, choice: object, drawing: str) -> tuple[Any, ...]:
        """Another place: a region at once, a drawing once there is one."""
        if session.photo is None:
            gr.Info("I need a photo first.")
            return picked(choice=WHOLE)
        if choice != DRAWN:
            return self._choose(session, choice)
        self.draw(session, drawing)
        surface = gr.update(visible=True, picture=_shown(session))
        return picked(surface=surface, actions=gr.update(visible=True))

    def _choose(self, session: Session, choice: object) -> tuple[Any, ...]:
        """A region by its number, or all of the photo."""
        photo, inspection = session.photo, session.inspection
        area, kind, number = None, UNNAMED, WHOLE
        if inspection and isinstance(choice, int) and 1 <= choice <= len(inspection.regions):
            region, number = inspection.regions[choice - 1], choice
            area = Area(inspection.size, only=(Piece(region_name(region), (around(region, inspection.size),)),))
            kind = region.type or UNNAMED
        if photo is not None:
            photo.drawn = area
        hidden, shown = gr.update(visible=False), gr.update(visible=area is not None)
        return picked(choice=number, surface=hidden, kind=kind, actions=shown)

    def draw(self, session: Session, drawing: str) -> None:
        """Something was drawn on the photo that is shown, or cleared."""
        photo, inspection = session.photo, session.inspection
        if photo is None or inspection is None:
            return
        try:
            piece = drawn_piece(drawing, inspection.size)
        except UserError as error:
            gr.Warning(html.escape(str(error)))
            piece = None
        photo.drawn = None if piece is None else Area(inspection.size, only=(piece,))

    def follow(self, session: Session, choice: object) -> Any:
        """The picture is shown otherwise: so is what is drawn on."""
        return gr.update(picture=_shown(session)) if choice == DRAWN and session.chat else gr.skip()


def _shown(session: Session) -> str:
    """The picture as the visitor sees it, to draw on."""
    assert session.chat is not None
    return backdrop(draw(session.chat.photo, session.chat.inspection, session.look))


def place_components() -> Picker:
    """The choice of a place, and the photo to draw on beneath the picture; what is in `actions` is up to others."""
    surface = drawing_surface("surface")
    choice = gr.Radio(choices(None), value=WHOLE, label="Ask about", elem_id="place")
    whole = gr.Button("Judge the whole photo again", size="sm", visible=False, elem_id="whole")
    kind = gr.Dropdown(
        [UNNAMED, *KINDS], value=UNNAMED, label="Kind of defect", show_label=False, allow_custom_value=True,
        container=False, min_width=130, elem_id="kind", render=False,
    )  # fmt: skip
    return Picker(choice, surface, kind, gr.Column(visible=False), whole)


def connect_places(picker: Picker, session: gr.State, results: Results) -> None:
    """The events of `PlacePanel`."""
    panel, choice, surface = PlacePanel(), picker.choice, picker.surface
    gr.on([results.badge.change, results.details.change], panel.offer, session, picker.components, **QUIET)
    # Without Gradio's check: what is chosen may be of the inspection before, which is no error of the visitor's.
    choice.input(
        panel.choose,
        [session, choice, surface],
        picker.components,
        trigger_mode="always_last",
        preprocess=False,
        **QUIET,
    )
    surface.input(panel.draw, [session, surface], None, trigger_mode="always_last", queue=False, **QUIET)
    gr.on(
        [results.picture.change, results.beside.change], panel.follow, [session, choice], surface,
        trigger_mode="always_last", preprocess=False, **QUIET,
    )  # fmt: skip
