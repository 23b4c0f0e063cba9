#include "core/telemetry.h"

#include <algorithm>
#include <bit>

#include "core/moment.h"

namespace forelock::core {

namespace {

constexpr std::uint32_t kHoldsMax = 1u << 16;  // of 64 bytes, backed as they are used
constexpr std::uint32_t kPendingMax = 128;
constexpr Nanos kPendingAge = kNanosPerMilli;

Nanos after(Nanos now, Nanos from) { return from != 0 && now > from ? now - from : 0; }

}  // namespace

// ---- one record ----------------------------------------------------------------------------------------------------

inline std::uint8_t Telemetry::kind_of(ElementIndex index) const {
  return static_cast<std::uint8_t>(Meta::kind(arena_.element(index).meta.load(memory_order_relaxed)));
}

[[gnu::always_inline]] inline Record Telemetry::of(Event event, Handle handle, std::uint32_t tier, double amount, const Names& names,
                                                   Nanos now) const {
  Record record;
  record.time = now;
  record.element = handle.index;
  record.generation = handle.generation;
  record.event = event;
  record.tier = static_cast<std::uint8_t>(tier);
  record.kind = kind_of(handle.index);
  record.participant = static_cast<std::uint16_t>(participant_);
  record.incarnation = incarnation_;
  record.names = names;
  record.amount = amount;
  return record;
}

Record Telemetry::of(Event event, const Asker& asker, Nanos now) const {
  Record record = of(event, asker.handle, asker.tier, asker.amount, asker.names, now);
  if (asker.shared) record.kind |= Record::kShared;
  return record;
}

[[gnu::always_inline]] inline void Telemetry::put(const Record& record) {
  if (!ring_.usable() && !prepare()) return;
  const std::uint64_t number = ring_.write(record);
  // Once a lap: an observer that died is counted until somebody asks the kernel.
  if ((number & (ring_.size() - 1)) == ring_.size() - 1) arena_.host().look_for_observers();
}

// ---- without a wait ------------------------------------------------------------------------------------------------

void Telemetry::granted(Handle handle, std::uint64_t sequence, WaiterId waiter, std::uint32_t tier, Nanos now, double amount, bool shared) {
  if (waiter != kNoWaiter) {
    Asker& known = asker(waiter);
    known = {handle, now, now, amount, asking, 0, tier, shared};
    put(of(Event::kGrant, known, now));
    if (counts()) count_wait(handle, tier, now, 0, known.row);
    return;
  }
  put(of(Event::kGrant, handle, tier, amount, asking, now));
  Hold* hold = hold_of(handle.index);
  if (hold == nullptr) return;
  if (pending_.hold == hold && !hold->is_of(handle)) flush_pending();
  hold->begin(handle, sequence, now, tier, amount, asking);
  if (counts()) pend_grant(*hold, now);
}

void Telemetry::ended(ElementIndex index, std::uint64_t sequence, Ending how) {
  const Nanos now = arena_.host().ticks();
  Hold* hold = hold_of(index);
  if (hold == nullptr || hold->sequence != sequence || hold->handle.index != index) {
    // Granted before anybody observed, or it has lost its place here.
    const Element& element = arena_.element(index);
    const std::uint32_t since = element.since.load(memory_order_relaxed);
    const std::uint32_t generation = Meta::generation(element.meta.load(memory_order_relaxed));
    Record record = of(Event::kEnd, {index, generation}, since >> 30, 1, {}, now);
    record.kind |= Record::kCoarse;
    record.outcome = how;
    if (how != Ending::kLost) record.held = held_for(arena_.header(), now, since);
    put(record);
    return;
  }
  Record record = of(Event::kEnd, hold->handle, hold->tier, hold->amount, hold->names, now);
  record.outcome = how;
  record.held = after(now, hold->since);
  put(record);
  hold->sequence = 0;
  if (counts()) pend_hold(*hold, record.held, now);
}

void Telemetry::spent(Handle handle, std::uint32_t tier, double amount) {
  const Nanos now = arena_.host().ticks();
  put(of(Event::kGrant, handle, tier, amount, asking, now));
  if (!counts()) return;
  Hold* hold = hold_of(handle.index);
  if (hold == nullptr) return;
  if (pending_.hold == hold && !hold->is_of(handle)) flush_pending();
  hold->begin(handle, 0, 0, tier, amount, {});
  pend_grant(*hold, now);
}

void Telemetry::over(Handle handle, std::uint32_t tier, Ending how) {
  Record record = of(Event::kEnd, handle, tier, 1, asking, arena_.host().ticks());
  record.kind |= Record::kCoarse;
  record.outcome = how;
  put(record);
}

void Telemetry::refused(Handle handle, std::uint32_t tier, Ending why, double amount, bool shared) {
  if (!on() && !counts()) return;
  const Nanos now = arena_.host().ticks();
  if (on()) {
    Record record = of(Event::kRefusal, handle, tier, amount, asking, now);
    record.outcome = why;
    if (shared) record.kind |= Record::kShared;
    put(record);
  }
  if (!counts()) return;
  std::uint32_t row = 0;
  stats_.cell(handle, tier, now, 1, row).refusals.fetch_add(1, memory_order_relaxed);
}

void Telemetry::used_plan(Handle handle, std::uint32_t tier, std::uint32_t plan, double amount) {
  if (!on()) return;
  Record record = of(Event::kPlan, handle, tier, amount, asking, arena_.host().ticks());
  record.plan = plan;
  put(record);
}

// ---- with a wait ---------------------------------------------------------------------------------------------------

void Telemetry::waits(WaiterId waiter, Handle handle, std::uint32_t tier, Nanos arrival, double amount, bool shared) {
  Asker& waiting = asker(waiter);
  waiting = {handle, arrival, 0, amount, asking, 0, tier, shared};
  if (on()) put(of(Event::kRequest, waiting, arena_.host().ticks()));
}

void Telemetry::moved(WaiterId waiter, std::uint32_t tier) {
  if (Asker* found = known(waiter)) found->tier = tier;
}

void Telemetry::taken(WaiterId waiter, std::uint64_t sequence) {
  Asker* found = known(waiter);
  if (found == nullptr || (!on() && !counts())) return;
  const Nanos now = arena_.host().ticks();
  const Nanos waited = after(now, found->arrival);
  if (on()) {
    Record record = of(Event::kGrant, *found, now);
    record.waited = waited;
    put(record);
    found->since = now;
    // What is spent, and what is in hand of a queue, has no end that would be known by its element.
    const bool ends = sequence != kShared && kind_of(found->handle.index) == static_cast<std::uint8_t>(Kind::kLock);
    if (Hold* hold = ends ? hold_of(found->handle.index) : nullptr) {
      if (pending_.hold == hold) flush_pending();
      hold->begin(found->handle, sequence, now, found->tier, found->amount, found->names);
    }
  }
  if (counts()) count_wait(found->handle, found->tier, now, waited, found->row);
}

void Telemetry::not_taken(WaiterId waiter, Event event, Ending why) {
  const Asker* found = known(waiter);
  if (found == nullptr || (!on() && !counts())) return;
  const Nanos now = arena_.host().ticks();
  if (on()) {
    Record record = of(event, *found, now);
    record.outcome = why;
    record.waited = after(now, found->arrival);
    put(record);
  }
  if (!counts()) return;
  std::uint32_t row = found->row;
  StatCell& cell = stats_.cell(found->handle, found->tier, now, 1, row);
  auto& counter = event == Event::kAbort     ? cell.aborts
                  : why == Ending::kTimedOut ? cell.timeouts
                  : why == Ending::kDeadlock ? cell.deadlocks
                                             : cell.refusals;
  counter.fetch_add(1, memory_order_relaxed);
}

void Telemetry::ended_shared(WaiterId waiter, Ending how) {
  Asker* found = known(waiter);
  if (found == nullptr) return;
  const Nanos now = arena_.host().ticks();
  Record record = of(Event::kEnd, *found, now);
  record.outcome = how;
  record.held = after(now, found->since);
  if (found->since == 0) record.kind |= Record::kCoarse;
  put(record);
  if (!counts() || found->since == 0) return;
  StatCell& cell = stats_.cell(found->handle, found->tier, now, 1, found->row);
  stats_.hold(cell, bucket_of(record.held), 1, record.held, record.held);
}

void Telemetry::handed_on(Handle handle, std::uint64_t sequence, std::uint32_t tier, Nanos arrival) {
  if (!on() && !counts()) return;
  const Nanos now = arena_.host().ticks();
  const Nanos waited = after(now, arrival);
  if (on()) {
    Record record = of(Event::kGrant, handle, tier, 1, asking, now);
    record.waited = waited;
    put(record);
    if (Hold* hold = hold_of(handle.index)) {
      if (pending_.hold == hold) flush_pending();
      hold->begin(handle, sequence, now, tier, 1, asking);
    }
  }
  std::uint32_t row = 0;
  if (counts()) count_wait(handle, tier, now, waited, row);
}

// ---- records -------------------------------------------------------------------------------------------------------

void Telemetry::record(Record record) {
  if (!on()) return;
  record.time = arena_.host().ticks();
  record.participant = static_cast<std::uint16_t>(participant_);
  record.incarnation = incarnation_;
  put(record);
}

bool Telemetry::prepare() {
  if (!refused_memory_ && back_lane(arena_, participant_)) {
    ring_ = RecordRing(arena_, participant_, Thread::kScript);
    return true;
  }
  refused_memory_ = true;  // not asked again: it would cost a call of the kernel each time
  arena_.count(Counter::kRecordsLost);
  return false;
}

Telemetry::Hold* Telemetry::hold_of(ElementIndex index) {
  if (!holds_) {
    const std::uint32_t size = std::min(std::bit_ceil(arena_.capacity().elements), kHoldsMax);
    holds_.reset(static_cast<Hold*>(std::calloc(size, sizeof(Hold))));
    if (!holds_) return nullptr;
    hold_mask_ = size - 1;
  }
  return &holds_[index & hold_mask_];
}

Telemetry::Asker& Telemetry::asker(WaiterId waiter) {
  if (waiter >= askers_.size()) askers_.resize(std::max<std::size_t>(waiter + 1, 2 * askers_.size()));
  return askers_[waiter];
}

// ---- counts --------------------------------------------------------------------------------------------------------

void Telemetry::pend(Hold& hold) {
  if (pending_.hold == &hold && pending_.tier == hold.tier) return;
  flush();
  pending_ = {&hold, hold.handle, hold.tier, 0, 0, 0, 0, 0};
}

void Telemetry::pend_grant(Hold& hold, Nanos now) {
  pend(hold);
  pending_.grants++;
  if (pending_.grants >= kPendingMax || now - flushed_ >= kPendingAge) {
    flush_pending();
    flushed_ = now;
  }
}

void Telemetry::pend_hold(Hold& hold, Nanos held, Nanos now) {
  const std::uint32_t bucket = bucket_of(held);
  if (pending_.hold == &hold && pending_.holds != 0 && pending_.bucket != bucket) flush_pending();
  pend(hold);
  pending_.bucket = bucket;
  pending_.holds++;
  pending_.held += held;
  pending_.longest = std::max(pending_.longest, held);
  if (pending_.holds >= kPendingMax || now - flushed_ >= kPendingAge) {
    flush_pending();
    flushed_ = now;
  }
}

void Telemetry::flush_pending() {
  const Pending pending = pending_;
  pending_ = {};
  if (!counts()) return;
  std::uint32_t& row = pending.hold->row;
  StatCell& cell = stats_.cell(pending.handle, pending.tier, arena_.host().coarse_now(), pending.grants + pending.holds, row);
  if (pending.grants != 0) stats_.wait(cell, 0, pending.grants);
  if (pending.holds != 0) stats_.hold(cell, pending.bucket, pending.holds, pending.held, pending.longest);
}

void Telemetry::count_wait(Handle handle, std::uint32_t tier, Nanos now, Nanos waited, std::uint32_t& row) {
  stats_.wait(stats_.cell(handle, tier, now, 1, row), waited, 1);
}

// ---- from inside a gate --------------------------------------------------------------------------------------------

void record_reclaim(Lane& lane, ElementIndex index, ParticipantId from, Ending why) {
  Arena& arena = lane.arena;
  if (observers(arena) == 0 || !back_lane(arena, lane.participant())) return;
  const Element& element = arena.element(index);
  const std::uint64_t meta = element.meta.load(memory_order_relaxed);
  const std::uint32_t since = element.since.load(memory_order_relaxed);
  Record record;
  record.time = lane.now();
  record.element = index;
  record.generation = Meta::generation(meta);
  record.event = Event::kReclaim;
  record.tier = static_cast<std::uint8_t>(since >> 30);
  record.outcome = why;
  record.kind = static_cast<std::uint8_t>(static_cast<std::uint32_t>(Meta::kind(meta)) | Record::kCoarse);
  record.participant = static_cast<std::uint16_t>(from);  // whose it was
  record.held = held_for(arena.header(), record.time, since);
  RecordRing(arena, lane.participant(), static_cast<Thread>(lane.id & 1)).write(record);
}

void record_plan(Lane& lane, ElementIndex index, const PlanUse& use) {
  Arena& arena = lane.arena;
  if (observers(arena) == 0 || !back_lane(arena, lane.participant())) return;
  const std::uint64_t meta = arena.element(index).meta.load(memory_order_relaxed);
  Record record;
  record.time = lane.now();
  record.element = index;
  record.generation = Meta::generation(meta);
  record.event = Event::kPlan;
  record.tier = static_cast<std::uint8_t>(use.tier);
  record.kind = static_cast<std::uint8_t>(Meta::kind(meta));
  record.participant = static_cast<std::uint16_t>(use.participant);
  record.names = use.names;
  record.plan = use.plan;
  record.amount = use.amount;
  RecordRing(arena, lane.participant(), static_cast<Thread>(lane.id & 1)).write(record);
}

}  // namespace forelock::core
