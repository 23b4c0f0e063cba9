// The queues of an arena. Records travel through the bytes of the environment, which all its arenas share; numbers through the
// scratch, as those of locks do (lib/native/binding.ts).
#include <cstring>

#include "bind/args.h"
#include "bind/binding.h"
#include "bind/calls.h"

namespace forelock::bind {

namespace {

std::int32_t code_of(core::Attached attached) {
  switch (attached) {
    case core::Attached::kOk:
      return kOk;
    case core::Attached::kNoElements:
      return kNoElements;
    case core::Attached::kNoNames:
      return kNoNames;
    case core::Attached::kNameTooLong:
      return kNameTooLong;
    case core::Attached::kOutOfMemory:
      return kOutOfMemory;
    case core::Attached::kNoHeap:
      return kNoHeap;
    case core::Attached::kConfig:
      return kConfig;
  }
  return kBadArgument;
}

}  // namespace

bool Binding::define_queues(napi_value object) {
  return add(object, "queueOpen", queue_open) && add(object, "queueBytes", queue_bytes) &&
         add(object, "queueOffer", hot_call<&Binding::queue_offer>) && add(object, "queuePoll", hot_call<&Binding::queue_poll>) &&
         add(object, "queueNext", hot_call<&Binding::queue_next>) && add(object, "queueAck", hot_call<&Binding::queue_ack>) &&
         add(object, "queueReturn", call<&Binding::queue_return>) && add(object, "queueTake", hot_call<&Binding::queue_take>) &&
         add(object, "queueRead", call<&Binding::queue_read>) && add(object, "queueRoom", call<&Binding::queue_room>) &&
         add(object, "queueFill", call<&Binding::queue_fill>) && add(object, "queueSize", call<&Binding::queue_size>);
}

// (name, capacity, maxBytes), zeros for what is not said.
napi_value Binding::queue_open(napi_env env, napi_callback_info info) {
  std::size_t count = 3;
  napi_value values[3];
  Binding* binding = self(env, info, &count, values);
  if (binding == nullptr) return nullptr;
  if (const std::int32_t unusable = binding->usable(); unusable != kOk) return integer(env, unusable);
  char16_t name[core::kNameMaxUnits + 2];
  std::size_t length = 0;
  core::QueueConfig wanted{};
  if (count < 3 || !is(env, values[0], napi_string) || !ok(napi_get_value_uint32(env, values[1], &wanted.capacity)) ||
      !ok(napi_get_value_uint32(env, values[2], &wanted.max_bytes)) || wanted.capacity > core::kMaxCells ||
      wanted.max_bytes > core::kMaxItemBytes || !ok(napi_get_value_string_utf16(env, values[0], name, core::kNameMaxUnits + 2, &length))) {
    return integer(env, kBadArgument);
  }
  if (length > core::kNameMaxUnits) return integer(env, kNameTooLong);
  try {
    core::Member& member = binding->attachment_->member();
    core::QueueId id = 0;
    core::QueueConfig stored{};
    const core::Attached attached = member.attach(name, length, wanted, id, stored);
    if (attached == core::Attached::kOk) binding->attachment_->waker().watch_queue(member.queue(id).items());
    binding->scratch_[kOutIndex] = id;
    binding->scratch_[kOutCapacity] = stored.capacity;
    binding->scratch_[kOutMaxBytes] = stored.max_bytes;
    return integer(env, code_of(attached));
  } catch (const std::exception&) {
    return integer(env, binding->damage());
  }
}

napi_value Binding::queue_bytes(napi_env env, napi_callback_info info) {
  Binding* binding = self(env, info);
  return binding == nullptr ? nullptr : binding->environment_.bytes_array();
}

bool Binding::read_queue(core::QueueId& id) {
  id = scratch_[kIndex];
  read_names(0);
  return attachment_->member().uses(id) && environment_.bytes() != nullptr;
}

std::int32_t Binding::queue_offer() {
  core::QueueId id;
  const std::uint32_t length = scratch_[kLength];
  if (!read_queue(id) || length > Environment::kBytes) return kBadArgument;
  const core::Answer got = attachment_->member().offer(id, scratch_[kTier], environment_.bytes(), length);
  settle_if_needed();
  if (got == core::Answer::kOk) [[likely]]
    return kOk;
  if (got == core::Answer::kBusy) attachment_->waker().look_around();
  return answer(got, {});
}

// Writes what was taken; kLost when it is gone, which only damage can do.
std::int32_t Binding::write_item(core::QueueId id, const core::Granted& granted) {
  core::Item item;
  if (!attachment_->member().look(id, granted.sequence, item)) return kLost;
  show_item(granted, item);
  return kOk;
}

inline void Binding::show_item(const core::Granted& granted, const core::Item& item) {
  std::memcpy(environment_.bytes(), item.bytes, item.length);
  scratch_[kOutSeqLow] = static_cast<std::uint32_t>(granted.sequence);
  scratch_[kOutGrant] = grant_word(granted.sequence, false) | item.tier;  // for the faces: no bit of it is used
  scratch_[kLength] = item.length;
  scratch_[kOutAttempt] = item.attempt;
}

std::int32_t Binding::queue_poll() {
  core::QueueId id;
  if (!read_queue(id)) return kBadArgument;
  core::Granted granted;
  core::Item item;
  const core::Answer got = attachment_->member().poll(id, granted, item);
  settle_if_needed();
  if (got == core::Answer::kOk) [[likely]] {
    show_item(granted, item);
    return kOk;
  }
  attachment_->waker().look_around();
  return kBusy;
}

std::int32_t Binding::queue_next() {
  core::QueueId id;
  if (!read_queue(id)) return kBadArgument;
  attachment_->member().acknowledge(id, sequence(kSeqLow));
  return queue_poll();
}

bool Binding::read_queue_wait(core::Request& request) {
  const std::uint32_t tier = scratch_[kTier];
  const double timeout = times_[kTimeout];
  if (tier >= core::kTiers || !(timeout >= 0)) return false;
  request.tier = tier;
  request.deadline = deadline_after(timeout);
  return true;
}

std::int32_t Binding::queue_take() {
  core::QueueId id;
  core::Request request;
  if (!read_queue(id) || !read_queue_wait(request)) return kBadArgument;
  core::Granted granted;
  const core::Answer got = attachment_->member().wait_for_item(id, request, granted);
  settle();
  return got == core::Answer::kOk ? write_item(id, granted) : answer(got, granted);
}

std::int32_t Binding::queue_room() {
  core::QueueId id;
  core::Request request;
  if (!read_queue(id) || !read_queue_wait(request)) return kBadArgument;
  core::Granted granted;
  const core::Answer got = attachment_->member().wait_for_room(id, request, granted);
  settle();
  return answer(got, granted);
}

std::int32_t Binding::queue_read() {
  core::QueueId id;
  if (!read_queue(id)) return kBadArgument;
  return write_item(id, {sequence(kSeqLow), core::kNoWaiter, false});
}

std::int32_t Binding::queue_fill() {
  core::QueueId id;
  const std::uint32_t length = scratch_[kLength];
  if (!read_queue(id) || length > Environment::kBytes) return kBadArgument;
  const core::Answer got = attachment_->member().fill(id, sequence(kSeqLow), scratch_[kTier], environment_.bytes(), length);
  settle();
  return answer(got, {});
}

std::int32_t Binding::queue_ack() {
  core::QueueId id;
  if (!read_queue(id)) return kBadArgument;
  const core::Answer got = attachment_->member().acknowledge(id, sequence(kSeqLow));
  settle_if_needed();
  return got == core::Answer::kOk ? std::int32_t{kOk} : answer(got, {});
}

std::int32_t Binding::queue_return() {
  core::QueueId id;
  if (!read_queue(id)) return kBadArgument;
  const core::Answer got = attachment_->member().put_back(id, sequence(kSeqLow));
  settle();
  return answer(got, {});
}

std::int32_t Binding::queue_size() {
  core::QueueId id;
  if (!read_queue(id)) return kBadArgument;
  for (std::uint32_t tier = 0; tier < core::kTiers; tier++)
    scratch_[kOutSizes + static_cast<int>(tier)] = attachment_->member().queue(id).size(tier);
  return kOk;
}

}  // namespace forelock::bind
