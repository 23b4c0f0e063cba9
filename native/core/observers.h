// Who reads telemetry. Each participant says so in its own place, and one word of the header keeps how many do, so that everybody
// else pays one load. Whoever changes a place, or sweeps one, counts anew: {version:32, count:32}, CASed on the word that was read
// before the count. The count that is stored last was begun after every change before it, so it is right whoever dies on the way.
#pragma once

#include "core/arena.h"

namespace forelock::core {

inline std::uint32_t observers(const Arena& arena) {
  return static_cast<std::uint32_t>(arena.header().observers.load(memory_order_relaxed));
}

inline void count_observers(const Arena& arena) {
  auto& word = arena.header().observers;
  // (o1) acquires the last count, and with it the places it saw.
  std::uint64_t seen = word.load(memory_order_acquire);
  for (;;) {
    std::uint32_t count = 0;
    for (ParticipantId id = 1; id <= arena.capacity().participants; id++) {
      if (arena.participant(id).observes.load(memory_order_acquire) != 0 && arena.is_alive(id)) count++;
    }
    if (static_cast<std::uint32_t>(seen) == 0 && count != 0) arena.header().observed_from.store(arena.host().now(), memory_order_relaxed);
    const std::uint64_t next = (((seen >> 32) + 1) << 32) | count;
    if (word.compare_exchange_strong(seen, next, memory_order_acq_rel, memory_order_acquire)) return;  // (o1)
  }
}

inline void observe(const Arena& arena, ParticipantId self, bool on) {
  arena.participant(self).observes.store(on ? 1 : 0, memory_order_release);
  count_observers(arena);
}

}  // namespace forelock::core
