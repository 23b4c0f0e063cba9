#include "core/bucket.h"

#include <algorithm>
#include <bit>

namespace forelock::core {

void PaceCell::set(const Pace& pace) {
  scale.set(pace.scale);
  shape.set(pace.shift | (static_cast<std::uint64_t>(pace.k) << 32));
  burst.set(pace.burst);
  rate.set(std::bit_cast<std::uint64_t>(pace.rate));
  per.set(std::bit_cast<std::uint64_t>(pace.per));
  size.set(std::bit_cast<std::uint64_t>(pace.size));
}

Pace PaceCell::whole() const {
  Pace pace = get();
  pace.rate = std::bit_cast<double>(rate.peek());
  pace.per = std::bit_cast<double>(per.peek());
  pace.size = std::bit_cast<double>(size.peek());
  return pace;
}

// `seen` names the cell that `pace` was read from after it: where it stands unchanged, that is the pace.
inline Spent Bucket::take_own(const Pace& pace, std::uint64_t& seen, std::uint64_t amount, std::uint64_t at, std::uint64_t rest,
                              bool respect_queue) {
  const std::uint32_t cell = Tat::cell(seen);
  for (;;) {
    if (respect_queue && (seen & Tat::kQueued) != 0) return Spent::kQueued;
    const Taken taken = core::take(pace, Tat::time(seen), at, amount, rest);
    if (!taken.ok) return Spent::kRefused;
    const std::uint64_t next = Tat::at(seen, taken.tat);
    // (b1) orders the takes of all; there is nothing else to publish.
    if (element_.fast.compare_exchange_strong(seen, next, memory_order_acq_rel, memory_order_acquire)) {
      seen = next;
      return Spent::kOk;
    }
    // Another pace just now: the caller asks again, or comes again at once. It may stand in the same cell, which comes round.
    if (Tat::cell(seen) != cell || !pace.same_units(record_.cells[cell].get())) return Spent::kRefused;
  }
}

// Its own part: what a plan keeps for such a request comes first, the rest from the bucket. The reserve is drawn on before the bucket and
// refilled when that refuses: if we die between, what was drawn is spent, and too few are admitted rather than too many.
Spent Bucket::take(double tokens, Nanos now, Tokens& out, Who who, bool respect_queue) {
  std::uint64_t seen = word();
  const Pace pace = record_.cells[Tat::cell(seen)].get();
  const std::uint64_t amount = pace.units_of(tokens);
  if (amount == 0 || amount > pace.burst) return Spent::kNever;
  const std::uint64_t at = pace.units(since_epoch(now));
  std::uint64_t drawn = 0;
  Keeps kept;
  if (is_planned()) {
    // First what was discarded until now: drawn on before, the reserve would be filled twice from one time of low demand.
    keep_discarded(seen, now);
    drawn = draw(pace, amount, now, who, out.plan);
    kept = keeps(pace, amount, now, who);
  }
  Spent spent = drawn == amount ? Spent::kOk : take_own(pace, seen, amount - drawn, at, kept.from_it.units, respect_queue);
  const std::uint64_t rest = left(pace, Tat::time(seen), at);
  out.remaining = (rest - std::min(rest, kept.from_it.units)) >> pace.k;
  out.kept_back = spent == Spent::kRefused && kept.from_it.units != 0 && rest >= amount - drawn;
  out.source = kept.from_it.source;
  if (spent == Spent::kOk && record_.parent.get() != 0) {
    Tokens theirs;
    spent = above().take(tokens, now, theirs, who, respect_queue);
    out.kept_back = theirs.kept_back;
    out.source = theirs.source;
    if (spent != Spent::kOk && drawn != amount) {
      give_back_own(pace, amount - drawn);
      const std::uint64_t again = left(pace, Tat::time(word()), at);
      out.remaining = (again - std::min(again, kept.from_it.units)) >> pace.k;
    }
  }
  if (spent == Spent::kOk) {
    if (drawn != 0) out.drawn = pace.tokens_of(drawn);
    // Somebody of a lower tier would not have had them.
    if (drawn != amount && rest < kept.for_it.units) {
      out.of_kept = kept.for_it.number;
      if (PlanLoss* of = Plans(arena_).loss(kept.for_it.source)) of->hits.fetch_add(1, memory_order_relaxed);
    }
    return spent;
  }
  if (drawn != 0) credit(pace, drawn, now);
  // Also of one who would come behind those who wait: he need not wait to hear it.
  if (spent == Spent::kNever || !possible(tokens)) return Spent::kNever;
  if (spent == Spent::kRefused) out.ready = ready_at(tokens, now, who);
  return spent;
}

// ---- what is kept for upper tiers -----------------------------------------------------------------------------------

// With how much of the bucket each keeps: its part of a full one, of which all plans together keep max_reserve at most, and no more than
// lets such a request through when the bucket is full.
template <typename Visitor>
void Bucket::for_each_keep(const Pace& pace, std::uint64_t amount, Nanos now, Visitor visitor) const {
  if (!is_planned() || amount >= pace.burst) return;
  const double most = max_reserve(arena_);
  Plans(arena_).for_each_of(PlanKind::kKeep, index_ + 1, now, [&](PlanEntry& entry, const Plan& plan) {
    if (!(plan.amount > 0)) return;
    const auto units = static_cast<std::uint64_t>(std::min(plan.amount, most) * static_cast<double>(pace.burst));
    if (units != 0) visitor(entry, plan, std::min(units, pace.burst - amount));
  });
}

// From when on it lets the request through, whatever is left: when it ends, or the request has aged into its tier.
Nanos Bucket::passes_at(const Plan& plan, Who who) const {
  const std::uint64_t ageing = arena_.header().ageing.load(memory_order_relaxed);
  if (plan.tier <= who.tier) return 0;
  if (who.arrival == 0 || ageing == 0) return plan.until;
  return std::min(plan.until, who.arrival + (plan.tier - who.tier) * ageing);
}

Bucket::Keeps Bucket::keeps(const Pace& pace, std::uint64_t amount, Nanos now, Who who) const {
  Keeps keeps;
  for_each_keep(pace, amount, now, [&](PlanEntry& entry, const Plan& plan, std::uint64_t units) {
    const bool of_its_tier = plan.tier <= who.tier;
    if (!of_its_tier && passes_at(plan, who) <= now) return;
    Kept& most = of_its_tier ? keeps.for_it : keeps.from_it;
    if (units > most.units) most = {units, &entry, plan.source, plan.number};
  });
  return keeps;
}

// A bucket only fills while nobody comes, so each plan lets it through from one moment on: when there is enough besides what it keeps, or
// it does not keep it from this request any more.
Nanos Bucket::ready_of(const Pace& pace, std::uint64_t tat, std::uint64_t amount, Nanos from, Who who) const {
  const Nanos since = since_epoch(from);
  const auto enough = [&](std::uint64_t rest) {
    const Taken taken = core::take(pace, tat, pace.units(since), amount, rest);
    return taken.ok ? from : epoch_ + pace.when(taken.ready, since);
  };
  Nanos ready = enough(0);
  for_each_keep(pace, amount, from, [&](PlanEntry&, const Plan& plan, std::uint64_t units) {
    ready = std::max(ready, std::min(enough(units), passes_at(plan, who)));
  });
  return ready;
}

std::optional<KeptBack> Bucket::kept_back(double tokens, Nanos now, Who who) const {
  const std::uint64_t seen = word();
  const Pace pace = record_.cells[Tat::cell(seen)].get();
  const std::uint64_t amount = pace.units_of(tokens);
  if (amount == 0 || amount > pace.burst) return std::nullopt;
  const Kept kept = keeps(pace, amount, now, who).from_it;
  const std::uint64_t tat = Tat::time(seen);
  if (kept.units == 0 || core::take(pace, tat, pace.units(since_epoch(now)), amount, kept.units).ok) return std::nullopt;
  const std::uint64_t needed = tat + amount;  // there were enough as soon as the clock was a burst before this
  const Nanos enough = needed > pace.burst ? epoch_ + pace.when(needed - pace.burst, 0) : epoch_;
  if (enough > now) return std::nullopt;
  return KeptBack{kept.entry, kept.source, std::max(enough, std::min(now, who.arrival))};
}

// ---- the reserve ----------------------------------------------------------------------------------------------------

bool Bucket::find_reserve(Nanos now, Who who, Plan& plan) const {
  bool found = false;
  Plans(arena_).for_each_of(PlanKind::kReserve, index_ + 1, now, [&](PlanEntry&, const Plan& one) {
    if (!found && (one.who == 0 || one.who == who.workflow || one.who == who.tenant)) {
      plan = one;
      found = true;
    }
  });
  return found;
}

// In fixed units: what the plan says, and no more than the share of a window's tokens that all plans may keep.
std::uint64_t Bucket::cap(const Pace& pace, double tokens) const {
  const double units = std::ldexp(static_cast<double>(pace.scale), -static_cast<int>(pace.shift)) * static_cast<double>(kReserveWindow);
  const double window = std::ldexp(units, -static_cast<int>(pace.k));
  const double most = std::ldexp(std::min(tokens > 0 ? tokens : 0, window * max_reserve(arena_)), kReserveShift);
  return most < static_cast<double>(Pace::kMaxBurst) ? static_cast<std::uint64_t>(most) : Pace::kMaxBurst;
}

namespace {

// Both downwards: dust is lost, never made.
std::uint64_t to_reserve(const Pace& pace, std::uint64_t units) {
  const int shift = kReserveShift - static_cast<int>(pace.k);
  if (shift <= 0) return units >> -shift;
  return units < Pace::kMaxBurst >> shift ? units << shift : Pace::kMaxBurst;
}
std::uint64_t from_reserve(const Pace& pace, std::uint64_t fixed) {
  const int shift = static_cast<int>(pace.k) - kReserveShift;
  if (shift <= 0) return fixed >> -shift;
  return fixed < Pace::kMaxBurst >> shift ? fixed << shift : Pace::kMaxBurst;
}

}  // namespace

// Jump-start: as much as is predicted, needed, and there.
std::uint64_t Bucket::draw(const Pace& pace, std::uint64_t amount, Nanos now, Who who, std::uint32_t& number) {
  Plan plan;
  if (!find_reserve(now, who, plan) || now >= record_.reserve_until.load(memory_order_acquire)) return 0;
  std::uint64_t there = record_.reserve.load(memory_order_acquire);
  for (;;) {
    const std::uint64_t kept = std::min(there, cap(pace, plan.amount));
    const std::uint64_t drawn = std::min(from_reserve(pace, kept), amount);
    if (drawn == 0) return 0;
    // Upwards, where a unit here is finer than one there.
    const std::uint64_t down = to_reserve(pace, drawn);
    const std::uint64_t taken = from_reserve(pace, down) < drawn ? down + 1 : down;
    if (record_.reserve.compare_exchange_strong(there, kept - std::min(kept, taken), memory_order_acq_rel, memory_order_acquire)) {
      if (PlanLoss* of = Plans(arena_).loss(plan.source)) of->hits.fetch_add(1, memory_order_relaxed);
      number = plan.number;
      return drawn;
    }
  }
}

// One reserve for all plans of the bucket, so that what was discarded is kept once. `since`: units of the clock from which it counts.
void Bucket::credit(const Pace& pace, std::uint64_t amount, Nanos now, std::uint64_t since) {
  Plan all;
  bool any = false;
  Plans(arena_).for_each_of(PlanKind::kReserve, index_ + 1, now, [&](PlanEntry&, const Plan& plan) {
    all.amount = std::max(all.amount, plan.amount);
    all.until = std::max(all.until, plan.until);
    all.from = any ? std::min(all.from, plan.from) : plan.from;
    any = true;
  });
  if (!any) return;
  if (since != kNotOfTime) {
    const std::uint64_t began = pace.units(since_epoch(all.from));
    const std::uint64_t lost = began > since ? began - since : 0;
    if (lost >= amount) return;
    amount -= lost;
  }
  const std::uint64_t most = cap(pace, all.amount);
  const std::uint64_t more = std::min(to_reserve(pace, amount), most);
  const bool old = now >= record_.reserve_until.load(memory_order_acquire);
  std::uint64_t there = record_.reserve.load(memory_order_acquire);
  const auto after = [&] { return std::min(most, (old ? 0 : std::min(there, most)) + more); };
  while (!record_.reserve.compare_exchange_strong(there, after(), memory_order_acq_rel, memory_order_acquire)) {
  }
  // After the tokens of an ended plan are gone: two who do this at once can lose some, and never find them again.
  if (record_.reserve_until.load(memory_order_relaxed) != all.until) record_.reserve_until.store(all.until, memory_order_release);
}

// The bucket has been full since its TAT: what came in since then had no room. It is full still, as of now, so that nothing is counted
// twice; only what came since a plan began goes to the reserve.
void Bucket::keep_discarded(std::uint64_t& seen, Nanos now) {
  const Pace pace = record_.cells[Tat::cell(seen)].get();
  const std::uint64_t at = pace.units(since_epoch(now));
  const std::uint64_t tat = Tat::time(seen);
  std::uint64_t word = seen;
  if (tat >= at || !element_.fast.compare_exchange_strong(word, Tat::at(seen, at), memory_order_acq_rel, memory_order_relaxed)) return;
  seen = Tat::at(seen, at);
  credit(pace, at - tat, now, tat);
}

// Not what is nobody's by now. Who keeps something meanwhile says the same.
void Bucket::prolong(Nanos now) {
  Nanos until = 0;
  Plans(arena_).for_each_of(PlanKind::kReserve, index_ + 1, now,
                            [&](PlanEntry&, const Plan& plan) { until = std::max(until, plan.until); });
  std::uint64_t seen = record_.reserve_until.load(memory_order_acquire);
  if (until == 0 || until == seen || now >= seen) return;
  record_.reserve_until.compare_exchange_strong(seen, until, memory_order_acq_rel, memory_order_relaxed);
}

std::uint64_t Bucket::reserved(Nanos now) const {
  if (now >= record_.reserve_until.load(memory_order_acquire)) return 0;
  return record_.reserve.load(memory_order_acquire) >> kReserveShift;
}

// ---- all of them ----------------------------------------------------------------------------------------------------

// Depths fall on the way up, from a bound: whatever the arena holds, that is no circle and soon over.
Bucket Bucket::above() const {
  Bucket bucket(arena_, record_.parent.get() - 1);
  const std::uint32_t depth = record_.depth.get();
  if (depth >= kBucketDepth || bucket.record_.depth.get() >= depth) throw Corrupt("a bucket above itself");
  return bucket;
}

bool Bucket::possible(double tokens) const {
  const Pace pace = record_.cells[Tat::cell(word())].get();
  const std::uint64_t amount = pace.units_of(tokens);
  if (amount == 0 || amount > pace.burst) return false;
  return record_.parent.get() == 0 || above().possible(tokens);
}

// The latest of all: at that time each of them grants it, if nobody else comes.
Nanos Bucket::ready_at(double tokens, Nanos now, Who who, bool unkept) const {
  const std::uint64_t seen = word();
  const Pace pace = record_.cells[Tat::cell(seen)].get();
  const std::uint64_t amount = pace.units_of(tokens);
  const Nanos ready = ready_of(pace, Tat::time(seen), amount, now, unkept ? Who{} : who);
  return record_.parent.get() == 0 ? ready : std::max(ready, above().ready_at(tokens, now, who));
}

Spent Bucket::peek(double tokens, Nanos now, Tokens& out) const {
  const std::uint64_t seen = word();
  const Pace pace = record_.cells[Tat::cell(seen)].get();
  out.remaining = left(pace, Tat::time(seen), pace.units(since_epoch(now))) >> pace.k;
  if (!possible(tokens)) return Spent::kNever;
  out.ready = ready_at(tokens, now);
  return out.ready > now ? Spent::kRefused : Spent::kOk;
}

void Bucket::give_back(double tokens) {
  const Pace pace = record_.cells[Tat::cell(word())].get();
  const std::uint64_t units = pace.units_of(tokens);
  give_back_own(pace, units != 0 ? units : Pace::kMaxBurst);  // more than any burst: all of it
  if (record_.parent.get() != 0) above().give_back(tokens);
}

namespace {

// More than any burst is all of it.
std::uint64_t shifted(std::uint64_t units, std::uint32_t by) { return units <= Pace::kMaxBurst >> by ? units << by : Pace::kMaxBurst; }

}  // namespace

// What is more than the bucket holds shows as time for which it has been full, and goes the way of that: to the reserve, or nowhere.
void Bucket::give_back_own(const Pace& pace, std::uint64_t amount) {
  std::uint64_t seen = word();
  for (;;) {
    const Pace present = record_.cells[Tat::cell(seen)].get();
    const std::uint64_t units = present.k >= pace.k ? shifted(amount, present.k - pace.k) : amount >> (pace.k - present.k);
    const std::uint64_t tat = Tat::time(seen);
    const std::uint64_t next = tat > units ? tat - units : 0;
    if (element_.fast.compare_exchange_strong(seen, Tat::at(seen, next), memory_order_acq_rel, memory_order_acquire)) return;
  }
}

// A change of pace between the two readings shows in the word.
std::uint64_t Bucket::state(Pace& pace) const {
  constexpr int kTries = 8;
  std::uint64_t seen = word();
  for (int attempt = 0; attempt < kTries; attempt++) {
    pace = record_.cells[Tat::cell(seen)].whole();
    const std::uint64_t again = word();
    if (Tat::cell(again) == Tat::cell(seen)) return again;
    seen = again;
  }
  return seen;
}

double Bucket::drawable(double tokens, double reserve, Nanos now, Who who) const {
  Plan plan;
  if (!is_planned() || !find_reserve(now, who, plan)) return 0;
  const Pace pace = record_.cells[Tat::cell(word())].get();
  const double most = std::ldexp(static_cast<double>(cap(pace, plan.amount)), -kReserveShift);
  return std::min({tokens, reserve, most});
}

Nanos Bucket::full_at(Nanos now) const {
  const std::uint64_t seen = word();
  const Pace pace = record_.cells[Tat::cell(seen)].get();
  return epoch_ + pace.when(Tat::time(seen), since_epoch(now));
}

void Bucket::change(const Pace& pace, Nanos now) {
  std::uint64_t seen = word();
  for (;;) {
    const Pace old = record_.cells[Tat::cell(seen)].get();
    const std::uint32_t spare = Tat::next_cell(Tat::cell(seen));
    record_.cells[spare].set(pace);
    const std::uint64_t tat = convert(old, pace, Tat::time(seen), since_epoch(now));
    const std::uint64_t next = (seen & Tat::kQueued) | (static_cast<std::uint64_t>(spare) << Tat::kCellShift) | tat;
    // (b1), and it releases the cell to whoever reads the word.
    if (element_.fast.compare_exchange_strong(seen, next, memory_order_acq_rel, memory_order_acquire)) return;
  }
}

Defined define_bucket(Arena& arena, ElementIndex index, const BucketTerms& terms) {
  Element& element = arena.element(index);
  std::uint32_t depth = 0;
  if (terms.has_parent) {
    if (!Bucket::is(arena, terms.parent) || terms.parent == index) return Defined::kBadArgument;
    depth = arena.record<BucketRecord>(arena.element(terms.parent).base.load(memory_order_acquire)).depth.get() + 1;
    if (depth >= kBucketDepth) return Defined::kBadArgument;
  }
  std::uint64_t offset = element.base.load(memory_order_acquire);
  if (offset == 0) {
    std::uint64_t made = 0;
    const Made got = allocate_heap(arena, sizeof(BucketRecord), made);
    if (got != Made::kOk) return got == Made::kNoHeap ? Defined::kNoHeap : Defined::kOutOfMemory;
    BucketRecord& record = arena.record<BucketRecord>(made);
    record.parent.set(terms.has_parent ? terms.parent + 1 : 0);
    record.depth.set(depth);
    for (PaceCell& cell : record.cells) cell.set(terms.pace);
    offset = show_record(arena, element, made, sizeof(BucketRecord));
    if (offset == made) return Defined::kMade;
  }
  const Bucket bucket(arena, index);
  const Pace there = bucket.pace();
  const bool same = there.rate == terms.pace.rate && there.per == terms.pace.per && there.size == terms.pace.size &&
                    bucket.parent() == (terms.has_parent ? terms.parent + 1 : 0);
  return same ? Defined::kSame : Defined::kOther;
}

}  // namespace forelock::core
