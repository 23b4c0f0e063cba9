// What a request would meet: reads, and writes nothing, not even that the arena is damaged.
#include <cmath>
#include <limits>
#include <set>

#include "bind/args.h"
#include "bind/calls.h"
#include "core/names.h"
#include "core/shadow.h"
#include "core/stats.h"

namespace forelock::bind {

namespace {

// What stands for one that holds or waits: ShadowField in lib/native/binding.ts has the names.
constexpr std::size_t kShadowFields = 13 + core::kDimensions;
constexpr int kShadowShared = 1;
constexpr int kShadowSteal = 2;
constexpr int kShadowRevocable = 4;
constexpr int kShadowRecalled = 8;

struct Name {
  char16_t units[core::kNameMaxUnits + 2];
  std::size_t length = 0;
};

bool read_name(napi_env env, napi_value value, Name& out) {
  return is(env, value, napi_string) && ok(napi_get_value_string_utf16(env, value, out.units, core::kNameMaxUnits + 2, &out.length)) &&
         out.length <= core::kNameMaxUnits;
}

// Into words of JavaScript, for one look.
class Telling {
 public:
  Telling(napi_env env, const core::Arena& arena, core::Nanos now) : env_(env), arena_(arena), now_(now) {}

  // ms from now, with its sign.
  double from_now(core::Nanos at) const {
    const double ms = at >= now_ ? static_cast<double>(at - now_) : -static_cast<double>(now_ - at);
    return ms / static_cast<double>(core::kNanosPerMilli);
  }

  // ShadowField numbers, in that order: an object for each of thousands costs ten times the look itself.
  void party(const core::ShadowParty& party, double* out) const {
    *out++ = party.tier;
    *out++ = from_now(party.since);
    *out++ = party.until != 0 ? from_now(party.until) : std::numeric_limits<double>::infinity();
    *out++ = party.ttl_ms;
    *out++ = party.hold_ms;
    *out++ = (party.shared ? kShadowShared : 0) | (party.steal ? kShadowSteal : 0) | (party.revocable ? kShadowRevocable : 0) |
             (party.recalled ? kShadowRecalled : 0);
    *out++ = party.tenant;
    *out++ = party.workflow;
    const bool somebody = party.participant != 0 && party.participant <= arena_.capacity().participants;
    const core::Participant* place = somebody ? &arena_.participant(party.participant) : nullptr;
    *out++ = somebody ? party.participant : 0;
    *out++ = party.incarnation;
    *out++ = place != nullptr ? place->pid.peek() : 0;
    *out++ = place != nullptr ? place->tid.peek() : 0;
    *out++ = party.tokens;
    for (std::uint32_t d = 0; d < core::kDimensions; d++) *out++ = static_cast<double>(party.amounts[d]);
  }

  void name(napi_value out, const char* property, std::uint32_t id) const {
    std::u16string name;
    if (core::name_of(arena_, id, name)) set(env_, out, property, text(env_, name));
  }

  // [grants, of these waited, then value in ms and count of holds]
  napi_value counted(const core::Counted& counted) const {
    napi_value list = array(env_);
    std::uint32_t at = 0;
    napi_set_element(env_, list, at++, number(env_, static_cast<double>(counted.grants)));
    napi_set_element(env_, list, at++, number(env_, static_cast<double>(counted.waited)));
    for (const auto& part : counted.holds) {
      napi_set_element(env_, list, at++, number(env_, static_cast<double>(part.value) / static_cast<double>(core::kNanosPerMilli)));
      napi_set_element(env_, list, at++, number(env_, static_cast<double>(part.count)));
    }
    return list;
  }

  napi_value hold_plan(const core::Plan& plan) const {
    napi_value out = object(env_);
    set(env_, out, "tier", number(env_, plan.tier));
    set(env_, out, "source", number(env_, plan.source));
    set(env_, out, "whoId", number(env_, plan.who));
    name(out, "who", plan.who);
    set(env_, out, "hold", number(env_, plan.amount));
    set(env_, out, "from", number(env_, from_now(plan.from)));
    set(env_, out, "until", number(env_, from_now(plan.until)));
    return out;
  }

 private:
  const napi_env env_;
  const core::Arena& arena_;
  const core::Nanos now_;
};

// Number and name, of all that are told of.
napi_value names_of(napi_env env, const Telling& tell, const core::ShadowView& view) {
  std::set<std::uint32_t> ids;
  const auto add = [&](const std::vector<core::ShadowParty>& list) {
    for (const core::ShadowParty& party : list) ids.insert({party.tenant, party.workflow});
  };
  add(view.holders);
  for (const auto& list : view.waiters) add(list);
  napi_value out = array(env);
  std::uint32_t at = 0;
  for (const std::uint32_t id : ids) {
    napi_value pair = object(env);
    set(env, pair, "id", number(env, id));
    tell.name(pair, "name", id);
    napi_set_element(env, out, at++, pair);
  }
  return out;
}

// Of each kShadowFields numbers; nullptr, and an exception, where there is no memory for them.
napi_value parties(napi_env env, const Telling& tell, const std::vector<core::ShadowParty>& list) {
  void* data = nullptr;
  napi_value buffer, out;
  const std::size_t length = list.size() * kShadowFields;
  if (!ok(napi_create_arraybuffer(env, length * sizeof(double), &data, &buffer)) ||
      !ok(napi_create_typedarray(env, napi_float64_array, length, buffer, 0, &out))) {
    return nullptr;
  }
  auto* at = static_cast<double*>(data);
  for (const core::ShadowParty& party : list) {
    tell.party(party, at);
    at += kShadowFields;
  }
  return out;
}

// What a pool is made of, in units, with the plans that hold now.
napi_value pool_to_js(napi_env env, core::Arena& arena, core::ElementIndex index, core::Nanos now) {
  core::Pool pool(arena, index);
  pool.look_at_plans(index, now);
  const core::PoolTerms& terms = pool.terms();
  const auto bounded = [](std::uint64_t units) { return static_cast<double>(std::min(units, core::kMostUnits)); };
  napi_value out = object(env);
  set(env, out, "dimensions", number(env, pool.dimensions()));
  napi_value capacity = array(env), floors = array(env), parts = array(env), ceilings = array(env), weights = array(env),
             keeps = array(env);
  for (std::uint32_t d = 0; d < core::kDimensions; d++) napi_set_element(env, capacity, d, number(env, bounded(terms.capacity[d].peek())));
  std::uint32_t planned = 0;
  for (std::uint32_t t = 0; t < core::kTiers; t++) {
    if (pool.share_is_planned(t)) planned |= 1u << t;
    napi_set_element(env, keeps, t, number(env, pool.keep(t).part));
    for (std::uint32_t d = 0; d < core::kDimensions; d++) {
      const std::uint32_t at = t * core::kDimensions + d;
      napi_set_element(env, floors, at, number(env, bounded(terms.tiers[t].floor[d].peek())));
      napi_set_element(env, ceilings, at, number(env, bounded(terms.tiers[t].ceiling[d].peek())));
      napi_set_element(env, parts, at, number(env, d < pool.dimensions() ? bounded(pool.part_of(t, d)) : 0));
    }
  }
  std::uint32_t at = 0;
  for (const core::TenantRow& row : pool.record().rows) {
    const double weight = pool.weight_of(row);
    if (row.tenant.peek() == 0 || weight == 1) continue;
    napi_set_element(env, weights, at++, number(env, row.tenant.peek()));
    napi_set_element(env, weights, at++, number(env, weight));
  }
  set(env, out, "capacity", capacity);
  set(env, out, "floors", floors);
  set(env, out, "parts", parts);
  set(env, out, "ceilings", ceilings);
  set(env, out, "weights", weights);
  set(env, out, "planned", number(env, planned));
  set(env, out, "keeps", keeps);
  set(env, out, "maxReserve", number(env, core::max_reserve(arena)));
  return out;
}

napi_value tokens_to_js(napi_env env, const Telling& tell, const core::ShadowTokens& tokens) {
  const auto time = [&](core::Nanos at) { return number(env, at == 0 ? std::numeric_limits<double>::infinity() : tell.from_now(at)); };
  napi_value out = object(env);
  set(env, out, "possible", boolean(env, tokens.possible));
  set(env, out, "ready", time(tokens.ready));
  set(env, out, "remaining", number(env, static_cast<double>(tokens.remaining)));
  napi_value list = array(env);
  std::uint32_t at = 0;
  // Five numbers each: tier and place, whether it is ahead, when it is served without the request and with it.
  for (const auto& one : tokens.waiters) {
    napi_set_element(env, list, at++, number(env, one.who.tier));
    napi_set_element(env, list, at++, number(env, one.who.place));
    napi_set_element(env, list, at++, number(env, one.ahead ? 1 : 0));
    napi_set_element(env, list, at++, time(one.without));
    napi_set_element(env, list, at++, time(one.with));
  }
  set(env, out, "waiters", list);
  return out;
}

}  // namespace

bool Binding::define_shadow(napi_value object) { return add(object, "findName", find_name) && add(object, "shadow", shadow); }

// The number of a name that there is, 0 if there is none.
napi_value Binding::find_name(napi_env env, napi_callback_info info) {
  std::size_t count = 1;
  napi_value value;
  Binding* binding = usable_self(env, info, &count, &value);
  Name name;
  if (binding == nullptr || count < 1 || !read_name(env, value, name)) return integer(env, 0);
  try {
    core::Handle handle{};
    const bool found = core::find_element(binding->attachment_->arena(), core::Kind::kName, name.units, name.length, handle);
    return number(env, found ? handle.index + 1.0 : 0);
  } catch (const core::Corrupt& corrupt) {
    napi_throw_error(env, "ERR_FORELOCK_CORRUPT", corrupt.what());
  }
  return nullptr;
}

// In: name and kind, and of the request Tier, Workflow, Tenant, Amounts[0] (tokens), Timeout (ms until it comes). Without `holders` there
// is no such element.
napi_value Binding::shadow(napi_env env, napi_callback_info info) {
  std::size_t count = 2;
  napi_value values[2];
  Binding* binding = self(env, info, &count, values);
  Name name;
  std::uint32_t wanted = 0;
  if (binding == nullptr || count < 2 || !read_name(env, values[0], name) || !ok(napi_get_value_uint32(env, values[1], &wanted)) ||
      wanted > static_cast<std::uint32_t>(core::Kind::kPool)) {
    return nullptr;
  }
  if (const std::int32_t unusable = binding->usable(); unusable != kOk) return integer(env, unusable);
  const auto kind = static_cast<core::Kind>(wanted);
  const std::uint32_t tier = binding->scratch_[kTier] & kTierMask;
  const core::Who who{binding->scratch_[kWorkflow], binding->scratch_[kTenant]};
  const double tokens = binding->times_[kAmounts];
  const double in = binding->times_[kTimeout];
  const core::Nanos comes = in > 0 && in < kLongestMs ? static_cast<core::Nanos>(in * static_cast<double>(core::kNanosPerMilli)) : 0;
  shm::Attachment& attachment = *binding->attachment_;
  core::Arena& arena = attachment.arena();
  try {
    const core::Nanos now = attachment.now();
    core::Plans plans(arena);
    core::Plan escalation;
    const core::Nanos until = arena.header().escalated_until.load(std::memory_order_acquire);
    const bool raised = who.workflow != 0 && now < until && plans.escalates(who.workflow, tier, now, escalation);
    const std::uint32_t as = raised ? escalation.tier & kTierMask : tier;
    const Telling tell(env, arena, now);
    napi_value out = object(env);
    set(env, out, "tier", number(env, as));
    set(env, out, "ageing",
        number(env,
               static_cast<double>(arena.header().ageing.load(std::memory_order_relaxed)) / static_cast<double>(core::kNanosPerMilli)));
    napi_value rest = array(env);
    for (std::uint32_t t = 0; t < core::kTiers; t++) napi_set_element(env, rest, t, tell.counted(core::counted_of(arena, kind, t)));
    set(env, out, "rest", rest);
    core::Handle handle{};
    core::ShadowView view;
    if (!core::find_element(arena, kind, name.units, name.length, handle) || !core::look(arena, kind, handle, now, view)) return out;
    set(env, out, "index", number(env, handle.index));
    set(env, out, "consistent", boolean(env, view.consistent));
    set(env, out, "holders", parties(env, tell, view.holders));
    napi_value waiters = array(env);
    napi_value own = array(env);
    for (std::uint32_t t = 0; t < core::kTiers; t++) {
      napi_set_element(env, waiters, t, parties(env, tell, view.waiters[t]));
      napi_set_element(env, own, t, tell.counted(core::counted_of(arena, handle, t)));
    }
    set(env, out, "waiters", waiters);
    set(env, out, "names", names_of(env, tell, view));
    set(env, out, "own", own);
    if (kind == core::Kind::kPool && core::Pool::is(arena, handle.index)) set(env, out, "pool", pool_to_js(env, arena, handle.index, now));
    if (kind == core::Kind::kBucket && core::Bucket::is(arena, handle.index)) {
      set(env, out, "tokens", tokens_to_js(env, tell, core::foresee_tokens(arena, view, tokens, as, who, now, now + comes)));
    }
    if (kind == core::Kind::kLock) {
      napi_value holds = array(env);
      std::uint32_t at = 0;
      plans.for_each_of(core::PlanKind::kHold, handle.index + 1, now,
                        [&](core::PlanEntry&, const core::Plan& plan) { napi_set_element(env, holds, at++, tell.hold_plan(plan)); });
      set(env, out, "plans", holds);
      bool running = false;
      const double most = core::max_reserve(arena) * static_cast<double>(core::kReserveWindow);
      const double kept = static_cast<double>(plans.kept(handle.index + 1, now, running));
      set(env, out, "mayKeep", number(env, std::max(0.0, most - kept) / static_cast<double>(core::kNanosPerMilli)));
    }
    return out;
  } catch (const core::Corrupt& corrupt) {
    napi_throw_error(env, "ERR_FORELOCK_CORRUPT", corrupt.what());
  } catch (const std::exception& error) {
    napi_throw_error(env, "ERR_FORELOCK_MEMORY", error.what());
  }
  return nullptr;
}

}  // namespace forelock::bind
