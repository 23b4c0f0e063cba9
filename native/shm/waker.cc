#include "shm/waker.h"

#include <algorithm>

#include "core/moment.h"
#include "core/sweep.h"
#include "shm/clock.h"
#include "shm/futex.h"
#include "shm/liveness.h"

namespace forelock::shm {

namespace {

using core::Nanos;

// A dead holder is found within one tick of the kernel letting go of its byte, and one probe costs 0.6 us (Linux 6.18).
constexpr Nanos kTick = 10 * core::kNanosPerMilli;
// After the last wait it goes on ticking for a while: waking it from its long sleep at each wait would cost a futex call.
constexpr Nanos kLinger = 1'000 * core::kNanosPerMilli;
constexpr Nanos kDeadlockAge = 20 * core::kNanosPerMilli;
constexpr Nanos kWallClockAge = 1'000 * core::kNanosPerMilli;
// So many ticks in a row a hand-off must seem forgotten before it is made good: a thread can be kept from running for tens
// of milliseconds on a loaded machine.
constexpr int kProbeTicks = 10;
// So many ticks in a row a gate must seem to be held by somebody who is not there, before the arena is called damaged.
constexpr int kPhantomTicks = 10;
// Users of queues asked after in one tick, 0.6 us each; with more, each gets its turn.
constexpr std::uint32_t kUsersPerTick = 64;
// Waits looked at in one tick; with more, each gets its turn.
constexpr std::uint32_t kWaitsPerTick = 2048;

}  // namespace

Waker::Waker(core::Arena& arena, const Region& region, core::ParticipantId participant, std::function<void()> signal)
    : arena_(arena),
      region_(region),
      participant_(participant),
      lane_(arena, participant, core::Thread::kWaker),
      life_(arena.participant(participant).life.load(std::memory_order_acquire)),
      signal_(std::move(signal)) {}

void Waker::start() {
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
}

void Waker::stop() {
  if (!thread_.joinable()) return;
  stop_.store(true);
  lane_.ring(participant_);
  arena_.host().wake(participant_);  // also where the mark of the sleeper was lost, as in publish
  thread_.join();
}

void Waker::publish(std::uint32_t waiting, Nanos next_deadline) {
  // Stored before `idle_` and `planned_` are read, as those are stored before these are read: one of us sees the other.
  waiting_.store(waiting, std::memory_order_seq_cst);
  next_deadline_.store(next_deadline, std::memory_order_seq_cst);
  const bool asleep = waiting != 0 && idle_.load(std::memory_order_seq_cst);
  const Nanos planned = planned_.load(std::memory_order_seq_cst);
  // Virtual deadlines are looked at by whoever moves that clock.
  const bool sooner = next_deadline != 0 && planned != 0 && next_deadline < planned && arena_.header().is_virtual == 0;
  if (asleep || sooner) lane_.ring(participant_);
  // From its long sleep it is woken even where the mark of the sleeper in the arena was lost: nothing else would.
  if (asleep) arena_.host().wake(participant_);
}

void Waker::visit_later(std::vector<core::ElementIndex> elements) {
  {
    const std::lock_guard guard(mutex_);
    leftovers_.insert(leftovers_.end(), elements.begin(), elements.end());
  }
  lane_.ring(participant_);
}

void Waker::watch_queue(core::ElementIndex items) {
  const std::lock_guard guard(mutex_);
  if (std::find(queues_.begin(), queues_.end(), items) == queues_.end()) queues_.push_back(items);
}

void Waker::look_around() {
  if (looks_around_.load(std::memory_order_relaxed)) return;
  looks_around_.store(true, std::memory_order_seq_cst);
  if (!idle_.load(std::memory_order_seq_cst)) return;
  lane_.ring(participant_);
  arena_.host().wake(participant_);
}

void Waker::look_for_observers() {
  observers_.store(true);
  lane_.ring(participant_);
}

std::vector<Victim> Waker::take_victims() {
  const std::lock_guard guard(mutex_);
  return std::exchange(victims_, {});
}

void Waker::run() {
  try {
    while (!stop_.load()) {
      work();
      if (!stop_.load()) sleep();
    }
  } catch (const std::exception&) {
    // Corrupt, or out of memory: in either case it may have stopped inside a gate.
    // Declared dead while alive is a matter of ours alone; anything else is one of all.
    if (arena_.participant(participant_).life.load(std::memory_order_acquire) == life_) report_damage(arena_);
    corrupt_.store(true, std::memory_order_release);
    signal();
  }
}

void Waker::work() {
  std::vector<core::ElementIndex> leftovers;
  {
    const std::lock_guard guard(mutex_);
    leftovers.swap(leftovers_);
  }
  for (const core::ElementIndex index : leftovers) {
    core::GateKeeper::serve_all(lane_, index);
  }
  if (observers_.exchange(false)) probe_observers();
  const Nanos now = monotonic_now();
  if (waiting_.load() != 0 || looks_around_.exchange(false)) last_waiting_ = now;
  if (now - last_tick_ >= kTick && (now - last_waiting_ < kLinger || last_tick_ == 0)) {
    last_tick_ = now;
    tick();
  }
  lane_.refresh();
  const Nanos deadline = next_deadline_.load();
  if (deadline != 0 && deadline <= lane_.now()) signal();
}

// The ring word is read, then the work looked for, then the sleep is on that very value: a ring in between ends it at
// once. (r1) this acquire pairs with the release in Lane::ring.
void Waker::sleep() {
  auto& ring = arena_.participant(participant_).ring;
  std::uint32_t seen = ring.load(std::memory_order_acquire);
  const core::Participant& self = arena_.participant(participant_);
  const bool rung = (seen | 1) != (quiet_ring_ | 1);
  if (rung) {
    quiet_ring_ = seen;
    unrung_ticks_ = 0;
    if (waiting_.load() != 0) sweep_the_dead();  // the ringer may be one that leaves
    // While anything waits a ring is always worth a look: what it announces may be off the wake list already, taken by a
    // look that came a moment before it was ready.
    if (waiting_.load() != 0 || self.wake.load(std::memory_order_acquire) != 0 || self.notice.load(std::memory_order_acquire) != 0) {
      signal();
    }
    return;  // and look for work again before sleeping
  }
  const Nanos now = monotonic_now();
  const bool active = waiting_.load() != 0 || now - last_waiting_ < kLinger;
  idle_.store(!active, std::memory_order_seq_cst);
  if (!active && (waiting_.load(std::memory_order_seq_cst) != 0 || looks_around_.load(std::memory_order_seq_cst))) return;
  const Nanos timeout = active ? sleep_for(now) : 0;
  planned_.store(active ? now + timeout : 0, std::memory_order_seq_cst);
  const Nanos deadline = next_deadline_.load(std::memory_order_seq_cst);
  lane_.refresh();
  if (active && deadline != 0 && deadline < lane_.now() + timeout && arena_.header().is_virtual == 0 && deadline <= lane_.now()) return;
  if (ring.compare_exchange_strong(seen, seen | 1, std::memory_order_acq_rel)) {
    futex_wait(&ring, seen | 1, timeout);
    ring.fetch_and(~1u, std::memory_order_acq_rel);
  }
  planned_.store(0, std::memory_order_seq_cst);
}

Nanos Waker::sleep_for(Nanos now) const {
  Nanos timeout = kTick;
  if (arena_.header().is_virtual == 0) {
    for (const Nanos at : {next_deadline_.load(std::memory_order_seq_cst), next_ttl_}) {
      if (at != 0 && at > now && at - now < timeout) timeout = at - now;
      if (at != 0 && at <= now) timeout = core::kNanosPerMilli;  // signalled already; its loop is busy
    }
  }
  return timeout;
}

void Waker::signal() {
  if (!signalled_.exchange(true)) signal_();
}

// ---- the tick ------------------------------------------------------------------------------------------------------

void Waker::tick() {
  lane_.refresh();
  if (arena_.participant(participant_).life.load(std::memory_order_acquire) != life_) throw core::Corrupt("our place was given to another");
  if (arena_.header().retired.load(std::memory_order_acquire) == kDamaged)
    throw core::Corrupt("another participant found the arena damaged");
  look_at_waits();
  suspect_users();
  probe_others();
  sweep_the_dead();
  look_at_own_wakes();
  refresh_wall_clock();
  if (arena_.header().is_private == 0 && !retired_.load() &&
      (arena_.header().retired.load(std::memory_order_acquire) != 0 || region_.is_unlinked())) {
    // Who only tries and never waits does not look at the file: it learns of it here.
    arena_.header().retired.store(kUnlinked, std::memory_order_release);
    retired_.store(true, std::memory_order_release);
    signal();
  }
}

void Waker::look_at_waits() {
  suspects_.clear();
  stuck_before_.swap(stuck_);
  stuck_.clear();
  next_ttl_ = 0;
  const std::uint64_t mine =
      core::ChunkOwner{participant_, core::LifeWord::of(arena_.participant(participant_).life.load(std::memory_order_acquire)).incarnation}
          .word();
  const std::uint32_t chunks = arena_.layout().chunk_count;
  std::uint32_t looked = 0;
  for (std::uint32_t i = 0; i < chunks && looked < kWaitsPerTick; i++) {
    const std::uint32_t chunk = (cursor_ + i) % chunks;
    if (arena_.chunk_owner(chunk).load(std::memory_order_acquire) != mine) continue;
    for (std::uint32_t j = 0; j < core::kChunkSlots; j++) {
      const core::SlotId id = chunk * core::kChunkSlots + j + 1;
      if (look_at_wait(id, arena_.slot(id))) looked++;
    }
    if (looked >= kWaitsPerTick) cursor_ = chunk + 1;
  }
}

bool Waker::look_at_wait(core::SlotId id, core::Slot& slot) {
  const core::Status status = core::SlotState::of(slot.state.load(std::memory_order_acquire)).status;
  if (status != core::Status::kQueued && status != core::Status::kPrepared) return false;
  const core::ElementIndex index = slot.element.peek();
  core::Element& element = arena_.element(index);
  const bool is_bucket = core::Meta::kind(element.meta.load(std::memory_order_acquire)) == core::Kind::kBucket;
  const core::Fast fast = core::Fast::of(is_bucket ? 0 : element.fast.load(std::memory_order_acquire));
  const core::Gate gate = core::Gate::of(element.gate.load(std::memory_order_acquire));
  if (fast.owner != 0) suspects_.push_back(fast.owner);
  if (gate.holder != 0) suspects_.push_back(core::participant_of(gate.holder));
  std::uint32_t steps = 0;
  for (core::SlotId x = element.holders.load(std::memory_order_acquire); x != 0 && ++steps <= 64;) {
    suspects_.push_back(arena_.owner_of(x).participant);
    x = arena_.slot(x).next.load(std::memory_order_acquire);
  }
  // The first of each tier: what is handed to a waiter that is dead comes back late, and as a dead owner's.
  for (const auto& head : element.heads) {
    const core::SlotId first = head.load(std::memory_order_acquire);
    if (first != 0) suspects_.push_back(arena_.owner_of(first).participant);
  }
  const std::uint32_t ttl = element.ttl.load(std::memory_order_acquire);
  if (ttl != 0) {
    const std::int32_t left = static_cast<std::int32_t>(ttl - core::ms_floor(arena_.header(), lane_.now()));
    if (left <= 0) {
      core::GateKeeper(lane_, index).visit(true);
    } else if (next_ttl_ == 0 || lane_.now() + static_cast<Nanos>(left) * core::kNanosPerMilli < next_ttl_) {
      next_ttl_ = lane_.now() + static_cast<Nanos>(left) * core::kNanosPerMilli;
    }
  }
  // Who moves virtual time looks at tokens and plans whenever it moves; a look at a time of our own would make what comes of it depend on
  // ours.
  const bool is_virtual = arena_.header().is_virtual != 0;
  if (is_bucket && !is_virtual) look_at_tokens(index);
  const std::uint64_t meta = element.meta.load(std::memory_order_acquire);
  const bool is_planned = (meta & core::Meta::kPlanned) != 0;
  // What a plan keeps from us it may have stopped to keep: its time, or its share of the time, is over.
  if (is_planned && !is_virtual) core::GateKeeper(lane_, index).visit(true);
  if (core::Meta::kind(meta) == core::Kind::kBucket || core::Meta::kind(meta) == core::Kind::kPool) return true;
  if (!is_planned || !is_virtual) look_for_stuck(id, slot, element);  // a lock that is kept looks as if somebody had stopped over it
  claim_from_sleeper(index, element);
  if (slot.enclosing.peek() != 0) {
    look_for_deadlock(id, slot);
    if (wants_a_higher_tier(slot)) {
      inherit_.store(true);
      signal();
    }
  }
  return true;
}

// The timers of those who wait are set by what they knew then. Tokens given back to a bucket above, or one who is first in line and
// stopped, may make it sooner.
void Waker::look_at_tokens(core::ElementIndex index) {
  const Nanos due = core::tokens_due(arena_, index, lane_.now());
  if (due != 0 && due <= lane_.now()) core::GateKeeper::serve_all(lane_, index);
}

// The lock is free, nobody is inside the gate, and yet we wait: somebody stopped between giving it back and serving us. One
// that died there is swept; this is the last resort, so it may take its time, and one that is merely not running for a
// while is not helped out.
void Waker::look_for_stuck(core::SlotId id, const core::Slot& slot, const core::Element& element) {
  const std::uint64_t word = element.fast.load(std::memory_order_acquire);
  const core::Gate gate = core::Gate::of(element.gate.load(std::memory_order_acquire));
  const bool dead_inside = gate.holder != 0 && arena_.lane_is_dead(gate.holder);
  const bool free = core::is_queue(element) ? core::servable(arena_, element)
                                            : core::Fast::of(word).owner == 0 && element.holders.load(std::memory_order_acquire) == 0;
  if (!dead_inside && gate.holder != 0) look_for_phantom(slot.element.peek(), gate.word());
  if (!dead_inside && (!free || gate.holder != 0)) return;
  Stuck now{id, word, slot.state.load(std::memory_order_acquire), 1};
  const auto before = std::find_if(stuck_before_.begin(), stuck_before_.end(), [&](const Stuck& s) { return s.same(now); });
  if (before != stuck_before_.end()) now.ticks = before->ticks + 1;
  stuck_.push_back(now);
  if (!dead_inside && now.ticks < kProbeTicks) return;
  const core::ElementIndex index = slot.element.peek();
  if (core::GateKeeper(lane_, index).visit(true) != core::Visit::kBusy && !dead_inside) arena_.count(core::Counter::kProbeHandoffs);
}

// Option claimWithin: the lock was handed to an environment whose loop has not come round to take it.
void Waker::claim_from_sleeper(core::ElementIndex index, const core::Element& element) {
  const std::uint32_t within = arena_.header().claim_within.load(std::memory_order_relaxed);
  const core::Fast fast = core::Fast::of(element.fast.load(std::memory_order_acquire));
  if (within == 0 || fast.owner == 0 || fast.owner == participant_) return;
  const Nanos held = core::held_for(arena_.header(), lane_.now(), element.since.load(std::memory_order_acquire));
  if (held < within * core::kNanosPerMilli) return;
  for (std::uint32_t chunk = 0; chunk < arena_.layout().chunk_count; chunk++) {
    if (core::ChunkOwner::of(arena_.chunk_owner(chunk).load(std::memory_order_acquire)).participant != fast.owner) continue;
    for (std::uint32_t i = 0; i < core::kChunkSlots; i++) {
      const core::SlotId id = chunk * core::kChunkSlots + i + 1;
      const core::Slot& slot = arena_.slot(id);
      const core::SlotState state = core::SlotState::of(slot.state.load(std::memory_order_acquire));
      if (state.status != core::Status::kReady || slot.element.peek() != index) continue;
      if (state.sequence == static_cast<std::uint32_t>(fast.sequence)) return core::GateKeeper(lane_, index).reclaim(id);
    }
  }
}

// A lane notes the element before it enters the gate and until it has left. One that is alive, says it is elsewhere, and
// yet stands in the gate word, tick after tick the very same word, was written there by something else.
void Waker::look_for_phantom(core::ElementIndex index, std::uint64_t gate) {
  const core::LaneId holder = core::Gate::of(gate).holder;
  const bool possible = core::participant_of(holder) >= 1 && core::participant_of(holder) <= arena_.capacity().participants;
  const bool there = possible && core::Hint::of(arena_.hint(holder).load(std::memory_order_acquire)).element_plus_one == index + 1;
  if (there || phantom_.element != index || phantom_.gate != gate) {
    if (there && phantom_.element != index) return;
    phantom_ = {index, gate, there ? 0 : 1, last_tick_};
    return;
  }
  if (phantom_.seen == last_tick_) return;  // another wait on the same element
  phantom_.seen = last_tick_;
  if (++phantom_.ticks >= kPhantomTicks) throw core::Corrupt("a gate is held by somebody who is not there");
}

// Who has records of our queues in hand is in no wait's way, but those records are in nobody's reach either.
void Waker::suspect_users() {
  std::vector<core::ElementIndex> queues;
  {
    const std::lock_guard guard(mutex_);
    queues = queues_;
  }
  const std::uint32_t places = arena_.capacity().participants + 1;
  std::uint32_t asked = 0;
  std::uint32_t looked = 0;
  for (; looked < places && asked < kUsersPerTick; looked++) {
    const core::ParticipantId id = (user_cursor_ + looked) % places;
    if (id == 0 || id == participant_ || !arena_.is_alive(id)) continue;
    for (const core::ElementIndex items : queues) {
      const core::Queue queue(arena_, arena_.element(items).base.load(std::memory_order_acquire));
      if (!queue.used_by(id)) continue;
      suspects_.push_back(id);
      asked++;
      break;
    }
  }
  user_cursor_ = (user_cursor_ + looked) % places;
}

void Waker::probe_others() {
  std::sort(suspects_.begin(), suspects_.end());
  suspects_.erase(std::unique(suspects_.begin(), suspects_.end()), suspects_.end());
  for (const core::ParticipantId id : suspects_) {
    if (id != 0 && id != participant_ && id <= arena_.capacity().participants) probe(arena_, region_.descriptor(), id);
  }
}

void Waker::probe_observers() {
  lane_.refresh();
  for (core::ParticipantId id = 1; id <= arena_.capacity().participants; id++) {
    if (id != participant_ && arena_.participant(id).observes.load(std::memory_order_acquire) != 0) probe(arena_, region_.descriptor(), id);
  }
  sweep_the_dead();
}

void Waker::sweep_the_dead() { core::sweep_all(lane_); }

// Something is on our wake list and nobody has rung for many ticks: its ringer is gone.
void Waker::look_at_own_wakes() {
  const core::Participant& self = arena_.participant(participant_);
  const bool waiting = self.wake.load(std::memory_order_acquire) != 0 && !signalled_.load();
  if (!waiting) {
    unrung_ticks_ = 0;
    return;
  }
  if (++unrung_ticks_ < kProbeTicks) return;
  arena_.count(core::Counter::kProbeHandoffs);
  unrung_ticks_ = 0;
  signal();
}

void Waker::look_for_deadlock(core::SlotId id, const core::Slot& slot) {
  // On a virtual clock nothing may ever pass; there every tick looks.
  if (arena_.header().is_virtual == 0 && lane_.now() < slot.arrival.peek() + kDeadlockAge) return;
  const auto cycle = core::find_cycle(arena_, id);
  if (cycle.empty() || core::youngest(cycle) != id) return;
  Victim victim{id, core::SlotState::of(cycle.front().state).generation, {}};
  for (const core::CycleStep& step : cycle) {
    const core::ParticipantId owner = arena_.owner_of(step.slot).participant;
    const std::uint32_t pid = owner == 0 || owner > arena_.capacity().participants ? 0 : arena_.participant(owner).pid.peek();
    if (!victim.cycle.empty()) victim.cycle += " -> ";
    victim.cycle += "process " + std::to_string(pid) + " waits for \"";
    for (const char16_t unit : core::Table::name_of(arena_, step.element)) {
      victim.cycle += unit < 0x80 ? static_cast<char>(unit) : '?';
    }
    victim.cycle += "\"";
  }
  {
    const std::lock_guard guard(mutex_);
    victims_.push_back(std::move(victim));
  }
  signal();
}

bool Waker::wants_a_higher_tier(const core::Slot& slot) const {
  const std::uint32_t tier = slot.flags.peek() & core::SlotFlag::kTierMask;
  std::uint32_t steps = 0;
  for (core::SlotId x = slot.enclosing.peek(); x != 0 && ++steps <= core::kEnclosingMax;) {
    const core::Extension& extension = arena_.extension(x);
    for (std::uint32_t i = 0; i < extension.count.peek() && i < core::kEnclosingPerExtension; i++) {
      const core::Element& element = arena_.element(extension.entries[i].element.peek());
      for (std::uint32_t t = core::kTiers - 1; t > tier; t--) {
        if (element.heads[t].load(std::memory_order_acquire) != 0) return true;
      }
    }
    x = extension.next.peek();
  }
  return false;
}

void Waker::refresh_wall_clock() {
  core::Header& header = arena_.header();
  if (header.is_virtual != 0) return;
  const Nanos now = monotonic_now();
  if (now - header.wall_read.load(std::memory_order_relaxed) < kWallClockAge) return;
  header.wall_read.store(now, std::memory_order_relaxed);
  header.wall_offset.store(wall_offset(), std::memory_order_release);
}

void report_damage(core::Arena& arena) {
  std::uint32_t sound = 0;
  arena.header().retired.compare_exchange_strong(sound, kDamaged, std::memory_order_acq_rel);
}

void probe_everybody(core::Lane& lane, const Region& region) {
  for (core::ParticipantId id = 1; id <= lane.arena.capacity().participants; id++) {
    if (id != lane.participant()) probe(lane.arena, region.descriptor(), id);
  }
  lane.refresh();
  core::sweep_all(lane);
}

}  // namespace forelock::shm
