# SPDX-License-Identifier: Apache-2.0
"""Kernels of events: firing, waiting, cancelling and carrying out, in the order of SBML Level 3 Version 2.

An event fires when its trigger goes from false to true; its delay is taken then, and its new values too where it asks
for that. Of what is due at one time the event with the highest priority is carried out, priorities being computed
anew before each; after each the triggers are looked at again, so that one event may fire another or call it off (one
that does not persist, when its trigger has become false). Where the standard leaves the order open, it is: events
with a priority before those without, then by due time, by the order of the file, and by the order of firing.
"""

from __future__ import annotations

import math

from sirolens.engine.network_kernel_room import (
    DONE,
    EFFECTS,
    END,
    ENDLESS_EVENTS,
    EVENTS,
    IMPOSSIBLE_DELAY,
    T1,
    TRIGGERS,
    Room,
    ask,
    inner_kernel,
)

__all__ = ["ASSIGNED", "CHAIN", "DUE", "FIRED", "INITIALLY", "PERSISTS", "WAITING", "happen", "next_event"]

# Rows of the flags of events.
INITIALLY, PERSISTS, FROM_TRIGGER, ASSIGNED = range(4)
# Columns of the queue, and positions in the tally.
DUE, WHICH, ORDER, VALUES = range(4)
WAITING, FIRED = range(2)
#: Most events carried out at one time; more is taken for a chain without end.
CHAIN = 10_000


@inner_kernel
def next_event(room: Room) -> float:
    """When the first waiting event is due; infinity when none waits."""
    when = math.inf
    for j in range(room.tally[WAITING]):
        when = min(when, room.queue[j, DUE])
    return when


@inner_kernel
def _remove(room: Room, j: int) -> None:
    last = room.tally[WAITING] - 1
    for m in range(j, last):
        for i in range(room.queue.shape[1]):
            room.queue[m, i] = room.queue[m + 1, i]
    room.tally[WAITING] = last


@inner_kernel
def _fire(room: Room, event: int) -> int:
    """Put an event that has fired into the queue; the effects have been computed."""
    t, count, j = room.clock[T1], room.size[EVENTS], room.tally[WAITING]
    delay = room.effects[event]
    if not delay >= 0.0:
        return IMPOSSIBLE_DELAY
    if j == room.queue.shape[0]:
        return ENDLESS_EVENTS
    room.queue[j, DUE], room.queue[j, WHICH], room.queue[j, ORDER] = t + delay, event, room.tally[FIRED]
    first = room.flags[ASSIGNED, event]
    for m in range(room.flags[ASSIGNED, event + 1] - first):
        room.queue[j, VALUES + m] = room.effects[2 * count + first + m]
    room.tally[WAITING] = j + 1
    room.tally[FIRED] += 1
    return DONE


@inner_kernel
def _look(room: Room) -> int:
    """Compare the triggers with what they were: fire what has become true, call off what has become false."""
    t, count, computed = room.clock[T1], room.size[EVENTS], False
    ask(room, room.code[TRIGGERS], t, room.work[END], room.truth[1])
    for event in range(count):
        was = room.truth[0, event] != 0.0
        now = room.truth[1, event] != 0.0 and room.truth[1, event] == room.truth[1, event]
        room.truth[0, event] = 1.0 if now else 0.0
        if now and not was:
            if not computed:
                ask(room, room.code[EFFECTS], t, room.work[END], room.effects)
                computed = True
            status = int(_fire(room, event))
            if status != DONE:
                return status
        elif was and not now and room.flags[PERSISTS, event] == 0:
            for j in range(room.tally[WAITING] - 1, -1, -1):
                if room.queue[j, WHICH] == event:
                    _remove(room, j)
    return DONE


@inner_kernel
def _first_due(room: Room) -> int:
    """Which waiting event is to be carried out now; -1 when none is due. The effects have been computed."""
    t, count, best = room.clock[T1], room.size[EVENTS], -1
    rank, due, place = -math.inf, math.inf, 0.0
    for j in range(room.tally[WAITING]):
        if room.queue[j, DUE] <= t:
            event = int(room.queue[j, WHICH])
            own = room.effects[count + event]
            own = own if own == own else -math.inf
            earlier = room.queue[j, DUE] < due or (room.queue[j, DUE] == due and event < place)
            if best < 0 or own > rank or (own == rank and earlier):
                best, rank, due, place = j, own, room.queue[j, DUE], float(event)
    return best


@inner_kernel
def happen(room: Room) -> tuple[int, int]:
    """Let everything happen that is due at the end of the last step; DONE or a reason, and how many events it was."""
    count, done = room.size[EVENTS], 0
    if count == 0:
        return DONE, 0
    while True:
        status = _look(room)
        if status != DONE:
            return status, done
        if next_event(room) > room.clock[T1]:
            return DONE, done
        if done == CHAIN:
            return ENDLESS_EVENTS, done
        ask(room, room.code[EFFECTS], room.clock[T1], room.work[END], room.effects)
        j = _first_due(room)
        event = int(room.queue[j, WHICH])
        first = room.flags[ASSIGNED, event]
        early = room.flags[FROM_TRIGGER, event] != 0
        for m in range(room.flags[ASSIGNED, event + 1] - first):
            value = room.queue[j, VALUES + m] if early else room.effects[2 * count + first + m]
            room.work[END, room.targets[first + m]] = value
        _remove(room, j)
        done += 1
