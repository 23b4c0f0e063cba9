// What is handed out of a pool, and its record. What the pool decides by is core/pool.h.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/record.h"

namespace forelock::core {

using Amounts = std::array<std::uint64_t, kDimensions>;

inline constexpr std::uint32_t kDimensionNameBytes = 32;
inline constexpr std::uint32_t kTenantRows = 64;
inline constexpr std::uint32_t kOtherTenants = 0;  // the row of those without a tenant, and of those for whom no row is left
inline constexpr std::uint32_t kLabels = 16;
inline constexpr std::uint64_t kMostUnits = 1ull << 53;

// What a tier may have of each dimension. floor: kept for it, never lent. share: its own beyond the floor when it wants it, lent
// while it does not. ceiling: the most.
struct TierTerms {
  plain<std::uint64_t> floor[kDimensions], share[kDimensions], ceiling[kDimensions];
  // The same as they were given, as parts of a capacity that may change: bits of doubles, of which the core makes nothing.
  plain<std::uint64_t> parts[3][kDimensions];
};

struct alignas(64) PoolTerms {
  plain<std::uint64_t> capacity[kDimensions];
  plain<std::uint64_t> floored;  // a bit for each dimension of which some tier has a floor: most have none, and then nothing is to be kept
  TierTerms tiers[kTiers];
};

struct alignas(64) TenantRow {
  plain<std::uint32_t> tenant;  // id of a name; 0: free, but for the first row
  plain<std::uint32_t> grants;
  plain<std::uint64_t> weight;  // a double's bits; 0: as 1, and the row is free when nobody uses it
  plain<std::uint64_t> used[kDimensions];
  plain<std::uint32_t> waiting[kTiers];
};

struct alignas(64) PoolRecord {
  plain<std::uint32_t> dimensions;
  atomic<std::uint32_t> current;  // which of the two terms holds
  plain<std::uint64_t> used[kDimensions];
  plain<std::uint64_t> by_tier[kTiers][kDimensions];
  plain<std::uint32_t> tenants_waiting[kTiers];
  plain<std::uint64_t> names[kDimensions][kDimensionNameBytes / 8];
  plain<std::uint32_t> labels[kLabels];  // ids of names; what a request may demand
  PoolTerms terms[2];
  TenantRow rows[kTenantRows];
};

// What is known of the units of one pool: who has how many is the list of its holders; what they come to together is kept here, by the
// pool, tier and tenant, and is what the next request is decided by. Under the element's gate.
class PoolSums {
 public:
  explicit PoolSums(PoolRecord& record) : record_(record) {}

  std::uint32_t dimensions() const { return std::min<std::uint32_t>(record_.dimensions.peek(), kDimensions); }
  const PoolTerms& terms() const { return record_.terms[record_.current.load(memory_order_acquire) & 1]; }  // also outside of the gate
  PoolRecord& record() const { return record_; }

  // The row of a tenant: its own or one that is free, or when none is left the one of all others.
  std::uint32_t row_of(std::uint32_t tenant) { return tenant == 0 ? kOtherTenants : find_row_of(record_, tenant); }
  void take(const Wants& wants, std::uint32_t tier, std::uint32_t at);
  void give_back(const Wants& wants, std::uint32_t tier, std::uint32_t at);
  // Whether there are so many, kept for nobody else. Plans are not looked at.
  bool fits(const Wants& wants, std::uint32_t tier) const;

 protected:
  bool has_room(const PoolTerms& terms, std::uint32_t tier, std::uint32_t d, std::uint64_t amount, std::uint64_t used) const;
  std::uint64_t floor_left(const PoolTerms& terms, std::uint32_t tier, std::uint32_t d) const;
  std::uint64_t kept_from(const PoolTerms& terms, std::uint32_t tier, std::uint32_t d) const;
  TenantRow& row(std::uint32_t at) const { return record_.rows[at < kTenantRows ? at : kOtherTenants]; }
  static std::uint64_t bounded(std::uint64_t amount) { return std::min(amount, kMostUnits); }

  PoolRecord& record_;

 private:
  // A sum that was damaged, or counted by somebody who died, must not wrap round into plenty.
  static void add(plain<std::uint64_t>& sum, std::uint64_t amount) {
    std::uint64_t after;
    sum.set(__builtin_add_overflow(sum.get(), amount, &after) ? ~0ull : after);
  }
  static void subtract(plain<std::uint64_t>& sum, std::uint64_t amount) {
    std::uint64_t after;
    sum.set(__builtin_sub_overflow(sum.get(), amount, &after) ? 0 : after);
  }
  // Not of an object: one whose address is given away is kept in memory.
  static bool leaves_floors(PoolRecord& record, const Wants& wants, std::uint32_t tier);
  static std::uint32_t find_row_of(PoolRecord& record, std::uint32_t tenant);
};

// Here each list has a pointer of its own, and an amount of 0 is added as any other: that is less than to tell it apart.
inline void PoolSums::take(const Wants& wants, std::uint32_t tier, std::uint32_t at) {
  TenantRow& of = row(at);
  of.grants.set(of.grants.get() + 1);
  plain<std::uint64_t>* const used = record_.used;
  plain<std::uint64_t>* const by_tier = record_.by_tier[tier];
  plain<std::uint64_t>* const by_tenant = of.used;
  const std::uint32_t count = dimensions();
  for (std::uint32_t d = 0; d < count; d++) {
    const std::uint64_t amount = bounded(wants.amounts[d].get());
    add(used[d], amount);
    add(by_tier[d], amount);
    add(by_tenant[d], amount);
  }
}

inline void PoolSums::give_back(const Wants& wants, std::uint32_t tier, std::uint32_t at) {
  TenantRow& of = row(at);
  const std::uint32_t grants = of.grants.get();
  of.grants.set(grants - (grants != 0 ? 1 : 0));
  plain<std::uint64_t>* const used = record_.used;
  plain<std::uint64_t>* const by_tier = record_.by_tier[tier];
  plain<std::uint64_t>* const by_tenant = of.used;
  const std::uint32_t count = dimensions();
  for (std::uint32_t d = 0; d < count; d++) {
    const std::uint64_t amount = bounded(wants.amounts[d].get());
    subtract(used[d], amount);
    subtract(by_tier[d], amount);
    subtract(by_tenant[d], amount);
  }
}

// Always: left to itself the compiler makes a call of it, which costs as much again as what it does.
[[gnu::always_inline]] inline bool PoolSums::fits(const Wants& wants, std::uint32_t tier) const {
  PoolRecord& record = record_;
  const PoolTerms& terms = this->terms();
  const plain<std::uint64_t>* const amounts = wants.amounts;
  const plain<std::uint64_t>* const used = record.used;
  const plain<std::uint64_t>* const has = record.by_tier[tier];
  const plain<std::uint64_t>* const capacities = terms.capacity;
  const plain<std::uint64_t>* const ceilings = terms.tiers[tier].ceiling;
  const std::uint32_t count = dimensions();
  std::uint32_t d = 0;
  for (; d < count; d++) {
    const std::uint64_t amount = amounts[d].get();
    if (amount == 0) continue;
    // By differences, which cannot wrap round as sums can.
    std::uint64_t left;
    if (__builtin_sub_overflow(capacities[d].get(), amount, &left) || used[d].get() > left) return false;
    if (__builtin_sub_overflow(ceilings[d].get(), amount, &left) || has[d].get() > left) return false;
  }
  std::uint64_t none = 0;
  for (; d < kDimensions; d++) none |= amounts[d].get();
  if (none != 0) return false;  // there is no such dimension
  return terms.floored.get() == 0 || leaves_floors(record, wants, tier);
}

}  // namespace forelock::core
