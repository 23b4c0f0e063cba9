// Families of buckets. The key is the one argument of a call: a string costs a Node-API call to read wherever it comes from, and
// copied into the scratch it would cost as much again. Its hash goes back through the scratch, so that JavaScript may ask again without
// the string. All else travels through the scratch, too.
#include "bind/calls.h"

namespace forelock::bind {

namespace {

std::int32_t code_of(core::Found found) {
  switch (found) {
    case core::Found::kOk:
      return kOk;
    case core::Found::kNoElements:
      return kNoElements;
    case core::Found::kNoNames:
      return kNoNames;
    case core::Found::kNameTooLong:
      return kNameTooLong;
    case core::Found::kOutOfMemory:
      return kOutOfMemory;
  }
  return kBadArgument;
}

std::int32_t code_of(core::KeyedAnswer answer) {
  switch (answer) {
    case core::KeyedAnswer::kOk:
      return kOk;
    case core::KeyedAnswer::kRefused:
      return kBusy;
    case core::KeyedAnswer::kNever:
      return kNever;
    case core::KeyedAnswer::kNoKeys:
      return kNoKeys;
  }
  return kBadArgument;
}

}  // namespace

bool Binding::define_keyed(napi_value object) {
  return add(object, "keyedAgain", hot_call<&Binding::keyed_again>) && add(object, "keyedOpen", keyed_open) &&
         add(object, "keyedTake", keyed_call<&Binding::keyed_take>) && add(object, "keyedPeek", keyed_call<&Binding::keyed_peek>) &&
         add(object, "keyedRefund", keyed_call<&Binding::keyed_refund>);
}

// ---- a family ------------------------------------------------------------------------------------------------------

napi_value Binding::keyed_open(napi_env env, napi_callback_info info) {
  std::size_t count = 1;
  napi_value value;
  Binding* binding = self(env, info, &count, &value);
  if (binding == nullptr) return nullptr;
  if (const std::int32_t unusable = binding->ready(); unusable != kOk) return integer(env, unusable);
  char16_t name[core::kNameMaxUnits + 2];
  std::size_t length = 0;
  if (count < 1 || !ok(napi_get_value_string_utf16(env, value, name, core::kNameMaxUnits + 2, &length))) return integer(env, kBadArgument);
  if (length > core::kNameMaxUnits) return integer(env, kNameTooLong);
  try {
    return integer(env, binding->open_family(name, length));
  } catch (const std::exception&) {
    return integer(env, binding->damage());
  }
}

std::int32_t Binding::open_family(const char16_t* name, std::size_t length) {
  core::Pace pace{};
  const double keys = times_[kKeys];
  const bool update = scratch_[kRequest] != 0;
  if (!core::Pace::of(times_[kRate], times_[kPer], times_[kBurst], pace) || !(keys >= 1 && keys <= static_cast<double>(core::kMaxKeys))) {
    return kBadArgument;
  }
  core::Member& member = attachment_->member();
  core::Handle handle{};
  member.lane().refresh();
  if (const std::int32_t code = code_of(member.lookup(core::Kind::kKeyed, name, length, handle)); code != kOk) return code;
  const core::KeyedMade made = core::define_keyed(attachment_->arena(), handle.index, pace, static_cast<std::uint64_t>(keys));
  if (made == core::KeyedMade::kNoHeap) return kNoHeap;
  if (made == core::KeyedMade::kOutOfMemory) return kOutOfMemory;
  const std::uint32_t number = family_number(handle.index);
  core::Keyed& family = *families_[number].keyed;
  scratch_[kOutIndex] = number;
  std::int32_t code = kOk;
  if (made == core::KeyedMade::kOtherKeys || (made == core::KeyedMade::kOtherPace && !update)) code = kDiffers;
  if (made == core::KeyedMade::kOtherPace && update) code = change_family(family, handle, pace);
  const core::Pace stored = family.pace();
  times_[kRate] = stored.rate;
  times_[kPer] = stored.per;
  times_[kBurst] = stored.size;
  times_[kKeys] = static_cast<double>(family.keys());
  return code;
}

std::uint32_t Binding::family_number(core::ElementIndex index) {
  for (std::uint32_t number = 0; number < families_.size(); number++) {
    if (families_[number].index == index) return number;
  }
  families_.push_back({index, std::make_unique<core::Keyed>(attachment_->arena(), index, attachment_->member().lane().id)});
  return static_cast<std::uint32_t>(families_.size() - 1);
}

// Under the element's lock, which passes on if we die over it.
std::int32_t Binding::change_family(core::Keyed& family, core::Handle handle, const core::Pace& pace) {
  core::Member& member = attachment_->member();
  core::Request request;
  core::Granted granted;
  request.handle = handle;
  const core::Answer got = member.try_lock(request, granted);
  if (got == core::Answer::kOk) {
    family.change(pace);
    member.release(handle.index, granted.sequence);
  }
  settle();
  return answer(got, granted);
}

// ---- its keys ------------------------------------------------------------------------------------------------------

template <Binding::KeyedOperation operation>
napi_value Binding::keyed_call(napi_env env, napi_callback_info info) {
  const Environment* environment = Environment::known(env);
  if (environment == nullptr) return nullptr;  // as in hot_call
  volatile std::uint32_t* scratch = environment->scratch();
  std::size_t count = 1;
  napi_value key;
  std::int32_t code = kBadArgument;
  if (ok(napi_get_cb_info(env, info, &count, &key, nullptr, nullptr)) && count >= 1) {
    Binding* binding = environment->at(scratch[kArena]);
    code = binding == nullptr ? std::int32_t{kClosed} : binding->run_keyed<operation>(env, key);
  }
  scratch[kOutCode] = static_cast<std::uint32_t>(code);
  return nullptr;
}

// As UTF-16, in which all strings differ that are different: UTF-8 makes every lone surrogate the same character, Latin-1 drops a byte.
template <Binding::KeyedOperation operation>
std::int32_t Binding::run_keyed(napi_env env, napi_value key) {
  if (const std::int32_t unusable = ready(); unusable != kOk) return unusable;
  const std::uint32_t number = scratch_[kIndex];
  if (number >= families_.size()) return kBadArgument;
  char16_t text[core::kNameMaxUnits + 2];
  std::size_t length = 0;
  if (!ok(napi_get_value_string_utf16(env, key, text, core::kNameMaxUnits + 2, &length))) return kBadArgument;
  if (length > core::kNameMaxUnits) return kNameTooLong;
  try {
    return (this->*operation)(*families_[number].keyed, core::hash_key(attachment_->region().header().seed, text, length));
  } catch (const std::exception&) {
    return damage();
  }
}

std::int32_t Binding::keyed_take(core::Keyed& family, const core::Hash& key) {
  for (int half = 0; half < 2; half++) {
    const std::uint64_t word = half == 0 ? key.low : key.high;
    scratch_[kKey + 2 * half] = static_cast<std::uint32_t>(word);
    scratch_[kKey + 2 * half + 1] = static_cast<std::uint32_t>(word >> 32);
  }
  return take_key(family, key);
}

// With a hash that an earlier call gave. Any other one is the bucket of some other key.
std::int32_t Binding::keyed_again() {
  const std::uint32_t number = scratch_[kIndex];
  if (number >= families_.size()) return kBadArgument;
  const auto word = [this](int at) { return scratch_[at] | static_cast<std::uint64_t>(scratch_[at + 1]) << 32; };
  return take_key(*families_[number].keyed, {word(kKey), word(kKey + 2)});
}

std::int32_t Binding::take_key(core::Keyed& family, const core::Hash& key) {
  core::KeyedTokens out;
  const core::KeyedAnswer answer = family.take(key, times_[kTokens], out);
  times_[kOutReady] = answer == core::KeyedAnswer::kRefused ? ms_between(out.now, out.ready) : 0;
  times_[kOutRemaining] = static_cast<double>(out.remaining);
  return code_of(answer);
}

std::int32_t Binding::keyed_peek(core::Keyed& family, const core::Hash& key) {
  core::KeyedTokens out;
  const core::KeyedAnswer answer = family.peek(key, times_[kTokens], out);
  times_[kOutReady] = ms_between(out.now, out.ready);
  times_[kOutRemaining] = static_cast<double>(out.remaining);
  times_[kOutFull] = ms_between(out.now, out.full);
  times_[kOutLimit] = family.pace().size;
  return code_of(answer);
}

std::int32_t Binding::keyed_refund(core::Keyed& family, const core::Hash& key) { return code_of(family.refund(key, times_[kTokens])); }

}  // namespace forelock::bind
