#include "core/deadlock.h"

#include <algorithm>

namespace forelock::core {

namespace {

constexpr std::size_t kMaxDepth = 64;      // longer cycles are found from none of their waits: documented in limits
constexpr std::size_t kMaxVisited = 4096;  // a walk costs at most about a millisecond on the waker thread
constexpr std::uint32_t kMaxHolders = 4096;
constexpr std::uint32_t kMaxLooks = 1 << 20;  // slots looked at in one walk, some milliseconds

bool waits(Status status) { return status == Status::kQueued || status == Status::kPrepared; }

class Walk {
 public:
  Walk(const Arena& arena, SlotId from) : arena_(arena), from_(from) {}

  std::vector<CycleStep> run() {
    if (!descend(from_)) path_.clear();
    return path_;
  }

 private:
  // True when `from_` was reached again.
  bool descend(SlotId id) {
    if (path_.size() >= kMaxDepth || visited_.size() >= kMaxVisited) return false;
    const Slot& slot = arena_.slot(id);
    const std::uint64_t state = slot.state.load(memory_order_acquire);
    if (!waits(SlotState::of(state).status)) return false;
    visited_.push_back(id);
    const ElementIndex index = slot.element.peek();
    path_.push_back({id, state, index, slot.arrival.peek()});
    const Element& element = arena_.element(index);
    const Fast fast = Fast::of(element.fast.load(memory_order_acquire));
    if (fast.owner != 0 && enclosed_by(fast.owner, index, static_cast<std::uint32_t>(fast.sequence), 0)) return true;
    std::uint32_t steps = 0;
    for (SlotId x = element.holders.load(memory_order_acquire); x != 0 && ++steps < kMaxHolders;) {
      const Slot& holder = arena_.slot(x);
      const ParticipantId owner = arena_.owner_of(x).participant;
      if (owner != 0 && holder.element.peek() == index &&
          enclosed_by(owner, index, SlotState::of(holder.state.load(memory_order_acquire)).sequence, x))
        return true;
      x = holder.next.load(memory_order_acquire);
    }
    path_.pop_back();
    return false;
  }

  // Goes on from every wait of `owner` that this grant encloses.
  bool enclosed_by(ParticipantId owner, ElementIndex index, std::uint32_t sequence, SlotId shared) {
    for (std::uint32_t chunk = 0; chunk < arena_.layout().chunk_count; chunk++) {
      if (ChunkOwner::of(arena_.chunk_owner(chunk).load(memory_order_acquire)).participant != owner) continue;
      for (std::uint32_t i = 0; i < kChunkSlots; i++) {
        if (++looks_ > kMaxLooks) return false;
        const SlotId id = chunk * kChunkSlots + i + 1;
        const Slot& slot = arena_.slot(id);
        if (!waits(SlotState::of(slot.state.load(memory_order_acquire)).status)) continue;
        if (!names(slot.enclosing.peek(), index, sequence, shared)) continue;
        if (id == from_) return true;
        if (std::find(visited_.begin(), visited_.end(), id) == visited_.end() && descend(id)) return true;
      }
    }
    return false;
  }

  bool names(SlotId first, ElementIndex index, std::uint32_t sequence, SlotId shared) const {
    for (std::uint32_t steps = 0; first != 0 && steps <= kEnclosingMax && first <= arena_.layout().chunk_count * kChunkSlots; steps++) {
      const Extension& extension = arena_.extension(first);
      for (std::uint32_t i = 0; i < extension.count.peek() && i < kEnclosingPerExtension; i++) {
        const auto& entry = extension.entries[i];
        if (entry.slot.peek() == shared && entry.element.peek() == index && entry.sequence.peek() == sequence) return true;
      }
      first = extension.next.peek();
    }
    return false;
  }

  const Arena& arena_;
  const SlotId from_;
  std::vector<SlotId> visited_;
  std::uint32_t looks_ = 0;
  std::vector<CycleStep> path_;
};

}  // namespace

std::vector<CycleStep> find_cycle(const Arena& arena, SlotId from) {
  if (arena.slot(from).enclosing.peek() == 0) return {};  // what no grant encloses closes no cycle
  std::vector<CycleStep> cycle = Walk(arena, from).run();
  if (!cycle.empty() && Walk(arena, from).run() != cycle) cycle.clear();
  return cycle;
}

SlotId youngest(const std::vector<CycleStep>& cycle) {
  const auto by_age = [](const CycleStep& a, const CycleStep& b) {
    return a.arrival != b.arrival ? a.arrival < b.arrival : a.slot < b.slot;
  };
  return std::max_element(cycle.begin(), cycle.end(), by_age)->slot;
}

}  // namespace forelock::core
