#include "core/pool_sums.h"

namespace forelock::core {

// What a tier does not use of its floor.
std::uint64_t PoolSums::floor_left(const PoolTerms& terms, std::uint32_t tier, std::uint32_t d) const {
  const std::uint64_t floor = bounded(terms.tiers[tier].floor[d].get());
  if (floor == 0) return 0;
  const std::uint64_t has = bounded(record_.by_tier[tier][d].get());
  return floor > has ? floor - has : 0;
}

std::uint64_t PoolSums::kept_from(const PoolTerms& terms, std::uint32_t tier, std::uint32_t d) const {
  if ((terms.floored.get() >> d & 1) == 0) return 0;
  std::uint64_t kept = 0;
  for (std::uint32_t t = 0; t < kTiers; t++) {
    if (t != tier) kept += floor_left(terms, t, d);
  }
  return kept;
}

// Floors of the other tiers are theirs whether they use them or not; the tier's own ceiling holds.
bool PoolSums::has_room(const PoolTerms& terms, std::uint32_t tier, std::uint32_t d, std::uint64_t amount, std::uint64_t used) const {
  if (bounded(used) + amount + kept_from(terms, tier, d) > bounded(terms.capacity[d].get())) return false;
  return bounded(record_.by_tier[tier][d].get()) + amount <= bounded(terms.tiers[tier].ceiling[d].get());
}

bool PoolSums::leaves_floors(PoolRecord& record, const Wants& wants, std::uint32_t tier) {
  const PoolSums sums(record);
  const PoolTerms& terms = sums.terms();
  const std::uint32_t count = sums.dimensions();
  for (std::uint32_t d = 0; d < count; d++) {
    const std::uint64_t amount = bounded(wants.amounts[d].get());
    if (amount != 0 && !sums.has_room(terms, tier, d, amount, record.used[d].get())) return false;
  }
  return true;
}

// A tenant's row, or a free one; when none is left, the one of all others.
std::uint32_t PoolSums::find_row_of(PoolRecord& record, std::uint32_t tenant) {
  std::uint32_t free = 0;
  for (std::uint32_t probe = 0; probe < kTenantRows - 1; probe++) {
    const std::uint32_t at = 1 + (tenant + probe) % (kTenantRows - 1);
    TenantRow& of = record.rows[at];
    if (of.tenant.get() == tenant) return at;
    const bool unused = of.grants.get() == 0 && of.weight.get() == 0 &&
                        std::all_of(std::begin(of.waiting), std::end(of.waiting), [](const auto& waiting) { return waiting.get() == 0; });
    if (unused && free == 0) free = at;
    if (of.tenant.get() == 0) break;  // rows are never emptied, only given to another: it is not further on
  }
  if (free == 0) return kOtherTenants;
  record.rows[free].tenant.set(tenant);
  return free;
}

}  // namespace forelock::core
