// A short visit of a pool's gate: units that nobody waits for are taken and given back by it. It is the visit of gate.cc with all left out
// that finds nothing to do there; what comes in meanwhile makes it a visit like any other. Here and not in a .cc file, because it is
// as short as the calls to it would be.
#pragma once

#include "core/gate.h"
#include "core/table.h"

namespace forelock::core {

class ShortVisit {
 public:
  // What must be 0 of the word of a gate that nobody is inside, and into which nothing came: all but the count of pushes.
  static constexpr std::uint64_t kNotIdle = ~Gate{0, false, 0, 0x3ffffff}.word();

  // The note names the slot from the beginning: who takes the gate over from us finds it in whatever state it is by then.
  ShortVisit(Lane& lane, ElementIndex index, Element& element, SlotId id) : lane_(lane), index_(index), element_(element) {
    // A word of its own: were the address of a member given away, all of this would be kept in memory.
    std::uint64_t seen = element.gate.load(memory_order_acquire);
    if ((seen & kNotIdle) != 0) return;
    lane.note(index, id);
    inside_ = seen | Gate{lane.id, false, 0, 0}.word();
    entered_ = element.gate.compare_exchange_strong(seen, inside_, memory_order_acq_rel, memory_order_relaxed);
    if (!entered_) lane.forget();
  }
  ShortVisit(const ShortVisit&) = delete;

  // False: nothing was done.
  bool entered() const { return entered_; }

  // Whether it is a pool at which nobody who came before is passed by: not in the lists, nor by way of something yet to be looked at. The
  // inbox was empty when we came, and who has pushed since comes after us. What is found here holds until we leave, because an element is
  // recycled from inside only.
  bool nobody_waits() const {
    constexpr std::uint64_t kMattering = Meta::kKindMask | Meta::kDirty | Meta::kPlanned;
    if ((element_.meta.load(memory_order_acquire) & kMattering) != Meta::word(0, 0, Kind::kPool, 0, false)) return false;
    std::uint32_t first = 0;
#pragma GCC unroll 4
    for (int tier = 0; tier < kTiers; tier++) first |= element_.heads[tier].load(memory_order_acquire);
    return first == 0 && (element_.fast.load(memory_order_acquire) & (Fast::kQueued | Fast::kOwnerMask)) == 0;
  }

  void leave() {
    std::uint64_t seen = inside_;
    const std::uint64_t outside = seen & ~Gate{lane_.id, false, 0, 0}.word();
    if (element_.gate.compare_exchange_strong(seen, outside, memory_order_acq_rel, memory_order_relaxed)) [[likely]] {
      lane_.forget();
    } else {
      GateKeeper(lane_, index_).go_on();
    }
  }

 private:
  Lane& lane_;
  const ElementIndex index_;
  Element& element_;
  std::uint64_t inside_ = 0;
  bool entered_ = false;
};

// Units for a slot of this lane's participant that is filled and free, its wants beside it, with the word of its state once they are held,
// where nobody waits and nobody is inside: straight among the holders. kShut: nothing was done; kTooFew: nobody waits, and there are not
// enough now. The steps of a death: inside with nothing done; held and in no list, which is a slot of the dead like any other; in the list
// of holders, which is the truth that the sums are made from anew by whoever takes the gate over.
inline Answered hold_units(Lane& lane, Element& element, Handle handle, SlotId id, Slot& slot, const Wants& wants, std::uint32_t tier,
                           std::uint64_t held) {
  Arena& arena = lane.arena;
  ShortVisit visit(lane, handle.index, element, id);
  if (!visit.entered()) return Answered::kShut;
  Answered answer = Answered::kShut;
  const std::uint64_t base = element.base.load(memory_order_acquire);
  if (Meta::generation(element.meta.load(memory_order_acquire)) == handle.generation && base != 0 && visit.nobody_waits()) {
    PoolSums sums(arena.record<PoolRecord>(base));
    answer = Answered::kTooFew;
    if (sums.fits(wants, tier)) {
      const std::uint32_t row = sums.row_of(wants.tenant.get());
      slot.element_generation.set(row);
      slot.state.store(held, memory_order_release);
      GateKeeper::link_first(arena, element, id, slot);
      sums.take(wants, tier, row);
      answer = Answered::kGranted;
    }
  }
  visit.leave();
  return answer;
}

// The other way: a grant of this lane's participant, where nobody waits. False: nothing was done.
inline bool release_units(Lane& lane, ElementIndex index, SlotId id, Slot& slot, std::uint64_t held) {
  Arena& arena = lane.arena;
  Element& element = arena.element(index);
  ShortVisit visit(lane, index, element, id);
  if (!visit.entered()) return false;
  bool done = false;
  const std::uint64_t base = element.base.load(memory_order_acquire);
  const bool counted = (slot.wish.load(memory_order_acquire) & (Wish::kRecount | Wish::kShrinking)) == 0;
  const bool is_held = slot.state.load(memory_order_acquire) == held;
  if (is_held && counted && base != 0 && visit.nobody_waits()) {
    done = GateKeeper::take_out(arena, element.holders, id, slot, false);
    if (done) {
      const Wants& wants = arena.wants(slot.enclosing.get());
      PoolSums(arena.record<PoolRecord>(base)).give_back(wants, slot.flags.get() & SlotFlag::kTierMask, slot.element_generation.get());
      slot.state.store(SlotState::of(held).with(Status::kFree).word(), memory_order_release);
    }
  }
  visit.leave();
  return done;
}

}  // namespace forelock::core
