#include "bind/binding.h"

#include <cstring>

#include "bind/args.h"
#include "bind/calls.h"
#include "bind/scratch.h"
#include "bind/views.h"
#include "shm/private_arenas.h"
#include "shm/process.h"

namespace forelock::bind {

namespace {

constexpr std::uint32_t kLastEnding = static_cast<std::uint32_t>(core::Ending::kDropped);

}  // namespace

// ---- the object ----------------------------------------------------------------------------------------------------

Binding* Binding::make(napi_env env, std::unique_ptr<shm::Region> region, std::string key, std::string name, std::string handle,
                       napi_value on_wake) {
  Environment* environment = Environment::of(env);
  if (environment == nullptr) return nullptr;
  auto* binding = new Binding(env, *environment);
  binding->key_ = std::move(key);
  binding->handle_ = handle;
  napi_value object;
  napi_value resource_name = text(env, std::string("forelock"));
  const bool made =
      ok(napi_create_object(env, &object)) && binding->define(object) &&
      ok(napi_create_reference(env, on_wake, 1, &binding->on_wake_ref_)) &&
      ok(napi_create_threadsafe_function(env, nullptr, nullptr, resource_name, 0, 1, nullptr, nullptr, binding, wake, &binding->wake_)) &&
      ok(napi_unref_threadsafe_function(env, binding->wake_)) && ok(napi_create_reference(env, object, 1, &binding->object_ref_));
  if (!made) {
    binding->let_go(binding->on_wake_ref_);
    if (binding->wake_ != nullptr) napi_release_threadsafe_function(binding->wake_, napi_tsfn_abort);
    if (binding->functions_ == 0) delete binding;
    napi_throw_error(env, "ERR_FORELOCK_LOAD", "the environment is being torn down");
    return nullptr;
  }
  const napi_threadsafe_function wake = binding->wake_;
  // Throws OpenError; the object with its functions is then garbage, and they answer Closed.
  try {
    binding->attachment_ = std::make_unique<shm::Attachment>(
        std::move(region), [wake] { napi_call_threadsafe_function(wake, nullptr, napi_tsfn_nonblocking); });
    binding->attachment_->waker().start();
  } catch (...) {
    binding->attachment_.reset();
    napi_release_threadsafe_function(binding->wake_, napi_tsfn_abort);
    binding->wake_ = nullptr;
    binding->let_go(binding->object_ref_);
    binding->let_go(binding->on_wake_ref_);
    throw;
  }
  binding->attachment_->waker().start();
  // Added after the thread-safe function, hence run before its own hook: the waker is joined while the function it calls
  // still exists (nodejs/node#55706).
  napi_add_env_cleanup_hook(env, end_of_environment, binding);
  const core::Header& header = binding->attachment_->region().header();
  napi_value options = options_to_js(env, header);
  for (const char* option : {"tiers", "virtual", "ageingMs", "maxReserve"}) {
    napi_value value = nullptr;
    if (ok(napi_get_named_property(env, options, option, &value))) set(env, object, option, value);
  }
  set(env, object, "capacity", options);
  set(env, object, "handle", text(env, handle));
  set(env, object, "name", text(env, name));
  set(env, object, "participant", number(env, binding->attachment_->participant()));
  set(env, object, "client", text(env, binding->attachment_->client()));
  binding->number_ = environment->add(binding->key_, binding);
  set(env, object, "arena", number(env, binding->number_));
  return binding;
}

bool Binding::define(napi_value object) {
  set(env_, object, "scratch", environment_.scratch_array());
  set(env_, object, "times", environment_.times_array());
  return add(object, "lookup", lookup) && add(object, "tryLock", hot_call<&Binding::try_lock>) &&
         add(object, "lock", hot_call<&Binding::lock>) && add(object, "release", hot_call<&Binding::release>) &&
         add(object, "pass", hot_call<&Binding::pass>) && add(object, "abort", call<&Binding::abort>) &&
         add(object, "upgrade", call<&Binding::upgrade>) && add(object, "check", call<&Binding::check>) && add(object, "drain", drain) &&
         add(object, "cycle", cycle) && add(object, "now", now) && add(object, "wallClock", wall_clock) &&
         add(object, "advance", hot_call<&Binding::advance>) && add(object, "snapshot", snapshot) && add(object, "counters", counters) &&
         add(object, "ref", ref) && add(object, "close", close) && define_buckets(object) && define_together(object) &&
         define_pools(object) && define_plans(object) && define_queues(object) && define_keyed(object) && define_telemetry(object) &&
         define_shadow(object);
}

bool Binding::add(napi_value object, const char* name, napi_callback callback) {
  napi_value function;
  if (!ok(napi_create_function(env_, name, NAPI_AUTO_LENGTH, callback, this, &function))) return false;
  functions_++;
  if (!ok(napi_add_finalizer(env_, function, this, forget, nullptr, nullptr))) return false;
  return ok(napi_set_named_property(env_, object, name, function));
}

// Any of the functions may outlive the object; the Binding lives as long as the last of them.
void Binding::forget(napi_env, void* data, void*) {
  auto* binding = static_cast<Binding*>(data);
  if (--binding->functions_ > 0) return;
  binding->shut();
  delete binding;
}

void Binding::end_of_environment(void* data) {
  auto* binding = static_cast<Binding*>(data);
  binding->users_ = 0;
  binding->shut();
}

void Binding::shut() {
  if (!attachment_) return;
  napi_remove_env_cleanup_hook(env_, end_of_environment, this);
  attachment_->waker().stop();
  families_.clear();
  readers_.clear();
  notes_.reset();
  attachment_.reset();
  if (!handle_.empty()) shm::PrivateArenas::instance().leave(handle_);
  napi_release_threadsafe_function(wake_, napi_tsfn_abort);
  wake_ = nullptr;
  environment_.remove(key_, number_);
  let_go(object_ref_);
  let_go(on_wake_ref_);
}

void Binding::let_go(napi_ref& reference) {
  if (reference != nullptr) napi_delete_reference(env_, reference);
  reference = nullptr;
}

napi_value Binding::js() const {
  napi_value object = nullptr;
  napi_get_reference_value(env_, object_ref_, &object);
  return object;
}

// ---- calls ---------------------------------------------------------------------------------------------------------

Binding* Binding::self(napi_env env, napi_callback_info info, std::size_t* count, napi_value* values) {
  void* data = nullptr;
  if (!ok(napi_get_cb_info(env, info, count, values, nullptr, &data))) return nullptr;
  return static_cast<Binding*>(data);
}

// Corrupt, or an operation that broke off half-way because there was no memory: nothing that the arena says of us holds any more.
std::int32_t Binding::damage() {
  damaged_ = true;
  shm::report_damage(attachment_->arena());
  napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
  return kCorrupt;
}

std::int32_t Binding::ready() { return attachment_ ? usable() : std::int32_t{kClosed}; }

bool Binding::read_request(core::Request& request) {
  const std::uint32_t index = scratch_[kIndex];
  const std::uint32_t wanted = scratch_[kRequest];
  const std::uint32_t ttl = scratch_[kTtl];
  const std::uint32_t count = scratch_[kEnclosingCount];
  const double timeout = times_[kTimeout];
  const double arrival = times_[kArrival];
  if (index >= attachment_->arena().capacity().elements || (wanted & ~(kTierMask | kShared | kSteal | kCohort | kNamed)) != 0 ||
      ttl > kLongestTtlMs || count > core::kEnclosingMax || !(timeout >= 0) || !(arrival >= 0) || arrival > 9e18) {
    return false;
  }
  read_names(wanted);
  request.handle = {index, scratch_[kGen]};
  request.tier = wanted & kTierMask;
  request.shared = (wanted & kShared) != 0;
  request.steal = (wanted & kSteal) != 0;
  if (request.shared && request.steal) return false;
  request.ttl = ttl;
  if ((wanted & kNamed) != 0) {
    read_who(request);
    request.hold = scratch_[kHold];
  }
  request.deadline = deadline_after(timeout);
  request.arrival = static_cast<core::Nanos>(arrival);
  for (std::uint32_t i = 0; i < count; i++) {
    const int at = kEnclosing + kEntryWords * static_cast<int>(i);
    const std::uint32_t waiter = scratch_[at + 3];
    if (waiter != kNobody && waiter > core::kMaxSlots) return false;
    enclosing_[i] = {scratch_[at], sequence(at + 1), waiter};
  }
  request.enclosing = enclosing_;
  request.enclosing_count = count;
  return true;
}

std::int32_t Binding::answer(core::Answer answer, const core::Granted& granted) {
  switch (answer) {
    case core::Answer::kOk:
    case core::Answer::kWait:
      write_grant(kOutSeqLow, granted);
      scratch_[kOutWaiter] = granted.waiter;
      return answer == core::Answer::kOk ? kOk : kWait;
    case core::Answer::kBusy:
      return kBusy;
    case core::Answer::kStale:
      return kStale;
    case core::Answer::kLost:
      return kLost;
    case core::Answer::kNoSlots:
      return kNoWaiters;
    case core::Answer::kOutOfMemory:
      return kOutOfMemory;
    case core::Answer::kBadArgument:
      return kBadArgument;
    case core::Answer::kNever:
      return kTooMuch;
  }
  return kBadArgument;
}

// The common case needs no more than three numbers: it looks at no others. kBusy: this path is shut.
inline std::int32_t Binding::try_fast() {
  const std::uint32_t index = scratch_[kIndex];
  const std::uint32_t wanted = scratch_[kRequest];
  if (((wanted & ~(kTierMask | kCohort | kNamed)) | scratch_[kTtl]) != 0) return kBusy;
  if (index >= attachment_->arena().capacity().elements) return kBadArgument;
  core::Granted granted;
  core::Member& member = attachment_->member();
  core::Nanos now;
  if (member.telemetry().on()) [[unlikely]] {
    read_names(wanted);
    now = attachment_->ticks();
  } else {
    now = attachment_->coarse_now();
  }
  const bool named = (wanted & kNamed) != 0;
  const core::Answer fast = member.try_fast({index, scratch_[kGen]}, wanted & kTierMask, now, granted, named ? scratch_[kWorkflow] : 0,
                                            named ? scratch_[kHold] : 0);
  if (fast == core::Answer::kBusy) return kBusy;
  scratch_[kOutSettled] = 0;
  return answer(fast, granted);
}

std::int32_t Binding::try_lock() {
  if (const std::int32_t fast = try_fast(); fast != kBusy) return fast;
  core::Granted granted;
  core::Request request;
  times_[kTimeout] = 0;
  times_[kArrival] = 0;
  scratch_[kEnclosingCount] = 0;
  if (!read_request(request)) return kBadArgument;
  request.deadline = 0;
  const core::Answer got = attachment_->member().try_lock(request, granted);
  settle();
  return answer(got, granted);
}

std::int32_t Binding::lock() {
  if (const std::int32_t fast = try_fast(); fast != kBusy) return fast;
  const std::uint32_t wanted = scratch_[kRequest];
  if ((wanted & ~(kTierMask | kNamed)) == kCohort) {
    // The virtual clock's waits are the arena's, so that whoever moves it finds them in one order.
    if (attachment_->region().header().is_virtual == 0 && attachment_->member().holds_alone(scratch_[kIndex])) {
      scratch_[kOutSettled] = 0;
      return kOwn;
    }
  }
  core::Granted granted;
  core::Request request;
  if (!read_request(request)) return kBadArgument;
  const core::Answer got = attachment_->member().lock(request, granted);
  settle();
  if (request.arrival == 0) times_[kArrival] = static_cast<double>(attachment_->member().lane().now());
  return answer(got, granted);
}

std::int32_t Binding::release() {
  core::Member& member = attachment_->member();
  const std::uint32_t waiter = scratch_[kWaiter];
  if (member.telemetry().on()) [[unlikely]]
    read_ending();
  core::Answer got;
  if (waiter == kNobody) {
    const std::uint32_t index = scratch_[kIndex];
    if (index >= attachment_->arena().capacity().elements) return kBadArgument;
    const std::uint64_t held = sequence(kSeqLow);
    if (member.release_fast(index, held)) {
      scratch_[kOutSettled] = 0;
      return kOk;
    }
    got = member.release(index, held);
    settle();
  } else {
    got = member.release_shared(waiter, sequence(kSeqLow));
    settle_if_needed();
  }
  return got == core::Answer::kOk ? std::int32_t{kOk} : answer(got, {});
}

std::int32_t Binding::pass() {
  scratch_[kOutSettled] = 0;
  const std::uint32_t index = scratch_[kIndex];
  const std::uint32_t tier = scratch_[kTier];
  if (index >= attachment_->arena().capacity().elements || tier >= core::kTiers) return kBadArgument;
  core::Granted granted;
  core::Member& member = attachment_->member();
  if (member.telemetry().on()) read_ending();
  const core::Answer got = member.pass(index, sequence(kSeqLow), tier, attachment_->coarse_now(), granted);
  if (got == core::Answer::kOk) {
    const double arrival = times_[kArrival];
    read_names(scratch_[kRequest]);
    member.telemetry().handed_on({index, scratch_[kGen]}, granted.sequence, tier,
                                 arrival >= 0 && arrival < 9e18 ? static_cast<core::Nanos>(arrival) : 0);
  }
  return answer(got, granted);
}

// How the grant that is given back ended, for its record; out of range it was a success.
void Binding::read_ending() {
  const std::uint32_t ending = scratch_[kEnding];
  attachment_->member().telemetry().ending = ending > kLastEnding ? core::Ending::kSuccess : static_cast<core::Ending>(ending);
}

std::int32_t Binding::abort() {
  const core::Answer got = attachment_->member().abort(scratch_[kWaiter]);
  settle();
  return got == core::Answer::kOk ? kOk : kLost;
}

std::int32_t Binding::upgrade() {
  const std::uint32_t tier = scratch_[kTier];
  if (tier >= core::kTiers) return kBadArgument;
  const core::Answer got = attachment_->member().upgrade(scratch_[kWaiter], tier);
  settle();
  return got == core::Answer::kOk ? kOk : kLost;
}

std::int32_t Binding::check() {
  const std::uint32_t index = scratch_[kIndex];
  const std::uint32_t waiter = scratch_[kWaiter];
  if (index >= attachment_->arena().capacity().elements) return kBadArgument;
  const core::Member& member = attachment_->member();
  const bool holds = waiter == kNobody ? member.holds(index, sequence(kSeqLow)) : member.holds_shared(waiter, sequence(kSeqLow));
  return holds ? kOk : kLost;
}

void Binding::settle() {
  core::Member& member = attachment_->member();
  if (attachment_->is_virtual() && !damaged_) member.serve_leftovers();
  if (member.lane().own_wake && !damaged_) member.collect();  // it may throw, and of a damaged arena nothing is asked
  std::uint32_t count = 0;
  while (count < kSettledEntries && member.has_settled()) {
    const core::Settled& settled = member.next_settled();
    const int at = kSettled + kEntryWords * static_cast<int>(count++);
    // A shared grant keeps the waiter's id; an exclusive one is known by element and sequence.
    scratch_[at] = settled.waiter;
    scratch_[at + 1] = static_cast<std::uint32_t>(settled.outcome);
    write_grant(at + 2, settled.grant);
  }
  scratch_[kOutSettled] = count;
  // What was taken or recalled from us by this very thread is told by the drain that this asks for.
  if (member.has_settled() || member.has_revoked()) napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
  attachment_->publish_changes();
}

void Binding::refuse_victims() {
  core::Member& member = attachment_->member();
  cycles_.clear();
  for (const shm::Victim& victim : attachment_->waker().take_victims()) {
    const core::WaiterId waiter = member.waiter_of(victim.slot);
    if (waiter == core::kNoWaiter) continue;
    if (member.refuse(waiter, victim.generation, core::Outcome::kDeadlock)) {
      attachment_->arena().count(core::Counter::kDeadlocks);
      cycles_[waiter] = victim.cycle;
    }
  }
}

// ---- calls with arguments or other results -------------------------------------------------------------------------

napi_value Binding::lookup(napi_env env, napi_callback_info info) {
  std::size_t count = 2;
  napi_value values[2];
  Binding* binding = self(env, info, &count, values);
  if (binding == nullptr) return nullptr;
  if (const std::int32_t unusable = binding->usable(); unusable != kOk) return integer(env, unusable);
  char16_t name[core::kNameMaxUnits + 2];
  std::size_t length = 0;
  std::uint32_t kind = 0;
  if (count < 2 || !is(env, values[0], napi_string) || !ok(napi_get_value_uint32(env, values[1], &kind)) ||
      kind > static_cast<std::uint32_t>(core::Kind::kLast) ||
      !ok(napi_get_value_string_utf16(env, values[0], name, core::kNameMaxUnits + 2, &length))) {
    return integer(env, kBadArgument);
  }
  if (length > core::kNameMaxUnits) return integer(env, kNameTooLong);
  try {
    core::Handle handle{};
    binding->attachment_->member().lane().refresh();
    switch (binding->attachment_->member().lookup(static_cast<core::Kind>(kind), name, length, handle)) {
      case core::Found::kOk:
        break;
      case core::Found::kNoElements:
        return integer(env, kNoElements);
      case core::Found::kNoNames:
        return integer(env, kNoNames);
      case core::Found::kNameTooLong:
        return integer(env, kNameTooLong);
      case core::Found::kOutOfMemory:
        return integer(env, kOutOfMemory);
    }
    const std::uint64_t base = binding->attachment_->arena().element(handle.index).base.load(std::memory_order_relaxed);
    binding->scratch_[kOutIndex] = handle.index;
    binding->scratch_[kOutGen] = handle.generation;
    binding->scratch_[kOutBaseHigh] = static_cast<std::uint32_t>(base >> 32);
    binding->scratch_[kOutBaseLow] = static_cast<std::uint32_t>(base);
    return integer(env, kOk);
  } catch (const std::exception&) {
    return integer(env, binding->damage());
  }
}

void Binding::fail_all(core::Outcome outcome) { attachment_->member().fail_all(outcome); }

napi_value Binding::drain(napi_env env, napi_callback_info info) {
  Binding* binding = self(env, info);
  if (binding == nullptr) return nullptr;
  if (!binding->attachment_ || shm::in_forked_child()) {
    binding->scratch_[kOutSettled] = 0;
    return boolean(env, false);
  }
  core::Member& member = binding->attachment_->member();
  shm::Waker& waker = binding->attachment_->waker();
  waker.acknowledge();
  try {
    if (waker.is_corrupt()) binding->damaged_ = true;
    if (binding->damaged_) {
      member.fail_all(core::Outcome::kCorrupt);
    } else {
      if (waker.is_retired()) member.fail_all(core::Outcome::kRetired);
      member.expire();
      binding->refuse_victims();
      if (waker.take_inherit()) member.inherit_tiers();
      member.collect();
    }
    binding->settle();
    // Of a damaged arena no grant holds, and what waits outside of one that was removed is to be told.
    return boolean(env, member.take_revoked() || binding->damaged_ || waker.is_retired());
  } catch (const std::exception&) {
    binding->damage();
    member.fail_all(core::Outcome::kCorrupt);
    binding->settle();
    return boolean(env, true);
  }
}

napi_value Binding::cycle(napi_env env, napi_callback_info info) {
  std::size_t count = 1;
  napi_value value;
  Binding* binding = self(env, info, &count, &value);
  if (binding == nullptr) return nullptr;
  std::uint32_t waiter = 0;
  if (count < 1 || !ok(napi_get_value_uint32(env, value, &waiter))) return text(env, std::string());
  const auto found = binding->cycles_.find(waiter);
  return text(env, found == binding->cycles_.end() ? std::string() : found->second);
}

napi_value Binding::now(napi_env env, napi_callback_info info) {
  Binding* binding = self(env, info);
  if (binding == nullptr || !binding->attachment_ || shm::in_forked_child()) return number(env, 0);
  return number(env, static_cast<double>(binding->attachment_->now()));
}

napi_value Binding::wall_clock(napi_env env, napi_callback_info info) {
  std::size_t count = 1;
  napi_value value;
  Binding* binding = self(env, info, &count, &value);
  if (binding == nullptr) return nullptr;
  double at = 0;
  if (count < 1 || !ok(napi_get_value_double(env, value, &at)) || !binding->attachment_ || shm::in_forked_child()) return number(env, 0);
  const double offset = static_cast<double>(binding->attachment_->arena().header().wall_offset.load(std::memory_order_acquire));
  return number(env, (at + offset) / static_cast<double>(core::kNanosPerMilli));
}

std::int32_t Binding::advance() {
  const double ms = times_[kTimeout];
  if (!(ms >= 0 && ms <= kLongestMs) || attachment_->region().header().is_virtual == 0) return kBadArgument;
  attachment_->advance(static_cast<core::Nanos>(std::llround(ms * static_cast<double>(core::kNanosPerMilli))));
  settle();
  return kOk;
}

napi_value Binding::snapshot(napi_env env, napi_callback_info info) {
  std::size_t count = 1;
  napi_value value;
  Binding* binding = self(env, info, &count, &value);
  if (binding == nullptr) return nullptr;
  if (!binding->attachment_ || shm::in_forked_child()) return array(env);
  try {
    std::u16string name;
    if (count >= 1 && is(env, value, napi_string)) {
      std::size_t length = 0;
      napi_get_value_string_utf16(env, value, nullptr, 0, &length);
      if (length > core::kNameMaxUnits) return array(env);
      name.resize(length + 1);
      napi_get_value_string_utf16(env, value, name.data(), length + 1, &length);
      name.resize(length);
      return to_js(env, shm::snapshot(binding->attachment_->arena(), binding->attachment_->now(), &name));
    }
    return to_js(env, shm::snapshot(binding->attachment_->arena(), binding->attachment_->now(), nullptr));
  } catch (const core::Corrupt& corrupt) {
    napi_throw_error(env, "ERR_FORELOCK_CORRUPT", corrupt.what());
    return nullptr;
  } catch (const std::exception& error) {  // no memory for the picture; the arena is as it was
    napi_throw_error(env, "ERR_FORELOCK_MEMORY", error.what());
    return nullptr;
  }
}

napi_value Binding::counters(napi_env env, napi_callback_info info) {
  Binding* binding = self(env, info);
  if (binding == nullptr || !binding->attachment_ || shm::in_forked_child()) return object(env);
  napi_value out = counters_to_js(env, binding->attachment_->arena());
  set(env, out, "waiting", number(env, binding->attachment_->member().waiting()));
  set(env, out, "slotsInUse", number(env, binding->attachment_->member().slots_in_use()));
  return out;
}

napi_value Binding::ref(napi_env env, napi_callback_info info) {
  std::size_t count = 1;
  napi_value value;
  Binding* binding = self(env, info, &count, &value);
  bool on = false;
  if (binding == nullptr || binding->wake_ == nullptr || count < 1 || !ok(napi_get_value_bool(env, value, &on))) return nullptr;
  if (on) {
    napi_ref_threadsafe_function(env, binding->wake_);
  } else {
    napi_unref_threadsafe_function(env, binding->wake_);
  }
  return nullptr;
}

napi_value Binding::close(napi_env env, napi_callback_info info) {
  Binding* binding = self(env, info);
  if (binding != nullptr && binding->attachment_ && --binding->users_ <= 0 && !shm::in_forked_child()) binding->shut();
  return nullptr;
}

// The function is not the thread-safe one's own: that keeps what it has until a turn of the event loop after it was released, and this one
// knows the object with all its functions.
void Binding::wake(napi_env env, napi_value, void* context, void*) {
  if (env == nullptr) return;  // it is released, or the environment is going, and the Binding may be gone
  napi_value receiver;
  napi_value callback = nullptr;
  napi_get_reference_value(env, static_cast<Binding*>(context)->on_wake_ref_, &callback);
  if (callback != nullptr && ok(napi_get_undefined(env, &receiver))) napi_call_function(env, receiver, callback, 0, nullptr, nullptr);
}

}  // namespace forelock::bind
