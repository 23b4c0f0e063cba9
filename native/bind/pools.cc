// The calls of a pool. What it is made of travels as numbers in a Float64Array, in the order of lib/pool-terms.ts.
#include <cmath>
#include <cstring>

#include "bind/calls.h"

namespace forelock::bind {

namespace {

constexpr std::size_t kTierNumbers = 3 * core::kDimensions;
constexpr std::size_t kFixedNumbers = 3 + core::kDimensions + core::kTiers * kTierNumbers;
// What there is and what is used, by dimension; then the same of each tier, and how many wait in each.
constexpr std::size_t kUsageNumbers = 2 * core::kDimensions + core::kTiers * (core::kDimensions + 1);

std::uint64_t units(double value) {
  return value >= 0 && value <= static_cast<double>(core::kMostUnits) ? static_cast<std::uint64_t>(value) : 0;
}

// Whole units of a part of the capacity. Fractions such as 0.1 * 30 come out a little less than they are.
std::uint64_t units_of(double part, double capacity) {
  return std::isinf(part) ? core::kMostUnits : units(std::floor(part * capacity + 1e-9));
}

// False: not what it should be.
bool read_terms(napi_env env, napi_value numbers, core::PoolPlan& plan) {
  napi_typedarray_type type;
  std::size_t length = 0;
  void* data = nullptr;
  if (!ok(napi_get_typedarray_info(env, numbers, &type, &length, &data, nullptr, nullptr)) || type != napi_float64_array ||
      length < kFixedNumbers) {
    return false;
  }
  std::vector<double> given(length);
  std::memcpy(given.data(), data, length * sizeof(double));
  const auto dimensions = whole(given[0], core::kDimensions);
  const auto tenants = whole(given[1], core::kTenantRows - 1);
  const auto labels = whole(given[2], core::kLabels);
  if (!dimensions || *dimensions == 0 || !tenants || !labels || length != kFixedNumbers + 2 * *tenants + *labels) {
    return false;
  }
  plan.dimensions = *dimensions;
  std::size_t at = 3;
  for (int d = 0; d < core::kDimensions; d++) plan.capacity[d] = units(given[at++]);
  for (auto& tier : plan.tiers) {
    for (auto& kind : tier.parts) {
      for (int d = 0; d < core::kDimensions; d++) kind[d] = given[at++];
    }
    for (int d = 0; d < core::kDimensions; d++) {
      const double capacity = static_cast<double>(plan.capacity[d]);
      tier.floor[d] = units_of(tier.parts[0][d], capacity);
      tier.share[d] = units_of(tier.parts[1][d], capacity);
      tier.ceiling[d] = units_of(tier.parts[2][d], capacity);
    }
  }
  plan.tenants = *tenants;
  for (std::uint32_t i = 0; i < plan.tenants; i++) {
    const auto id = whole(given[at++], 0xffffffff);
    if (!id || *id == 0 || !(given[at] > 0)) return false;
    plan.tenant[i] = *id;
    plan.weight[i] = given[at++];
  }
  for (std::uint32_t i = 0; i < *labels; i++) {
    const auto id = whole(given[at++], 0xffffffff);
    if (!id || *id == 0) return false;
    plan.labels[i] = *id;
  }
  return true;
}

bool read_dimensions(napi_env env, napi_value names, core::PoolPlan& plan) {
  std::uint32_t count = 0;
  bool is_array = false;
  if (!ok(napi_is_array(env, names, &is_array)) || !is_array || !ok(napi_get_array_length(env, names, &count)) || count != plan.dimensions)
    return false;
  for (std::uint32_t d = 0; d < count; d++) {
    napi_value value;
    if (!ok(napi_get_element(env, names, d, &value))) return false;
    const auto name = utf8(env, value);
    if (!name || name->empty() || name->size() >= core::kDimensionNameBytes) return false;
    std::memcpy(plan.names[d].data(), name->data(), name->size());
  }
  return true;
}

}  // namespace

bool Binding::define_pools(napi_value object) {
  return add(object, "definePool", define_pool) && add(object, "changePool", change_pool) && add(object, "poolState", pool_state) &&
         add(object, "poolUsage", pool_usage) && add(object, "tryAllocate", hot_call<&Binding::try_allocate>) &&
         add(object, "allocate", hot_call<&Binding::allocate>) && add(object, "shrink", call<&Binding::shrink>) &&
         add(object, "recalled", call<&Binding::recalled>);
}

napi_value Binding::define_pool(napi_env env, napi_callback_info info) {
  std::size_t count = 2;
  napi_value values[2];
  Binding* binding = self(env, info, &count, values);
  if (binding == nullptr) return nullptr;
  if (const std::int32_t unusable = binding->usable(); unusable != kOk) return integer(env, unusable);
  core::Arena& arena = binding->attachment_->arena();
  const std::uint32_t index = binding->scratch_[kIndex];
  core::PoolPlan plan;
  if (count < 2 || index >= arena.capacity().elements ||
      core::Meta::kind(arena.element(index).meta.load(std::memory_order_acquire)) != core::Kind::kPool ||
      !read_terms(env, values[0], plan) || !read_dimensions(env, values[1], plan)) {
    return integer(env, kBadArgument);
  }
  try {
    switch (core::define_pool(arena, index, plan)) {
      case core::Defined::kMade:
      case core::Defined::kSame:
        return integer(env, kOk);
      case core::Defined::kOther:
        return integer(env, kDiffers);
      case core::Defined::kNoHeap:
        return integer(env, kNoHeap);
      case core::Defined::kOutOfMemory:
        return integer(env, kOutOfMemory);
      case core::Defined::kBadArgument:
        break;
    }
    return integer(env, kBadArgument);
  } catch (const std::exception&) {
    return integer(env, binding->damage());
  }
}

napi_value Binding::change_pool(napi_env env, napi_callback_info info) {
  std::size_t count = 1;
  napi_value value;
  Binding* binding = self(env, info, &count, &value);
  if (binding == nullptr) return nullptr;
  if (const std::int32_t unusable = binding->usable(); unusable != kOk) return integer(env, unusable);
  const std::uint32_t index = binding->scratch_[kIndex];
  core::PoolPlan plan;
  if (count < 1 || !core::Pool::is(binding->attachment_->arena(), index) || !read_terms(env, value, plan))
    return integer(env, kBadArgument);
  try {
    core::PoolTerms terms;
    plan.write(terms);
    const core::Answer got = binding->attachment_->member().change_pool(index, terms);
    binding->settle();
    return integer(env, binding->answer(got, {}));
  } catch (const std::exception&) {
    return integer(env, binding->damage());
  }
}

// { names, numbers: as they were given, used, byTier, waiting by tier }, each word of its own moment.
napi_value Binding::pool_state(napi_env env, napi_callback_info info) {
  Binding* binding = self(env, info);
  if (binding == nullptr || !binding->attachment_ || shm::in_forked_child()) return nullptr;
  const core::Arena& arena = binding->attachment_->arena();
  const std::uint32_t index = binding->scratch_[kIndex];
  if (!core::Pool::is(arena, index)) return nullptr;
  try {
    const core::Pool pool(binding->attachment_->arena(), index);
    const core::PoolRecord& record = pool.record();
    const core::PoolTerms& terms = pool.terms();
    napi_value out = object(env);
    napi_value names = array(env);
    for (std::uint32_t d = 0; d < pool.dimensions(); d++) {
      char name[core::kDimensionNameBytes];
      for (std::size_t i = 0; i < sizeof name; i++) name[i] = static_cast<char>(record.names[d][i / 8].peek() >> (i % 8 * 8));
      napi_set_element(env, names, d, text(env, std::string(name, strnlen(name, sizeof name))));
    }
    set(env, out, "names", names);
    const auto numbers = [&](const char* name, const core::plain<std::uint64_t>* from, int count) {
      napi_value list = array(env);
      for (int i = 0; i < count; i++)
        napi_set_element(env, list, static_cast<std::uint32_t>(i), number(env, static_cast<double>(from[i].peek())));
      set(env, out, name, list);
    };
    numbers("capacity", terms.capacity, core::kDimensions);
    numbers("used", record.used, core::kDimensions);
    numbers("byTier", record.by_tier[0], core::kTiers * core::kDimensions);
    napi_value parts = array(env);
    std::uint32_t part = 0;
    for (const core::TierTerms& tier : terms.tiers) {
      for (const auto& kind : tier.parts) {
        for (const auto& bits : kind) napi_set_element(env, parts, part++, number(env, std::bit_cast<double>(bits.peek())));
      }
    }
    set(env, out, "parts", parts);
    napi_value labels = array(env);
    std::uint32_t known = 0;
    for (const auto& label : record.labels) {
      if (label.peek() != 0) napi_set_element(env, labels, known++, number(env, label.peek()));
    }
    set(env, out, "labels", labels);
    napi_value waiting = array(env);
    napi_value tenants = array(env);
    std::uint32_t rows = 0;
    std::uint32_t by_tier[core::kTiers] = {};
    for (const core::TenantRow& row : record.rows) {
      for (int t = 0; t < core::kTiers; t++) by_tier[t] += row.waiting[t].peek();
      if (row.tenant.peek() == 0 && &row != &record.rows[core::kOtherTenants]) continue;
      napi_value view = object(env);
      set(env, view, "tenant", number(env, row.tenant.peek()));
      set(env, view, "grants", number(env, row.grants.peek()));
      set(env, view, "weight", number(env, std::bit_cast<double>(row.weight.peek())));
      napi_value used = array(env);
      for (std::uint32_t d = 0; d < pool.dimensions(); d++)
        napi_set_element(env, used, d, number(env, static_cast<double>(row.used[d].peek())));
      set(env, view, "used", used);
      napi_set_element(env, tenants, rows++, view);
    }
    for (std::uint32_t t = 0; t < core::kTiers; t++) napi_set_element(env, waiting, t, number(env, by_tier[t]));
    set(env, out, "waiting", waiting);
    set(env, out, "tenants", tenants);
    return out;
  } catch (const std::exception&) {
    binding->damage();
    return nullptr;
  }
}

// As numbers, for those who look at many pools over and over: what pool_state tells is some hundred values to make. (numbers): whether it
// is a pool.
napi_value Binding::pool_usage(napi_env env, napi_callback_info info) {
  std::size_t count = 1;
  napi_value value;
  Binding* binding = self(env, info, &count, &value);
  if (binding == nullptr || !binding->attachment_ || shm::in_forked_child()) return nullptr;
  napi_typedarray_type type;
  std::size_t length = 0;
  void* data = nullptr;
  if (count < 1 || !ok(napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr)) || type != napi_float64_array ||
      length < kUsageNumbers) {
    return boolean(env, false);
  }
  const core::Arena& arena = binding->attachment_->arena();
  const std::uint32_t index = binding->scratch_[kIndex];
  if (!core::Pool::is(arena, index)) return boolean(env, false);
  try {
    const core::Pool pool(binding->attachment_->arena(), index);
    const core::PoolRecord& record = pool.record();
    auto* out = static_cast<double*>(data);
    for (const auto& units : pool.terms().capacity) *out++ = static_cast<double>(units.peek());
    for (const auto& units : record.used) *out++ = static_cast<double>(units.peek());
    for (const auto& tier : record.by_tier) {
      for (const auto& units : tier) *out++ = static_cast<double>(units.peek());
    }
    for (int t = 0; t < core::kTiers; t++) {
      std::uint32_t waiting = 0;
      for (const core::TenantRow& row : record.rows) waiting += row.waiting[t].peek();
      *out++ = waiting;
    }
    return boolean(env, true);
  } catch (const std::exception&) {
    binding->damage();
    return boolean(env, false);
  }
}

// Whether it is a pool shows when it is asked.
bool Binding::read_units(core::Request& request) {
  request.kind = core::Kind::kPool;
  request.shared = true;
  return read_amounts(request.amounts);
}

// The request is kept: to make one anew is more to be written than what differs, and the gate is entered only when all is written.
std::int32_t Binding::try_allocate() {
  core::Request& request = units_;
  if (!read_asker(request) || !read_units(request)) return kBadArgument;
  core::Granted granted;
  const core::Answer got = attachment_->member().try_units(request, granted);
  settle_if_needed();
  if (got != core::Answer::kOk) [[unlikely]]
    return answer(got, granted);
  write_grant(kOutSeqLow, granted);
  scratch_[kOutWaiter] = granted.waiter;
  return kOk;
}

std::int32_t Binding::allocate() {
  core::Request request;
  if (!read_wait(request) || !read_units(request)) return kBadArgument;
  core::Granted granted;
  const core::Answer got = attachment_->member().units(request, granted);
  got == core::Answer::kWait ? settle() : settle_if_needed();
  if (request.arrival == 0) times_[kArrival] = static_cast<double>(attachment_->member().lane().now());
  return answer(got, granted);
}

std::int32_t Binding::shrink() {
  core::Amounts amounts;
  for (int d = 0; d < core::kDimensions; d++) {
    const double amount = times_[kAmounts + d];
    if (!(amount >= 0 && amount <= static_cast<double>(core::kMostUnits))) return kBadArgument;
    amounts[d] = static_cast<std::uint64_t>(amount);
  }
  const core::Answer got = attachment_->member().shrink(scratch_[kWaiter], sequence(kSeqLow), amounts);
  settle();
  return answer(got, {});
}

std::int32_t Binding::recalled() { return attachment_->member().is_recalled(scratch_[kWaiter], sequence(kSeqLow)) ? kOk : kLost; }

}  // namespace forelock::bind
