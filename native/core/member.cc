#include "core/member.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "core/gate_units.h"
#include "core/moment.h"

namespace forelock::core {

namespace {

[[gnu::always_inline]] inline void fill_wants(Wants& wants, const Request& request) {
  wants.tenant.set(request.tenant);
  wants.workflow.set(request.workflow);
#pragma GCC unroll 6
  for (int d = 0; d < kDimensions; d++) wants.amounts[d].set(request.amounts[d]);
}

// What a pool grants has others beside it anyway.
bool is_shared_lock(const Request& request) { return request.shared && request.kind == Kind::kLock; }

Ending ending_of(Outcome outcome) {
  if (outcome == Outcome::kTimedOut) return Ending::kTimedOut;
  return outcome == Outcome::kDeadlock ? Ending::kDeadlock : Ending::kFailed;
}

}  // namespace

Member::Member(Arena& arena, ParticipantId participant, std::uint32_t incarnation)
    : arena_(arena),
      lane_(arena, participant, Thread::kScript),
      telemetry_(lane_, incarnation),
      participant_(participant),
      incarnation_(incarnation),
      held_(arena.held(participant)),
      ordinal_(arena.layout().chunk_count, 0) {}

// ---- asking --------------------------------------------------------------------------------------------------------

Answer Member::attempt(const Request& request, Granted& out) {
  Element& element = arena_.element(request.handle.index);
  const bool simple = !request.shared && !request.steal && request.ttl == 0;
  if (simple) {
    const Answer fast = try_fast(request.handle, request.tier, instant(), out, request.workflow, request.hold);
    if (fast != Answer::kBusy) return fast;
  }
  const Fast fast = Fast::of(element.fast.load(memory_order_acquire));
  const Gate gate = Gate::of(element.gate.load(memory_order_acquire));
  if (gate.head == Gate::kClosed || !current(element, request.handle.generation)) return Answer::kStale;
  if (!request.steal) {
    if (fast.owner != 0) {
      const bool due = fast.queued && element.ttl.load(memory_order_acquire) != 0;
      if (!due && !arena_.is_dead(fast.owner)) return Answer::kBusy;
    }
    // Somebody alive is deciding inside: what we pushed now would only be taken back.
    if (gate.holder != 0 && !arena_.lane_is_dead(gate.holder)) return Answer::kBusy;
  }
  return enqueue_and_try(request, out);
}

Answer Member::enqueue_and_try(const Request& request, Granted& out) {
  WaiterId waiter;
  const Answer queued = enqueue(request, waiter);
  if (queued != Answer::kWait) return queued;
  Answer answer = Answer::kBusy;
  if (SlotState::of(arena_.slot(slot_of(waiter)).state.load(memory_order_acquire)).status == Status::kReady) {
    const bool refused = is_refused(waiter);
    empty_wake_list();
    if (take(waiter, out)) {
      answer = refused ? Answer::kNever : Answer::kOk;
      if (!refused) note_granted(request, out);
    }
  }
  if (answer == Answer::kBusy) give_up(waiter);
  done_with(waiter);
  return answer;
}

Answer Member::lock(const Request& request, Granted& out) {
  if (!request.shared && !request.steal && request.ttl == 0) {
    const Answer fast = try_fast(request.handle, request.tier, instant(), out, request.workflow, request.hold);
    if (fast != Answer::kBusy) return fast;
  }
  return begin_wait(request, out);
}

Answer Member::begin_wait(const Request& request, Granted& out) {
  WaiterId waiter;
  const Answer queued = enqueue(request, waiter);
  if (queued != Answer::kWait) return queued;
  Slot& slot = arena_.slot(slot_of(waiter));
  if (SlotState::of(slot.state.load(memory_order_acquire)).status == Status::kReady) {
    const bool refused = is_refused(waiter);
    empty_wake_list();
    if (take(waiter, out)) {
      if (!refused) note_granted(request, out);
      done_with(waiter);
      return refused ? Answer::kNever : Answer::kOk;
    }
  }
  telemetry_.waits(waiter, request.handle, request.tier, slot.arrival.get(), amount_of(request), is_shared_lock(request));
  if (request.deadline != 0) add_deadline({request.deadline, waiter, local_[waiter].generation, 0, 0});
  local_[waiter].owed = true;
  out = {0, waiter, false};
  return Answer::kWait;
}

// Fills a slot and queues it: inside the gate when that is free, else through the inbox. Entering the gate, or the push, is
// the linearization point of queueing and the order of arrival.
Answer Member::enqueue(const Request& request, WaiterId& out) {
  Element& element = arena_.element(request.handle.index);
  if (!current(element, request.handle.generation)) return Answer::kStale;
  lane_.refresh();
  WaiterId waiter;
  SlotId enclosing = 0;
  Answer answer = request.kind == Kind::kLock ? take_slot_within(request, waiter, enclosing) : take_slot_for(request, waiter, enclosing);
  if (answer != Answer::kOk) return answer;
  prepare(request, waiter, enclosing, lane_.now());
  const SlotId id = slot_of(waiter);
  Slot& slot = arena_.slot(id);
  local_[waiter].use = Use::kWaiting;
  waiting_++;
  const Visit joined = GateKeeper(lane_, request.handle.index).join(id, request.handle.generation);
  if (joined == Visit::kDone || joined == Visit::kMore) {
    if (joined == Visit::kMore) leftovers_.push_back(request.handle.index);
    out = waiter;
    return Answer::kWait;
  }
  answer = joined == Visit::kClosed ? Answer::kStale : push(element, id, slot);
  if (answer == Answer::kOk && !current(element, request.handle.generation)) {
    // The push fell into the element's next life: take it back, all in this call.
    give_up(waiter);
    answer = Answer::kStale;
  } else if (answer == Answer::kStale) {
    slot.state.store(SlotState{Status::kFree, local_[waiter].generation, 0}.word(), memory_order_release);
  }
  if (answer == Answer::kStale) {
    done_with(waiter);
    return Answer::kStale;
  }
  visit(request.handle.index, true);
  out = waiter;
  return Answer::kWait;
}

// Fills a slot with the request.
void Member::prepare(const Request& request, WaiterId waiter, SlotId enclosing, Nanos now) {
  Slot& slot = arena_.slot(slot_of(waiter));
  const std::uint32_t wanted = request.kind == Kind::kBucket ? SlotFlag::kTokens : request.kind == Kind::kPool ? SlotFlag::kUnits : 0;
  slot.element.set(request.handle.index);
  slot.element_generation.set(request.workflow);  // of a pool's: overwritten by its row
  slot.arrival.set(request.arrival != 0 ? request.arrival : now);
  slot.deadline.set(request.deadline);
  slot.ttl.set(request.ttl);
  slot.flags.set(tier_of(request) | (std::min(request.hold, SlotFlag::kHoldMost) << SlotFlag::kHoldShift) |
                 (request.shared ? SlotFlag::kShared : 0) | (request.steal ? SlotFlag::kSteal : 0) |
                 (request.arrival != 0 ? SlotFlag::kByArrival : 0) | (request.revocable ? SlotFlag::kRevocable : 0) | wanted);
  slot.enclosing.set(enclosing);
  slot.wish.store(0, memory_order_relaxed);
  SlotState state = SlotState::of(slot.state.load(memory_order_relaxed));
  state = {Status::kPrepared, (state.generation + 1) & 0xffffff, 0};
  local_[waiter].pending = local_[waiter].popped = false;
  local_[waiter].generation = state.generation;
  slot.state.store(state.word(), memory_order_release);
}

// The queued bit first, so that a release that comes after the push looks into the gate.
Answer Member::push(Element& element, SlotId id, Slot& slot) {
  // Set already, it may be cleared before we push; but then the one who clears it leaves the gate before, and we enter it.
  if ((element.fast.load(memory_order_acquire) & Fast::kQueued) == 0) element.fast.fetch_or(Fast::kQueued, memory_order_acq_rel);
  for (;;) {
    std::uint64_t seen = element.gate.load(memory_order_acquire);
    Gate gate = Gate::of(seen);
    if (gate.head == Gate::kClosed) return Answer::kStale;
    slot.link.store(gate.head, memory_order_relaxed);
    gate.head = id;
    gate.pushes++;
    // (g2) releases the slot's fields to whoever drains the inbox.
    if (element.gate.compare_exchange_strong(seen, gate.word(), memory_order_acq_rel, memory_order_relaxed)) return Answer::kOk;
  }
}

Visit Member::visit(ElementIndex index, bool poke, SlotId mine) {
  const Visit visit = GateKeeper(lane_, index).visit(poke, mine);
  if (visit == Visit::kMore) leftovers_.push_back(index);
  return visit;
}

void Member::serve_leftovers() {
  for (const ElementIndex index : take_leftovers()) GateKeeper::serve_all(lane_, index);
}

// ---- tokens and units -----------------------------------------------------------------------------------------------

// Of tokens how many, of a pool the largest part of a dimension.
double Member::amount_of(const Request& request) const {
  if (request.kind == Kind::kBucket) return std::bit_cast<double>(request.amounts[0]);
  return request.kind == Kind::kPool ? Pool(arena_, request.handle.index).largest_part(request.amounts) : 1;
}

void Member::note_granted(const Request& request, const Granted& granted) {
  if (!telemetry_.on()) return;
  const Kind kind = Meta::kind(arena_.element(request.handle.index).meta.load(memory_order_relaxed));
  if (kind == Kind::kLock || kind == Kind::kPool) {
    telemetry_.granted(request.handle, granted.sequence, granted.waiter, request.tier, instant(), amount_of(request),
                       is_shared_lock(request));
  } else {
    telemetry_.spent(request.handle, request.tier, amount_of(request));
  }
}

// What came of it, if it was not a wait.
Answer Member::tell(const Request& request, Answer answer) {
  if (answer == Answer::kBusy || answer == Answer::kNever) {
    telemetry_.refused(request.handle, request.tier, answer == Answer::kBusy ? Ending::kBusy : Ending::kNever, amount_of(request),
                       is_shared_lock(request));
  }
  return answer;
}

// The tier matters to plans alone.
Spent Member::spend_then(const Request& request, Tokens& out) {
  Plan plan;
  const std::uint32_t tier = is_raised(request, plan) ? plan.tier : request.tier;
  return Bucket(arena_, request.handle.index)
      .take(std::bit_cast<double>(request.amounts[0]), lane_.now(), out, {request.workflow, request.tenant, tier});
}

void Member::note_spent(const Request& request, const Tokens& out) {
  if (!telemetry_.on()) return;
  if (out.drawn > 0) telemetry_.used_plan(request.handle, request.tier, out.plan, out.drawn);
  if (out.of_kept != 0) telemetry_.used_plan(request.handle, request.tier, out.of_kept, std::bit_cast<double>(request.amounts[0]));
  telemetry_.spent(request.handle, request.tier, std::bit_cast<double>(request.amounts[0]));
}

Answer Member::try_tokens(const Request& request, Spent spent, Tokens& out) {
  switch (spent) {
    case Spent::kOk:
      note_spent(request, out);
      return Answer::kOk;
    case Spent::kRefused:
      if (PlanLoss* loss = out.kept_back ? Plans(arena_).loss(out.source) : nullptr) loss->waits.fetch_add(1, memory_order_relaxed);
      return tell(request, Answer::kBusy);
    case Spent::kNever:
      return tell(request, Answer::kNever);
    case Spent::kQueued:
      break;
  }
  // Somebody waits, here or above: whether it may go before them is for the gate to say.
  out.ready = Bucket(arena_, request.handle.index)
                  .ready_at(std::bit_cast<double>(request.amounts[0]), lane_.now(), {request.workflow, request.tenant, request.tier});
  Granted granted;
  const Answer answer = tell(request, enqueue_and_try(request, granted));
  if (answer == Answer::kOk) {
    out.remaining = granted.sequence;
  } else {
    // Nobody is served before the first in line is.
    out.ready = std::max(out.ready, tokens_due(arena_, request.handle.index, lane_.now()));
  }
  return answer;
}

Answer Member::tokens(const Request& request, Granted& out) {
  Tokens answer;
  switch (spend(request, answer)) {
    case Spent::kOk:
      note_spent(request, answer);
      out = {answer.remaining, kNoWaiter, false};
      return Answer::kOk;
    case Spent::kNever:
      return tell(request, Answer::kNever);
    default:
      break;
  }
  const Answer waits = begin_wait(request, out);
  const ElementIndex index = request.handle.index;
  if (waits == Answer::kWait && std::none_of(paced_.begin(), paced_.end(), [index](const PacedBucket& b) { return b.index == index; })) {
    paced_.push_back({index});
  }
  return tell(request, waits);
}

void Member::give_back_tokens(ElementIndex index, double tokens) {
  Bucket(arena_, index).give_back(tokens);
  std::uint32_t above = index + 1;
  for (std::uint32_t depth = 0; above != 0 && depth < kBucketDepth; depth++) {
    const Bucket bucket(arena_, above - 1);
    if (bucket.has_waiters()) {
      visit(above - 1, true);
      hurry(above - 1);
    }
    above = bucket.parent();
  }
}

// Whoever is first in line now may be served sooner than its timer says.
void Member::hurry(ElementIndex index) {
  for (const auto& head : arena_.element(index).heads) {
    const SlotId first = head.load(memory_order_acquire);
    const ParticipantId owner = first == 0 ? 0 : arena_.owner_of(first).participant;
    if (owner != 0) lane_.ring_later(owner);
  }
  lane_.ring_all();
}

Answer Member::change_pace(ElementIndex index, const Pace& pace) {
  lane_.refresh();
  const Visit visit = GateKeeper(lane_, index).change([&] { Bucket(arena_, index).change(pace, lane_.now()); });
  if (visit == Visit::kMore) leftovers_.push_back(index);
  if (visit == Visit::kBusy) return Answer::kBusy;
  // Whoever waits, here or below, has set its timer by the old pace.
  for (ParticipantId id = 1; id <= arena_.capacity().participants; id++) {
    if (arena_.is_alive(id)) lane_.ring_later(id);
  }
  lane_.ring_all();
  return Answer::kOk;
}

Answer Member::change_pool(ElementIndex index, const PoolTerms& terms) {
  lane_.refresh();
  const Visit visit = GateKeeper(lane_, index).change([&] {
    Pool(arena_, index).change(terms);
    arena_.element(index).meta.fetch_or(Meta::kDirty, memory_order_acq_rel);  // somebody may wait for more than there is now
  });
  if (visit == Visit::kMore) leftovers_.push_back(index);
  return visit == Visit::kBusy ? Answer::kBusy : Answer::kOk;
}

Nanos Member::next_deadline() {
  Nanos next = deadlines_.empty() ? 0 : deadlines_.front().at;
  if (waiting_ == 0) return next;
  if (paced_.empty()) return next;
  const Nanos now = arena_.host().now();
  for (PacedBucket& bucket : paced_) {
    const Nanos at = tokens_due(arena_, bucket, now);
    if (at != 0 && (next == 0 || at < next)) next = at;
  }
  return next;
}

// Where nobody waits: without a place in the line. kWait: this path is shut. The slot stays among the free ones until it holds what it was
// filled for, so that there is nothing to undo where it does not come to that.
Answer Member::units_at_once(const Request& request, Nanos coarse, Granted& out) {
  const ElementIndex index = request.handle.index;
  Element& element = arena_.element(index);
  if ((element.gate.load(memory_order_acquire) & ShortVisit::kNotIdle) != 0) return Answer::kWait;
  if (pairs_.empty()) {
    WaiterId made;
    if (const Answer answer = make_pair(made); answer != Answer::kOk) return answer;
    pairs_.push_back(made);
  }
  if (request.workflow != 0) lane_.refresh();  // a plan may raise it
  const WaiterId waiter = pairs_.back();
  Local& local = local_[waiter];
  const SlotId id = slot_of(waiter);
  Slot& slot = arena_.slot(id);
  Wants& wants = arena_.wants(local.wants);
  fill_wants(wants, request);
  const std::uint32_t tier = tier_of(request) & SlotFlag::kTierMask;  // a plan is what the arena says
  slot.element.set(index);
  slot.arrival.set(coarse);
  slot.deadline.set(coarse);
  slot.flags.set(tier | (std::min(request.hold, SlotFlag::kHoldMost) << SlotFlag::kHoldShift) | SlotFlag::kShared |
                 (request.revocable ? SlotFlag::kRevocable : 0) | SlotFlag::kUnits);
  slot.ttl.set(0);
  slot.enclosing.set(local.wants);
  slot.wish.store(0, memory_order_relaxed);
  const std::uint32_t generation = (SlotState::of(slot.state.load(memory_order_relaxed)).generation + 1) & 0xffffff;
  switch (hold_units(lane_, element, request.handle, id, slot, wants, tier, SlotState{Status::kHeld, generation, generation}.word())) {
    case Answered::kShut:
      return Answer::kWait;
    case Answered::kTooFew:
      return Answer::kBusy;
    case Answered::kGranted:
      break;
  }
  pairs_.pop_back();
  local.use = Use::kHolding;
  local.pending = local.popped = false;
  local.generation = generation;
  // Apart from those of the line, which count up from 0: a slot's next life has another.
  local.sequence = kAtOnce | generation;
  out = {local.sequence, waiter, false};
  if (telemetry_.on()) [[unlikely]]
    note_granted(request, out);
  return Answer::kOk;
}

Answer Member::try_units(const Request& request, Nanos coarse, Granted& out) {
  const Answer answer = units_at_once(request, coarse, out);
  if (answer == Answer::kOk) [[likely]]
    return answer;
  if (!Pool::is(arena_, request.handle.index)) return Answer::kBadArgument;
  if (!Pool(arena_, request.handle.index).possible(request.tier, request.amounts)) return tell(request, Answer::kNever);
  if (answer != Answer::kWait) return tell(request, answer);
  const Gate gate = Gate::of(arena_.element(request.handle.index).gate.load(memory_order_acquire));
  // Somebody alive is deciding inside: what we pushed now would only be taken back.
  if (gate.holder != 0 && !arena_.lane_is_dead(gate.holder)) return tell(request, Answer::kBusy);
  return tell(request, enqueue_and_try(request, out));
}

Answer Member::units(const Request& request, Granted& out) {
  if (request.arrival == 0) {
    const Answer answer = units_at_once(request, arena_.host().coarse_now(), out);
    if (answer != Answer::kWait && answer != Answer::kBusy) return answer;
  }
  if (!Pool::is(arena_, request.handle.index)) return Answer::kBadArgument;
  if (!Pool(arena_, request.handle.index).possible(request.tier, request.amounts)) return tell(request, Answer::kNever);
  return tell(request, begin_wait(request, out));
}

// Its owner writes the amounts, downwards only: whoever adds them up meanwhile finds no less than is held, and the wish makes them do it
// again. It is marked before: a grant whose owner dies over this may be in the sums with more than it has by then.
Answer Member::shrink(WaiterId waiter, std::uint64_t sequence, const Amounts& amounts) {
  if (!holds_shared(waiter, sequence)) return Answer::kLost;
  const SlotId id = slot_of(waiter);
  Slot& slot = arena_.slot(id);
  if ((slot.flags.get() & SlotFlag::kUnits) == 0) return Answer::kBadArgument;
  Wants& wants = arena_.wants(slot.enclosing.get());
  for (int d = 0; d < kDimensions; d++) {
    if (amounts[d] > wants.amounts[d].get()) return Answer::kBadArgument;
  }
  std::uint32_t wish = slot.wish.fetch_or(Wish::kShrinking, memory_order_acq_rel);
  for (int d = 0; d < kDimensions; d++) wants.amounts[d].set(amounts[d]);
  while (
      !slot.wish.compare_exchange_strong(wish, (wish & ~Wish::kShrinking) | Wish::kRecount, memory_order_acq_rel, memory_order_relaxed)) {
  }
  lane_.refresh();
  visit(slot.element.get(), true, id);
  return Answer::kOk;
}

bool Member::is_recalled(WaiterId waiter, std::uint64_t sequence) const {
  return holds_shared(waiter, sequence) && (arena_.slot(slot_of(waiter)).wish.load(memory_order_acquire) & Wish::kRecalled) != 0;
}

// ---- giving back ---------------------------------------------------------------------------------------------------

Answer Member::release_shared(WaiterId waiter, std::uint64_t sequence) {
  if (!valid(waiter, Use::kHolding) || local_[waiter].sequence != sequence) return Answer::kLost;
  const SlotId id = slot_of(waiter);
  Slot& slot = arena_.slot(id);
  std::uint64_t seen = slot.state.load(memory_order_acquire);
  const SlotState state = SlotState::of(seen);
  Answer answer = Answer::kLost;
  if (state.generation == local_[waiter].generation && state.status == Status::kHeld) {
    if ((slot.flags.get() & SlotFlag::kUnits) != 0 && release_units(lane_, slot.element.get(), id, slot, seen)) {
      if (telemetry_.on()) [[unlikely]]
        telemetry_.ended_shared(waiter, telemetry_.ending);
      retire_units(waiter, slot);
      return Answer::kOk;
    }
    if (slot.state.compare_exchange_strong(seen, state.with(Status::kReleased).word(), memory_order_acq_rel, memory_order_acquire)) {
      visit(slot.element.get(), true, id);
      answer = Answer::kOk;
    }
  }
  if (telemetry_.on()) [[unlikely]]
    telemetry_.ended_shared(waiter, answer == Answer::kOk ? telemetry_.ending : Ending::kLost);
  retire_slot(waiter);
  return answer;
}

bool Member::holds(ElementIndex index, std::uint64_t sequence) const {
  const Fast fast = Fast::of(arena_.element(index).fast.load(memory_order_acquire));
  return fast.owner == participant_ && fast.sequence == sequence;
}

bool Member::holds_shared(WaiterId waiter, std::uint64_t sequence) const {
  if (!valid(waiter, Use::kHolding) || local_[waiter].sequence != sequence) return false;
  const SlotState state = SlotState::of(arena_.slot(slot_of(waiter)).state.load(memory_order_acquire));
  return state.status == Status::kHeld && state.generation == local_[waiter].generation;
}

// ---- ending a wait -------------------------------------------------------------------------------------------------

Answer Member::abort(WaiterId waiter) {
  if (!valid(waiter, Use::kWaiting)) return Answer::kLost;
  local_[waiter].owed = false;
  telemetry_.not_taken(waiter, Event::kAbort, Ending::kSuccess);
  end_wait(waiter);
  done_with(waiter);
  return Answer::kOk;
}

// It may have been first in line for tokens: the next one's timer is set by what it needed.
void Member::end_wait(WaiterId waiter) {
  const Slot& slot = arena_.slot(slot_of(waiter));
  const bool of_bucket = (slot.flags.peek() & SlotFlag::kTokens) != 0;  // the gate holder may write other bits just now
  const ElementIndex index = slot.element.get();
  give_up(waiter);
  if (of_bucket) hurry(index);
}

// The wait is over whatever its slot says. Where the gate holder is about to grant, or has granted, it goes to the next.
void Member::give_up(WaiterId waiter) {
  const SlotId id = slot_of(waiter);
  Slot& slot = arena_.slot(id);
  for (;;) {
    std::uint64_t seen = slot.state.load(memory_order_acquire);
    const SlotState state = SlotState::of(seen);
    Status next;
    switch (state.status) {
      case Status::kPrepared:
        next = Status::kAbortedInInbox;
        break;
      case Status::kQueued:
        next = Status::kAbortedInQueue;
        break;
      case Status::kOffered:
        next = Status::kAbandoned;
        break;
      case Status::kReady: {
        empty_wake_list();
        Granted grant;
        const ElementIndex index = slot.element.get();
        const bool of_bucket = (slot.flags.get() & SlotFlag::kTokens) != 0;
        const bool refused = is_refused(waiter);
        const std::uint64_t amount = of_bucket ? arena_.wants(slot.enclosing.get()).amounts[0].get() : 0;
        if (!take(waiter, grant)) continue;
        if (refused) return;
        if (of_bucket) return give_back_tokens(index, std::bit_cast<double>(amount));
        if (is_queue(arena_.element(index))) return return_cell(index, grant.sequence);
        if (grant.owner_died) arena_.element(index).meta.fetch_or(Meta::kDied, memory_order_acq_rel);  // the next one tells
        if (grant.waiter == kNoWaiter) {
          give_back(index, grant.sequence, grant.owner_died);
        } else {
          release_shared(grant.waiter, grant.sequence);
        }
        return;
      }
      default:
        return;  // past its deadline, and the gate holder has seen it
    }
    if (!slot.state.compare_exchange_strong(seen, state.with(next).word(), memory_order_acq_rel, memory_order_acquire)) continue;
    visit(slot.element.get(), true, id);
    return;
  }
}

Answer Member::upgrade(WaiterId waiter, std::uint32_t tier) {
  if (!valid(waiter, Use::kWaiting)) return Answer::kLost;
  const SlotId id = slot_of(waiter);
  Slot& slot = arena_.slot(id);
  std::uint32_t wish = slot.wish.load(memory_order_acquire);
  while (!slot.wish.compare_exchange_strong(wish, (wish & ~Wish::kTierMask) | Wish::kTier | tier, memory_order_acq_rel,
                                            memory_order_acquire)) {
  }
  visit(slot.element.get(), true, id);
  telemetry_.moved(waiter, tier);
  return Answer::kOk;
}

bool Member::refuse(WaiterId waiter, std::uint32_t generation, Outcome outcome) {
  if (!valid(waiter, Use::kWaiting) || local_[waiter].generation != generation) return false;
  const Status status = SlotState::of(arena_.slot(slot_of(waiter)).state.load(memory_order_acquire)).status;
  if (status != Status::kQueued && status != Status::kPrepared) return false;
  give_up(waiter);
  settle(waiter, outcome, {});
  done_with(waiter);
  return true;
}

// By what is owed and not by what waits: damage may be found half-way, when a slot is given up and its end not yet told.
void Member::fail_all(Outcome outcome) {
  for (WaiterId waiter = 0; waiter < local_.size(); waiter++) {
    Local& local = local_[waiter];
    if (local.use == Use::kWaiting) {
      local.use = Use::kGoing;  // its slot stays where it is: nothing of this arena is believed any more
      waiting_--;
    }
    if (local.owed) settle(waiter, outcome, {});
  }
}

void Member::expire() {
  lane_.refresh();
  if (waiting_ == 0) paced_.clear();
  for (std::size_t i = 0; i < paced_.size();) {
    const Nanos at = tokens_due(arena_, paced_[i], lane_.now());
    if (at == 0) {
      paced_[i] = paced_.back();
      paced_.pop_back();
      continue;
    }
    if (at <= lane_.now()) visit(paced_[i].index, true);
    i++;
  }
  while (!deadlines_.empty() && deadlines_.front().at <= lane_.now()) {
    const Deadline due = deadlines_.front();
    std::pop_heap(deadlines_.begin(), deadlines_.end());
    deadlines_.pop_back();
    if (due.sequence != 0) {
      visit(due.element, true);  // a ttl of ours: the lock passes on
    } else if (valid(due.waiter, Use::kWaiting) && local_[due.waiter].generation == due.generation) {
      end_wait(due.waiter);
      settle(due.waiter, Outcome::kTimedOut, {});
      done_with(due.waiter);
    }
  }
}

bool Member::matters(const Deadline& deadline) const {
  if (deadline.sequence == 0) return valid(deadline.waiter, Use::kWaiting) && local_[deadline.waiter].generation == deadline.generation;
  if (deadline.waiter == kNoWaiter) return holds(deadline.element, deadline.sequence);
  return holds_shared(deadline.waiter, deadline.sequence);
}

void Member::add_deadline(const Deadline& deadline) {
  constexpr std::size_t kAtLeast = 1024;
  if (deadlines_.size() >= compact_at_) {
    std::erase_if(deadlines_, [this](const Deadline& d) { return !matters(d); });
    std::make_heap(deadlines_.begin(), deadlines_.end());
    compact_at_ = std::max(kAtLeast, 2 * deadlines_.size());
  }
  deadlines_.push_back(deadline);
  std::push_heap(deadlines_.begin(), deadlines_.end());
}

void Member::inherit_tiers() {
  if (extensions_ == 0) return;
  for (WaiterId waiter = 0; waiter < local_.size(); waiter++) {
    if (local_[waiter].use != Use::kWaiting) continue;
    const Slot& slot = arena_.slot(slot_of(waiter));
    if ((slot.flags.peek() & SlotFlag::kHasWants) != 0) continue;
    std::uint32_t tier = slot.flags.peek() & SlotFlag::kTierMask;
    const std::uint32_t own = tier;
    std::uint32_t steps = 0;
    for (SlotId x = slot.enclosing.get(); x != 0 && ++steps <= kEnclosingMax; x = arena_.extension(x).next.get()) {
      const Extension& extension = arena_.extension(x);
      for (std::uint32_t i = 0; i < extension.count.get() && i < kEnclosingPerExtension; i++) {
        const Element& element = arena_.element(extension.entries[i].element.get());
        for (std::uint32_t t = kTiers - 1; t > tier; t--) {
          if (element.heads[t].load(memory_order_acquire) != 0) tier = t;
        }
      }
    }
    if (tier != own) upgrade(waiter, tier);
  }
}

void Member::abandon_all() {
  for (WaiterId waiter = 0; waiter < local_.size(); waiter++) {
    if (local_[waiter].use == Use::kWaiting) abort(waiter);
  }
  for (const Queue& queue : queues_) {
    queue.recover({participant_, incarnation_}, true);
    give_on(queue);
  }
}

// ---- what was granted ----------------------------------------------------------------------------------------------

// Makes a ready slot ours. The held bit comes before the slot is let go, so that our death is noticed at either.
bool Member::take(WaiterId waiter, Granted& out) {
  const SlotId id = slot_of(waiter);
  Slot& slot = arena_.slot(id);
  const ElementIndex index = slot.element.get();
  if (is_queue(arena_.element(index))) return take_cell(waiter, out);
  std::uint64_t seen = slot.state.load(memory_order_acquire);
  const SlotState state = SlotState::of(seen);
  const bool shared = (slot.flags.get() & SlotFlag::kShared) != 0;
  // A shared grant may be taken away before it was looked at: the wait ends with a grant that is lost already.
  const bool lost = shared && local_[waiter].pending && (state.status == Status::kRevoked || state.status == Status::kFree);
  if (state.status != Status::kReady && !lost) return false;
  Element& element = arena_.element(index);
  if ((slot.flags.get() & (SlotFlag::kTokens | SlotFlag::kRefused)) != 0) {
    if (!slot.state.compare_exchange_strong(seen, state.with(Status::kFree).word(), memory_order_acq_rel, memory_order_acquire))
      return false;
    out = {state.sequence, kNoWaiter, false};
    retire_slot(waiter);
    return true;
  }
  // The slot keeps the low half of the sequence; the element's own is at most a little ahead.
  const std::uint64_t latest = Fast::of(element.fast.load(memory_order_acquire)).sequence;
  std::uint64_t sequence = (latest & ~0xffffffffull) | state.sequence;
  if (sequence > latest) sequence -= 1ull << 32;
  const bool owner_died = (slot.flags.get() & SlotFlag::kOwnerDied) != 0;
  const Nanos ends = slot.ttl.get() == 0 ? 0 : end_of_grant(slot, element, shared);
  if (!shared) hold_bit(index);
  const SlotState next = state.with(shared ? Status::kHeld : Status::kFree);
  const bool taken = !lost && slot.state.compare_exchange_strong(seen, next.word(), memory_order_acq_rel, memory_order_acquire);
  if (!shared) {
    if (!taken) {
      if (Fast::of(element.fast.load(memory_order_acquire)).owner != participant_) drop_bit(index);
      return false;
    }
    retire_slot(waiter);
    out = {sequence, kNoWaiter, owner_died};
  } else {
    // If it was revoked in this very moment it is a grant that is lost already; its end will say so.
    local_[waiter].use = Use::kHolding;
    waiting_--;
    local_[waiter].sequence = sequence;
    out = {sequence, waiter, owner_died};
  }
  if (ends != 0) add_deadline({ends, out.waiter, 0, index, sequence});
  return true;
}

// When the ttl of a grant that is ready is over for whoever looks. It began to run when it was granted, not when it is taken.
Nanos Member::end_of_grant(const Slot& slot, const Element& element, bool shared) {
  if (shared) return slot.deadline.get() + kNanosPerMilli;
  lane_.refresh();
  const std::uint32_t passed = ms_floor(arena_.header(), lane_.now());
  const std::int32_t left = static_cast<std::int32_t>(element.ttl.load(memory_order_acquire) - passed);
  const std::uint32_t at_most = slot.ttl.get() + 1;
  return lane_.now() + std::min(left > 0 ? static_cast<std::uint32_t>(left) + 1 : 1, at_most) * kNanosPerMilli;
}

void Member::collect() {
  lane_.own_wake = false;
  if (settled_at_ == settled_.size()) {
    settled_.clear();
    settled_at_ = 0;
  }
  Participant& self = arena_.participant(participant_);
  if (self.notice.load(memory_order_relaxed) != 0) {
    const std::uint32_t notice = self.notice.exchange(0, memory_order_acq_rel);
    if ((notice & (Notice::kRevoked | Notice::kRecalled)) != 0) revoked_ = true;
    if ((notice & Notice::kRescan) != 0) rescan();
  }
  empty_wake_list();
  std::size_t kept = 0;
  for (std::size_t i = 0; i < pending_.size(); i++) {
    const WaiterId waiter = pending_[i];
    if (local_[waiter].use != Use::kWaiting || !local_[waiter].pending) continue;
    const Status status = SlotState::of(arena_.slot(slot_of(waiter)).state.load(memory_order_acquire)).status;
    if (status != Status::kOffered && status != Status::kQueued) deliver(waiter);
    // Announced a moment before it is ready, or taken back because we were slow: it is not announced again, only rung.
    if (local_[waiter].use == Use::kWaiting && local_[waiter].pending) pending_[kept++] = waiter;
  }
  pending_.resize(kept);
}

void Member::deliver(WaiterId waiter) {
  Granted grant;
  const bool refused = is_refused(waiter);
  if (!take(waiter, grant)) return;
  settle(waiter, refused ? Outcome::kNever : Outcome::kGranted, grant);
  done_with(waiter);
}

void Member::settle(WaiterId waiter, Outcome outcome, const Granted& grant) {
  if (outcome == Outcome::kGranted) {
    telemetry_.taken(waiter, grant.waiter == kNoWaiter ? grant.sequence : Telemetry::kShared);
  } else {
    telemetry_.not_taken(waiter, Event::kRefusal, ending_of(outcome));
  }
  settled_.push_back({waiter, outcome, grant});
  local_[waiter].owed = false;
}

bool Member::take_revoked() { return std::exchange(revoked_, false); }

// Before anything ready may be freed: it might still be linked here.
void Member::empty_wake_list() {
  for (const SlotId own : lane_.own_served) {
    const WaiterId waiter = waiter_of(own);
    if (waiter == kNoWaiter) throw Corrupt("a slot of another was granted to us");
    if (local_[waiter].use != Use::kWaiting || local_[waiter].pending) continue;
    local_[waiter].pending = true;
    pending_.push_back(waiter);
  }
  lane_.own_served.clear();
  auto& wake = arena_.participant(participant_).wake;
  if (wake.load(memory_order_acquire) == 0) return;
  SlotId x = wake.exchange(0, memory_order_acq_rel);
  const std::size_t from = pending_.size();
  std::uint32_t steps = 0;
  while (x != 0) {
    if (++steps > arena_.walk_bound()) throw Corrupt("wake list");
    const SlotId next = arena_.slot(x).link.load(memory_order_acquire);
    const WaiterId waiter = waiter_of(x);
    if (waiter == kNoWaiter) throw Corrupt("a slot of another is on our wake list");
    local_[waiter].popped = true;
    if (local_[waiter].use == Use::kWaiting && !local_[waiter].pending) {
      local_[waiter].pending = true;
      pending_.push_back(waiter);
    }
    x = next;
  }
  for (std::size_t i = from, j = pending_.size(); i + 1 < j; i++) std::swap(pending_[i], pending_[--j]);  // it was last first
}

void Member::rescan() {
  arena_.count(Counter::kRescans);
  for (WaiterId waiter = 0; waiter < local_.size(); waiter++) {
    if (local_[waiter].use != Use::kWaiting || local_[waiter].pending) continue;
    const Slot& slot = arena_.slot(slot_of(waiter));
    const SlotState state = SlotState::of(slot.state.load(memory_order_acquire));
    // Granted shared and taken away again before we knew of either: that is an end to be told, too.
    const bool lost = (state.status == Status::kRevoked || state.status == Status::kFree) && state.sequence != 0 &&
                      (slot.flags.get() & SlotFlag::kShared) != 0;
    if (state.status != Status::kReady && !lost) continue;
    local_[waiter].pending = true;
    pending_.push_back(waiter);
  }
}

// ---- slots ---------------------------------------------------------------------------------------------------------

// ---- plans -----------------------------------------------------------------------------------------------------------

Written Member::write_plan(const Plan& plan, PlanId& out) {
  lane_.refresh();
  const auto mark = [&] {
    if (plan.what != 0) Plans::mark(arena_.element(plan.what - 1), plan);
  };
  mark();
  const Written written = Plans(arena_).write(lane_, plan, out);
  mark();
  if (plan.kind == PlanKind::kReserve && plan.what != 0 && Bucket::is(arena_, plan.what - 1)) {
    Bucket(arena_, plan.what - 1).prolong(lane_.now());
  }
  look_again(plan);
  return written;
}

bool Member::withdraw_plan(PlanId id) {
  lane_.refresh();
  Plan plan;
  if (!Plans(arena_).withdraw(lane_, id, plan)) return false;
  look_again(plan);
  return true;
}

void Member::sweep_plans() {
  if (arena_.header().plans.load(memory_order_acquire) == 0) return;
  lane_.refresh();
  const Nanos now = lane_.now();
  if (look_at_plans(now).over) {
    std::vector<Plan> ended;
    Plans(arena_).sweep(lane_, now, [&](const Plan& plan) { ended.push_back(plan); });
    for (const Plan& plan : ended) look_again(plan);
    seen_plans_.changes = ~0ull;
  }
  // Time may also have let somebody age past a hold.
  for (const ElementIndex index : look_at_plans(now).things) {
    if (perhaps_waited_for(arena_.element(index))) visit(index, true);
  }
}

// Counted first: what is written meanwhile is looked at the next time.
const Member::SeenPlans& Member::look_at_plans(Nanos now) {
  const Plans plans(arena_);
  const std::uint64_t changes = plans.changes();
  if (changes == seen_plans_.changes && (seen_plans_.next_end == 0 || now < seen_plans_.next_end)) return seen_plans_;
  seen_plans_.changes = changes;
  seen_plans_.next_end = 0;
  seen_plans_.over = false;
  seen_plans_.things.clear();
  plans.for_each(0, [&](PlanId, const Plan& plan) {
    if (plan.until <= now) {
      seen_plans_.over = true;
      return;
    }
    if (seen_plans_.next_end == 0 || plan.until < seen_plans_.next_end) seen_plans_.next_end = plan.until;
    if (plan.what != 0 && plan.what <= arena_.capacity().elements) seen_plans_.things.push_back(plan.what - 1);
  });
  return seen_plans_;
}

void Member::look_again(const Plan& plan) {
  if (plan.kind == PlanKind::kEscalation || plan.what == 0 || plan.what > arena_.capacity().elements) return;
  visit(plan.what - 1, true);
  // Who waits for tokens has set its timer by what was kept before.
  if (plan.kind == PlanKind::kKeep && Bucket::is(arena_, plan.what - 1)) hurry(plan.what - 1);
}

// By a plan of its workflow.
bool Member::is_raised(const Request& request, Plan& plan) {
  if (request.workflow == 0) return false;
  const Nanos until = arena_.header().escalated_until.load(memory_order_acquire);
  return until != 0 && lane_.now() < until && Plans(arena_).escalates(request.workflow, request.tier, lane_.now(), plan);
}

// What it asks for, or what a plan raises its workflow to.
std::uint32_t Member::tier_of(const Request& request) {
  Plan plan;
  if (!is_raised(request, plan)) return request.tier;
  telemetry_.used_plan(request.handle, plan.tier, plan.number, 1);
  return plan.tier;
}

WaiterId Member::waiter_of(SlotId slot) const {
  const std::uint32_t chunk = (slot - 1) / kChunkSlots;
  if (slot == 0 || chunk >= ordinal_.size() || ordinal_[chunk] == 0) return kNoWaiter;
  return (ordinal_[chunk] - 1) * kChunkSlots + (slot - 1) % kChunkSlots;
}

Answer Member::take_slot(WaiterId& out) {
  if (free_.empty()) reuse_going();
  if (free_.empty() && !pairs_.empty()) {
    const WaiterId waiter = pairs_.back();
    pairs_.pop_back();
    part(waiter);
  }
  if (free_.empty()) {
    const Answer answer = claim_chunk();
    if (answer != Answer::kOk) return answer;
  }
  out = free_.back();
  free_.pop_back();
  return Answer::kOk;
}

// One for a request that belongs to grants, and what it needs for them.
Answer Member::take_slot_within(const Request& request, WaiterId& out, SlotId& enclosing) {
  Answer answer = store_enclosing(request, enclosing);
  if (answer != Answer::kOk) return answer;
  answer = take_slot(out);
  if (answer != Answer::kOk) free_extensions(enclosing);
  return answer;
}

// One for a request at a bucket or a pool, and another for what it wants. The two stay together while they are free: most requests find
// them so.
Answer Member::take_slot_for(const Request& request, WaiterId& out, SlotId& wants) {
  if (!pairs_.empty()) {
    out = pairs_.back();
    pairs_.pop_back();
  } else if (const Answer answer = make_pair(out); answer != Answer::kOk) {
    return answer;
  }
  wants = local_[out].wants;
  fill_wants(arena_.wants(wants), request);
  return Answer::kOk;
}

Answer Member::make_pair(WaiterId& out) {
  WaiterId wants;
  Answer answer = take_slot(wants);
  if (answer != Answer::kOk) return answer;
  answer = take_slot(out);
  if (answer != Answer::kOk) {
    free_.push_back(wants);
    return answer;
  }
  const SlotId id = slot_of(wants);
  auto& state = arena_.wants(id).state;
  const SlotState before = SlotState::of(state.load(memory_order_relaxed));
  state.store(SlotState{Status::kExtension, (before.generation + 1) & 0xffffff, 0}.word(), memory_order_release);
  local_[wants].use = Use::kExtension;
  local_[out].wants = id;
  return Answer::kOk;
}

void Member::part(WaiterId waiter) {
  const SlotId id = std::exchange(local_[waiter].wants, 0);
  const WaiterId wants = waiter_of(id);
  auto& state = arena_.wants(id).state;
  state.store(SlotState::of(state.load(memory_order_relaxed)).with(Status::kFree).word(), memory_order_release);
  local_[wants].use = Use::kFree;
  free_.push_back(waiter);
  free_.push_back(wants);
}

// The wait is not waited for any more; its slot is free at once or when the gate holder has unlinked it.
void Member::done_with(WaiterId waiter) {
  if (local_[waiter].use == Use::kWaiting) retire_slot(waiter);
}

// Of units that were held and are given back already.
inline void Member::retire_units(WaiterId waiter, const Slot& slot) {
  Local& local = local_[waiter];
  if (local.popped || (slot.wish.load(memory_order_acquire) & Wish::kInWake) == 0) [[likely]] {
    local.pending = false;
    make_free(waiter);
  } else {
    retire_slot(waiter);
  }
}

void Member::retire_slot(WaiterId waiter) {
  Local& local = local_[waiter];
  Slot& slot = arena_.slot(slot_of(waiter));
  if (local.use == Use::kWaiting) waiting_--;
  local.use = Use::kGoing;
  local.pending = false;
  const bool free = SlotState::of(slot.state.load(memory_order_acquire)).status == Status::kFree;
  if ((slot.flags.peek() & SlotFlag::kHasWants) == 0) {  // the same
    free_extensions(slot.enclosing.get());
    slot.enclosing.set(0);
  }
  // A slot that was announced may still be on the wake list; reuse_going empties that first.
  if (free && (local.popped || (slot.wish.load(memory_order_acquire) & Wish::kInWake) == 0)) {
    make_free(waiter);
  } else {
    going_.push_back(waiter);
    if (going_.size() >= reuse_at_) {
      reuse_going();
      reuse_at_ = std::max<std::size_t>(2 * kChunkSlots, 2 * going_.size());  // many may be stuck behind a stopped gate holder
    }
  }
}

bool Member::reuse_going() {
  std::vector<WaiterId> freed;
  std::size_t kept = 0;
  for (const WaiterId waiter : going_) {
    const Status status = SlotState::of(arena_.slot(slot_of(waiter)).state.load(memory_order_acquire)).status;
    if (status == Status::kFree) {
      freed.push_back(waiter);
    } else {
      going_[kept++] = waiter;
    }
  }
  if (freed.empty()) return false;
  going_.resize(kept);
  empty_wake_list();
  for (const WaiterId waiter : freed) make_free(waiter);
  return true;
}

// What a request at a pool is for is read as long as its slot is in a list.
void Member::make_free(WaiterId waiter) {
  Local& local = local_[waiter];
  local.use = Use::kFree;
  if (local.wants == 0) {
    free_.push_back(waiter);
    return;
  }
  pairs_.push_back(waiter);
  if (pairs_.size() <= kPairs) return;
  pairs_.pop_back();
  part(waiter);
}

Answer Member::claim_chunk() {
  const std::uint32_t count = arena_.layout().chunk_count;
  for (std::uint32_t probe = 0; probe < count; probe++) {
    const std::uint32_t chunk = (chunk_hand_ + probe) % count;
    auto& owner = arena_.chunk_owner(chunk);
    std::uint64_t nobody = 0;
    if (owner.load(memory_order_relaxed) != 0) continue;
    const std::size_t offset = arena_.layout().slots + sizeof(Slot) * kChunkSlots * static_cast<std::size_t>(chunk);
    if (!arena_.ensure(offset, sizeof(Slot) * kChunkSlots)) return Answer::kOutOfMemory;
    if (!owner.compare_exchange_strong(nobody, ChunkOwner{participant_, incarnation_}.word(), memory_order_acq_rel, memory_order_relaxed))
      continue;
    chunk_hand_ = chunk + 1;
    chunks_.push_back(chunk);
    ordinal_[chunk] = static_cast<std::uint32_t>(chunks_.size());
    const WaiterId first = static_cast<WaiterId>(local_.size());
    local_.resize(local_.size() + kChunkSlots);
    for (std::uint32_t i = kChunkSlots; i > 0; i--) free_.push_back(first + i - 1);
    return Answer::kOk;
  }
  return Answer::kNoSlots;
}

// ---- enclosing grants ----------------------------------------------------------------------------------------------

Answer Member::store_enclosing(const Request& request, SlotId& first) {
  first = 0;
  for (std::uint32_t from = 0; from < request.enclosing_count; from += kEnclosingPerExtension) {
    WaiterId waiter;
    const Answer answer = take_slot(waiter);
    if (answer != Answer::kOk) {
      free_extensions(first);
      return answer;
    }
    const SlotId id = slot_of(waiter);
    Extension& extension = arena_.extension(id);
    std::uint32_t count = 0;
    for (std::uint32_t i = from; i < request.enclosing_count && count < kEnclosingPerExtension; i++) {
      const EnclosingGrant& grant = request.enclosing[i];
      if (grant.element >= arena_.capacity().elements) continue;
      if (grant.waiter != kNoWaiter && !valid(grant.waiter, Use::kHolding)) continue;  // it has ended: it encloses nothing
      auto& entry = extension.entries[count++];
      entry.element.set(grant.element);
      entry.sequence.set(static_cast<std::uint32_t>(grant.sequence));
      entry.slot.set(grant.waiter == kNoWaiter ? 0 : slot_of(grant.waiter));
    }
    extension.count.set(count);
    extension.next.set(first);
    const SlotState state = SlotState::of(extension.state.load(memory_order_relaxed));
    extension.state.store(SlotState{Status::kExtension, (state.generation + 1) & 0xffffff, 0}.word(), memory_order_release);
    local_[waiter].use = Use::kExtension;
    extensions_++;
    first = id;
  }
  return Answer::kOk;
}

void Member::free_extensions(SlotId first) {
  std::uint32_t steps = 0;
  while (first != 0 && ++steps <= kEnclosingMax) {
    Extension& extension = arena_.extension(first);
    const SlotId next = extension.next.get();
    const WaiterId waiter = waiter_of(first);
    if (!valid(waiter, Use::kExtension)) throw Corrupt("enclosing grants");
    const SlotState state = SlotState::of(extension.state.load(memory_order_relaxed));
    extension.state.store(state.with(Status::kFree).word(), memory_order_release);
    local_[waiter].use = Use::kFree;
    extensions_--;
    free_.push_back(waiter);
    first = next;
  }
}

}  // namespace forelock::core
