// Looks for a cycle of waits from one waiter: it waits for the holders of its element, whose grants enclose other waits,
// and so on. Read-only and without any lock: what it walked over is walked over again, and if every word is as before
// the cycle existed at one instant; a deadlock does not go away by itself.
#pragma once

#include <cstdint>
#include <vector>

#include "core/arena.h"

namespace forelock::core {

struct CycleStep {
  SlotId slot;
  std::uint64_t state;
  ElementIndex element;
  Nanos arrival;
  bool operator==(const CycleStep&) const = default;
};

// The waits of a cycle through `from`, beginning with it; empty when there is none, or none that stood still.
std::vector<CycleStep> find_cycle(const Arena& arena, SlotId from);

// Of a cycle, the wait that is refused: the youngest.
SlotId youngest(const std::vector<CycleStep>& cycle);

}  // namespace forelock::core
