// Buckets and pools in a test's arena, and what is asked of them.
#pragma once

#include <bit>

#include "core/bucket.h"
#include "core/pool.h"
#include "test/check.h"
#include "test/world.h"

namespace forelock::test {

inline core::Capacity with_heap(std::uint32_t slots = 16 * core::kChunkSlots) {
  return {.elements = 64, .slots = slots, .participants = 15, .texts = 32, .heap = 64};
}

inline core::Handle look_up(core::Member& member, core::Kind kind, const std::u16string& name) {
  core::Handle handle{};
  if (member.lookup(kind, name.data(), name.size(), handle) != core::Found::kOk) throw std::runtime_error("lookup");
  return handle;
}

inline core::Pace pace_of(double rate, double per_ms, double burst) {
  core::Pace pace;
  if (!core::Pace::of(rate, per_ms, burst, pace)) throw std::runtime_error("pace");
  return pace;
}

inline core::Handle make_bucket(core::Member& member, const std::u16string& name, const core::Pace& pace,
                                const core::Handle* parent = nullptr) {
  const core::Handle handle = look_up(member, core::Kind::kBucket, name);
  core::BucketTerms terms;
  terms.pace = pace;
  terms.has_parent = parent != nullptr;
  if (parent != nullptr) terms.parent = parent->index;
  if (core::define_bucket(member.lane().arena, handle.index, terms) != core::Defined::kMade) throw std::runtime_error("define");
  return handle;
}

inline core::Request tokens(core::Handle handle, double count = 1, std::uint32_t tier = 1) {
  core::Request request;
  request.handle = handle;
  request.kind = core::Kind::kBucket;
  request.tier = tier;
  request.amounts[0] = std::bit_cast<std::uint64_t>(count);
  return request;
}

inline core::PoolPlan pool_plan(std::initializer_list<std::uint64_t> capacity) {
  core::PoolPlan plan;
  plan.dimensions = static_cast<std::uint32_t>(capacity.size());
  std::size_t d = 0;
  for (const std::uint64_t amount : capacity) {
    plan.names[d][0] = static_cast<char>('a' + d);
    plan.capacity[d] = amount;
    for (auto& tier : plan.tiers) tier.ceiling[d] = amount;
    d++;
  }
  return plan;
}

inline core::Handle make_pool(core::Member& member, const std::u16string& name, const core::PoolPlan& plan) {
  const core::Handle handle = look_up(member, core::Kind::kPool, name);
  if (core::define_pool(member.lane().arena, handle.index, plan) != core::Defined::kMade) throw std::runtime_error("define");
  return handle;
}

inline core::Amounts amounts(std::initializer_list<std::uint64_t> list) {
  core::Amounts out{};
  std::copy(list.begin(), list.end(), out.begin());
  return out;
}

inline core::Request units(core::Handle handle, std::initializer_list<std::uint64_t> list, std::uint32_t tier = 1,
                           std::uint32_t tenant = 0) {
  core::Request request;
  request.handle = handle;
  request.kind = core::Kind::kPool;
  request.shared = true;
  request.tier = tier;
  request.tenant = tenant;
  request.amounts = amounts(list);
  return request;
}

// The terms as they are, to be changed and given back.
inline core::Answer change_pool(core::Member& member, core::Handle handle, const core::PoolPlan& plan) {
  core::PoolTerms terms{};
  plan.write(terms);
  return member.change_pool(handle.index, terms);
}

// What the lists of a pool say: the sum of its holders' amounts, by dimension.
inline core::Amounts held_units(const core::Arena& arena, core::Handle handle) {
  core::Amounts sum{};
  std::uint32_t steps = 0;
  for (core::SlotId x = arena.element(handle.index).holders.load(); x != 0; x = arena.slot(x).next.load()) {
    if (++steps > arena.walk_bound()) throw Failure("a holder list that never ends");
    for (int d = 0; d < core::kDimensions; d++) sum[d] += arena.wants(arena.slot(x).enclosing.get()).amounts[d].get();
  }
  return sum;
}

// Every sum that the pool keeps is what its lists say.
inline void check_books(core::Arena& arena, core::Handle handle) {
  const core::PoolRecord& record = core::Pool(arena, handle.index).record();
  const core::Element& element = arena.element(handle.index);
  core::Amounts tiers[core::kTiers]{}, rows[core::kTenantRows]{};
  std::uint32_t grants[core::kTenantRows]{}, waiting[core::kTenantRows][core::kTiers]{};
  for (core::SlotId x = element.holders.load(); x != 0; x = arena.slot(x).next.load()) {
    const core::Slot& slot = arena.slot(x);
    const std::uint32_t row = slot.element_generation.get();
    if (row >= core::kTenantRows) throw Failure("a row that is none");
    grants[row]++;
    for (int d = 0; d < core::kDimensions; d++) {
      const std::uint64_t amount = arena.wants(slot.enclosing.get()).amounts[d].get();
      tiers[slot.flags.get() & core::SlotFlag::kTierMask][d] += amount;
      rows[row][d] += amount;
    }
  }
  for (std::uint32_t t = 0; t < core::kTiers; t++) {
    std::uint32_t tenants = 0;
    for (core::SlotId x = element.heads[t].load(); x != 0; x = arena.slot(x).next.load()) {
      const std::uint32_t row = arena.slot(x).element_generation.get();
      if (row >= core::kTenantRows) throw Failure("a row that is none");
      if (waiting[row][t]++ == 0) tenants++;
    }
    CHECK_EQUAL(record.tenants_waiting[t].get(), tenants);
    for (int d = 0; d < core::kDimensions; d++) CHECK_EQUAL(record.by_tier[t][d].get(), tiers[t][d]);
  }
  const core::Amounts held = held_units(arena, handle);
  for (int d = 0; d < core::kDimensions; d++) CHECK_EQUAL(record.used[d].get(), held[d]);
  for (std::uint32_t r = 0; r < core::kTenantRows; r++) {
    CHECK_EQUAL(record.rows[r].grants.get(), grants[r]);
    for (int d = 0; d < core::kDimensions; d++) CHECK_EQUAL(record.rows[r].used[d].get(), rows[r][d]);
    for (std::uint32_t t = 0; t < core::kTiers; t++) CHECK_EQUAL(record.rows[r].waiting[t].get(), waiting[r][t]);
  }
}

}  // namespace forelock::test
