// One thread of one participant, at work in an arena: who it is, what time it is, and whom it must ring when it is done.
#pragma once

#include <cstdint>
#include <vector>

#include "core/arena.h"

namespace forelock::core {

class Lane {
 public:
  Lane(Arena& arena, ParticipantId participant, Thread thread) : arena(arena), id(lane_of(participant, thread)), hint_(arena.hint(id)) {}
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  ParticipantId participant() const { return participant_of(id); }

  // Write-ahead: what this lane is about to do, for whoever must finish it. Before the step it announces.
  void note(ElementIndex element, std::uint32_t slot) { hint_.store(Hint::word(element, slot), memory_order_release); }
  void forget() { hint_.store(0, memory_order_release); }

  // The time of this operation: read once, when it is first asked for, because one reading costs as much as three CASes.
  void refresh() { stale_ = true; }
  Nanos now() {
    if (stale_) time_ = (id & 1) == static_cast<std::uint32_t>(Thread::kScript) ? arena.host().ticks() : arena.host().now();
    stale_ = false;
    return time_;
  }

  // By whoever has read it already.
  void at(Nanos time) {
    time_ = time;
    stale_ = false;
  }

  bool is_script_of(ParticipantId who) const { return who == participant() && (id & 1) == static_cast<std::uint32_t>(Thread::kScript); }

  // Rings are sent after the gate is left: a futex call inside would keep others out of it for microseconds.
  void ring_later(ParticipantId who) {
    if (is_script_of(who)) {
      own_wake = true;  // the script thread looks at its own wake list before it returns to JavaScript
      return;
    }
    for (std::uint32_t i = 0; i < ring_count_; i++) {
      if (rings_[i] == who) return;
    }
    if (ring_count_ == kRings) ring_all();
    rings_[ring_count_++] = who;
  }
  void ring_all() {
    for (std::uint32_t i = 0; i < ring_count_; i++) ring(rings_[i]);
    ring_count_ = 0;
  }
  // Raises the ring word; a sleeper is woken. (r1) this release pairs with the waker's acquire of ring in shm/waker.cc.
  void ring(ParticipantId who) {
    auto& word = arena.participant(who).ring;
    std::uint32_t seen = word.load(memory_order_relaxed);
    while (!word.compare_exchange_strong(seen, ((seen >> 1) + 1) << 1, memory_order_acq_rel, memory_order_relaxed)) {
    }
    if (seen & 1) arena.host().wake(who);
  }

  Arena& arena;
  const LaneId id;
  bool own_wake = false;           // something for this very thread: a waiter of it was served, or a grant taken from it
  std::vector<SlotId> own_served;  // those waiters, first first

 private:
  atomic<std::uint64_t>& hint_;
  Nanos time_ = 0;
  bool stale_ = true;
  static constexpr std::uint32_t kRings = 16;
  std::uint32_t rings_[kRings];
  std::uint32_t ring_count_ = 0;
};

}  // namespace forelock::core
