"""Everything about a place of the photo, beneath the picture: choose it, ask about it, restrict to it, correct it."""

import gradio as gr

from assistant.web.correct_panel import build_correct_panel
from assistant.web.place_panel import connect_places, place_components
from assistant.web.results import Results
from assistant.web.steer_panel import build_steer_panel
from assistant.web.workshop import Workshop


def build_marking(workshop: Workshop, session: gr.State, results: Results) -> None:
    """The three panels, which share the chosen place."""
    picker = place_components()
    build_steer_panel(workshop, session, results, picker)
    build_correct_panel(workshop, session, results, picker)
    connect_places(picker, session, results)
