#include "core/plan.h"

#include <bit>

namespace forelock::core {

namespace {

bool same(const Plan& a, const Plan& b) {
  return a.kind == b.kind && a.what == b.what && a.who == b.who && a.tier == b.tier && a.source == b.source;
}

}  // namespace

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

// Which places of its window are used, the first in the lowest bit. A plan's marks on its element, (p6), come after this bit: who goes by
// those finds it.
std::uint64_t Plans::window(std::uint32_t key) const {
  const auto& used = table()->used;
  const std::uint32_t first = place(key, 0);
  const std::uint32_t shift = first % 64;
  std::uint64_t bits = used[first / 64].load(memory_order_acquire) >> shift;
  if (shift > 64 - kPlanWindow) bits |= used[(first / 64 + 1) % (kPlans / 64)].load(memory_order_acquire) << (64 - shift);
  return bits & ((1ull << kPlanWindow) - 1);
}

// By who has claimed the place.
void Plans::mark_used(std::uint32_t at, bool used) {
  auto& word = table()->used[at / 64];
  const std::uint64_t bit = 1ull << (at % 64);
  if (((word.load(memory_order_acquire) & bit) != 0) == used) return;
  used ? word.fetch_or(bit, memory_order_acq_rel) : word.fetch_and(~bit, memory_order_acq_rel);
}

// By somebody alive.
bool Plans::is_being_written(const PlanControl& control, const Lane& lane) const {
  const ParticipantId writer = participant_of(control.writer);
  return control.writer != lane.id && writer != 0 && writer <= arena_.capacity().participants && !arena_.lane_is_dead(control.writer);
}

// From nobody, or from the dead, as it was at this version.
bool Plans::claim(Lane& lane, std::uint32_t at, std::uint32_t version, std::uint64_t& seen) {
  auto& word = table()->entries[at].control;
  seen = word.load(memory_order_acquire);
  PlanControl control = PlanControl::of(seen);
  if (control.version != version || is_being_written(control, lane)) return false;
  control.writer = lane.id;
  const std::uint64_t mine = control.word();
  if (!word.compare_exchange_strong(seen, mine, memory_order_acq_rel, memory_order_relaxed)) return false;
  seen = mine;
  return true;
}

// By a sweep, before the place is somebody else's: that one would be taken for the writer.
void Plans::let_go_of(ParticipantId dead) {
  if (table() == nullptr) return;
  table()->changes.fetch_add(1, memory_order_acq_rel);  // (p7) it may have died before it counted one
  for (PlanEntry& entry : table()->entries) {
    std::uint64_t seen = entry.control.load(memory_order_acquire);
    PlanControl control = PlanControl::of(seen);
    if (control.writer == 0 || participant_of(control.writer) != dead) continue;
    control.writer = 0;
    entry.control.compare_exchange_strong(seen, control.word(), memory_order_acq_rel, memory_order_relaxed);  // or another has it by now
  }
}

// The place of the plan that this one replaces, or a free one. What was counted for a lock goes last, and to it first. One that is
// being written is passed by, also where it is the one to be replaced: its writer may have stopped.
bool Plans::choose(const Lane& lane, const Plan& plan, Nanos now, Choice& choice) const {
  const std::uint32_t key = key_of(plan);
  int best = 0;
  for (std::uint32_t i = 0; i < kPlanWindow; i++) {
    const std::uint32_t candidate = place(key, i);
    const PlanEntry& entry = table()->entries[candidate];
    const PlanControl control = PlanControl::of(entry.control.load(memory_order_acquire));
    Plan there;
    std::uint32_t shown = control.version;
    const bool live = control.live && read(candidate, there, &shown) && now < there.until;
    const bool own = plan.kind == PlanKind::kHold && entry.of.load(memory_order_relaxed) == key;
    const bool replaced = live && same(there, plan);
    const int rank = is_being_written(control, lane) ? 0 : replaced ? 4 : live ? 0 : own ? 3 : has_kept(entry, now) ? 1 : 2;
    choice.versions[i] = shown;
    if (rank <= best) continue;
    best = rank;
    choice.chosen = i;
  }
  return best != 0;
}

// Who wrote the same plan at the same moment took another place. The first place of the window is the one that stays: so whoever looks
// last sees both, and they do not end each other. One further to the front that has changed since we chose was written while we wrote:
// it is as if it had replaced ours. One that has not is what we would have replaced, had nobody been writing there.
void Plans::leave_one(Lane& lane, const Plan& plan, const Choice& choice, PlanId id) {
  const std::uint32_t key = key_of(plan);
  for (std::uint32_t i = 0; i < kPlanWindow; i++) {
    const std::uint32_t at = place(key, i);
    Plan there;
    std::uint32_t version = 0;
    if (i == choice.chosen || !read(at, there, &version) || !same(there, plan)) continue;
    if (i < choice.chosen && version != choice.versions[i]) {
      end(lane, id.entry, id.version);
      return;
    }
    end(lane, at, version);
  }
}

Written Plans::write(Lane& lane, const Plan& plan, PlanId& out) {
  if (table() == nullptr) {
    std::uint64_t made = 0;
    const Made got = allocate_heap(arena_, sizeof(PlanTable), made);
    if (got != Made::kOk) return got == Made::kNoHeap ? Written::kNoHeap : Written::kOutOfMemory;
    std::uint64_t none = 0;
    arena_.header().plans.compare_exchange_strong(none, made, memory_order_acq_rel, memory_order_relaxed);
  }
  Choice choice;
  std::uint32_t chosen = 0;
  std::uint64_t seen = 0;
  bool claimed = false;
  // Another may be faster at the same place.
  for (std::uint32_t attempt = 0; attempt < kPlanWindow && !claimed; attempt++) {
    if (!choose(lane, plan, lane.now(), choice)) return Written::kFull;
    chosen = place(key_of(plan), choice.chosen);
    claimed = claim(lane, chosen, choice.versions[choice.chosen], seen);
  }
  if (!claimed) return Written::kFull;
  PlanEntry& entry = table()->entries[chosen];
  mark_used(chosen, true);
  PlanControl control = PlanControl::of(seen);
  // A reserve that is written anew goes on: what was discarded since it began, and nobody has counted yet, is kept still.
  Nanos from = plan.from;
  Plan before;
  if (plan.kind == PlanKind::kReserve && control.live && read(chosen, before) && same(before, plan) && plan.from < before.until) {
    from = std::min(from, before.from);
  }
  PlanEntry::Cell& cell = entry.cells[control.current ^ 1];
  const std::uint64_t what = (static_cast<std::uint64_t>(plan.source % kPlanSources) << 48) |
                             (static_cast<std::uint64_t>(plan.tier) << 40) | (static_cast<std::uint64_t>(plan.kind) << 32) | plan.what;
  cell.what.store(what, memory_order_release);  // (p4), and so the others
  cell.who.store(plan.who, memory_order_release);
  cell.amount.store(std::bit_cast<std::uint64_t>(plan.amount), memory_order_release);
  cell.from.store(from, memory_order_release);
  cell.until.store(plan.until, memory_order_release);
  control = {control.version + 1, 0, control.current ^ 1, true};
  entry.control.store(control.word(), memory_order_release);  // (p3)
  // (p7) releases what is shown to whoever finds it counted.
  table()->changes.fetch_add(1, memory_order_acq_rel);
  // (p5) of two that write one plan the later here acquires what the earlier released: leave_one() sees that one's plan.
  if (PlanLoss* of = loss(plan.source)) of->written.fetch_add(1, memory_order_acq_rel);
  if (plan.kind == PlanKind::kEscalation) {
    auto& until = arena_.header().escalated_until;
    std::uint64_t latest = until.load(memory_order_relaxed);
    while (latest < plan.until && !until.compare_exchange_strong(latest, plan.until, memory_order_acq_rel, memory_order_relaxed)) {
    }
  }
  out = {chosen, control.version};
  leave_one(lane, plan, choice, out);
  return Written::kOk;
}

bool Plans::end(Lane& lane, std::uint32_t at, std::uint32_t version) {
  std::uint64_t seen = 0;
  if (!claim(lane, at, version, seen)) return false;
  PlanControl control = PlanControl::of(seen);
  const bool was = control.live;
  auto& word = table()->entries[at].control;
  if (was) {
    control.version++;
    control.live = false;
    word.store(control.word(), memory_order_release);
    mark_used(at, false);  // while it is still ours, so that the next plan here is not hidden
  }
  control.writer = 0;
  word.store(control.word(), memory_order_release);
  return was;
}

bool Plans::withdraw(Lane& lane, PlanId id, Plan& plan) {
  std::uint32_t version = 0;
  if (table() == nullptr || id.entry >= kPlans || !read(id.entry, plan, &version) || version != id.version) return false;
  const bool was = end(lane, id.entry, id.version);
  if (was) table()->changes.fetch_add(1, memory_order_acq_rel);  // (p7)
  return was;
}

void Plans::use(Lane& lane, PlanEntry& entry, const Plan& plan) {
  const auto at = static_cast<std::uint32_t>(&entry - table()->entries);
  const std::uint32_t version = PlanControl::of(entry.control.load(memory_order_acquire)).version;
  if (PlanId{at, version}.number() != plan.number || !end(lane, at, version)) return;  // another was written there meanwhile
  if (PlanLoss* of = loss(plan.source)) of->hits.fetch_add(1, memory_order_relaxed);
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

// (p6) before the plan is shown and after it: who takes a lock at once reads the marks first, and is then before the plan or sees them. A
// read-modify-write though they are there: a gate holder that takes them off after it sees the plan when it looks once more.
void Plans::mark(Element& element, const Plan& plan) {
  std::uint64_t seen = element.meta.load(memory_order_acquire);
  std::uint64_t marked = 0;
  do {
    marked = seen | Meta::kPlanned;
    if (plan.kind != PlanKind::kHold) continue;
    if (plan.tier > Meta::hold_tier(seen)) {
      marked = (marked & ~Meta::kHoldTierMask) | (static_cast<std::uint64_t>(plan.tier & 3) << Meta::kHoldTierShift);
    }
    if (plan.who == 0) marked |= Meta::kHoldForAll;
  } while (!element.meta.compare_exchange_strong(seen, marked, memory_order_acq_rel, memory_order_acquire));
}

// ---- holds ----------------------------------------------------------------------------------------------------------

bool Plans::let_pass(std::uint32_t key, std::uint32_t tier, std::uint32_t workflow, std::uint32_t hold, Nanos now) const {
  bool pass = true;
  for_each_of(PlanKind::kHold, key, now, [&](PlanEntry&, const Plan& plan) {
    const bool expected = plan.who == 0 ? tier >= plan.tier : plan.who == workflow;
    if (expected || (tier < plan.tier && !ends_before(plan, hold, now))) pass = false;
  });
  return pass;
}

// A window that slides by halves.
void Plans::turn_half(PlanEntry& entry, Nanos now) {
  const std::uint64_t half = now / (kReserveWindow / 2);
  const std::uint64_t last = entry.half.load(memory_order_relaxed);
  if (last == half) return;
  entry.kept_before.store(last + 1 == half ? entry.kept_now.load(memory_order_relaxed) : 0, memory_order_relaxed);
  entry.kept_now.store(0, memory_order_relaxed);
  entry.half.store(half, memory_order_relaxed);
}

bool Plans::has_kept(const PlanEntry& entry, Nanos now) {
  const bool recent = entry.half.load(memory_order_relaxed) + 1 >= now / (kReserveWindow / 2);
  return entry.of.load(memory_order_relaxed) != 0 &&
         (entry.blocked_since.load(memory_order_relaxed) != 0 ||
          (recent && (entry.kept_now.load(memory_order_relaxed) | entry.kept_before.load(memory_order_relaxed)) != 0));
}

// Of all that hold it or did: a hold that is written anew, or by another source, goes on where the last one was.
bool Plans::spent(std::uint32_t key, Nanos now) const {
  const double most = max_reserve(arena_) * static_cast<double>(kReserveWindow);
  double kept = 0;
  for (std::uint32_t i = 0; i < kPlanWindow; i++) {
    PlanEntry& entry = table()->entries[place(key, i)];
    if (entry.of.load(memory_order_relaxed) != key) continue;
    turn_half(entry, now);
    const Nanos since = entry.blocked_since.load(memory_order_relaxed);
    const Nanos running = since != 0 && now > since ? now - since : 0;
    kept += static_cast<double>(entry.kept_now.load(memory_order_relaxed)) +
            static_cast<double>(entry.kept_before.load(memory_order_relaxed)) + static_cast<double>(running);
  }
  return kept >= most;
}

Nanos Plans::kept(std::uint32_t key, Nanos now, bool& running) const {
  running = false;
  Nanos sum = 0;
  if (table() == nullptr) return sum;
  const std::uint64_t half = now / (kReserveWindow / 2);
  for (std::uint32_t i = 0; i < kPlanWindow; i++) {
    const PlanEntry& entry = table()->entries[place(key, i)];
    if (entry.of.load(memory_order_relaxed) != key) continue;
    const std::uint64_t last = entry.half.load(memory_order_relaxed);
    if (last == half) sum += entry.kept_before.load(memory_order_relaxed);
    if (last == half || last + 1 == half) sum += entry.kept_now.load(memory_order_relaxed);
    const Nanos since = entry.blocked_since.load(memory_order_relaxed);
    if (since == 0) continue;
    running = true;
    if (now > since) sum += now - since;
  }
  return std::min(sum, kReserveWindow);
}

// One of them at a time, so that no moment counts twice.
void Plans::block(PlanEntry& entry, std::uint32_t key, Nanos now, Nanos since) {
  for (std::uint32_t i = 0; i < kPlanWindow; i++) {
    const PlanEntry& other = table()->entries[place(key, i)];
    if (other.of.load(memory_order_relaxed) == key && other.blocked_since.load(memory_order_relaxed) != 0) return;
  }
  if (entry.of.load(memory_order_relaxed) != key) {
    for (auto* word : {&entry.blocked_since, &entry.kept_now, &entry.kept_before, &entry.half}) word->store(0, memory_order_relaxed);
    entry.of.store(key, memory_order_relaxed);
  }
  turn_half(entry, now);
  entry.blocked_since.store(since, memory_order_relaxed);
}

void Plans::unblock(std::uint32_t key, Nanos now) {
  if (table() == nullptr) return;
  for (std::uint32_t i = 0; i < kPlanWindow; i++) {
    PlanEntry& entry = table()->entries[place(key, i)];
    if (entry.of.load(memory_order_relaxed) == key) unblock(entry, now);
  }
}

void Plans::unblock(PlanEntry& entry, Nanos now) const {
  const Nanos since = entry.blocked_since.load(memory_order_relaxed);
  if (since == 0) return;
  turn_half(entry, now);
  const Nanos kept = now > since ? now - since : 0;
  entry.kept_now.store(entry.kept_now.load(memory_order_relaxed) + kept, memory_order_relaxed);
  entry.blocked_since.store(0, memory_order_relaxed);
  const std::uint32_t current = PlanControl::of(entry.control.load(memory_order_acquire)).current;
  const auto source = static_cast<std::uint32_t>(entry.cells[current].what.load(memory_order_acquire) >> 48);
  if (PlanLoss* of = loss(source)) of->nanos.fetch_add(kept, memory_order_relaxed);
}

// Taken back, or over: until then it kept the lock.
void Plans::end_holds(Lane& lane, std::uint32_t key, Nanos now) {
  if (table() == nullptr) return;
  for (std::uint32_t i = 0; i < kPlanWindow; i++) {
    const std::uint32_t at = place(key, i);
    PlanEntry& entry = table()->entries[at];
    Plan plan;
    std::uint32_t version = 0;
    const bool live = read(at, plan, &version) && plan.kind == PlanKind::kHold && plan.what == key;
    if (live && now < plan.until) continue;
    if (entry.of.load(memory_order_relaxed) == key) unblock(entry, live ? plan.until : now);
    if (live) end(lane, at, version);
  }
}

}  // namespace forelock::core
