#include "core/gate.h"

#include "core/moment.h"
#include "core/telemetry.h"

namespace forelock::core {

namespace {

SlotState state_of(const Slot& slot) { return SlotState::of(slot.state.load(memory_order_acquire)); }

bool is_shared(const Slot& slot) { return (slot.flags.get() & SlotFlag::kShared) != 0; }

std::uint32_t tier_of(const Slot& slot) { return slot.flags.get() & SlotFlag::kTierMask; }

std::uint32_t low(std::uint64_t sequence) { return static_cast<std::uint32_t>(sequence); }

}  // namespace

// ---- entering and leaving ------------------------------------------------------------------------------------------

Visit GateKeeper::visit(bool poke, SlotId mine) {
  switch (enter(poke, mine != 0)) {
    case Entry::kBusy:
      return Visit::kBusy;
    case Entry::kClosed:
      return Visit::kClosed;
    case Entry::kEntered:
      break;
  }
  pass(mine);
  lane_.ring_all();
  return more_ ? Visit::kMore : Visit::kDone;
}

Visit GateKeeper::join(SlotId id, std::uint32_t generation) {
  switch (enter(false, false)) {
    case Entry::kBusy:
      return Visit::kBusy;
    case Entry::kClosed:
      return Visit::kClosed;
    case Entry::kEntered:
      break;
  }
  // An element is recycled from inside only, so what is found now holds until we leave.
  const bool current = Meta::generation(element_.meta.load(memory_order_acquire)) == generation;
  if (current) joining_ = id;
  pass(0);
  lane_.ring_all();
  if (!current) return Visit::kClosed;
  return more_ ? Visit::kMore : Visit::kDone;
}

// Cases: 1 closed. 2 somebody alive is inside: mark what changed, then poke. 3 nobody, or somebody dead: go in.
GateKeeper::Entry GateKeeper::enter(bool poke, bool changed) {
  bool marked = false;
  for (;;) {
    std::uint64_t seen = element_.gate.load(memory_order_acquire);
    Gate gate = Gate::of(seen);
    if (gate.head == Gate::kClosed) return Entry::kClosed;  // 1
    if (gate.holder == lane_.id) throw Corrupt("a gate is held by the lane that enters it");
    if (gate.holder != 0 && !arena_.lane_is_dead(gate.holder)) {  // 2
      if (!poke) return Entry::kBusy;
      if (changed && !marked) {
        element_.meta.fetch_or(Meta::kDirty, memory_order_acq_rel);
        marked = true;
        continue;
      }
      // A CAS even if the poke is set already: only a read-modify-write on the gate orders our mark before the moment
      // at which the one inside takes the poke off. (g1) it pairs with the CAS in leave().
      gate.poke = true;
      if (element_.gate.compare_exchange_strong(seen, gate.word(), memory_order_acq_rel, memory_order_relaxed)) {
        return Entry::kBusy;
      }
      continue;
    }
    adopted_ = 0;  // 3
    if (gate.holder != 0) {
      const Hint theirs = Hint::of(arena_.hint(gate.holder).load(memory_order_acquire));
      if (theirs.element_plus_one == index_ + 1 && theirs.slot != Hint::kMaking) adopted_ = theirs.slot;
    }
    lane_.note(index_, adopted_);  // before the CAS: if we die inside, the next one finds it in our hint
    Gate inside = gate;
    inside.holder = lane_.id;
    inside.poke = false;
    // So that it is another word: a second taker-over, stopped before this CAS, must not find it again when the dead one's
    // place is used by somebody alive.
    if (gate.holder != 0) inside.pushes++;
    if (element_.gate.compare_exchange_strong(seen, inside.word(), memory_order_acq_rel, memory_order_relaxed)) {
      takeover_ = gate.holder != 0;
      return Entry::kEntered;
    }
    lane_.forget();
  }
}

void GateKeeper::pass(SlotId mine) {
  lane_.refresh();
  bool scan_all = takeover_;
  if (takeover_) {
    arena_.count(Counter::kTakeovers);
    repair(adopted_);
    alarm_all();
  }
  do {
    drain(false);
    if (joining_ != 0) place_own();
    look_at_owner();
    if (mine != 0) tend(mine);
    mine = 0;
    if ((element_.meta.load(memory_order_acquire) & Meta::kDirty) != 0) {
      element_.meta.fetch_and(~Meta::kDirty, memory_order_acq_rel);
      scan_all = true;
    }
    if (scan_all) scan();
    scan_all = false;
    serve();
    if (forget_death_ && idle()) element_.meta.fetch_and(~Meta::kDied, memory_order_acq_rel);
    settle_queued_bit();
  } while (!leave());
}

// Leaving demands that nothing came in meanwhile: an inbox entry or a poke means another round.
bool GateKeeper::leave() {
  std::uint64_t seen = element_.gate.load(memory_order_acquire);
  Gate gate = Gate::of(seen);
  if (gate.holder != lane_.id) throw Corrupt("a gate changed hands under its holder");
  if (gate.head != 0) return false;
  if (gate.poke) {
    gate.poke = false;
    element_.gate.compare_exchange_strong(seen, gate.word(), memory_order_acq_rel, memory_order_relaxed);  // (g1)
    return false;
  }
  gate.holder = 0;
  if (!element_.gate.compare_exchange_strong(seen, gate.word(), memory_order_acq_rel, memory_order_relaxed)) return false;
  lane_.forget();
  return true;
}

Visit GateKeeper::serve_all(Lane& lane, ElementIndex index) {
  // Each visit but the last makes a full round of grants, and there are no more waiters than slots; many times that, for
  // those who come meanwhile.
  for (std::uint32_t rounds = lane.arena.walk_bound() / 4 + 64; rounds > 0; rounds--) {
    const Visit visit = GateKeeper(lane, index).visit(true);
    if (visit != Visit::kMore) return visit;
  }
  throw Corrupt("a queue that never ends");
}

void GateKeeper::reclaim(SlotId id) {
  if (enter(false, false) != Entry::kEntered) return;
  if (!takeover_) {
    drain(false);
    Slot& slot = arena_.slot(id);
    std::uint64_t seen = slot.state.load(memory_order_acquire);
    const SlotState state = SlotState::of(seen);
    const Fast fast = Fast::of(element_.fast.load(memory_order_acquire));
    const bool ready = state.status == Status::kReady && slot.element.get() == index_ && !is_shared(slot) &&
                       low(fast.sequence) == state.sequence && fast.owner == arena_.owner_of(id).participant;
    if (ready) {
      if ((slot.flags.get() & SlotFlag::kOwnerDied) != 0) element_.meta.fetch_or(Meta::kDied, memory_order_acq_rel);
      lane_.note(index_, id);
      // From here on its owner cannot take it. It keeps the sequence, by which a taker-over sees what was begun.
      if (slot.state.compare_exchange_strong(seen, state.with(Status::kQueued).word(), memory_order_acq_rel, memory_order_relaxed)) {
        withdraw(id);
        asleep_ = id;
      }
      lane_.note(index_, 0);
    }
  }
  pass(0);
  lane_.ring_all();
  if (more_) serve_all(lane_, index_);
}

// The second half of a reclaim: the lock goes back, the waiter returns to its place by arrival.
void GateKeeper::withdraw(SlotId id) {
  Slot& slot = arena_.slot(id);
  take_back(id);
  insert(id, tier_of(slot), [&](const Slot& other) { return other.arrival.get() < slot.arrival.get(); });
}

void GateKeeper::take_back(SlotId id) {
  const SlotState state = state_of(arena_.slot(id));
  std::uint64_t word = element_.fast.load(memory_order_acquire);
  const Fast fast = Fast::of(word);
  if (state.sequence != 0 && low(fast.sequence) == state.sequence && fast.owner == arena_.owner_of(id).participant) {
    element_.fast.compare_exchange_strong(word, Fast::word(true, 0, fast.sequence), memory_order_acq_rel, memory_order_relaxed);
  }
}

void GateKeeper::forget_death() {
  forget_death_ = true;
  if (visit(false) == Visit::kMore) serve_all(lane_, index_);
}

bool GateKeeper::close() {
  std::uint64_t fast = element_.fast.load(memory_order_acquire);
  if (Fast::of(fast).queued || Fast::of(fast).owner != 0) return false;
  // Q keeps the fast path out; what is inside the gate then decides.
  lane_.note(index_, 0);  // if we die here, our sweep makes a visit that clears it
  const bool kept_out = element_.fast.compare_exchange_strong(fast, fast | Fast::kQueued, memory_order_acq_rel, memory_order_relaxed);
  if (!kept_out || enter(true, false) != Entry::kEntered) {  // the one inside clears Q when it finds nothing
    lane_.forget();
    return false;
  }
  if (!takeover_) {
    drain(false);
    if (shut()) return true;
  }
  pass(0);
  lane_.ring_all();
  if (more_) serve_all(lane_, index_);
  return false;
}

// With this lane inside and the inbox drained.
bool GateKeeper::shut() {
  std::uint64_t seen = element_.gate.load(memory_order_acquire);
  Gate gate = Gate::of(seen);
  const Fast now = Fast::of(element_.fast.load(memory_order_acquire));
  // Asked again inside: it may have been freed and be in the making under another name since it was chosen.
  const bool live = Meta::state(element_.meta.load(memory_order_acquire)) == Meta::kLive;
  if (live && idle() && now.owner == 0 && now.queued && gate.head == 0 && !gate.poke) {
    // Tokens of the name's next life start above all it has given. Before the close, so that nobody can be faster.
    const std::uint64_t last = element_.base.load(memory_order_relaxed) + now.sequence;
    auto& floor = arena_.header().token_floor;
    std::uint64_t known = floor.load(memory_order_relaxed);
    while (known < last && !floor.compare_exchange_strong(known, last, memory_order_acq_rel, memory_order_relaxed)) {
    }
    gate.head = Gate::kClosed;  // the linearization point: a push that comes later sees it in the very word it pushes to
    if (element_.gate.compare_exchange_strong(seen, gate.word(), memory_order_acq_rel, memory_order_relaxed)) return true;
  }
  return false;
}

bool GateKeeper::idle() const {
  for (const auto& head : element_.heads) {
    if (head.load(memory_order_acquire) != 0) return false;
  }
  return element_.holders.load(memory_order_acquire) == 0;
}

// ---- the inbox -----------------------------------------------------------------------------------------------------

// The chain runs from newest to oldest; it is turned round through `prev`, which is a cache and not yet in use. The walk
// stops at the first node that is marked already (a batch interrupted by a newer push, or by a death).
void GateKeeper::drain(bool recovering) {
  for (;;) {
    Gate gate = Gate::of(element_.gate.load(memory_order_acquire));
    if (gate.head == 0) return;
    SlotId oldest = 0;
    std::uint32_t steps = 0;
    for (SlotId x = gate.head; x != 0;) {
      Slot& slot = arena_.slot(x);
      const Status status = state_of(slot).status;
      if (status != Status::kPrepared && status != Status::kAbortedInInbox) break;
      if (slot.element.get() != index_ || ++steps > arena_.walk_bound()) throw Corrupt("inbox chain");
      slot.prev.set(oldest);
      oldest = x;
      x = slot.link.load(memory_order_acquire);
    }
    for (; oldest != 0; steps--) {
      if (steps == 0) throw Corrupt("inbox chain");  // a slot that is linked elsewhere too had its `prev` changed by that list
      const SlotId newer = arena_.slot(oldest).prev.get();
      place(oldest, recovering);
      oldest = newer;
    }
    // Only now, when every node of it is marked, may the head go: a node is marked by what it says itself, so whoever
    // takes over here knows where to stop.
    for (;;) {
      std::uint64_t seen = element_.gate.load(memory_order_acquire);
      Gate emptied = Gate::of(seen);
      if (emptied.head != gate.head) break;
      emptied.head = 0;
      if (element_.gate.compare_exchange_strong(seen, emptied.word(), memory_order_acq_rel, memory_order_relaxed)) return;
    }
  }
}

// Link first (one store), mark second: a node that was linked but not marked by the dead is recognised and skipped.
void GateKeeper::place(SlotId id, bool recovering) {
  Slot& slot = arena_.slot(id);
  if (!recovering || !queued_somewhere(id)) enlist(id);
  std::uint64_t seen = slot.state.load(memory_order_acquire);
  SlotState state = SlotState::of(seen);
  if (state.status == Status::kPrepared &&
      slot.state.compare_exchange_strong(seen, state.with(Status::kQueued).word(), memory_order_acq_rel, memory_order_acquire)) {
    return;
  }
  state = SlotState::of(seen);
  slot.state.store(state.with(Status::kAbortedInQueue).word(), memory_order_release);
  element_.meta.fetch_or(Meta::kDirty, memory_order_acq_rel);
}

// Behind all that came through the inbox before. The slot is ours and nobody else knows of it yet; if we die between the
// two steps, the taker-over finds it queued and in no list, links it, and then removes it as a dead one's.
void GateKeeper::place_own() {
  Slot& slot = arena_.slot(joining_);
  lane_.note(index_, joining_);
  slot.state.store(state_of(slot).with(Status::kQueued).word(), memory_order_release);
  enlist(joining_);
  lane_.note(index_, 0);
  joining_ = 0;
}

// ---- the owner -----------------------------------------------------------------------------------------------------

void GateKeeper::look_at_owner() {
  for (;;) {
    std::uint64_t seen = element_.fast.load(memory_order_acquire);
    const Fast fast = Fast::of(seen);
    if (fast.owner == 0) break;
    if (arena_.is_dead(fast.owner)) {  // asked after the word was read: the CAS below then hits that incarnation or nothing
      element_.meta.fetch_or(Meta::kDied, memory_order_acq_rel);
      if (element_.fast.compare_exchange_strong(seen, Fast::word(true, 0, fast.sequence), memory_order_acq_rel, memory_order_relaxed)) {
        record_reclaim(lane_, index_, fast.owner, Ending::kDied);
        break;
      }
      continue;
    }
    if (fast.queued && past(element_.ttl.load(memory_order_acquire))) {
      revoke_owner(seen, Ending::kExpired);
      continue;
    }
    return;
  }
  if (element_.holders.load(memory_order_acquire) != 0 && past(element_.ttl.load(memory_order_acquire))) revoke_shared(true);
}

void GateKeeper::revoke_owner(std::uint64_t seen, Ending why) {
  const Fast fast = Fast::of(seen);
  if (!element_.fast.compare_exchange_strong(seen, Fast::word(true, 0, fast.sequence), memory_order_acq_rel, memory_order_relaxed)) {
    return;  // given back meanwhile
  }
  arena_.count(Counter::kRevocations);
  record_reclaim(lane_, index_, fast.owner, why);
  notify(fast.owner, Notice::kRevoked);
}

void GateKeeper::revoke_shared(bool only_expired) {
  std::uint32_t steps = 0;
  std::uint32_t earliest = 0;
  for (SlotId x = element_.holders.load(memory_order_acquire); x != 0;) {
    Slot& slot = arena_.slot(x);
    const SlotId next = slot.next.load(memory_order_acquire);
    if (++steps > arena_.walk_bound()) throw Corrupt("holder list");
    const Nanos deadline = slot.deadline.get();
    std::uint64_t seen = slot.state.load(memory_order_acquire);
    const SlotState state = SlotState::of(seen);
    const bool grant = state.status == Status::kHeld || state.status == Status::kReady;
    if (grant && (!only_expired || (deadline != 0 && lane_.now() >= deadline))) {
      lane_.note(index_, x);
      const ParticipantId owner = arena_.owner_of(x).participant;
      if (slot.state.compare_exchange_strong(seen, state.with(Status::kRevoked).word(), memory_order_acq_rel, memory_order_acquire)) {
        arena_.count(Counter::kRevocations);
        record_reclaim(lane_, index_, owner, only_expired ? Ending::kExpired : Ending::kStolen);
        tend(x);
        if (owner != 0) notify(owner, Notice::kRevoked);
      } else {
        lane_.note(index_, 0);
        continue;  // taken by its owner, or given up, in this moment: look again
      }
    } else if (grant && deadline != 0) {
      const std::uint32_t at = ms_since_epoch(deadline);
      if (earliest == 0 || static_cast<std::int32_t>(at - earliest) < 0) earliest = at;
    }
    x = next;
  }
  element_.ttl.store(earliest, memory_order_release);
}

// ---- looking through the lists -------------------------------------------------------------------------------------

void GateKeeper::scan() {
  for (std::uint32_t tier = 0; tier <= kTiers; tier++) {
    auto& head = tier < kTiers ? element_.heads[tier] : element_.holders;
    std::uint32_t steps = 0;
    for (SlotId x = head.load(memory_order_acquire); x != 0;) {
      if (++steps > arena_.walk_bound()) throw Corrupt("slot list");
      const SlotId next = arena_.slot(x).next.load(memory_order_acquire);
      tend(x);
      x = next;
    }
  }
}

// One slot that may have changed: unlink it if it was given up or lost or its owner is dead, move it if its owner wishes.
void GateKeeper::tend(SlotId id) {
  Slot& slot = arena_.slot(id);
  if (slot.element.get() != index_) return;
  const std::uint64_t seen = slot.state.load(memory_order_acquire);
  const SlotState state = SlotState::of(seen);
  switch (state.status) {
    case Status::kAbandoned:
      return finish(id, false);
    case Status::kAbortedInQueue:
    case Status::kReleased:
    case Status::kRevoked:
      return remove(id, seen);
    case Status::kQueued:
    case Status::kHeld:
    case Status::kReady:
      break;
    default:
      return;
  }
  const ChunkOwner owner = arena_.owner_of(id);
  if (arena_.is_dead(owner)) {
    if (state.status != Status::kQueued) {
      if (!is_shared(slot)) return;  // an exclusive grant is in nobody's list; its lock was freed as the owner's
      element_.meta.fetch_or(Meta::kDied, memory_order_acq_rel);
      record_reclaim(lane_, index_, owner.participant, Ending::kDied);
    }
    return remove(id, seen);
  }
  if (state.status == Status::kQueued && (slot.wish.load(memory_order_acquire) & Wish::kTier) != 0) move_tier(id);
}

void GateKeeper::remove(SlotId id, std::uint64_t seen) {
  Slot& slot = arena_.slot(id);
  lane_.note(index_, id);
  unlink(id);
  // A dead owner's slot, or one whose owner waits for exactly this: nobody else may change it now.
  slot.state.compare_exchange_strong(seen, SlotState::of(seen).with(Status::kFree).word(), memory_order_acq_rel, memory_order_relaxed);
  lane_.note(index_, 0);
}

void GateKeeper::move_tier(SlotId id) {
  Slot& slot = arena_.slot(id);
  std::uint32_t wish = slot.wish.load(memory_order_acquire);
  const std::uint32_t tier = wish & Wish::kTierMask;
  if (tier != tier_of(slot)) {
    lane_.note(index_, id);  // unlinked and queued is a state of its own for whoever takes over: link it again
    unlink(id);
    slot.flags.set((slot.flags.get() & ~SlotFlag::kTierMask) | tier);
    insert(id, tier, [&](const Slot& other) { return other.arrival.get() <= slot.arrival.get(); });
    lane_.note(index_, 0);
  }
  slot.wish.compare_exchange_strong(wish, wish & Wish::kInWake, memory_order_acq_rel, memory_order_relaxed);
}

// ---- serving -------------------------------------------------------------------------------------------------------

void GateKeeper::serve() {
  while (const SlotId id = choose()) {
    if (grants_ == kGrantsPerVisit) {
      more_ = true;
      return;
    }
    grant(id);
  }
}

// The head with the smallest key, if it can be served now. What is dead, given up or late at a head goes first.
SlotId GateKeeper::choose() {
  SlotId best = 0;
  std::uint64_t best_key = 0;
  for (auto& head : element_.heads) {
    std::uint32_t steps = 0;
    while (const SlotId x = head.load(memory_order_acquire)) {
      if (++steps > arena_.walk_bound()) throw Corrupt("tier list");
      Slot& slot = arena_.slot(x);
      std::uint64_t seen = slot.state.load(memory_order_acquire);
      const SlotState state = SlotState::of(seen);
      if (slot.element.get() != index_) throw Corrupt("a slot is linked to another element");
      if (state.status == Status::kQueued) {
        const Nanos deadline = slot.deadline.get();
        if (arena_.is_dead(arena_.owner_of(x))) {
          remove(x, seen);
          continue;
        }
        if (deadline != 0 && lane_.now() >= deadline) {
          if (slot.state.compare_exchange_strong(seen, state.with(Status::kAbortedInQueue).word(), memory_order_acq_rel,
                                                 memory_order_acquire)) {
            remove(x, state.with(Status::kAbortedInQueue).word());
          }
          continue;
        }
        const SlotId choice = first_choice(x);
        const std::uint64_t key = key_of(arena_.slot(choice));
        if (best == 0 || best == asleep_ || (key < best_key && choice != asleep_)) {
          best = choice;
          best_key = key;
        }
        break;
      }
      if (state.status != Status::kAbortedInQueue && state.status != Status::kAbandoned && state.status != Status::kOffered) {
        throw Corrupt("a tier list holds a slot that does not wait");
      }
      if (state.status == Status::kOffered) {
        finish(x, true);
      } else {
        tend(x);
      }
      if (head.load(memory_order_acquire) == x) throw Corrupt("a slot will not leave its list");
    }
  }
  if (best == 0) return 0;
  require_gate();
  const Slot& slot = arena_.slot(best);
  if (!blocked(slot)) return best;
  if ((slot.flags.get() & SlotFlag::kSteal) == 0) return 0;
  const std::uint64_t fast = element_.fast.load(memory_order_acquire);
  if (Fast::of(fast).owner != 0) revoke_owner(fast, Ending::kStolen);
  revoke_shared(false);
  return blocked(slot) ? 0 : best;
}

// The head of a tier list, unless it sleeps and another waits behind it.
SlotId GateKeeper::first_choice(SlotId head) const {
  if (head != asleep_) return head;
  const SlotId next = arena_.slot(head).next.load(memory_order_acquire);
  return next != 0 && state_of(arena_.slot(next)).status == Status::kQueued ? next : head;
}

bool GateKeeper::blocked(const Slot& slot) const {
  if (Fast::of(element_.fast.load(memory_order_acquire)).owner != 0) return true;
  return !is_shared(slot) && element_.holders.load(memory_order_acquire) != 0;
}

// Somebody waits: the fast path must not pass them by.
void GateKeeper::require_gate() {
  if ((element_.fast.load(memory_order_acquire) & Fast::kQueued) == 0) {
    element_.fast.fetch_or(Fast::kQueued, memory_order_acq_rel);
  }
}

void GateKeeper::grant(SlotId id) {
  Slot& slot = arena_.slot(id);
  std::uint64_t seen = slot.state.load(memory_order_acquire);
  const SlotState state = SlotState::of(seen);
  if (state.status != Status::kQueued) return;
  const bool died = (element_.meta.load(memory_order_acquire) & Meta::kDied) != 0;
  const std::uint32_t flags = slot.flags.get() & ~SlotFlag::kOwnerDied;
  slot.flags.set(died ? flags | SlotFlag::kOwnerDied : flags);
  lane_.note(index_, id);
  const std::uint32_t sequence = low(Fast::of(element_.fast.load(memory_order_acquire)).sequence + 1);
  if (slot.state.compare_exchange_strong(seen, state.with(Status::kOffered, sequence).word(), memory_order_acq_rel, memory_order_relaxed)) {
    grants_++;
    finish(id, false);
  }
  lane_.note(index_, 0);
}

// Brings a slot that the hint names to its end, whatever has been done of it. Idempotent; after a takeover `anew` says
// that a wake may be lost. What it finds, and does:
//   offered, fast is still before it      commit: the CAS on fast is the linearization point of the hand-off
//   offered, fast is the grant            unlink, announce, ready
//   offered, fast is past it              the grant was revoked before it was known: free the slot
//   abandoned                             give the grant back if it was committed; free the slot
//   ready                                 only its wake may be missing
void GateKeeper::finish(SlotId id, bool anew) {
  Slot& slot = arena_.slot(id);
  if (slot.element.get() != index_) return;
  for (;;) {
    std::uint64_t seen = slot.state.load(memory_order_acquire);
    const SlotState state = SlotState::of(seen);
    std::uint64_t word = element_.fast.load(memory_order_acquire);
    const Fast fast = Fast::of(word);
    const ParticipantId winner = is_shared(slot) ? 0 : arena_.owner_of(id).participant;
    const bool committed = low(fast.sequence) == state.sequence && fast.owner == winner;
    switch (state.status) {
      case Status::kOffered:
        if (low(fast.sequence + 1) == state.sequence && fast.owner == 0) {
          prepare_commit(slot);
          element_.fast.compare_exchange_strong(word, Fast::word(true, winner, fast.sequence + 1), memory_order_acq_rel,
                                                memory_order_relaxed);
          continue;
        }
        if (!committed) {
          remove(id, seen);
          continue;  // it may have been abandoned in between
        }
        if (conclude(id, seen, anew)) return;
        continue;
      case Status::kAbandoned:
        undo_abandoned(id, committed);
        return;
      case Status::kAbortedInQueue:
      case Status::kReleased:
      case Status::kRevoked:
        return remove(id, seen);
      case Status::kReady:
        if (anew) {
          notify(arena_.owner_of(id).participant, Notice::kRescan);
        }
        return;
      default:
        return;
    }
  }
}

// Everything that belongs to the grant and lies outside the committed word is written before it, again on every redo.
void GateKeeper::prepare_commit(Slot& slot) {
  const Nanos ends = slot.ttl.get() == 0 ? 0 : lane_.now() + slot.ttl.get() * kNanosPerMilli;
  const std::uint32_t ttl = ends == 0 ? 0 : ms_since_epoch(ends);
  if (is_shared(slot)) {
    slot.deadline.set(ends);
    const std::uint32_t earliest = element_.holders.load(memory_order_acquire) == 0 ? 0 : element_.ttl.load(memory_order_acquire);
    const bool sooner = earliest == 0 || (ttl != 0 && static_cast<std::int32_t>(ttl - earliest) < 0);
    element_.ttl.store(sooner ? ttl : earliest, memory_order_release);
  } else {
    slot.deadline.set(0);
    element_.ttl.store(ttl, memory_order_release);
    element_.since.store(since_word(arena_.header(), arena_.host().coarse_now(), tier_of(slot)), memory_order_relaxed);
  }
}

bool GateKeeper::conclude(SlotId id, std::uint64_t offered, bool anew) {
  Slot& slot = arena_.slot(id);
  if ((slot.flags.get() & SlotFlag::kOwnerDied) != 0) element_.meta.fetch_and(~Meta::kDied, memory_order_acq_rel);
  if (is_shared(slot)) {
    if (!in_list(element_.holders, id)) {
      unlink(id);
      link_holder(id);
    }
  } else {
    unlink(id);
  }
  // On the wake list before it is ready, so that a ready slot is on the list, or its announcer is dead: its owner may
  // then free it once it has emptied the list.
  announce(id, anew);
  const SlotState ready = SlotState::of(offered).with(Status::kReady);
  const ParticipantId owner = arena_.owner_of(id).participant;
  if (!slot.state.compare_exchange_strong(offered, ready.word(), memory_order_acq_rel, memory_order_relaxed)) return false;
  if (owner != 0) lane_.ring_later(owner);
  return true;
}

void GateKeeper::undo_abandoned(SlotId id, bool committed) {
  Slot& slot = arena_.slot(id);
  if (committed) {
    if ((slot.flags.get() & SlotFlag::kOwnerDied) != 0) element_.meta.fetch_or(Meta::kDied, memory_order_acq_rel);
    if (!is_shared(slot)) {
      std::uint64_t word = element_.fast.load(memory_order_acquire);
      const Fast fast = Fast::of(word);
      element_.fast.compare_exchange_strong(word, Fast::word(true, 0, fast.sequence), memory_order_acq_rel, memory_order_relaxed);
    }
  }
  remove(id, slot.state.load(memory_order_acquire));
}

// Nobody waits, shares or is to be told of a death: the fast path may have the lock back.
void GateKeeper::settle_queued_bit() {
  for (;;) {
    if (!idle()) return;
    std::uint64_t word = element_.fast.load(memory_order_acquire);
    const Fast fast = Fast::of(word);
    if (!fast.queued || (element_.meta.load(memory_order_acquire) & Meta::kDied) != 0) return;
    if (fast.owner != 0 && element_.ttl.load(memory_order_acquire) != 0) return;
    if (fast.owner == 0) element_.ttl.store(0, memory_order_release);
    if (element_.fast.compare_exchange_strong(word, word & ~Fast::kQueued, memory_order_acq_rel, memory_order_relaxed)) return;
  }
}

// ---- taking over ---------------------------------------------------------------------------------------------------

void GateKeeper::repair(SlotId hinted) {
  repairing_ = true;
  rebuild_caches();
  if (hinted != 0) {
    Slot& slot = arena_.slot(hinted);
    const bool ours = slot.element.get() == index_;
    if (ours && state_of(slot).status == Status::kQueued && !queued_somewhere(hinted)) {
      if (state_of(slot).sequence != 0) {
        withdraw(hinted);
      } else {
        enlist(hinted);  // its holder died between taking it out of one tier and putting it into another
      }
    } else if (ours) {
      // Given up by its owner before the dead one had taken the lock back from it.
      if (state_of(slot).status == Status::kAbortedInQueue) take_back(hinted);
      finish(hinted, true);
    }
    lane_.note(index_, 0);
  }
  drain(true);
  rebuild_caches();
  repairing_ = false;
}

void GateKeeper::rebuild_caches() {
  for (std::uint32_t tier = 0; tier <= kTiers; tier++) {
    auto& head = tier < kTiers ? element_.heads[tier] : element_.holders;
    SlotId last = 0;
    std::uint32_t steps = 0;
    for (SlotId x = head.load(memory_order_acquire); x != 0; x = arena_.slot(x).next.load(memory_order_acquire)) {
      if (++steps > arena_.walk_bound()) throw Corrupt("slot list");
      arena_.slot(x).prev.set(last);
      last = x;
    }
    if (last != 0) arena_.slot(head.load(memory_order_acquire)).tail.set(last);
  }
}

// The dead one may have taken a grant from somebody and not have told them: everybody looks at what they hold.
void GateKeeper::alarm_all() {
  for (ParticipantId id = 1; id <= arena_.capacity().participants; id++) {
    if (arena_.is_alive(id)) notify(id, Notice::kRevoked);
  }
}

// ---- lists ---------------------------------------------------------------------------------------------------------

bool GateKeeper::in_list(atomic<std::uint32_t>& head, SlotId id) const {
  std::uint32_t steps = 0;
  for (SlotId x = head.load(memory_order_acquire); x != 0; x = arena_.slot(x).next.load(memory_order_acquire)) {
    if (x == id) return true;
    if (++steps > arena_.walk_bound()) throw Corrupt("slot list");
    if (!repairing_) return false;  // unless somebody died half-way, a slot that is offered is not a holder yet
  }
  return false;
}

bool GateKeeper::queued_somewhere(SlotId id) const {
  for (auto& head : element_.heads) {
    std::uint32_t steps = 0;
    for (SlotId x = head.load(memory_order_acquire); x != 0; x = arena_.slot(x).next.load(memory_order_acquire)) {
      if (x == id) return true;
      if (++steps > arena_.walk_bound()) throw Corrupt("tier list");
    }
  }
  return false;
}

void GateKeeper::enlist(SlotId id) {
  Slot& slot = arena_.slot(id);
  const std::uint32_t flags = slot.flags.get();
  const std::uint32_t tier = flags & SlotFlag::kTierMask;
  if ((flags & SlotFlag::kSteal) != 0) {
    insert(id, tier, [](const Slot& other) { return (other.flags.get() & SlotFlag::kSteal) != 0; });
  } else if ((flags & SlotFlag::kByArrival) != 0) {
    insert(id, tier, [&](const Slot& other) { return other.arrival.get() <= slot.arrival.get(); });
  } else {
    append(id, tier);
  }
}

void GateKeeper::append(SlotId id, std::uint32_t tier) {
  Slot& slot = arena_.slot(id);
  slot.next.store(0, memory_order_relaxed);
  const SlotId first = element_.heads[tier].load(memory_order_acquire);
  if (first == 0) {
    slot.prev.set(0);
    slot.tail.set(id);
    element_.heads[tier].store(id, memory_order_release);
    return;
  }
  const SlotId last = arena_.slot(first).tail.get();
  slot.prev.set(last);
  arena_.slot(last).next.store(id, memory_order_release);
  arena_.slot(first).tail.set(id);
}

template <typename StaysAhead>
void GateKeeper::insert(SlotId id, std::uint32_t tier, StaysAhead stays_ahead) {
  Slot& slot = arena_.slot(id);
  auto& head = element_.heads[tier];
  const SlotId first = head.load(memory_order_acquire);
  SlotId before = 0;
  SlotId after = first;
  std::uint32_t steps = 0;
  while (after != 0) {
    const Slot& other = arena_.slot(after);
    if ((other.flags.get() & SlotFlag::kSteal) == 0 && !stays_ahead(other)) break;
    if (++steps > arena_.walk_bound()) throw Corrupt("tier list");
    before = after;
    after = other.next.load(memory_order_acquire);
  }
  slot.next.store(after, memory_order_relaxed);
  slot.prev.set(before);
  if (before == 0) {
    slot.tail.set(first == 0 ? id : arena_.slot(first).tail.get());
    head.store(id, memory_order_release);
  } else {
    arena_.slot(before).next.store(id, memory_order_release);
  }
  if (after != 0) {
    arena_.slot(after).prev.set(id);
  } else {
    arena_.slot(head.load(memory_order_relaxed)).tail.set(id);
  }
}

// True when it was in this list. The caches are exact unless somebody died, and then they were rebuilt; a slot that is
// not in the list at all (its unlinking was done by the dead) shows in that neither neighbour points to it.
bool GateKeeper::unlink_from(atomic<std::uint32_t>& head, SlotId id, bool tier_list) {
  Slot& slot = arena_.slot(id);
  const SlotId next = slot.next.load(memory_order_acquire);
  const SlotId first = head.load(memory_order_acquire);
  if (first == id) {
    head.store(next, memory_order_release);
    if (next != 0) {
      arena_.slot(next).prev.set(0);
      if (tier_list) arena_.slot(next).tail.set(slot.tail.get());
    }
    return true;
  }
  if (first == 0) return false;
  const SlotId prev = slot.prev.get();
  if (prev == 0 || arena_.slot(prev).next.load(memory_order_acquire) != id) return false;
  arena_.slot(prev).next.store(next, memory_order_release);
  if (next != 0) {
    arena_.slot(next).prev.set(prev);
  } else if (tier_list) {
    arena_.slot(first).tail.set(prev);
  }
  return true;
}

void GateKeeper::unlink(SlotId id) {
  // What the dead one left half-done may be in any list or in none, so it is looked for.
  if (repairing_) {
    for (auto& head : element_.heads) {
      if (in_list(head, id)) {
        unlink_from(head, id, true);
        return;
      }
    }
    if (in_list(element_.holders, id)) unlink_from(element_.holders, id, false);
    return;
  }
  const Slot& slot = arena_.slot(id);
  const Status status = state_of(slot).status;
  const bool holder = status == Status::kReleased || status == Status::kRevoked ||
                      ((status == Status::kHeld || status == Status::kReady) && is_shared(slot));
  if (holder) {
    unlink_from(element_.holders, id, false);
  } else if (!unlink_from(element_.heads[tier_of(slot)], id, true) && is_shared(slot)) {
    unlink_from(element_.holders, id, false);  // abandoned after it had become a holder
  }
}

void GateKeeper::link_holder(SlotId id) {
  Slot& slot = arena_.slot(id);
  const SlotId first = element_.holders.load(memory_order_acquire);
  slot.next.store(first, memory_order_relaxed);
  slot.prev.set(0);
  element_.holders.store(id, memory_order_release);
  if (first != 0) arena_.slot(first).prev.set(id);
}

// ---- telling the owner ---------------------------------------------------------------------------------------------

void GateKeeper::announce(SlotId id, bool anew) {
  Slot& slot = arena_.slot(id);
  const ParticipantId owner = arena_.owner_of(id).participant;
  if (owner == 0) throw Corrupt("a waiting slot has no owner");
  if (!anew && lane_.is_script_of(owner)) {
    lane_.own_served.push_back(id);  // no need of shared memory to tell ourselves: if we die, so does the list's reader
    return;
  }
  Participant& participant = arena_.participant(owner);
  if ((slot.wish.fetch_or(Wish::kInWake, memory_order_acq_rel) & Wish::kInWake) == 0) {
    std::uint32_t first = participant.wake.load(memory_order_relaxed);
    do {
      slot.link.store(first, memory_order_relaxed);
    } while (!participant.wake.compare_exchange_strong(first, id, memory_order_acq_rel, memory_order_relaxed));
  }
  if (anew) participant.notice.fetch_or(Notice::kRescan, memory_order_acq_rel);
}

void GateKeeper::notify(ParticipantId who, std::uint32_t notice) {
  arena_.participant(who).notice.fetch_or(notice, memory_order_acq_rel);
  lane_.ring_later(who);
}

// ---- order and time ------------------------------------------------------------------------------------------------

// Strict priority until a difference of tiers has been waited out, FIFO inside a tier, a bounded wait for all: one key.
std::uint64_t GateKeeper::key_of(const Slot& slot) const {
  if ((slot.flags.get() & SlotFlag::kSteal) != 0) return 0;
  const std::uint64_t ageing = arena_.header().ageing.load(memory_order_relaxed);
  const std::uint64_t handicap = (kTiers - 1 - tier_of(slot)) * (ageing != 0 ? ageing : kNever);
  return slot.arrival.get() + handicap;
}

std::uint32_t GateKeeper::ms_since_epoch(Nanos at) const { return core::ms_since_epoch(arena_.header(), at); }

bool GateKeeper::past(std::uint32_t ttl_ms) const {
  if (ttl_ms == 0) return false;
  return static_cast<std::int32_t>(core::ms_floor(arena_.header(), lane_.now()) - ttl_ms) >= 0;
}

}  // namespace forelock::core
