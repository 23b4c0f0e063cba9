// The calls of a bucket.
#include <algorithm>

#include "bind/calls.h"

namespace forelock::bind {

bool Binding::define_buckets(napi_value object) {
  return add(object, "defineBucket", call<&Binding::define_bucket>) && add(object, "bucketPace", call<&Binding::bucket_pace>) &&
         add(object, "changePace", call<&Binding::change_pace>) && add(object, "tryTake", hot_call<&Binding::try_take>) &&
         add(object, "take", hot_call<&Binding::take_tokens>) && add(object, "peekTokens", call<&Binding::peek_tokens>) &&
         add(object, "refund", call<&Binding::refund>);
}

std::int32_t Binding::define_bucket() {
  const std::uint32_t index = scratch_[kIndex];
  const std::uint32_t parent = scratch_[kWaiter];
  core::Arena& arena = attachment_->arena();
  if (index >= arena.capacity().elements) return kBadArgument;
  if (core::Meta::kind(arena.element(index).meta.load(std::memory_order_acquire)) != core::Kind::kBucket) return kBadArgument;
  core::BucketTerms terms;
  if (!core::Pace::of(times_[kAmounts], times_[kAmounts + 1], times_[kAmounts + 2], terms.pace)) return kBadArgument;
  terms.has_parent = parent != kNobody;
  terms.parent = parent;
  switch (core::define_bucket(arena, index, terms)) {
    case core::Defined::kMade:
    case core::Defined::kSame:
      return kOk;
    case core::Defined::kOther:
      return kDiffers;
    case core::Defined::kNoHeap:
      return kNoHeap;
    case core::Defined::kOutOfMemory:
      return kOutOfMemory;
    case core::Defined::kBadArgument:
      break;
  }
  return kBadArgument;
}

std::int32_t Binding::bucket_pace() {
  const std::uint32_t index = scratch_[kIndex];
  if (!core::Bucket::is(attachment_->arena(), index)) return kStale;
  const core::Bucket bucket(attachment_->arena(), index);
  const core::Pace pace = bucket.pace();
  times_[kAmounts] = pace.rate;
  times_[kAmounts + 1] = pace.per;
  times_[kAmounts + 2] = pace.size;
  scratch_[kWaiter] = bucket.parent() - 1;
  return kOk;
}

std::int32_t Binding::change_pace() {
  const std::uint32_t index = scratch_[kIndex];
  core::Pace pace;
  if (!core::Bucket::is(attachment_->arena(), index) ||
      !core::Pace::of(times_[kAmounts], times_[kAmounts + 1], times_[kAmounts + 2], pace)) {
    return kBadArgument;
  }
  const core::Answer got = attachment_->member().change_pace(index, pace);
  settle();
  return answer(got, {});
}

std::int32_t Binding::try_take() {
  core::Member& member = attachment_->member();
  const core::Nanos now = attachment_->ticks();
  member.lane().at(now);
  const std::uint32_t index = scratch_[kIndex];
  const std::uint32_t wanted = scratch_[kRequest];
  const double tokens = times_[kAmounts];
  if (wanted > (kTierMask | kNamed) || !(tokens > 0) || !core::Bucket::is(attachment_->arena(), index)) return kBadArgument;
  const std::uint64_t left = member.spend_at_once(index, tokens, now);
  if (left == core::Bucket::kNotAtOnce || member.telemetry().on() || member.lane().own_wake) [[unlikely]]
    return try_take_slowly(index, wanted, tokens, left);
  times_[kOutRemaining] = static_cast<double>(static_cast<std::int64_t>(left));  // signed: one instruction
  scratch_[kOutSettled] = 0;
  return kOk;
}

// What is left to do where there is more to it, it is to be told, or has served somebody.
std::int32_t Binding::try_take_slowly(std::uint32_t index, std::uint32_t wanted, double tokens, std::uint64_t left) {
  core::Request request;
  request.handle = {index, generation_of(index)};
  request.tier = wanted & kTierMask;
  if ((wanted & kNamed) != 0) {
    request.tenant = scratch_[kTenant];
    request.workflow = scratch_[kWorkflow];
  }
  request.kind = core::Kind::kBucket;
  request.amounts[0] = std::bit_cast<std::uint64_t>(tokens);
  core::Member& member = attachment_->member();
  core::Tokens out;
  core::Spent spent = core::Spent::kOk;
  if (left == core::Bucket::kNotAtOnce) {
    spent = member.spend_then(request, out);
  } else {
    out.remaining = left;
  }
  read_names(wanted);
  const core::Answer got = member.try_tokens(request, spent, out);
  times_[kOutRemaining] = static_cast<double>(out.remaining);
  if (got != core::Answer::kOk) {
    const core::Nanos now = member.lane().now();
    times_[kOutReady] = ms_between(now, out.ready);
  }
  settle_if_needed();
  return answer(got, {});
}

void Binding::read_who(core::Request& request) {
  request.tenant = scratch_[kTenant];
  request.workflow = scratch_[kWorkflow];
  read_names(kNamed);
}

// And how it waits.
bool Binding::read_wait(core::Request& request) {
  const double timeout = times_[kTimeout];
  const double arrival = times_[kArrival];
  if (!(timeout >= 0) || !(arrival >= 0) || arrival > 9e18 || !read_asker(request)) return false;
  request.deadline = deadline_after(timeout);
  request.arrival = static_cast<core::Nanos>(arrival);
  return true;
}

std::int32_t Binding::take_tokens() {
  const double tokens = times_[kAmounts];
  core::Request request;
  if (!(tokens > 0) || !read_wait(request) || !core::Bucket::is(attachment_->arena(), request.handle.index)) return kBadArgument;
  request.kind = core::Kind::kBucket;
  request.amounts[0] = std::bit_cast<std::uint64_t>(tokens);
  core::Granted granted;
  const core::Answer got = attachment_->member().tokens(request, granted);
  settle();
  if (got == core::Answer::kOk) times_[kOutRemaining] = static_cast<double>(granted.sequence);
  if (request.arrival == 0) times_[kArrival] = static_cast<double>(attachment_->member().lane().now());
  return answer(got, granted);
}

std::int32_t Binding::peek_tokens() {
  const std::uint32_t index = scratch_[kIndex];
  const double tokens = times_[kAmounts];
  if (!(tokens > 0) || !core::Bucket::is(attachment_->arena(), index)) return kBadArgument;
  const core::Bucket bucket(attachment_->arena(), index);
  const core::Nanos now = attachment_->now();
  core::Tokens out;
  const core::Spent spent = bucket.peek(tokens, now, out);
  out.ready = std::max(out.ready, core::tokens_due(attachment_->arena(), index, now));
  times_[kOutRemaining] = static_cast<double>(out.remaining);
  times_[kOutReady] = ms_between(now, out.ready);
  times_[kOutFull] = ms_between(now, bucket.full_at(now));
  if (spent == core::Spent::kNever) return kTooMuch;
  return spent == core::Spent::kOk && !bucket.has_waiters() ? kOk : kBusy;
}

std::int32_t Binding::refund() {
  const std::uint32_t index = scratch_[kIndex];
  const double tokens = times_[kAmounts];
  if (!(tokens > 0) || !core::Bucket::is(attachment_->arena(), index)) return kBadArgument;
  attachment_->member().give_back_tokens(index, tokens);
  settle();
  return kOk;
}

}  // namespace forelock::bind
