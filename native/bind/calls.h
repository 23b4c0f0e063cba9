// How a JavaScript call reaches an operation of a Binding: for the files that define its functions.
#pragma once

#include <cmath>

#include "bind/args.h"
#include "bind/binding.h"
#include "bind/scratch.h"
#include "shm/process.h"

namespace forelock::bind {

// A wait in ms, such that after it, in nanoseconds, the time has come: dividing and multiplying must not lose one.
inline double ms_between(core::Nanos from, core::Nanos to) {
  if (to <= from) return 0;
  const core::Nanos wait = to - from;
  double ms = static_cast<double>(wait) / static_cast<double>(core::kNanosPerMilli);
  while (ms * static_cast<double>(core::kNanosPerMilli) < static_cast<double>(wait)) ms = std::nextafter(ms, INFINITY);
  return ms;
}

// The second word of a grant, of its sequence and of what else there is to say.
inline std::uint32_t grant_word(std::uint64_t sequence, bool owner_died) {
  return static_cast<std::uint32_t>(sequence >> 32) << kGrantSequenceShift | (owner_died ? kOwnerDied : 0);
}

inline void Binding::write_grant(int at, const core::Granted& granted) {
  scratch_[at] = static_cast<std::uint32_t>(granted.sequence);
  scratch_[at + 1] = grant_word(granted.sequence, granted.owner_died);
}

inline std::uint64_t Binding::sequence(int at) const {
  const std::uint32_t low = scratch_[at];
  return low | (static_cast<std::uint64_t>(scratch_[at + 1] >> kGrantSequenceShift) << 32 & core::Fast::kSequenceMask);
}

// Most operations serve nobody of ours, and then there is nothing to tell.
inline void Binding::settle_if_needed() {
  core::Member& member = attachment_->member();
  if (member.lane().own_wake || member.has_settled() || member.has_leftovers()) {
    settle();
  } else {
    scratch_[kOutSettled] = 0;
  }
}

// False also where nothing is asked for.
inline bool Binding::read_amounts(core::Amounts& amounts) {
  std::uint64_t any = 0;
  const std::uint32_t count = scratch_[kAmountCount];
  if (count > core::kDimensions) return false;
  for (std::uint32_t d = 0; d < count; d++) {
    const double amount = times_[kAmounts + static_cast<int>(d)];
    if (!(amount >= 0 && amount <= static_cast<double>(core::kMostUnits))) return false;
    amounts[d] = static_cast<std::uint64_t>(static_cast<std::int64_t>(amount));  // signed: one instruction
    any |= amounts[d];
  }
  for (std::uint32_t d = count; d < core::kDimensions; d++) amounts[d] = 0;
  return any != 0;
}

inline std::uint32_t Binding::generation_of(core::ElementIndex index) const {
  return core::Meta::generation(attachment_->arena().element(index).meta.load(std::memory_order_acquire));
}

inline void Binding::read_names(std::uint32_t wanted) {
  core::Names& asking = attachment_->member().telemetry().asking;
  const bool named = (wanted & kNamed) != 0;
  asking.workflow = named ? scratch_[kWorkflow] : 0;
  asking.tenant = named ? scratch_[kTenant] : 0;
  asking.client = named ? scratch_[kClient] : 0;
}

// At what, and who asks.
inline bool Binding::read_asker(core::Request& request) {
  const std::uint32_t index = scratch_[kIndex];
  const std::uint32_t wanted = scratch_[kRequest];
  if (index >= attachment_->arena().capacity().elements || wanted > (kTierMask | kRevocable | kNamed)) return false;
  request.handle = {index, generation_of(index)};
  request.tier = wanted & kTierMask;
  request.revocable = (wanted & kRevocable) != 0;
  if ((wanted & kNamed) != 0) {
    read_who(request);
  } else {
    request.tenant = request.workflow = 0;
    read_names(0);
  }
  return true;
}

// Of a wait that may last so many ms; 0: for ever.
inline core::Nanos Binding::deadline_after(double ms) {
  return ms < kLongestMs ? attachment_->now() + static_cast<core::Nanos>(ms * static_cast<double>(core::kNanosPerMilli)) : 0;
}

inline std::int32_t Binding::usable() {
  if (!attachment_) return kClosed;
  if (shm::in_forked_child()) return kForked;
  if (damaged_) return kCorrupt;
  if (const std::uint32_t retired = attachment_->retired(); retired != 0) return retired == shm::kDamaged ? kCorrupt : kRetired;
  return kOk;
}

template <Binding::Operation operation>
std::int32_t Binding::run() {
  if (const std::int32_t unusable = usable(); unusable != kOk) return unusable;
  try {
    return (this->*operation)();
  } catch (const std::exception&) {
    return damage();
  }
}

// The calls of every lock are told their arena through the scratch and answer through it: to ask for a function's data costs
// half as much as the call, to make a number of the result as well.
template <Binding::Operation operation>
napi_value Binding::hot_call(napi_env env, napi_callback_info) {
  const Environment* environment = Environment::known(env);
  if (environment == nullptr) return nullptr;  // as good as impossible: it was there when this function was made
  volatile std::uint32_t* scratch = environment->scratch();
  Binding* binding = environment->at(scratch[kArena]);
  scratch[kOutCode] = static_cast<std::uint32_t>(binding == nullptr ? kClosed : binding->run<operation>());
  return nullptr;
}

template <Binding::Operation operation>
napi_value Binding::call(napi_env env, napi_callback_info info) {
  Binding* binding = self(env, info);
  return binding == nullptr ? nullptr : integer(env, binding->run<operation>());
}

}  // namespace forelock::bind
