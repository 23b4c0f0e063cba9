#include "core/plan.h"

#include <bit>

namespace forelock::core {

PlanTable* Plans::table() const {
  const std::uint64_t offset = arena_.header().plans.load(memory_order_acquire);  // (p1)
  return offset == 0 ? nullptr : &arena_.record<PlanTable>(offset);
}

// Twice the same control, and nobody wrote between: the cell was whole.
bool Plans::read(std::uint32_t at, Plan& plan, std::uint32_t* version) const {
  const PlanEntry& entry = table()->entries[at];
  for (int attempt = 0; attempt < 4; attempt++) {
    const std::uint64_t seen = entry.control.load(memory_order_acquire);  // (p3)
    const PlanControl control = PlanControl::of(seen);
    if (!control.live) return false;
    const PlanEntry::Cell& cell = entry.cells[control.current];
    const std::uint64_t what = cell.what.load(memory_order_acquire);  // (p4), and so the others
    plan = {static_cast<PlanKind>((what >> 32) & 0xff),
            static_cast<std::uint32_t>(what),
            static_cast<std::uint32_t>(cell.who.load(memory_order_acquire)),
            static_cast<std::uint32_t>(what >> 40) & 0xff,
            static_cast<std::uint32_t>(what >> 48) % kPlanSources,
            std::bit_cast<double>(cell.amount.load(memory_order_acquire)),
            cell.from.load(memory_order_acquire),
            cell.until.load(memory_order_acquire),
            PlanId{at, control.version}.number()};
    if (PlanControl::of(entry.control.load(memory_order_relaxed)).version == control.version) {
      if (version != nullptr) *version = control.version;
      return plan.tier < kTiers;
    }
  }
  return false;
}

// From nobody, or from the dead.
bool Plans::claim(Lane& lane, std::uint32_t at, std::uint64_t& seen) {
  auto& word = table()->entries[at].control;
  seen = word.load(memory_order_acquire);
  PlanControl control = PlanControl::of(seen);
  const bool alive = control.writer != 0 && control.writer != lane.id && participant_of(control.writer) <= arena_.capacity().participants &&
                     participant_of(control.writer) != 0 && !arena_.lane_is_dead(control.writer);
  if (alive) return false;
  control.writer = lane.id;
  const std::uint64_t mine = control.word();
  if (!word.compare_exchange_strong(seen, mine, memory_order_acq_rel, memory_order_relaxed)) return false;
  seen = mine;
  return true;
}

Written Plans::write(Lane& lane, const Plan& plan, PlanId& out) {
  if (table() == nullptr) {
    std::uint64_t made = 0;
    const Made got = allocate_heap(arena_, sizeof(PlanTable), made);
    if (got != Made::kOk) return got == Made::kNoHeap ? Written::kNoHeap : Written::kOutOfMemory;
    std::uint64_t none = 0;
    arena_.header().plans.compare_exchange_strong(none, made, memory_order_acq_rel, memory_order_relaxed);
  }
  PlanTable& table = *this->table();
  const Nanos now = lane.now();
  std::uint32_t chosen = kPlans;
  int best = 0;
  for (std::uint32_t i = 0; i < kPlanWindow; i++) {
    const std::uint32_t at = place(key_of(plan), i);
    Plan there;
    const bool live = read(at, there) && now < there.until;
    const bool same = live && there.kind == plan.kind && there.what == plan.what && there.who == plan.who && there.tier == plan.tier &&
                      there.source == plan.source;
    if (same) {
      chosen = at;
      break;
    }
    const int fit = live ? 0 : fitness(at, plan, now);
    if (fit > best) {
      chosen = at;
      best = fit;
    }
  }
  std::uint64_t seen = 0;
  if (chosen == kPlans || !claim(lane, chosen, seen)) return Written::kFull;
  PlanEntry& entry = table.entries[chosen];
  PlanControl control = PlanControl::of(seen);
  if (!was_hold_of(chosen, plan.what) || plan.kind != PlanKind::kHold) {
    for (auto* word : {&entry.blocked_since, &entry.kept_now, &entry.kept_before, &entry.half}) word->set(0);
  }
  PlanEntry::Cell& cell = entry.cells[control.current ^ 1];
  const std::uint64_t what = (static_cast<std::uint64_t>(plan.source % kPlanSources) << 48) |
                             (static_cast<std::uint64_t>(plan.tier) << 40) | (static_cast<std::uint64_t>(plan.kind) << 32) | plan.what;
  cell.what.store(what, memory_order_release);  // (p4), and so the others
  cell.who.store(plan.who, memory_order_release);
  cell.amount.store(std::bit_cast<std::uint64_t>(plan.amount), memory_order_release);
  cell.from.store(plan.from, memory_order_release);
  cell.until.store(plan.until, memory_order_release);
  control = {control.version + 1, 0, control.current ^ 1, true};
  entry.control.store(control.word(), memory_order_release);  // (p3)
  if (PlanLoss* of = loss(plan.source)) of->written.fetch_add(1, memory_order_relaxed);
  if (plan.kind == PlanKind::kEscalation) {
    auto& until = arena_.header().escalated_until;
    std::uint64_t latest = until.load(memory_order_relaxed);
    while (latest < plan.until && !until.compare_exchange_strong(latest, plan.until, memory_order_acq_rel, memory_order_relaxed)) {
    }
  }
  out = {chosen, control.version};
  return Written::kOk;
}

bool Plans::end(Lane& lane, std::uint32_t at, std::uint32_t version) {
  std::uint64_t seen = 0;
  if (!claim(lane, at, seen)) return false;
  PlanControl control = PlanControl::of(seen);
  const bool mine = control.live && control.version == version;
  control.writer = 0;
  if (mine) {
    control.live = false;
    control.version++;
  }
  table()->entries[at].control.store(control.word(), memory_order_release);
  return mine;
}

bool Plans::withdraw(Lane& lane, PlanId id, Plan& plan) {
  std::uint32_t version = 0;
  if (table() == nullptr || id.entry >= kPlans || !read(id.entry, plan, &version) || version != id.version) return false;
  return end(lane, id.entry, id.version);
}

void Plans::use(Lane& lane, PlanEntry& entry, const Plan& plan) {
  const auto at = static_cast<std::uint32_t>(&entry - table()->entries);
  if (!end(lane, at, PlanControl::of(entry.control.load(memory_order_acquire)).version)) return;
  if (PlanLoss* of = loss(plan.source)) of->hits.fetch_add(1, memory_order_relaxed);
}

Nanos Plans::next_end(Nanos now) const {
  Nanos next = 0;
  for_each(now, [&](PlanId, const Plan& plan) {
    if (next == 0 || plan.until < next) next = plan.until;
  });
  return next;
}

PlanLoss* Plans::loss(std::uint32_t source) const {
  PlanTable* table = this->table();
  return table == nullptr ? nullptr : &table->losses[source % kPlanSources];
}

bool Plans::escalates(std::uint32_t workflow, std::uint32_t tier, Nanos now, Plan& plan) const {
  bool found = false;
  for_each_of(PlanKind::kEscalation, workflow | 0x80000000u, now, [&](PlanEntry&, const Plan& one) {
    if (one.tier <= (found ? plan.tier : tier)) return;
    plan = one;
    found = true;
  });
  return found;
}

// ---- holds ----------------------------------------------------------------------------------------------------------

// A window that slides by halves.
void Plans::turn_half(PlanEntry& entry, Nanos now) const {
  const std::uint64_t half = now / (kReserveWindow / 2);
  if (entry.half.get() == half) return;
  entry.kept_before.set(entry.half.get() + 1 == half ? entry.kept_now.get() : 0);
  entry.kept_now.set(0);
  entry.half.set(half);
}

// What is there, or was there last.
bool Plans::was_hold_of(std::uint32_t at, std::uint32_t key) const {
  const PlanEntry& entry = table()->entries[at];
  const PlanControl control = PlanControl::of(entry.control.load(memory_order_acquire));  // (p3)
  const std::uint64_t what = entry.cells[control.current].what.load(memory_order_acquire);
  return static_cast<PlanKind>((what >> 32) & 0xff) == PlanKind::kHold && static_cast<std::uint32_t>(what) == key;
}

Nanos Plans::kept(const PlanEntry& entry, Nanos now) {
  const std::uint64_t half = now / (kReserveWindow / 2);
  const Nanos since = entry.blocked_since.peek();
  const Nanos running = since != 0 && now > since ? now - since : 0;
  if (entry.half.peek() == half) return running + entry.kept_now.peek() + entry.kept_before.peek();
  return running + (entry.half.peek() + 1 == half ? entry.kept_now.peek() : 0);
}

// Which free place a plan takes: what a former hold of the lock has kept counts on, and what another lock's has is not to be forgotten.
int Plans::fitness(std::uint32_t at, const Plan& plan, Nanos now) const {
  if (plan.kind == PlanKind::kHold && was_hold_of(at, plan.what)) return 3;
  return kept(table()->entries[at], now) == 0 ? 2 : 1;
}

bool Plans::spent(std::uint32_t key, Nanos now) const {
  Nanos sum = 0;
  for (std::uint32_t i = 0; i < kPlanWindow; i++) {
    const std::uint32_t at = place(key, i);
    if (was_hold_of(at, key)) sum += kept(table()->entries[at], now);
  }
  const double most = std::bit_cast<double>(arena_.header().max_reserve.load(memory_order_relaxed)) * static_cast<double>(kReserveWindow);
  return static_cast<double>(sum) >= most;
}

void Plans::block(PlanEntry& entry, Nanos now) {
  turn_half(entry, now);
  if (entry.blocked_since.get() == 0) entry.blocked_since.set(now);
}

void Plans::unblock(PlanEntry& entry, const Plan& plan, Nanos now) {
  const Nanos since = entry.blocked_since.get();
  if (since == 0) return;
  turn_half(entry, now);
  const Nanos kept = now > since ? now - since : 0;
  entry.kept_now.set(entry.kept_now.get() + kept);
  entry.blocked_since.set(0);
  if (PlanLoss* of = loss(plan.source)) of->nanos.fetch_add(kept, memory_order_relaxed);
}

void Plans::end_holds(Lane& lane, std::uint32_t key, Nanos now) {
  if (table() == nullptr) return;
  for (std::uint32_t i = 0; i < kPlanWindow; i++) {
    const std::uint32_t at = place(key, i);
    Plan plan;
    std::uint32_t version = 0;
    PlanEntry& entry = table()->entries[at];
    const bool live = read(at, plan, &version);
    if (!live && was_hold_of(at, key)) unblock(entry, plan, now);
    if (!live || plan.kind != PlanKind::kHold || plan.what != key || now < plan.until) continue;
    unblock(entry, plan, plan.until);
    end(lane, at, version);
  }
}

}  // namespace forelock::core
