# SPDX-License-Identifier: Apache-2.0
"""The screening terminal: one record at a time, keyboard only, in English or Chinese.

=============  =====================================================================
``i`` ``m``    include, maybe (title and abstract only)
``e`` ``1-9``  exclude, exclude for that reason of the protocol
``n`` ``p``    next, previous (also the arrow keys)
``u``          take the newest decision back
``w`` ``t``    write a note, tags
``o`` ``l``    learnt order or order of import, the other language
``q``          quit; nothing is lost, now or at any other moment
=============  =====================================================================
"""

from __future__ import annotations

from typing import ClassVar, final

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.events import Key
from textual.widgets import Input, Static

from sirolens.cli.screen_session import Jotted, Session, first_fault
from sirolens.cli.screen_text import cut_to, shown, side_by_side
from sirolens.errors import InputError
from sirolens.evidence.review.events import Decision, Stage
from sirolens.evidence.screening.ranking import RankingMethod
from sirolens.message import Message, info
from sirolens.report.words import label, say

__all__ = ["ScreenApp"]

BAR_WIDTH = 16
MOST_REASONS = 9  # that a key can name
LONGEST_TITLE = 48  # cells of a title that is named in a line
COLOURS = {Decision.INCLUDE: "bold green", Decision.EXCLUDE: "bold red", Decision.MAYBE: "bold yellow"}


@final
class ScreenApp(App[None]):
    """The screen over one session."""

    ENABLE_COMMAND_PALETTE = False
    TITLE = "sirolens"
    AUTO_FOCUS = None  # keys decide; the line takes the focus only while it is open
    CSS = """
    #head { height: 3; padding: 0 1; background: $panel; text-wrap: nowrap; text-overflow: ellipsis; }
    #record { padding: 1 2; min-height: 6; }
    #mine { height: auto; padding: 0 1; background: $panel; }
    #reasons { height: auto; max-height: 9; padding: 0 1; }
    #line { display: none; }
    #line.open { display: block; }
    #told { height: auto; padding: 0 1; }
    #keys { height: auto; padding: 0 1; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "decide('include')"),
        Binding("e", "decide('exclude')"),
        Binding("m", "decide('maybe')"),
        Binding("n,right", "next"),
        Binding("p,left", "previous"),
        Binding("u", "undo"),
        Binding("w", "write('notes')"),
        Binding("t", "write('tags')"),
        Binding("o", "turn_order"),
        Binding("l", "turn_language"),
        Binding("q", "quit"),
        Binding("escape", "close_line"),
        *(Binding(str(number), f"reason({number})") for number in range(1, 10)),
    ]

    def __init__(self, session: Session, language: str) -> None:
        super().__init__()
        self.session, self.words = session, language
        self.trail: list[str] = list(session.own)
        self.place = len(self.trail)
        self.told: tuple[Message, ...] = session.messages
        self.writing = ""
        self.on_screen: str | None = None  # the record whose text may be scrolled

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        yield Static(id="head")
        with VerticalScroll(id="record", can_focus=False):
            yield Static(id="text")
        yield Static(id="mine")
        yield Static(id="reasons")
        yield Static(id="told")
        yield Input(id="line", select_on_focus=False)
        yield Static(id="keys")

    def on_mount(self) -> None:
        """Show where the work stopped."""
        self._forward()
        self._show()

    @property
    def current(self) -> str | None:
        """The record on the screen; None when everything is decided."""
        return self.trail[self.place] if self.place < len(self.trail) else None

    def on_key(self, event: Key) -> None:
        """Scroll the record with the arrow keys while no line is open."""
        scrolls = {"up": -2, "down": 2, "pageup": -12, "pagedown": 12, "space": 12}
        if not self.writing and event.key in scrolls:
            self.query_one("#record", VerticalScroll).scroll_relative(y=scrolls[event.key], animate=False)
            event.stop()

    def action_decide(self, decision: str) -> None:
        """Decide and go on."""
        self._decide(Decision(decision), ())

    def action_reason(self, number: int) -> None:
        """Exclude for a reason of the protocol."""
        reasons = self.session.reasons()
        if number <= len(reasons):
            self._decide(Decision.EXCLUDE, (reasons[number - 1][0],))

    def _decide(self, decision: Decision, reasons: tuple[str, ...]) -> None:
        name = self.current
        if name is None:
            return
        self.told = ()
        try:
            self.session.decide(name, decision, reasons)
        except InputError as failure:
            self.told = (first_fault(failure),)
        else:
            title = cut_to(self.session.records(name)[0].title or name, LONGEST_TITLE)
            self.told = (info("screening.just-decided", decision=info(f"screening.decided-{decision}"), title=title),)
            self.place += 1
            self._forward()
        self._show()

    def action_next(self) -> None:
        """Go on without deciding."""
        if self.current is not None:
            self.place += 1
            self._forward()
        self.told = ()
        self._show()

    def action_previous(self) -> None:
        """Go back to the record before."""
        self.place = max(0, self.place - 1)
        self.told = ()
        self._show()

    def action_undo(self) -> None:
        """Take the newest decision back and show its record."""
        try:
            said = self.session.undo()
        except InputError as failure:
            self.told = (first_fault(failure),)
        else:
            self.told = (info("screening.nothing-to-undo"),) if said is None else (info("screening.taken-back"),)
            if said is not None:
                self.trail = [name for name in self.trail if name != said.record]
                self.place = min(self.place, len(self.trail))
                self.trail.insert(self.place, said.record)
        self._show()

    def action_write(self, what: str) -> None:
        """Open the line for a note or tags."""
        if self.current is None:
            return
        jotted = self.session.jot_of(self.current)
        line = self.query_one("#line", Input)
        line.value = jotted.notes if what == "notes" else ", ".join(jotted.tags)
        line.border_title = label(f"screening.line-{what}", self.words)
        line.cursor_position = len(line.value)
        line.add_class("open")
        line.focus()
        self.writing = what

    def action_close_line(self) -> None:
        """Close the line without keeping it."""
        self.query_one("#line", Input).remove_class("open")
        self.writing = ""
        self.set_focus(None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep what was written."""
        name, text = self.current, event.value.strip()
        if name is not None and self.writing:
            jotted = self.session.jot_of(name)
            tags = tuple(dict.fromkeys(tag.strip() for tag in text.replace("，", ",").split(",") if tag.strip()))
            notes = text if self.writing == "notes" else jotted.notes
            self.told = ()
            try:
                self.session.jot(name, Jotted(notes=notes, tags=jotted.tags if self.writing == "notes" else tags))
            except InputError as failure:
                self.told = (first_fault(failure),)
        self.action_close_line()
        self._show()

    def action_turn_order(self) -> None:
        """Change between the learnt order and that of import; what was skipped is offered again."""
        self.session.ranked = not self.session.ranked
        self.trail = list(self.session.own)
        self.place = len(self.trail)
        self.told = ()
        self._forward()
        self._show()

    def action_turn_language(self) -> None:
        """Change the language of the screen."""
        self.words = "en" if self.words.startswith("zh") else "zh"
        self._show()

    def _forward(self) -> None:
        """Add the next record to the trail when its end is reached; after the last one begin with the skipped ones."""
        if self.place < len(self.trail):
            return
        seen, order = set(self.trail), self.session.order()
        following = next((name for name in order if name not in seen), None)
        if following is None and order:
            self.trail = [name for name in self.trail if name in self.session.own]
            self.place, following = len(self.trail), order[0]
        if following is not None:
            self.trail.append(following)

    def _show(self) -> None:
        name, session = self.current, self.session
        self.query_one("#head", Static).update(self._head())
        text = self._end() if name is None else shown(session.records(name), session.question, self.words)
        self.query_one("#text", Static).update(text)
        if name != self.on_screen:
            self.query_one("#record", VerticalScroll).scroll_home(animate=False)
        self.on_screen = name
        self.query_one("#mine", Static).update(self._mine(name))
        self.query_one("#reasons", Static).update(Text() if name is None else self._reasons())
        self.query_one("#told", Static).update(Text("\n".join(say(message, self.words) for message in self.told)))
        stage = "title" if session.stage is Stage.TITLE else "fulltext"
        keys = [Text(key) for key in label(f"screening.keys-{stage}", self.words).split("  ")]
        self.query_one("#keys", Static).update(side_by_side(keys, self._wide()))

    def on_resize(self) -> None:
        """Lay reasons and keys out anew: they are broken between, never inside."""
        self._show()

    def _wide(self) -> int:
        return self.size.width - 2

    def _end(self) -> Text:
        """What stands where a record stood: how one decided, and what comes next."""
        session = self.session
        if not session.total:
            return Text(label("screening.none-to-read", self.words))
        said = [one.decision for one in session.own.values()]
        counts = (
            f"{label(f'screening.decided-{one}', self.words)} {said.count(one)}" for one in Decision if one in said
        )
        after = "sealed" if any(one.sealed for one in session.own.values()) else "open"
        parts = (label("screening.all-decided", self.words), " · ".join(counts))
        return Text("\n\n".join((*parts, label(f"screening.after-{after}", self.words))))

    def _head(self) -> Text:
        session, language = self.session, self.words
        done, total = len(session.own), session.total
        full = BAR_WIDTH * done // total if total else BAR_WIDTH
        protocol = session.protocol
        title = "" if protocol is None else protocol.title
        if protocol is not None and language.startswith("zh"):
            title = protocol.title_zh or title
        out = Text(title or session.folder.name, style="bold", no_wrap=True, overflow="ellipsis")
        out.append(
            "\n" + label("screening.who-and-stage", language, by=session.by, stage=self._stage_word()), style="not bold"
        )
        if session.sealed:
            out.append(label("screening.sealed-word", language), style="not bold cyan")
        out.append(f"\n{'█' * full}{'░' * (BAR_WIDTH - full)} ", style="not bold green")
        out.append(label("screening.progress", language, done=done, total=total), style="not bold")
        out.append(self._order_word(), style="not bold dim")
        return out

    def _stage_word(self) -> str:
        return label(f"screening.stage-{self.session.stage}", self.words)

    def _order_word(self) -> str:
        session = self.session
        if session.sample:
            return label("screening.in-sample-order", self.words)
        if not session.ranked or session.stage is not Stage.TITLE:
            return label("screening.in-import-order", self.words)
        method = session.ranking().method if session.state.screened else RankingMethod.SEEDED
        return label(f"screening.in-order-{method}", self.words)

    def _mine(self, name: str | None) -> Text:
        out = Text()
        if name is None:
            return out
        said, jotted, language = self.session.own.get(name), self.session.jot_of(name), self.words
        if said is None or said.decision is None:
            out.append(label("screening.undecided", language), style="dim")
        else:
            out.append(label(f"screening.decided-{said.decision}", language), style=COLOURS[said.decision])
            names = {
                one[0]: one[2] if language.startswith("zh") and one[2] else one[1] for one in self.session.reasons()
            }
            if said.reasons:
                out.append(f" ({'; '.join(names.get(reason, reason) for reason in said.reasons)})")
        if jotted.notes:
            out.append(f"   {label('screening.note', language)} {jotted.notes}")
        if jotted.tags:
            out.append(f"   {label('screening.tags', language)} {', '.join(jotted.tags)}")
        return out

    def _reasons(self) -> Text:
        reasons = self.session.reasons()
        pieces = []
        for number, (id_, english, chinese) in enumerate(reasons[:MOST_REASONS], 1):
            told = chinese if self.words.startswith("zh") and chinese else english
            pieces.append(Text.assemble((f" {number} ", "reverse"), f" {told or id_}"))
        if len(reasons) > MOST_REASONS:
            others = ", ".join(id_ for id_, _, _ in reasons[MOST_REASONS:])
            pieces.append(Text(label("screening.more-reasons", self.words, reasons=others), style="dim"))
        return side_by_side(pieces, self._wide())
