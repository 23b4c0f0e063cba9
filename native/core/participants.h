// Who is attached. The kernel says who is alive (a byte lock held by the environment, native/shm/liveness.h); the word
// here says what the arena knows of it, and dead is said once and for ever of one incarnation.
#pragma once

#include "core/arena.h"

namespace forelock::core {

// With the byte lock of this place in hand. False when the place is not free (its sweep has not finished).
inline bool begin_join(Arena& arena, ParticipantId id, std::uint32_t& incarnation) {
  Participant& place = arena.participant(id);
  std::uint64_t seen = place.life.load(memory_order_acquire);
  const LifeWord word = LifeWord::of(seen);
  if (word.life != Life::kFree) return false;
  incarnation = word.incarnation + 1;
  return place.life.compare_exchange_strong(seen, LifeWord{Life::kJoining, incarnation}.word(), memory_order_acq_rel, memory_order_relaxed);
}

// Clears what the place's last participant left, then shows itself. Dying in between is a death like any other.
inline bool finish_join(Arena& arena, ParticipantId id, std::uint32_t incarnation) {
  const Layout& layout = arena.layout();
  if (!arena.ensure(layout.held + layout.held_bytes * id, layout.held_bytes)) return false;
  Participant& place = arena.participant(id);
  place.hint[0].store(0, memory_order_relaxed);
  place.hint[1].store(0, memory_order_relaxed);
  place.ring.store(0, memory_order_relaxed);
  place.notice.store(0, memory_order_relaxed);
  place.wake.store(0, memory_order_relaxed);
  place.next_event.store(0, memory_order_relaxed);
  place.observes.store(0, memory_order_relaxed);
  atomic<std::uint64_t>* held = arena.held(id);
  for (std::size_t i = 0; i < layout.held_bytes / 8; i++) held[i].store(0, memory_order_relaxed);
  place.life.store(LifeWord{Life::kAlive, incarnation}.word(), memory_order_release);
  return true;
}

// `seen` was read before the kernel was asked: if the place has changed hands since, nothing happens.
inline bool mark_dead(Arena& arena, ParticipantId id, std::uint64_t seen) {
  const LifeWord word = LifeWord::of(seen);
  if (word.life != Life::kAlive && word.life != Life::kJoining) return false;
  return arena.participant(id).life.compare_exchange_strong(seen, LifeWord{Life::kDead, word.incarnation}.word(), memory_order_acq_rel,
                                                            memory_order_relaxed);
}

}  // namespace forelock::core
