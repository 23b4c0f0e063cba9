#include "core/sweep.h"

#include <algorithm>
#include <vector>

#include "core/observers.h"
#include "core/queue.h"

namespace forelock::core {

namespace {

class Sweep {
 public:
  Sweep(Lane& lane, ParticipantId dead, std::uint32_t incarnation)
      : lane_(lane), arena_(lane.arena), dead_(dead), owner_(ChunkOwner{dead, incarnation}.word()) {}

  bool run() {
    hint(Thread::kScript);
    hint(Thread::kWaker);
    held();
    waits();
    queues();
    if (!clean_) return false;
    Plans(arena_).let_go_of(dead_);
    for (const std::uint32_t chunk : chunks_) {
      std::uint64_t owner = owner_;
      arena_.chunk_owner(chunk).compare_exchange_strong(owner, 0, memory_order_acq_rel, memory_order_relaxed);
    }
    return true;
  }

 private:
  // What a lane was doing: inside a gate, closing one for good, or making an element.
  void hint(Thread thread) {
    const LaneId lane = lane_of(dead_, thread);
    const Hint hint = Hint::of(arena_.hint(lane).load(memory_order_acquire));
    if (hint.element_plus_one == 0 || hint.element_plus_one > arena_.capacity().elements) return;
    const ElementIndex index = hint.element_plus_one - 1;
    note_queue(index);
    Table table(lane_);
    if (hint.slot == Hint::kMaking) {
      table.settle_making(index, lane, ChunkOwner::of(owner_));
    } else if (visit(index) == Visit::kClosed && !table.take_over_recycling(index, lane, ChunkOwner::of(owner_))) {
      clean_ = false;
    }
  }

  void held() {
    const Layout& layout = arena_.layout();
    // It may have died while it joined, before there was memory behind its bitmap.
    if (!arena_.ensure(layout.held + layout.held_bytes * dead_, layout.held_bytes)) {
      clean_ = false;
      return;
    }
    const atomic<std::uint64_t>* words = arena_.held(dead_);
    const std::uint32_t limit = std::min(arena_.header().backed_elements.load(memory_order_acquire), arena_.capacity().elements);
    for (std::uint32_t i = 0; i * 64 < limit; i++) {
      for (std::uint64_t bits = words[i].load(memory_order_acquire); bits != 0; bits &= bits - 1) {
        const ElementIndex index = i * 64 + static_cast<std::uint32_t>(__builtin_ctzll(bits));
        if (index >= limit) continue;
        note_queue(index);
        visit(index);
      }
    }
  }

  // A queue that it used, or in whose gate it may have died over a cell.
  void note_queue(ElementIndex index) {
    const Element& element = arena_.element(index);
    const std::uint64_t offset = is_queue(element) ? element.base.load(memory_order_acquire) : 0;
    if (offset != 0) queues_.push_back(offset);
  }

  // After the visits to what it waited for: now nobody hands it anything any more.
  void queues() {
    std::sort(queues_.begin(), queues_.end());
    queues_.erase(std::unique(queues_.begin(), queues_.end()), queues_.end());
    for (const std::uint64_t offset : queues_) {
      const Queue queue(arena_, offset);
      queue.recover(ChunkOwner::of(owner_), false);
      visit(queue.items());
      visit(queue.room());
    }
  }

  // First every element that one of its slots names, once, with a scan of its lists; then what is in no list.
  void waits() {
    std::vector<ElementIndex> elements;
    for (std::uint32_t chunk = 0; chunk < arena_.layout().chunk_count; chunk++) {
      if (arena_.chunk_owner(chunk).load(memory_order_acquire) != owner_) continue;
      chunks_.push_back(chunk);
      for_each(chunk, [&](Slot& slot, SlotState state) {
        if (state.status == Status::kExtension) return;
        const ElementIndex index = slot.element.peek();
        if (index < arena_.capacity().elements) elements.push_back(index);
      });
    }
    std::sort(elements.begin(), elements.end());
    elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
    for (const ElementIndex index : elements) {
      arena_.element(index).meta.fetch_or(Meta::kDirty, memory_order_acq_rel);
      visit(index);
    }
    if (!clean_) return;
    for (const std::uint32_t chunk : chunks_) {
      for_each(chunk, [&](Slot& slot, SlotState state) {
        std::uint64_t seen = state.word();
        slot.state.compare_exchange_strong(seen, state.with(Status::kFree).word(), memory_order_acq_rel, memory_order_relaxed);
      });
    }
  }

  template <typename Visitor>
  void for_each(std::uint32_t chunk, Visitor visitor) {
    for (std::uint32_t i = 0; i < kChunkSlots; i++) {
      Slot& slot = arena_.slot(chunk * kChunkSlots + i + 1);
      const SlotState state = SlotState::of(slot.state.load(memory_order_acquire));
      // Asked after the word was read: a CAS on it then meets this incarnation's use of the slot, or fails.
      if (state.status != Status::kFree && arena_.chunk_owner(chunk).load(memory_order_acquire) == owner_) visitor(slot, state);
    }
  }

  Visit visit(ElementIndex index) {
    const Visit visit = GateKeeper::serve_all(lane_, index);
    if (visit == Visit::kBusy) clean_ = false;
    return visit;
  }

  Lane& lane_;
  Arena& arena_;
  const ParticipantId dead_;
  const std::uint64_t owner_;
  std::vector<std::uint32_t> chunks_;
  std::vector<std::uint64_t> queues_;  // their records
  bool clean_ = true;
};

}  // namespace

bool sweep(Lane& lane, ParticipantId dead) {
  Arena& arena = lane.arena;
  std::uint64_t seen = arena.participant(dead).life.load(memory_order_acquire);
  const LifeWord word = LifeWord::of(seen);
  if (word.life != Life::kDead) return true;
  if (!Sweep(lane, dead, word.incarnation).run()) return false;
  // Also where its place says it observes no more: it may have died before it counted that.
  if (observers(arena) != 0) count_observers(arena);
  // Rings are sent outside the gates, so the dead one may owe some.
  for (ParticipantId id = 1; id <= arena.capacity().participants; id++) {
    if (arena.is_alive(id)) lane.ring(id);
  }
  if (arena.participant(dead).life.compare_exchange_strong(seen, LifeWord{Life::kFree, word.incarnation}.word(), memory_order_acq_rel,
                                                           memory_order_relaxed)) {
    arena.count(Counter::kSweeps);
  }
  return true;
}

bool sweep_all(Lane& lane) {
  bool clean = true;
  for (ParticipantId id = 1; id <= lane.arena.capacity().participants; id++) {
    if (LifeWord::of(lane.arena.participant(id).life.load(memory_order_acquire)).life == Life::kDead) clean &= sweep(lane, id);
  }
  return clean;
}

}  // namespace forelock::core
