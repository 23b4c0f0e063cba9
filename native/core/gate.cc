#include "core/gate.h"

#include <bit>

#include "core/moment.h"
#include "core/queue.h"
#include "core/telemetry.h"

namespace forelock::core {

namespace {

SlotState state_of(const Slot& slot) { return SlotState::of(slot.state.load(memory_order_acquire)); }

// Somebody died over its end and it waits on: it may say that it is on the wake list, and not be.
bool perhaps_announced(const Slot& slot) { return (slot.wish.load(memory_order_acquire) & Wish::kAnew) != 0; }

bool is_shared(const Slot& slot) { return (slot.flags.get() & SlotFlag::kShared) != 0; }

std::uint32_t tier_of(const Slot& slot) { return slot.flags.get() & SlotFlag::kTierMask; }

std::uint32_t low(std::uint64_t sequence) { return static_cast<std::uint32_t>(sequence); }

std::uint64_t order_key(const Arena& arena, const Slot& slot) {
  const std::uint32_t flags = slot.flags.peek();
  if ((flags & SlotFlag::kSteal) != 0) return 0;
  const std::uint64_t ageing = arena.header().ageing.load(memory_order_relaxed);
  return slot.arrival.peek() + (kTiers - 1 - (flags & SlotFlag::kTierMask)) * (ageing != 0 ? ageing : kNever);
}

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

bool GateKeeper::lists_wait() const {
  for (const auto& head : element_.heads) {
    if (head.load(memory_order_acquire) != 0) return true;
  }
  return false;
}

void GateKeeper::go_on() {
  if (Gate::of(element_.gate.load(memory_order_acquire)).holder != lane_.id) throw Corrupt("a gate changed hands under its holder");
  lane_.note(index_, 0);
  look_at_kind();
  pass(0);
  lane_.ring_all();
  if (more_) serve_all(lane_, index_);
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
      look_at_kind();
      return Entry::kEntered;
    }
    lane_.forget();
  }
}

// An element is recycled from inside only, so what is found here holds until we leave.
void GateKeeper::look_at_kind() {
  kind_ = Meta::kind(element_.meta.load(memory_order_acquire));
  if (kind_ != Kind::kBucket && kind_ != Kind::kPool) kind_ = Kind::kLock;  // of all others the word says who owns it, or nothing
  if (kind_ == Kind::kPool && element_.base.load(memory_order_acquire) != 0) pool_.emplace(arena_, index_);
  if (pool_ && (element_.meta.load(memory_order_acquire) & Meta::kPlanned) != 0) look_at_pool_plans();
}

// The mark is taken off when there is none, as is_planned() does of a lock: who writes one sets it before and after, and comes to the gate.
void GateKeeper::look_at_pool_plans() {
  lane_.refresh();
  pool_->look_at_plans(index_, lane_.now());
  if (pool_->is_planned()) return;
  Plans(arena_).unblock(index_ + 1, lane_.now());
  element_.meta.fetch_and(~Meta::kPlanned, memory_order_acq_rel);
  pool_->look_at_plans(index_, lane_.now());
  if (pool_->is_planned()) element_.meta.fetch_or(Meta::kPlanned, memory_order_acq_rel);  // its writer may have died before it would have
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
  const std::uint64_t meta = element_.meta.load(memory_order_acquire);
  const bool live = Meta::state(meta) == Meta::kLive && (meta & Meta::kPlanned) == 0;  // a plan is of this life of the name
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

bool GateKeeper::idle() const { return !lists_wait() && element_.holders.load(memory_order_acquire) == 0; }

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
  if (kind_ == Kind::kBucket) return;  // the word says something else
  for (;;) {
    std::uint64_t seen = element_.fast.load(memory_order_acquire);
    const Fast fast = Fast::of(seen);
    if (fast.owner == 0) break;
    if (arena_.is_dead(fast.owner)) {  // asked after the word was read: the CAS below then hits that incarnation or nothing
      if (kind_ == Kind::kLock) element_.meta.fetch_or(Meta::kDied, memory_order_acq_rel);
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
  if (pool_ && state.status != Status::kQueued && (slot.wish.load(memory_order_acquire) & Wish::kRecount) != 0) {
    slot.wish.fetch_and(~Wish::kRecount, memory_order_acq_rel);
    pool_->recount();
  }
  const ChunkOwner owner = arena_.owner_of(id);
  if (arena_.is_dead(owner)) {
    if (state.status != Status::kQueued) {
      if (!is_shared(slot)) return;  // an exclusive grant is in nobody's list; its lock was freed as the owner's
      if (kind_ == Kind::kLock) element_.meta.fetch_or(Meta::kDied, memory_order_acq_rel);
      record_reclaim(lane_, index_, owner.participant, Ending::kDied);
    }
    return remove(id, seen);
  }
  if (pool_ && state.status == Status::kQueued && !pool_->possible(id)) return refuse(id);
  if (state.status == Status::kQueued && (slot.wish.load(memory_order_acquire) & Wish::kTier) != 0) move_tier(id);
}

// The pool was made smaller than what it asks for: it is told so, and those behind it go on.
void GateKeeper::refuse(SlotId id) {
  Slot& slot = arena_.slot(id);
  std::uint64_t seen = slot.state.load(memory_order_acquire);
  const SlotState state = SlotState::of(seen);
  if (state.status != Status::kQueued) return;
  lane_.note(index_, id);
  slot.flags.set(slot.flags.get() | SlotFlag::kRefused);
  unlink(id);
  make_ready(id, seen, state.sequence);
  lane_.note(index_, 0);
}

// One that came to the head of a list while the pool was made smaller. True: one was there, and went.
bool GateKeeper::refuse_impossible() {
  for (const auto& head : element_.heads) {
    const SlotId x = head.load(memory_order_acquire);
    if (x == 0 || pool_->possible(x)) continue;
    refuse(x);
    return true;
  }
  return false;
}

// The end of a wait that makes nobody a holder. False: it was given up in this moment.
bool GateKeeper::make_ready(SlotId id, std::uint64_t seen, std::uint32_t sequence) {
  Slot& slot = arena_.slot(id);
  const bool anew = perhaps_announced(slot);
  announce(id, anew);
  if (slot.state.compare_exchange_strong(seen, SlotState::of(seen).with(Status::kReady, sequence).word(), memory_order_acq_rel,
                                         memory_order_acquire)) {
    tell_ready(arena_.owner_of(id).participant, anew);
    return true;
  }
  slot.state.store(SlotState::of(seen).with(Status::kFree).word(), memory_order_release);
  return false;
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
    if (pool_) pool_->enqueue(id);
    lane_.note(index_, 0);
  }
  slot.wish.compare_exchange_strong(wish, wish & ~(Wish::kTier | Wish::kTierMask), memory_order_acq_rel, memory_order_relaxed);
}

// ---- serving -------------------------------------------------------------------------------------------------------

void GateKeeper::serve() {
  while (const SlotId id = choose()) {
    if (grants_ == kGrantsPerVisit) {
      more_ = true;
      return;
    }
    if (!grant(id)) return;
  }
}

// The head with the smallest key, if it can be served now. What is dead, given up or late at a head goes first.
SlotId GateKeeper::choose() {
  if (kind_ == Kind::kPool) {
    for (;;) {
      const SlotId id = choose_units();
      if (id != 0 || !refuse_impossible()) return id;
    }
  }
  SlotId best = 0;
  std::uint64_t best_key = 0;
  for (auto& head : element_.heads) {
    const SlotId x = first_waiter(head);
    if (x == 0) continue;
    const SlotId choice = first_choice(x);
    const std::uint64_t key = key_of(arena_.slot(choice));
    if (best == 0 || best == asleep_ || (key < best_key && choice != asleep_)) {
      best = choice;
      best_key = key;
    }
  }
  if (best == 0) {
    // Whoever was kept waiting has given up.
    if (kind_ != Kind::kPool && (element_.meta.load(memory_order_acquire) & Meta::kPlanned) != 0) {
      Plans(arena_).unblock(index_ + 1, lane_.now());
    }
    return 0;
  }
  require_gate();
  if (kind_ == Kind::kLock && is_planned()) {
    best = choose_past_holds();
    if (best == 0) return 0;
  }
  if (kind_ == Kind::kBucket) return best;  // whether there are tokens shows when they are taken
  const Slot& slot = arena_.slot(best);
  if (!blocked(slot)) return best;
  if ((slot.flags.get() & SlotFlag::kSteal) == 0) return 0;
  const std::uint64_t fast = element_.fast.load(memory_order_acquire);
  if (Fast::of(fast).owner != 0) revoke_owner(fast, Ending::kStolen);
  revoke_shared(false);
  return blocked(slot) ? 0 : best;
}

// ---- holds ----------------------------------------------------------------------------------------------------------

// Whether a hold of this lock is in force. The marks on the element are taken off when none is; who writes one sets them before and
// after, and comes to the gate.
bool GateKeeper::is_planned() {
  if ((element_.meta.load(memory_order_acquire) & Meta::kPlanned) == 0) return false;
  Plans plans(arena_);
  plans.end_holds(lane_, index_ + 1, lane_.now());
  if (plans.has(PlanKind::kHold, index_ + 1, lane_.now())) return true;
  element_.meta.fetch_and(~Meta::kPlanMarks, memory_order_acq_rel);
  bool found = false;
  plans.for_each_of(PlanKind::kHold, index_ + 1, lane_.now(), [&](PlanEntry&, const Plan& plan) {
    Plans::mark(element_, plan);  // its writer may have died before it would have marked it anew
    found = true;
  });
  return found;
}

// The first in the order of all that no hold keeps back. A hold only makes lower tiers wait: who waits in its tier, or has aged into it,
// passes.
SlotId GateKeeper::choose_past_holds() {
  SlotId order[kTiers];
  std::uint32_t count = 0;
  for (auto& head : element_.heads) {
    const SlotId x = first_waiter(head);
    if (x == 0) continue;
    const SlotId choice = first_choice(x);
    std::uint32_t at = count++;
    for (; at > 0 && key_of(arena_.slot(choice)) < key_of(arena_.slot(order[at - 1])); at--) order[at] = order[at - 1];
    order[at] = choice;
  }
  const bool busy = count != 0 && blocked(arena_.slot(order[0]));
  if (busy) Plans(arena_).unblock(index_ + 1, lane_.now());
  for (std::uint32_t i = 0; i < count; i++) {
    bool back = false;
    Plans(arena_).for_each_of(PlanKind::kHold, index_ + 1, lane_.now(), [&](PlanEntry& entry, const Plan& plan) {
      if (!back && !busy && held_back(order[i], entry, plan)) back = true;
    });
    if (!back) return order[i];
  }
  return 0;
}

// With the lock free. Counts what it comes to: the time, against what plans may keep, and the wait.
bool GateKeeper::held_back(SlotId id, PlanEntry& entry, const Plan& plan) {
  Slot& slot = arena_.slot(id);
  const std::uint32_t flags = slot.flags.get();
  const std::uint32_t tier = tier_of(slot);
  if (tier >= plan.tier || (flags & SlotFlag::kSteal) != 0) return false;
  const Nanos now = lane_.now();
  const std::uint64_t ageing = arena_.header().ageing.load(memory_order_relaxed);
  if (ageing != 0 && now >= slot.arrival.get() + (plan.tier - tier) * ageing) return false;
  Plans plans(arena_);
  if (Plans::ends_before(plan, flags >> SlotFlag::kHoldShift, now) || plans.spent(index_ + 1, now)) return false;
  plans.block(entry, index_ + 1, now);
  charge_wait(slot, plan.source);
  return true;
}

// The lock has been granted: the time that it was kept free ends, and the hold that waited for this one is used.
void GateKeeper::settle_holds(const Slot& granted, ParticipantId owner) {
  if (!is_planned()) return;
  Plans plans(arena_);
  const Nanos now = lane_.now();
  plans.unblock(index_ + 1, now);
  plans.for_each_of(PlanKind::kHold, index_ + 1, now, [&](PlanEntry& entry, const Plan& plan) {
    const bool expected = tier_of(granted) >= plan.tier && (plan.who == 0 || plan.who == granted.element_generation.get());
    if (!expected) return;
    record_plan(lane_, index_, {plan.number, tier_of(granted), owner, {granted.element_generation.get(), 0, 0}});
    plans.use(lane_, entry, plan);
  });
}

// The first of a tier that waits. What is dead, given up or late before it goes.
SlotId GateKeeper::first_waiter(atomic<std::uint32_t>& head) {
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
      return x;
    }
    if (state.status != Status::kAbortedInQueue && state.status != Status::kAbandoned && state.status != Status::kOffered) {
      throw Corrupt("a tier list holds a slot that does not wait");
    }
    if (state.status == Status::kOffered) {
      finish(x, true);
    } else {
      tend(x);
    }
    const bool again = is_queue(element_) && state_of(slot).status == Status::kQueued;  // what it was offered went to another
    if (!again && head.load(memory_order_acquire) == x) throw Corrupt("a slot will not leave its list");
  }
  return 0;
}

// In a pool: who has outlived all tiers comes first, by arrival, and nobody takes from it what it waits for. Then the tiers, those within
// their floor and share before the others, by the one key of all order here; in a tier the tenant with the smallest weighted dominant
// share; in a tenant first come, first served. One that does not fit lets others pass until it has outlived them.
SlotId GateKeeper::choose_units() {
  if (!pool_) {
    if (idle()) return 0;  // looked up, and its record not made yet
    throw Corrupt("a pool without a record");
  }
  std::uint32_t order[kTiers];
  std::uint64_t keys[kTiers];
  bool within[kTiers];
  std::uint32_t count = 0;
  SlotId aged = 0;
  for (std::uint32_t tier = 0; tier < kTiers; tier++) {
    const SlotId x = first_waiter(element_.heads[tier]);
    if (x == 0) continue;
    const Slot& slot = arena_.slot(x);
    if (outlived(slot) && (aged == 0 || slot.arrival.get() < arena_.slot(aged).arrival.get())) aged = x;
    const std::uint64_t key = key_of(slot);
    const bool entitled = pool_->entitled(x);
    std::uint32_t at = count++;
    for (; at > 0 && (entitled > within[at - 1] || (entitled == within[at - 1] && key < keys[at - 1])); at--) {
      order[at] = order[at - 1];
      keys[at] = keys[at - 1];
      within[at] = within[at - 1];
    }
    order[at] = tier;
    keys[at] = key;
    within[at] = entitled;
  }
  if (count == 0) {
    // Whoever was kept waiting has given up, or been served.
    if (pool_->is_planned()) Plans(arena_).unblock(index_ + 1, lane_.now());
    return 0;
  }
  require_gate();
  // Somebody with a handle of the lock that this was in a former life: it will see that in a moment, and come in here.
  if (Fast::of(element_.fast.load(memory_order_acquire)).owner != 0) return 0;
  if (aged != 0 && pool_->fits(aged)) return aged;
  for (std::uint32_t i = 0; i < count; i++) {
    if (const SlotId chosen = choose_of_tier(order[i], aged)) return chosen;
  }
  charge_keeps();
  if (within[0]) recall_for(element_.heads[order[0]].load(memory_order_acquire));
  return 0;
}

// Nobody can be granted anything. Where that is because of a plan alone, the time and the wait are the loss of its source.
void GateKeeper::charge_keeps() {
  if (!pool_->is_planned()) return;
  Plans plans(arena_);
  bool any = false;
  for (const auto& head : element_.heads) {
    const SlotId x = head.load(memory_order_acquire);
    const Pool::Keep* keep = x == 0 ? nullptr : pool_->kept_back_by(x);
    if (keep == nullptr) continue;
    any = true;
    plans.block(*keep->entry, index_ + 1, lane_.now());
    charge_wait(arena_.slot(x), keep->source);
  }
  if (!any) plans.unblock(index_ + 1, lane_.now());
}

// Somebody has been granted what would have been another's, had it not been kept.
void GateKeeper::settle_keeps(SlotId granted, ParticipantId owner) {
  if (!pool_ || !pool_->is_planned()) return;
  const Slot& slot = arena_.slot(granted);
  for (std::uint32_t tier = 1; tier <= tier_of(slot); tier++) {
    const Pool::Keep& keep = pool_->keep(tier);
    if (!(keep.part > 0) || !pool_->took_of_kept(granted, tier)) continue;
    record_plan(lane_, index_, {keep.number, tier_of(slot), owner, {slot.element_generation.get(), 0, 0}});
    if (PlanLoss* loss = Plans(arena_).loss(keep.source)) loss->hits.fetch_add(1, memory_order_relaxed);
    return;
  }
}

// Somebody is to have a part that a share plan promises and others have: revocable grants of lower tiers that are above their own part are
// asked for, the latest first, until there will be enough. Nothing is taken: their owners give it back.
void GateKeeper::recall_for(SlotId entitled) {
  if (entitled == 0) return;
  const std::uint32_t tier = tier_of(arena_.slot(entitled));
  if (!pool_->share_is_planned(tier)) return;
  Amounts coming{};
  std::uint32_t steps = 0;
  for (SlotId x = element_.holders.load(memory_order_acquire); x != 0; x = arena_.slot(x).next.load(memory_order_acquire)) {
    if (++steps > arena_.walk_bound()) throw Corrupt("holder list");
    if (pool_->enough_with(entitled, coming)) return;
    Slot& slot = arena_.slot(x);
    const bool may = (slot.flags.get() & SlotFlag::kRevocable) != 0 && tier_of(slot) < tier && pool_->beyond_its_part(tier_of(slot));
    if (!may) continue;
    pool_->add_amounts(x, coming);
    if ((slot.wish.fetch_or(Wish::kRecalled, memory_order_acq_rel) & Wish::kRecalled) != 0) continue;  // asked for already
    const ParticipantId owner = arena_.owner_of(x).participant;
    if (owner != 0) notify(owner, Notice::kRecalled);
    record_plan(lane_, index_, {pool_->share_plan(tier), tier, arena_.owner_of(entitled).participant, {}});
  }
}

// The first of each tenant that waits in the tier, the one with the smallest share that fits.
SlotId GateKeeper::choose_of_tier(std::uint32_t tier, SlotId aged) {
  const auto may = [&](SlotId id) { return pool_->fits(id) && (aged == 0 || id == aged || pool_->may_pass(aged, id)); };
  const SlotId head = element_.heads[tier].load(memory_order_acquire);
  if (pool_->tenants_waiting(tier) <= 1) return may(head) ? head : 0;
  std::uint64_t seen = 0;
  static_assert(kTenantRows <= 64);
  std::uint32_t tenants = pool_->tenants_waiting(tier);
  SlotId best = 0;
  double best_share = 0;
  std::uint32_t steps = 0;
  for (SlotId x = head; x != 0 && tenants != 0; x = arena_.slot(x).next.load(memory_order_acquire)) {
    if (++steps > arena_.walk_bound()) throw Corrupt("tier list");
    const Slot& slot = arena_.slot(x);
    const std::uint64_t bit = 1ull << (slot.element_generation.get() % kTenantRows);
    if ((seen & bit) != 0 || state_of(slot).status != Status::kQueued) continue;
    seen |= bit;
    tenants--;
    const double share = pool_->dominant_share(slot.element_generation.get());
    if ((best == 0 || share < best_share) && may(x)) {
      best = x;
      best_share = share;
    }
  }
  return best;
}

// It has waited for so long that in every tier those who come now would be behind it.
bool GateKeeper::outlived(const Slot& slot) const {
  const std::uint64_t ageing = arena_.header().ageing.load(memory_order_relaxed);
  return ageing != 0 && lane_.now() >= slot.arrival.get() && (lane_.now() - slot.arrival.get()) / ageing >= kTiers - tier_of(slot);
}

// The head of a tier list, unless it sleeps and another waits behind it.
SlotId GateKeeper::first_choice(SlotId head) const {
  if (head != asleep_) return head;
  const SlotId next = arena_.slot(head).next.load(memory_order_acquire);
  return next != 0 && state_of(arena_.slot(next)).status == Status::kQueued ? next : head;
}

bool GateKeeper::blocked(const Slot& slot) const {
  if (is_queue(element_)) return !servable(arena_, element_);
  if (Fast::of(element_.fast.load(memory_order_acquire)).owner != 0) return true;
  return !is_shared(slot) && element_.holders.load(memory_order_acquire) != 0;
}

// Somebody waits: the fast path must not pass them by. (q2) of a queue: the bit before the look at what there is.
void GateKeeper::require_gate() {
  if ((element_.fast.load(memory_order_seq_cst) & Fast::kQueued) == 0) {
    element_.fast.fetch_or(Fast::kQueued, memory_order_seq_cst);
  }
}

bool GateKeeper::grant(SlotId id) {
  if (kind_ == Kind::kBucket) return grant_tokens(id);
  if (is_queue(element_)) {
    grant_cell(id);
    return true;
  }
  Slot& slot = arena_.slot(id);
  std::uint64_t seen = slot.state.load(memory_order_acquire);
  const SlotState state = SlotState::of(seen);
  if (state.status != Status::kQueued) return true;
  const bool died = (element_.meta.load(memory_order_acquire) & Meta::kDied) != 0;
  const std::uint32_t flags = slot.flags.get() & ~(SlotFlag::kOwnerDied | SlotFlag::kRefused);
  slot.flags.set(died ? flags | SlotFlag::kOwnerDied : flags);
  lane_.note(index_, id);
  const std::uint32_t sequence = low(Fast::of(element_.fast.load(memory_order_acquire)).sequence + 1);
  if (slot.state.compare_exchange_strong(seen, state.with(Status::kOffered, sequence).word(), memory_order_acq_rel, memory_order_relaxed)) {
    grants_++;
    finish(id, false);
    if (kind_ == Kind::kLock && (element_.meta.load(memory_order_acquire) & Meta::kPlanned) != 0)
      settle_holds(slot, arena_.owner_of(id).participant);
    if (kind_ == Kind::kPool) settle_keeps(id, arena_.owner_of(id).participant);
  }
  lane_.note(index_, 0);
  return true;
}

// The tokens first: if we die then, they are spent and the waiter is served with others. There is no word that could say both, and
// too few are admitted rather than too many. False: there are none yet.
bool GateKeeper::grant_tokens(SlotId id) {
  Slot& slot = arena_.slot(id);
  std::uint64_t seen = slot.state.load(memory_order_acquire);
  const SlotState state = SlotState::of(seen);
  if (state.status != Status::kQueued) return true;
  const Wants& wants = arena_.wants(slot.enclosing.get());
  const double tokens = std::bit_cast<double>(wants.amounts[0].get());
  Bucket bucket(arena_, index_);
  Tokens answer;
  const Who who{wants.workflow.get(), wants.tenant.get(), tier_of(slot), slot.arrival.get()};
  if (bucket.is_planned()) charge_keep(slot, bucket.kept_back(tokens, lane_.now(), who));
  const Spent spent = bucket.take_for_waiter(tokens, lane_.now(), answer, who);
  if (spent == Spent::kRefused || spent == Spent::kQueued) return false;
  const Names names{wants.workflow.get(), wants.tenant.get(), 0};
  const ParticipantId owner = arena_.owner_of(id).participant;
  if (answer.drawn > 0) record_plan(lane_, index_, {answer.plan, tier_of(slot), owner, names, answer.drawn});
  if (answer.of_kept != 0) record_plan(lane_, index_, {answer.of_kept, tier_of(slot), owner, names, tokens});
  // The burst was made smaller meanwhile. Or larger again, after somebody had died over saying so.
  const std::uint32_t flags = slot.flags.get() & ~SlotFlag::kRefused;
  slot.flags.set(spent == Spent::kNever ? flags | SlotFlag::kRefused : flags);
  grants_++;
  lane_.note(index_, id);
  unlink(id);
  const std::uint32_t remaining = answer.remaining < 0xffffffff ? static_cast<std::uint32_t>(answer.remaining) : 0xffffffff;
  if (!make_ready(id, seen, remaining) && spent == Spent::kOk) bucket.give_back(tokens);
  lane_.note(index_, 0);
  return true;
}

// The first in line at a bucket: tokens are there and kept from it by a plan, or are not.
void GateKeeper::charge_keep(Slot& first, const std::optional<KeptBack>& kept) {
  Plans plans(arena_);
  if (!kept) return plans.unblock(index_ + 1, lane_.now());
  plans.block(*kept->entry, index_ + 1, lane_.now(), kept->since);
  charge_wait(first, kept->source);
}

// Once for each that waits.
void GateKeeper::charge_wait(Slot& slot, std::uint32_t source) {
  const std::uint32_t flags = slot.flags.get();
  if ((flags & SlotFlag::kHeldBack) != 0) return;
  slot.flags.set(flags | SlotFlag::kHeldBack);
  if (PlanLoss* loss = Plans(arena_).loss(source)) loss->waits.fetch_add(1, memory_order_relaxed);
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
  if (is_queue(element_)) return finish_cell(id, anew);
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
  if (pool_) {
    slot.deadline.set(lane_.now());
    return;
  }
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
  if (perhaps_announced(slot)) anew = true;
  announce(id, anew);
  const SlotState ready = SlotState::of(offered).with(Status::kReady);
  const ParticipantId owner = arena_.owner_of(id).participant;
  if (!slot.state.compare_exchange_strong(offered, ready.word(), memory_order_acq_rel, memory_order_relaxed)) return false;
  if (owner != 0) tell_ready(owner, anew);
  return true;
}

// anew: it may not be on the wake list, though it says so. Only once it is ready: an owner that looked before would have looked in vain.
void GateKeeper::tell_ready(ParticipantId owner, bool anew) { anew ? notify(owner, Notice::kRescan) : lane_.ring_later(owner); }

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
    // The holders of a pool come in here anyway.
    if (kind_ == Kind::kPool ? lists_wait() : !idle()) return;
    if (kind_ == Kind::kLock) is_planned();  // a hold keeps nobody from the fast path who does not see its marks there
    std::uint64_t word = element_.fast.load(memory_order_acquire);
    const Fast fast = Fast::of(word);
    if (kind_ == Kind::kBucket) {
      if ((word & Tat::kQueued) == 0) return;
      if (element_.fast.compare_exchange_strong(word, word & ~Tat::kQueued, memory_order_acq_rel, memory_order_relaxed)) return;
      continue;
    }
    // Of a queue nobody is told of a death.
    if (!fast.queued || ((element_.meta.load(memory_order_acquire) & Meta::kDied) != 0 && !is_queue(element_))) return;
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
      if (kind_ == Kind::kLock && state_of(slot).sequence != 0) {
        withdraw(hinted);
      } else {
        // Its holder died between taking it out of one list and what comes after, which may have been to announce its end.
        slot.wish.fetch_or(Wish::kAnew, memory_order_acq_rel);
        put_back(hinted);
      }
    } else if (ours) {
      // Given up by its owner before the dead one had taken the lock back from it.
      if (kind_ == Kind::kLock && state_of(slot).status == Status::kAbortedInQueue) take_back(hinted);
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
  if (pool_) pool_->recount();
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
  if (pool_) pool_->enqueue(id);
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

// It was in a list before: where its arrival puts it.
void GateKeeper::put_back(SlotId id) {
  Slot& slot = arena_.slot(id);
  if ((slot.flags.get() & SlotFlag::kSteal) != 0) return enlist(id);
  if (pool_) pool_->enqueue(id);
  insert(id, tier_of(slot), [&](const Slot& other) { return other.arrival.get() <= slot.arrival.get(); });
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

bool GateKeeper::unlink_from(atomic<std::uint32_t>& head, SlotId id, bool tier_list) {
  if (!take_out(arena_, head, id, arena_.slot(id), tier_list)) return false;
  if (pool_ && tier_list) pool_->dequeue(id);
  if (pool_ && !tier_list) pool_->give_back(id);
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
  link_first(arena_, element_, id, arena_.slot(id));
  if (pool_) pool_->take(id);
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
}

void GateKeeper::notify(ParticipantId who, std::uint32_t notice) {
  arena_.participant(who).notice.fetch_or(notice, memory_order_acq_rel);
  lane_.ring_later(who);
}

// ---- order and time ------------------------------------------------------------------------------------------------

// Strict priority until a difference of tiers has been waited out, FIFO inside a tier, a bounded wait for all: one key.
std::uint64_t GateKeeper::key_of(const Slot& slot) const { return order_key(arena_, slot); }

namespace {

// The waiter that would be served next, as far as one who does not stand in the gate can tell.
SlotId first_in_line(const Arena& arena, ElementIndex index) {
  SlotId best = 0;
  std::uint64_t best_key = 0;
  for (const auto& head : arena.element(index).heads) {
    const SlotId x = head.load(memory_order_acquire);
    if (x == 0) continue;
    const std::uint64_t key = order_key(arena, arena.slot(x));
    if (best != 0 && key >= best_key) continue;
    best = x;
    best_key = key;
  }
  return best;
}

}  // namespace

bool perhaps_waited_for(const Element& element) {
  for (const auto& head : element.heads) {
    if (head.load(memory_order_acquire) != 0) return true;
  }
  return Gate::of(element.gate.load(memory_order_acquire)).head != 0;
}

// The slot may be served, freed and used for something else while it is looked at: then what is read is of no use, and no damage.
Nanos tokens_due(Arena& arena, PacedBucket& asked, Nanos now) {
  const ElementIndex index = asked.index;
  const Element& element = arena.element(index);
  const std::uint64_t word = element.fast.load(memory_order_acquire);
  if ((word & Tat::kQueued) == 0) return 0;
  const SlotId first = first_in_line(arena, index);
  if (first == 0) {
    const Gate gate = Gate::of(element.gate.load(memory_order_acquire));
    if (gate.head == 0) return 0;
    return gate.holder == 0 ? now : now + kNanosPerMilli;
  }
  const Slot& slot = arena.slot(first);
  const SlotId wants = slot.enclosing.peek();
  if (wants == 0 || SlotState::of(slot.state.load(memory_order_acquire)).status != Status::kQueued || slot.element.peek() != index) {
    return now + kNanosPerMilli;  // it is being served, or its end is: look again
  }
  const std::uint64_t amount = arena.wants(wants).amounts[0].peek();
  const double tokens = std::bit_cast<double>(amount);
  const Bucket bucket(arena, index);
  const Pace pace = bucket.pace_at(word);
  if (now < asked.due && word == asked.word && amount == asked.tokens && pace.same_units(asked.pace)) return asked.due;
  asked.due = 0;
  if (!bucket.possible(tokens)) return now;
  const std::uint32_t flags = slot.flags.peek();
  const Who who{arena.wants(wants).workflow.peek(), arena.wants(wants).tenant.peek(), flags & SlotFlag::kTierMask, slot.arrival.peek()};
  // It is looked at when the tokens are there, too, though a plan keeps them from it: from then on that is counted.
  const Nanos due = bucket.ready_at(tokens, now, who, (flags & SlotFlag::kHeldBack) == 0);
  // One above it has a word of its own, and plans come and go.
  if (due > now && bucket.parent() == 0 && !bucket.is_planned()) asked = {index, word, amount, pace, due};
  return due;
}

Nanos tokens_due(Arena& arena, ElementIndex index, Nanos now) {
  PacedBucket bucket{index};
  return tokens_due(arena, bucket, now);
}

std::uint32_t GateKeeper::ms_since_epoch(Nanos at) const { return core::ms_since_epoch(arena_.header(), at); }

bool GateKeeper::past(std::uint32_t ttl_ms) const {
  if (ttl_ms == 0) return false;
  return static_cast<std::int32_t>(core::ms_floor(arena_.header(), lane_.now()) - ttl_ms) >= 0;
}

}  // namespace forelock::core
