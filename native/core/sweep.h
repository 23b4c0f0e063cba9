// Gives back what a dead participant had. It visits only what that one had noted: its held bits, its hints, its slots.
// Any number of sweepers may be at it at once, and any of them may die: every change is made under a gate or is a CAS on
// the exact word of the dead incarnation.
#pragma once

#include "core/table.h"

namespace forelock::core {

// True when nothing of it is left and its place is free again; false when somebody alive was inside a gate on the way (a
// poke was left there): sweep again later.
bool sweep(Lane& lane, ParticipantId dead);

// Sweeps all who are marked dead; false as above.
bool sweep_all(Lane& lane);

}  // namespace forelock::core
