// The calls of a planner.
#include "bind/calls.h"

namespace forelock::bind {

bool Binding::define_plans(napi_value object) {
  return add(object, "writePlan", call<&Binding::write_plan>) && add(object, "withdrawPlan", call<&Binding::withdraw_plan>) &&
         add(object, "sweepPlans", call<&Binding::sweep_plans>) && add(object, "listPlans", list_plans) &&
         add(object, "planLosses", plan_losses) && add(object, "reserved", reserved);
}

std::int32_t Binding::write_plan() {
  const std::uint32_t kind = scratch_[kRequest];
  const std::uint32_t index = scratch_[kIndex];
  core::Plan plan;
  plan.tier = scratch_[kTier];
  plan.who = scratch_[kWorkflow];
  plan.source = scratch_[kWaiter];
  plan.amount = times_[kAmounts];
  const double from = times_[kAmounts + 1];
  const double until = times_[kAmounts + 2];
  core::Arena& arena = attachment_->arena();
  const bool escalation = kind == static_cast<std::uint32_t>(core::PlanKind::kEscalation);
  if (kind < 1 || kind > 5 || plan.tier >= core::kTiers || plan.source >= core::kPlanSources || !(plan.amount >= 0) ||
      !(plan.amount <= 1e15) || !(from >= 0 && from <= kLongestMs) || !(until > 0 && until <= kLongestMs)) {
    return kBadArgument;
  }
  plan.kind = static_cast<core::PlanKind>(kind);
  if (escalation) {
    if (plan.who == 0) return kBadArgument;
  } else {
    if (index >= arena.capacity().elements) return kBadArgument;
    const core::Kind of = core::Meta::kind(arena.element(index).meta.load(std::memory_order_acquire));
    const bool of_bucket = plan.kind == core::PlanKind::kReserve || (plan.kind == core::PlanKind::kKeep && of == core::Kind::kBucket);
    const core::Kind wanted = plan.kind == core::PlanKind::kHold ? core::Kind::kLock : of_bucket ? core::Kind::kBucket : core::Kind::kPool;
    if (of != wanted || (plan.kind != core::PlanKind::kHold && arena.element(index).base.load(std::memory_order_acquire) == 0)) {
      return kBadArgument;
    }
    plan.what = index + 1;
  }
  const core::Nanos now = attachment_->now();
  plan.from = now + static_cast<core::Nanos>(from * static_cast<double>(core::kNanosPerMilli));
  plan.until = now + static_cast<core::Nanos>(until * static_cast<double>(core::kNanosPerMilli));
  core::PlanId id{};
  const core::Written written = attachment_->member().write_plan(plan, id);
  settle();
  scratch_[kOutWaiter] = id.entry;
  scratch_[kOutSeqLow] = id.version;
  switch (written) {
    case core::Written::kOk:
      return kOk;
    case core::Written::kFull:
      return kBusy;
    case core::Written::kNoHeap:
      return kNoHeap;
    case core::Written::kOutOfMemory:
      break;
  }
  return kOutOfMemory;
}

std::int32_t Binding::withdraw_plan() {
  const bool there = attachment_->member().withdraw_plan({scratch_[kWaiter], scratch_[kSeqLow]});
  settle();
  return there ? kOk : kLost;
}

std::int32_t Binding::sweep_plans() {
  attachment_->member().sweep_plans();
  settle();
  return kOk;
}

napi_value Binding::list_plans(napi_env env, napi_callback_info info) {
  Binding* binding = self(env, info);
  napi_value out = array(env);
  if (binding == nullptr || !binding->attachment_ || shm::in_forked_child()) return out;
  try {
    core::Arena& arena = binding->attachment_->arena();
    const core::Nanos now = binding->attachment_->now();
    const auto from_now = [now](core::Nanos at) {
      return at > now ? static_cast<double>(at - now) / static_cast<double>(core::kNanosPerMilli) : 0;
    };
    std::uint32_t count = 0;
    core::Plans(arena).for_each(now, [&](core::PlanId id, const core::Plan& plan) {
      napi_value view = object(env);
      set(env, view, "entry", number(env, id.entry));
      set(env, view, "version", number(env, id.version));
      set(env, view, "kind", number(env, static_cast<double>(plan.kind)));
      const bool of_element = plan.what != 0 && plan.what <= arena.capacity().elements;
      set(env, view, "what", text(env, of_element ? core::Table::name_of(arena, plan.what - 1) : std::u16string()));
      const bool of_name = plan.who != 0 && plan.who <= arena.capacity().elements;
      set(env, view, "who", text(env, of_name ? core::Table::name_of(arena, plan.who - 1) : std::u16string()));
      set(env, view, "tier", number(env, plan.tier));
      set(env, view, "source", number(env, plan.source));
      set(env, view, "amount", number(env, plan.amount));
      set(env, view, "from", number(env, from_now(plan.from)));
      set(env, view, "until", number(env, from_now(plan.until)));
      napi_set_element(env, out, count++, view);
    });
    return out;
  } catch (const std::exception&) {
    binding->damage();
    return array(env);
  }
}

// For each source: waits, ms, hits, written.
napi_value Binding::plan_losses(napi_env env, napi_callback_info info) {
  Binding* binding = self(env, info);
  napi_value out = array(env);
  if (binding == nullptr || !binding->attachment_ || shm::in_forked_child()) return out;
  try {
    const core::Plans plans(binding->attachment_->arena());
    std::uint32_t at = 0;
    for (std::uint32_t source = 0; source < core::kPlanSources; source++) {
      const core::PlanLoss* loss = plans.loss(source);
      if (loss == nullptr) break;
      const double ms = static_cast<double>(loss->nanos.load(std::memory_order_relaxed)) / static_cast<double>(core::kNanosPerMilli);
      for (const double value : {static_cast<double>(loss->waits.load(std::memory_order_relaxed)), ms,
                                 static_cast<double>(loss->hits.load(std::memory_order_relaxed)),
                                 static_cast<double>(loss->written.load(std::memory_order_relaxed))}) {
        napi_set_element(env, out, at++, number(env, value));
      }
    }
    return out;
  } catch (const std::exception&) {
    binding->damage();
    return array(env);
  }
}

// Whole tokens that the bucket of the scratch's index has in reserve.
napi_value Binding::reserved(napi_env env, napi_callback_info info) {
  Binding* binding = self(env, info);
  if (binding == nullptr || !binding->attachment_ || shm::in_forked_child()) return number(env, 0);
  try {
    core::Arena& arena = binding->attachment_->arena();
    const std::uint32_t index = binding->scratch_[kIndex];
    if (!core::Bucket::is(arena, index)) return number(env, 0);
    return number(env, static_cast<double>(core::Bucket(arena, index).reserved(binding->attachment_->now())));
  } catch (const std::exception&) {
    binding->damage();
    return number(env, 0);
  }
}

}  // namespace forelock::bind
