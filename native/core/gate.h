// The gate of an element: whoever is inside serves everybody. It is entered if it is free or if the one inside is dead;
// nobody ever waits for it: a caller pushes or pokes, then leaves. All changes but the one-CAS acquire and release of an
// exclusive lock are made here, each decided by one committed word, so that whoever takes over from the dead redoes or
// undoes it.
//
// One element's visit, in order:
//   drain   the inbox becomes tier lists, oldest first; the head is cleared when every node of it is marked
//   look    the owner is dead, or past its ttl: free the lock
//   scan    only when something inside the lists was marked: unlink what was given up, lost, or belongs to the dead
//   serve   choose by key, offer, commit on `fast`, unlink, announce, ready
//   leave   by a CAS that demands an empty inbox and no poke, else again
#pragma once

#include <optional>

#include "core/bucket.h"
#include "core/lane.h"
#include "core/plan.h"
#include "core/pool.h"
#include "core/records.h"

namespace forelock::core {

// What came of a request for units.
enum class Answered { kGranted, kTooFew, kShut };

enum class Visit {
  kDone,    // a whole pass was made by this lane
  kBusy,    // somebody alive is inside; if asked to, a poke was left, and what we wanted will be done by them
  kMore,    // done, but the grants of one visit are used up: visit again (from the waker thread)
  kClosed,  // the element is being recycled
};

class GateKeeper {
 public:
  explicit GateKeeper(Lane& lane, ElementIndex index) : lane_(lane), arena_(lane.arena), index_(index), element_(arena_.element(index)) {}

  // poke: leave word with the one inside. mine: a slot of this participant that changed and should be seen to at once.
  Visit visit(bool poke, SlotId mine = 0);

  // Where nobody is inside: enters and puts the prepared slot of this lane's participant into its list, which is then its
  // place in the order, and serves. kBusy: nothing was done, push it into the inbox. kClosed also when the element is no
  // longer of that generation.
  Visit join(SlotId id, std::uint32_t generation);

  // Shuts the inbox of an idle element for good, with this lane inside; false when it is in use or somebody is inside.
  bool close();

  // Takes back a grant that its owner has not looked at since it was made, and offers the lock to the next; the one
  // that slept keeps its place at the head. Nothing happens when somebody is inside, or the grant was taken meanwhile.
  void reclaim(SlotId id);

  // A visit after which an idle element no longer remembers that a holder died; for a table that is full of such.
  void forget_death();

  // A visit in which something of the element is changed before anybody is served. kBusy: nothing was done.
  template <typename Change>
  Visit change(Change change) {
    if (enter(false, false) != Entry::kEntered) return Visit::kBusy;
    change();
    pass(0);
    lane_.ring_all();
    return more_ ? Visit::kMore : Visit::kDone;
  }

  // Visits until nothing is left to grant; what the last visit came to.
  static Visit serve_all(Lane& lane, ElementIndex index);

  // The rest of a short visit (gate_units.h) that somebody came into: with this lane inside.
  void go_on();

  // Of lists that this lane's gate keeps.
  static bool take_out(Arena& arena, atomic<std::uint32_t>& head, SlotId id, Slot& slot, bool tier_list);
  static void link_first(Arena& arena, Element& element, SlotId id, Slot& slot);

  static constexpr int kGrantsPerVisit = 64;

 private:
  enum class Entry { kEntered, kBusy, kClosed };
  Entry enter(bool poke, bool changed);
  void pass(SlotId mine);
  bool leave();
  bool lists_wait() const;

  void drain(bool recovering);
  void place(SlotId id, bool recovering);
  void place_own();
  bool idle() const;
  bool shut();
  void look_at_owner();
  void scan();
  void tend(SlotId id);
  void serve();
  SlotId choose();
  bool blocked(const Slot& slot) const;
  void revoke_owner(std::uint64_t seen, Ending why);
  void revoke_shared(bool only_expired);
  bool grant(SlotId id);
  bool grant_tokens(SlotId id);
  void charge_keep(Slot& first, const std::optional<KeptBack>& kept);
  void charge_wait(Slot& slot, std::uint32_t source);
  SlotId choose_past_holds();
  bool held_back(SlotId id, PlanEntry& entry, const Plan& plan);
  bool is_planned();
  void settle_holds(const Slot& granted, ParticipantId owner);
  SlotId choose_units();
  void look_at_pool_plans();
  void charge_keeps();
  void settle_keeps(SlotId granted, ParticipantId owner);
  void recall_for(SlotId entitled);
  SlotId choose_of_tier(std::uint32_t tier, SlotId aged);
  SlotId first_waiter(atomic<std::uint32_t>& head);
  bool outlived(const Slot& slot) const;
  void look_at_kind();
  void finish(SlotId id, bool anew);
  void prepare_commit(Slot& slot);
  bool conclude(SlotId id, std::uint64_t offered, bool anew);
  void undo_abandoned(SlotId id, bool committed);
  void require_gate();
  void settle_queued_bit();
  void repair(SlotId hinted);
  void withdraw(SlotId id);
  void take_back(SlotId id);
  SlotId first_choice(SlotId head) const;
  void alarm_all();

  // queues: core/gate_queue.cc
  void grant_cell(SlotId id);
  void finish_cell(SlotId id, bool anew);

  // lists
  bool in_list(atomic<std::uint32_t>& head, SlotId id) const;
  bool queued_somewhere(SlotId id) const;
  void rebuild_caches();
  void enlist(SlotId id);
  void put_back(SlotId id);
  void append(SlotId id, std::uint32_t tier);
  template <typename StaysAhead>
  void insert(SlotId id, std::uint32_t tier, StaysAhead stays_ahead);
  bool unlink_from(atomic<std::uint32_t>& head, SlotId id, bool tier_list);
  void unlink(SlotId id);
  void link_holder(SlotId id);
  void remove(SlotId id, std::uint64_t seen);
  void refuse(SlotId id);
  bool refuse_impossible();
  bool make_ready(SlotId id, std::uint64_t seen, std::uint32_t sequence);
  void move_tier(SlotId id);
  void announce(SlotId id, bool anew);
  void tell_ready(ParticipantId owner, bool anew);
  void notify(ParticipantId who, std::uint32_t notice);

  std::uint64_t key_of(const Slot& slot) const;
  std::uint32_t ms_since_epoch(Nanos at) const;
  bool past(std::uint32_t ttl_ms) const;

  Lane& lane_;
  Arena& arena_;
  const ElementIndex index_;
  Element& element_;
  int grants_ = 0;
  bool more_ = false;
  bool takeover_ = false;
  bool repairing_ = false;  // the lists may hold what a dead lane left half-done
  bool forget_death_ = false;
  SlotId adopted_ = 0;
  SlotId joining_ = 0;
  Kind kind_ = Kind::kLock;  // as it is while we are inside
  std::optional<Pool> pool_;
  SlotId asleep_ = 0;  // not chosen in this visit if another can be
};

// True when it was in this list. The caches are exact unless somebody died, and then they were rebuilt; a slot that is
// not in the list at all (its unlinking was done by the dead) shows in that neither neighbour points to it.
inline bool GateKeeper::take_out(Arena& arena, atomic<std::uint32_t>& head, SlotId id, Slot& slot, bool tier_list) {
  const SlotId next = slot.next.load(memory_order_acquire);
  const SlotId first = head.load(memory_order_acquire);
  if (first == id) {
    head.store(next, memory_order_release);
    if (next != 0) {
      arena.slot(next).prev.set(0);
      if (tier_list) arena.slot(next).tail.set(slot.tail.get());
    }
    return true;
  }
  if (first == 0) return false;
  const SlotId prev = slot.prev.get();
  if (prev == 0 || arena.slot(prev).next.load(memory_order_acquire) != id) return false;
  arena.slot(prev).next.store(next, memory_order_release);
  if (next != 0) {
    arena.slot(next).prev.set(prev);
  } else if (tier_list) {
    arena.slot(first).tail.set(prev);
  }
  return true;
}

inline void GateKeeper::link_first(Arena& arena, Element& element, SlotId id, Slot& slot) {
  const SlotId first = element.holders.load(memory_order_acquire);
  slot.next.store(first, memory_order_relaxed);
  slot.prev.set(0);
  element.holders.store(id, memory_order_release);
  if (first != 0) arena.slot(first).prev.set(id);
}

// Whether a visit may serve somebody, as far as one who does not stand in the gate can tell.
bool perhaps_waited_for(const Element& element);

// When the first in line at a bucket is to be served, as far as one who does not stand in the gate can tell; 0: nobody waits.
Nanos tokens_due(Arena& arena, ElementIndex index, Nanos now);

// The same for whoever asks again and again: while the bucket's word and what is waited for stay as they were, the time does.
struct PacedBucket {
  ElementIndex index;
  std::uint64_t word = 0;
  std::uint64_t tokens = 0;
  Pace pace{};
  Nanos due = 0;  // 0: unknown
};
Nanos tokens_due(Arena& arena, PacedBucket& bucket, Nanos now);

}  // namespace forelock::core
