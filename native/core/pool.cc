#include "core/pool.h"

#include "core/plan.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace forelock::core {

bool Pool::is(const Arena& arena, ElementIndex index) {
  if (index >= arena.capacity().elements) return false;
  const Element& element = arena.element(index);
  const std::uint64_t meta = element.meta.load(memory_order_acquire);
  return Meta::kind(meta) == Kind::kPool && Meta::state(meta) == Meta::kLive && element.base.load(memory_order_acquire) != 0;
}

Pool::Pool(Arena& arena, ElementIndex index)
    : PoolSums(arena.record<PoolRecord>(arena.element(index).base.load(memory_order_acquire))),  // (p1)
      arena_(arena),
      element_(arena.element(index)) {}

Pool::Claim Pool::claim_of(SlotId id) const {
  const Slot& slot = arena_.slot(id);
  const Wants& wants = arena_.wants(slot.enclosing.get());
  Claim claim{{}, slot.flags.get() & SlotFlag::kTierMask};
  const std::uint32_t count = dimensions();
  for (std::uint32_t d = 0; d < count; d++) claim.amounts[d] = bounded(wants.amounts[d].get());
  return claim;
}

// ---- sums ----------------------------------------------------------------------------------------------------------

void Pool::find_row(SlotId id) {
  Slot& slot = arena_.slot(id);
  slot.element_generation.set(row_of(arena_.wants(slot.enclosing.get()).tenant.get()));
}

void Pool::enqueue(SlotId id) {
  find_row(id);
  const Slot& slot = arena_.slot(id);
  count_waiting(slot.element_generation.get(), slot.flags.get() & SlotFlag::kTierMask, true);
}

void Pool::dequeue(SlotId id) {
  const Slot& slot = arena_.slot(id);
  count_waiting(slot.element_generation.get(), slot.flags.get() & SlotFlag::kTierMask, false);
}

void Pool::count_waiting(std::uint32_t at, std::uint32_t tier, bool more) {
  auto& waiting = row(at).waiting[tier];
  auto& tenants = record_.tenants_waiting[tier];
  const std::uint32_t before = waiting.get();
  if (more) {
    waiting.set(before + 1);
    if (before == 0) tenants.set(tenants.get() + 1);
  } else if (before != 0) {
    waiting.set(before - 1);
    if (before == 1 && tenants.get() != 0) tenants.set(tenants.get() - 1);
  }
}

void Pool::take(SlotId id) {
  const Slot& slot = arena_.slot(id);
  PoolSums::take(arena_.wants(slot.enclosing.get()), slot.flags.get() & SlotFlag::kTierMask, slot.element_generation.get());
}

void Pool::give_back(SlotId id) {
  // What was added is not known any more; of a dead owner's, not whether it had begun to change it.
  const Slot& slot = arena_.slot(id);
  if ((slot.wish.load(memory_order_acquire) & (Wish::kRecount | Wish::kShrinking)) != 0) return recount();
  PoolSums::give_back(arena_.wants(slot.enclosing.get()), slot.flags.get() & SlotFlag::kTierMask, slot.element_generation.get());
}

void Pool::clear_sums() {
  for (int d = 0; d < kDimensions; d++) record_.used[d].set(0);
  for (std::uint32_t t = 0; t < kTiers; t++) {
    record_.tenants_waiting[t].set(0);
    for (int d = 0; d < kDimensions; d++) record_.by_tier[t][d].set(0);
  }
  for (TenantRow& of : record_.rows) {
    of.grants.set(0);
    for (int d = 0; d < kDimensions; d++) of.used[d].set(0);
    for (auto& waiting : of.waiting) waiting.set(0);
  }
}

void Pool::recount() {
  clear_sums();
  std::uint32_t steps = 0;
  for (SlotId x = element_.holders.load(memory_order_acquire); x != 0; x = arena_.slot(x).next.load(memory_order_acquire)) {
    if (++steps > arena_.walk_bound()) throw Corrupt("holder list");
    Slot& slot = arena_.slot(x);
    slot.element_generation.set(row_of(arena_.wants(slot.enclosing.get()).tenant.get()));
    take(x);
  }
  for (auto& head : element_.heads) {
    for (SlotId x = head.load(memory_order_acquire); x != 0; x = arena_.slot(x).next.load(memory_order_acquire)) {
      if (++steps > 2 * arena_.walk_bound()) throw Corrupt("tier list");
      enqueue(x);
    }
  }
}

// ---- who may --------------------------------------------------------------------------------------------------------

bool Pool::fits(SlotId id) const { return fits(id, true); }

bool Pool::fits(SlotId id, bool obeys_keeps) const {
  const Slot& slot = arena_.slot(id);
  const Wants& wants = arena_.wants(slot.enclosing.get());
  const std::uint32_t tier = slot.flags.get() & SlotFlag::kTierMask;
  if (!PoolSums::fits(wants, tier)) return false;
  if (!obeys_keeps || !any_keep_) return true;
  const PoolTerms& terms = this->terms();
  const std::uint32_t count = dimensions();
  for (std::uint32_t d = 0; d < count; d++) {
    const std::uint64_t amount = bounded(wants.amounts[d].get());
    if (amount != 0 && !has_room(terms, tier, d, amount, record_.used[d].get() + planned_keep(slot, d))) return false;
  }
  return true;
}

// A keep makes lower tiers wait, and of these not whoever has aged into its tier.
bool Pool::passes_keep(const Slot& slot, std::uint32_t tier) const {
  const std::uint32_t own = slot.flags.get() & SlotFlag::kTierMask;
  if (own >= tier) return true;
  const std::uint64_t ageing = arena_.header().ageing.load(memory_order_relaxed);
  return ageing != 0 && looked_at_ >= slot.arrival.get() + (tier - own) * ageing;
}

// What plans keep free of it, all together within what they may.
std::uint64_t Pool::planned_keep(const Slot& slot, std::uint32_t d) const {
  double part = 0;
  for (std::uint32_t tier = 0; tier < kTiers; tier++) {
    if (keeps_[tier].part > 0 && !passes_keep(slot, tier)) part += keeps_[tier].part;
  }
  return units_kept(std::min(part, max_reserve(arena_)), d);
}

// Whole units: a part that was made of so many gives as many again.
std::uint64_t Pool::units_kept(double part, std::uint32_t d) const {
  return static_cast<std::uint64_t>(part * static_cast<double>(bounded(terms().capacity[d].get())) + 1e-6);
}

const Pool::Keep* Pool::kept_back_by(SlotId id) const {
  if (!any_keep_ || fits(id, true) || !fits(id, false)) return nullptr;
  const Slot& slot = arena_.slot(id);
  for (const Keep& keep : keeps_) {
    if (keep.part > 0 && !passes_keep(slot, static_cast<std::uint32_t>(&keep - keeps_.data()))) return &keep;
  }
  return nullptr;
}

bool Pool::took_of_kept(SlotId granted, std::uint32_t tier) const {
  const Claim claim = claim_of(granted);
  const PoolTerms& terms = this->terms();
  const double part = std::min(keeps_[tier].part, max_reserve(arena_));
  for (std::uint32_t d = 0; d < dimensions(); d++) {
    if (claim.amounts[d] == 0) continue;
    if (bounded(record_.used[d].get()) + kept_from(terms, claim.tier, d) + units_kept(part, d) > bounded(terms.capacity[d].get()))
      return true;
  }
  return false;
}

bool Pool::may_pass(SlotId aged, SlotId later) const {
  const Claim first = claim_of(aged);
  const Claim second = claim_of(later);
  const PoolTerms& terms = this->terms();
  const std::uint32_t count = dimensions();
  for (std::uint32_t d = 0; d < count; d++) {
    if (second.amounts[d] == 0 || first.amounts[d] == 0) continue;
    const bool same_tier = first.tier == second.tier;
    // What the later one takes of its own floor is kept from the aged one in any case.
    const std::uint64_t own = same_tier ? 0 : std::min(second.amounts[d], floor_left(terms, second.tier, d));
    const std::uint64_t with_both =
        bounded(record_.used[d].get()) + first.amounts[d] + kept_from(terms, first.tier, d) + second.amounts[d] - own;
    if (second.amounts[d] != own && with_both > bounded(terms.capacity[d].get())) return false;
    const std::uint64_t ceiling = bounded(terms.tiers[first.tier].ceiling[d].get());
    if (same_tier && bounded(record_.by_tier[first.tier][d].get()) + first.amounts[d] + second.amounts[d] > ceiling) return false;
  }
  return true;
}

bool Pool::entitled(SlotId id) const {
  const Claim claim = claim_of(id);
  const std::uint32_t count = dimensions();
  bool any = false;
  for (std::uint32_t d = 0; d < count; d++) {
    if (claim.amounts[d] == 0) continue;
    if (bounded(record_.by_tier[claim.tier][d].get()) + claim.amounts[d] > part_of(claim.tier, d)) return false;
    any = true;
  }
  return any;
}

double Pool::dominant_share(std::uint32_t at) const {
  const TenantRow& of = row(at);
  double share = 0;
  const std::uint32_t count = dimensions();
  for (std::uint32_t d = 0; d < count; d++) {
    const double capacity = static_cast<double>(terms().capacity[d].get());
    if (capacity > 0) share = std::max(share, static_cast<double>(of.used[d].get()) / capacity);
  }
  return share / weight_of(of);
}

double Pool::weight_of(const TenantRow& of) const {
  for (std::uint32_t i = 0; i < planned_tenants_; i++) {
    if (planned_weights_[i].tenant == of.tenant.get()) return planned_weights_[i].weight;
  }
  const double given = std::bit_cast<double>(of.weight.get());
  return given > 0 ? given : 1;
}

double Pool::largest_part(const Amounts& amounts) const {
  double part = 0;
  const std::uint32_t count = dimensions();
  for (std::uint32_t d = 0; d < count; d++) {
    const double capacity = static_cast<double>(terms().capacity[d].peek());
    if (capacity > 0) part = std::max(part, static_cast<double>(amounts[d]) / capacity);
  }
  return part;
}

// The share is what a plan gives, where one does, within the ceiling.
std::uint64_t Pool::part_of(std::uint32_t tier, std::uint32_t d) const {
  const TierTerms& own = terms().tiers[tier];
  const std::uint64_t share = planned_share_[tier] >= 0 ? planned_share(tier, d) : bounded(own.share[d].get());
  return std::min(bounded(own.floor[d].get()) + share, bounded(own.ceiling[d].get()));
}

// By how much its plan would raise the share of a tier.
std::uint64_t Pool::planned_growth(std::uint32_t tier, std::uint32_t d) const {
  if (planned_share_[tier] < 0) return 0;
  const TierTerms& own = terms().tiers[tier];
  const std::uint64_t ceiling = bounded(own.ceiling[d].get());
  const std::uint64_t floor = std::min(bounded(own.floor[d].get()), ceiling);
  const std::uint64_t share = bounded(own.share[d].get());
  const auto planned = static_cast<std::uint64_t>(planned_share_[tier] * static_cast<double>(bounded(terms().capacity[d].get())));
  return std::min(planned, ceiling - floor) > share ? std::min(planned, ceiling - floor) - share : 0;
}

// What all plans together add is bounded: where they want more, each tier gets the same part of what its plan wants to add.
std::uint64_t Pool::planned_share(std::uint32_t tier, std::uint32_t d) const {
  const double capacity = static_cast<double>(bounded(terms().capacity[d].get()));
  const std::uint64_t growth = planned_growth(tier, d);
  const std::uint64_t share = bounded(terms().tiers[tier].share[d].get());
  if (growth == 0) return std::min(share, static_cast<std::uint64_t>(planned_share_[tier] * capacity));
  double all = 0;
  for (std::uint32_t t = 0; t < kTiers; t++) all += static_cast<double>(planned_growth(t, d));
  const double most = max_reserve(arena_) * capacity;
  return share + (all <= most ? growth : static_cast<std::uint64_t>(static_cast<double>(growth) * most / all));
}

void Pool::look_at_plans(ElementIndex index, Nanos now) {
  looked_at_ = now;
  Plans(arena_).for_each_of(PlanKind::kShare, index + 1, now, [&](PlanEntry&, const Plan& plan) {
    any_plan_ = true;
    if (plan.who != 0) {
      if (plan.amount > 0) plan_weight(plan.who, plan.amount);
      return;
    }
    const double share = std::clamp(plan.amount, 0.0, 1.0);
    if (!(share > planned_share_[plan.tier])) return;
    planned_share_[plan.tier] = share;
    share_plan_[plan.tier] = plan.number;
  });
  Plans(arena_).for_each_of(PlanKind::kKeep, index + 1, now, [&](PlanEntry& entry, const Plan& plan) {
    any_plan_ = true;
    const double part = std::clamp(plan.amount, 0.0, 1.0);
    if (!(part > keeps_[plan.tier].part)) return;
    keeps_[plan.tier] = {part, &entry, plan.source, plan.number};
    any_keep_ = true;
  });
}

void Pool::plan_weight(std::uint32_t tenant, double weight) {
  static_assert(kPlannedTenants == kPlanWindow);
  for (std::uint32_t i = 0; i < planned_tenants_; i++) {
    if (planned_weights_[i].tenant != tenant) continue;
    planned_weights_[i].weight = std::max(planned_weights_[i].weight, weight);
    return;
  }
  if (planned_tenants_ < kPlannedTenants) planned_weights_[planned_tenants_++] = {tenant, weight};
}

bool Pool::enough_with(SlotId id, const Amounts& coming) const {
  const Claim claim = claim_of(id);
  const PoolTerms& terms = this->terms();
  const std::uint32_t count = dimensions();
  for (std::uint32_t d = 0; d < count; d++) {
    if (claim.amounts[d] == 0) continue;
    const std::uint64_t has = record_.used[d].get();
    if (!has_room(terms, claim.tier, d, claim.amounts[d], has > coming[d] ? has - coming[d] : 0)) return false;
  }
  return true;
}

bool Pool::beyond_its_part(std::uint32_t tier) const {
  for (std::uint32_t d = 0; d < dimensions(); d++) {
    if (bounded(record_.by_tier[tier][d].get()) > part_of(tier, d)) return true;
  }
  return false;
}

void Pool::add_amounts(SlotId id, Amounts& sum) const {
  const Claim claim = claim_of(id);
  for (int d = 0; d < kDimensions; d++) sum[d] += claim.amounts[d];
}

bool Pool::possible(SlotId id) const {
  const Claim claim = claim_of(id);
  return possible(claim.tier, claim.amounts);
}

bool Pool::possible(std::uint32_t tier, const Amounts& amounts) const {
  const PoolTerms& terms = this->terms();
  for (int d = 0; d < kDimensions; d++) {
    if (amounts[d] == 0) continue;
    if (static_cast<std::uint32_t>(d) >= dimensions()) return false;
    if (terms.capacity[d].peek() == 0) continue;  // closed for now, as by who pauses it: that is no answer for ever
    std::uint64_t kept = 0;
    for (std::uint32_t t = 0; t < kTiers; t++) {
      if (t != tier) kept += bounded(terms.tiers[t].floor[d].peek());
    }
    if (bounded(amounts[d]) + kept > bounded(terms.capacity[d].peek())) return false;
    if (bounded(amounts[d]) > bounded(terms.tiers[tier].ceiling[d].peek())) return false;
  }
  return true;
}

void Pool::change(const PoolTerms& terms) {
  const std::uint32_t spare = (record_.current.load(memory_order_acquire) + 1) & 1;
  PoolTerms& to = record_.terms[spare];
  to.floored.set(terms.floored.get());
  for (int d = 0; d < kDimensions; d++) {
    to.capacity[d].set(terms.capacity[d].get());
    for (int t = 0; t < kTiers; t++) {
      to.tiers[t].floor[d].set(terms.tiers[t].floor[d].get());
      to.tiers[t].share[d].set(terms.tiers[t].share[d].get());
      to.tiers[t].ceiling[d].set(terms.tiers[t].ceiling[d].get());
      for (int kind = 0; kind < 3; kind++) to.tiers[t].parts[kind][d].set(terms.tiers[t].parts[kind][d].get());
    }
  }
  record_.current.store(spare, memory_order_release);  // (p2) all of it, or nothing if we die before
}

void PoolPlan::write(PoolTerms& terms) const {
  std::uint64_t floored = 0;
  for (int d = 0; d < kDimensions; d++) {
    terms.capacity[d].set(capacity[d]);
    for (int t = 0; t < kTiers; t++) {
      if (tiers[t].floor[d] != 0) floored |= 1ull << d;
      terms.tiers[t].floor[d].set(tiers[t].floor[d]);
      terms.tiers[t].share[d].set(tiers[t].share[d]);
      terms.tiers[t].ceiling[d].set(tiers[t].ceiling[d]);
      for (int kind = 0; kind < 3; kind++) terms.tiers[t].parts[kind][d].set(std::bit_cast<std::uint64_t>(tiers[t].parts[kind][d]));
    }
  }
  terms.floored.set(floored);
}

namespace {

void write_name(plain<std::uint64_t> (&words)[kDimensionNameBytes / 8], const std::array<char, kDimensionNameBytes>& name) {
  for (std::size_t i = 0; i < kDimensionNameBytes / 8; i++) {
    std::uint64_t word;
    std::memcpy(&word, name.data() + 8 * i, 8);
    words[i].set(word);
  }
}

// Rows of configured tenants are theirs for good: they stand where row_of() will look for them.
void write_tenants(PoolRecord& record, const PoolPlan& plan) {
  for (std::uint32_t i = 0; i < plan.tenants; i++) {
    for (std::uint32_t probe = 0; probe < kTenantRows - 1; probe++) {
      TenantRow& row = record.rows[1 + (plan.tenant[i] + probe) % (kTenantRows - 1)];
      if (row.tenant.get() != 0) continue;
      row.tenant.set(plan.tenant[i]);
      row.weight.set(std::bit_cast<std::uint64_t>(plan.weight[i]));
      break;
    }
  }
}

bool same(const PoolTerms& there, const PoolTerms& given) {
  for (int d = 0; d < kDimensions; d++) {
    if (there.capacity[d].peek() != given.capacity[d].peek()) return false;
    for (int t = 0; t < kTiers; t++) {
      const TierTerms& a = there.tiers[t];
      const TierTerms& b = given.tiers[t];
      if (a.floor[d].peek() != b.floor[d].peek() || a.share[d].peek() != b.share[d].peek() || a.ceiling[d].peek() != b.ceiling[d].peek())
        return false;
    }
  }
  return true;
}

}  // namespace

Defined define_pool(Arena& arena, ElementIndex index, const PoolPlan& plan) {
  Element& element = arena.element(index);
  std::uint64_t offset = element.base.load(memory_order_acquire);
  if (offset == 0) {
    std::uint64_t made = 0;
    const Made got = allocate_heap(arena, sizeof(PoolRecord), made);
    if (got != Made::kOk) return got == Made::kNoHeap ? Defined::kNoHeap : Defined::kOutOfMemory;
    PoolRecord& record = arena.record<PoolRecord>(made);
    record.dimensions.set(plan.dimensions);
    for (std::uint32_t d = 0; d < plan.dimensions; d++) write_name(record.names[d], plan.names[d]);
    for (std::uint32_t i = 0; i < kLabels; i++) record.labels[i].set(plan.labels[i]);
    plan.write(record.terms[0]);
    write_tenants(record, plan);
    offset = show_record(arena, element, made, sizeof(PoolRecord));
    if (offset == made) return Defined::kMade;
  }
  const Pool pool(arena, index);
  PoolTerms given{};
  plan.write(given);
  if (pool.dimensions() != plan.dimensions || !same(pool.terms(), given)) return Defined::kOther;
  for (std::uint32_t d = 0; d < plan.dimensions; d++) {
    plain<std::uint64_t> name[kDimensionNameBytes / 8];
    write_name(name, plan.names[d]);
    for (std::size_t i = 0; i < kDimensionNameBytes / 8; i++) {
      if (name[i].peek() != pool.record().names[d][i].peek()) return Defined::kOther;
    }
  }
  for (std::uint32_t i = 0; i < kLabels; i++) {
    if (pool.record().labels[i].peek() != plan.labels[i]) return Defined::kOther;
  }
  for (std::uint32_t i = 0; i < plan.tenants; i++) {
    const bool there = std::any_of(std::begin(pool.record().rows), std::end(pool.record().rows), [&](const TenantRow& row) {
      return row.tenant.peek() == plan.tenant[i] && std::bit_cast<double>(row.weight.peek()) == plan.weight[i];
    });
    if (!there) return Defined::kOther;
  }
  return Defined::kSame;
}

}  // namespace forelock::core
