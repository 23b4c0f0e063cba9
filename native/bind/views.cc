#include "bind/views.h"

#include <bit>

#include <cstring>

#include "bind/args.h"

namespace forelock::bind {

namespace {

napi_value party_to_js(napi_env env, const shm::PartyView& party, bool holder) {
  napi_value out = object(env);
  set(env, out, "participant", number(env, party.participant));
  set(env, out, "client", text(env, party.client));
  set(env, out, "pid", number(env, party.pid));
  set(env, out, "tid", number(env, party.tid));
  set(env, out, "pidNamespace", number(env, static_cast<double>(party.pid_namespace)));
  set(env, out, "tier", number(env, party.tier));
  set(env, out, "shared", boolean(env, party.shared));
  set(env, out, "ageMs", number(env, party.age_ms));
  if (holder) {
    set(env, out, "token", big(env, party.token));
    set(env, out, "alive", boolean(env, party.alive));
  } else {
    set(env, out, "state", text(env, std::string(party.ready ? "ready" : "queued")));
  }
  return out;
}

napi_value parties_to_js(napi_env env, const std::vector<shm::PartyView>& parties, bool holders) {
  napi_value out = array(env);
  for (std::uint32_t i = 0; i < parties.size(); i++) napi_set_element(env, out, i, party_to_js(env, parties[i], holders));
  return out;
}

}  // namespace

napi_value to_js(napi_env env, const std::vector<shm::ElementView>& views) {
  napi_value out = array(env);
  for (std::uint32_t i = 0; i < views.size(); i++) {
    // A scope an element: a full arena would otherwise keep millions of handles alive in one.
    napi_handle_scope scope;
    if (!ok(napi_open_handle_scope(env, &scope))) return out;
    napi_value view = object(env);
    set(env, view, "name", text(env, views[i].name));
    set(env, view, "kind", number(env, static_cast<double>(views[i].kind)));
    set(env, view, "holders", parties_to_js(env, views[i].holders, true));
    set(env, view, "waiters", parties_to_js(env, views[i].waiters, false));
    napi_set_element(env, out, i, view);
    napi_close_handle_scope(env, scope);
  }
  return out;
}

napi_value counters_to_js(napi_env env, const core::Arena& arena) {
  static constexpr const char* kNames[] = {"takeovers",   "rescans",   "probeHandoffs", "sweeps",     "recycled",
                                           "revocations", "deadlocks", "namesLost",     "recordsLost"};
  static_assert(sizeof kNames / sizeof *kNames == static_cast<std::size_t>(core::Counter::kLast));
  napi_value out = object(env);
  for (std::size_t i = 0; i < static_cast<std::size_t>(core::Counter::kLast); i++) {
    set(env, out, kNames[i], number(env, static_cast<double>(arena.header().counters[i].load(std::memory_order_relaxed))));
  }
  return out;
}

napi_value options_to_js(napi_env env, const core::Header& header) {
  napi_value out = object(env);
  set(env, out, "elements", number(env, header.capacity.elements));
  set(env, out, "waiters", number(env, header.capacity.slots));
  set(env, out, "participants", number(env, header.capacity.participants));
  set(env, out, "names", number(env, header.capacity.texts));
  set(env, out, "memory", number(env, static_cast<double>(header.capacity.heap) * static_cast<double>(core::kPage)));
  set(env, out, "telemetry", number(env, header.capacity.telemetry));
  set(env, out, "ageingMs", number(env, static_cast<double>(header.ageing.load(std::memory_order_relaxed) / core::kNanosPerMilli)));
  set(env, out, "maxReserve", number(env, std::bit_cast<double>(header.max_reserve.load(std::memory_order_relaxed))));
  set(env, out, "claimWithinMs", number(env, header.claim_within.load(std::memory_order_relaxed)));
  set(env, out, "virtual", boolean(env, header.is_virtual != 0));
  napi_value tiers = array(env);
  for (std::uint32_t i = 0; i < header.tier_count && i < core::kTiers; i++) {
    napi_set_element(env, tiers, i, text(env, std::string(header.tier_names[i], strnlen(header.tier_names[i], core::kTierNameBytes))));
  }
  set(env, out, "tiers", tiers);
  return out;
}

napi_value participants_to_js(napi_env env, const core::Arena& arena) {
  napi_value out = array(env);
  std::uint32_t count = 0;
  for (core::ParticipantId id = 1; id <= arena.capacity().participants; id++) {
    const core::Participant& place = arena.participant(id);
    const core::LifeWord life = core::LifeWord::of(place.life.load(std::memory_order_acquire));
    if (life.life == core::Life::kFree) continue;
    napi_value view = object(env);
    set(env, view, "participant", number(env, id));
    set(env, view, "pid", number(env, place.pid.peek()));
    set(env, view, "tid", number(env, place.tid.peek()));
    set(env, view, "incarnation", number(env, life.incarnation));
    set(env, view, "state",
        text(env, std::string(life.life == core::Life::kDead    ? "dead"
                              : life.life == core::Life::kAlive ? "alive"
                                                                : "joining")));
    napi_set_element(env, out, count++, view);
  }
  return out;
}

}  // namespace forelock::bind
