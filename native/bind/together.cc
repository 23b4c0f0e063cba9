// What is wanted together, decided in one call: the parts one after the other, each by the operation that it has alone; at a refusal what
// was taken goes back in reverse. docs/decisions/0014-admission.md says why that is enough.
#include "bind/calls.h"

namespace forelock::bind {

struct Binding::Part {
  core::Kind kind;
  core::Handle handle;
  std::uint32_t tier;
  double tokens;
  core::Granted granted;
};

bool Binding::define_together(napi_value object) {
  return add(object, "tryAdmit", hot_call<&Binding::try_admit>) && add(object, "releaseTogether", hot_call<&Binding::release_together>);
}

// Locks, then pools, then buckets. All is read, and found to make sense, before anything is taken.
bool Binding::read_wanted(Part* parts, std::uint32_t& count) {
  const core::Arena& arena = attachment_->arena();
  const std::uint32_t locks = scratch_[kLocks];
  const std::uint32_t pools = scratch_[kPools];
  const std::uint32_t buckets = scratch_[kBuckets];
  const std::uint32_t wanted = scratch_[kRequest];
  if (locks > kMostLocks || pools > kMostPools || buckets > kMostBuckets || (wanted & ~(kTierMask | kNamed)) != 0) return false;
  count = locks + pools + buckets;
  for (std::uint32_t i = 0; i < count; i++) {
    const int at = kParts + kPartWords * static_cast<int>(i);
    Part& part = parts[i];
    const std::uint32_t index = scratch_[at];
    if (index >= arena.capacity().elements) return false;
    if (i < locks) {
      part.kind = core::Kind::kLock;
      part.handle = {index, scratch_[at + 1]};
      part.tier = scratch_[at + 2];
      if (part.tier >= core::kTiers) return false;
      continue;
    }
    part.tier = wanted & kTierMask;
    if (i < locks + pools) {
      part.kind = core::Kind::kPool;
      if (!core::Pool::is(arena, index)) return false;
    } else {
      part.kind = core::Kind::kBucket;
      part.tokens = times_[kTogether + static_cast<int>(i - locks - pools)];
      if (!(part.tokens > 0) || !core::Bucket::is(arena, index)) return false;
    }
    part.handle = {index, 0};
  }
  return true;
}

core::Answer Binding::take_lock(Part& part) {
  core::Member& member = attachment_->member();
  read_names(0);
  const core::Answer fast = member.try_fast(part.handle, part.tier, member.instant(), part.granted);
  if (fast != core::Answer::kBusy) return fast;
  core::Request request;
  request.handle = part.handle;
  request.tier = part.tier;
  return member.try_lock(request, part.granted);
}

core::Answer Binding::take_units(Part& part) {
  core::Request request;
  request.handle = {part.handle.index, generation_of(part.handle.index)};
  request.tier = part.tier;
  if ((scratch_[kRequest] & kNamed) != 0) {
    read_who(request);
  } else {
    read_names(0);
  }
  request.kind = core::Kind::kPool;
  request.shared = true;
  return read_amounts(request.amounts) ? attachment_->member().try_units(request, part.granted) : core::Answer::kBadArgument;
}

core::Answer Binding::take_tokens_of(const Part& part, core::Tokens& tokens) {
  core::Member& member = attachment_->member();
  core::Who who;
  const bool named = (scratch_[kRequest] & kNamed) != 0;
  if (named) who = {scratch_[kWorkflow], scratch_[kTenant]};
  const core::Spent spent = member.spend_then(part.handle.index, part.tokens, who, tokens);
  if (spent == core::Spent::kOk && !member.telemetry().on()) return core::Answer::kOk;
  read_names(named ? kNamed : 0);
  core::Request request;
  request.handle = {part.handle.index, generation_of(part.handle.index)};
  request.tier = part.tier;
  request.workflow = who.workflow;
  request.tenant = who.tenant;
  request.kind = core::Kind::kBucket;
  request.amounts[0] = std::bit_cast<std::uint64_t>(part.tokens);
  return member.try_tokens(request, spent, tokens);
}

core::Answer Binding::take_part(Part& part, core::Tokens& tokens) {
  if (part.kind == core::Kind::kLock) return take_lock(part);
  return part.kind == core::Kind::kPool ? take_units(part) : take_tokens_of(part, tokens);
}

core::Answer Binding::give_back_part(const Part& part) {
  core::Member& member = attachment_->member();
  switch (part.kind) {
    case core::Kind::kPool:
      return member.release_shared(part.granted.waiter, part.granted.sequence);
    case core::Kind::kBucket:
      member.give_back_tokens(part.handle.index, part.tokens);
      return core::Answer::kOk;
    default:
      if (member.release_fast(part.handle.index, part.granted.sequence)) return core::Answer::kOk;
      return member.release(part.handle.index, part.granted.sequence);
  }
}

// In: Request (tier | Named) with names; how many parts of each kind, the parts, the amounts of units and the tokens.
std::int32_t Binding::try_admit() {
  Part parts[kMostLocks + kMostPools + kMostBuckets];
  std::uint32_t count = 0;
  if (!read_wanted(parts, count)) return kBadArgument;
  attachment_->member().lane().refresh();
  for (std::uint32_t i = 0; i < count; i++) {
    core::Tokens tokens;
    const core::Answer got = take_part(parts[i], tokens);
    if (got != core::Answer::kOk) return refuse_together(parts, i, got, tokens);
  }
  for (std::uint32_t i = 0; i < count && parts[i].kind != core::Kind::kBucket; i++) {
    const int at = kParts + kPartWords * static_cast<int>(i);
    write_grant(at + 1, parts[i].granted);
    if (parts[i].kind == core::Kind::kLock) scratch_[at + 2] = scratch_[at + 2] | parts[i].tier;  // for the faces: no bit of it is used
    scratch_[at + 3] = parts[i].granted.waiter;
  }
  settle_if_needed();
  return kOk;
}

std::int32_t Binding::refuse_together(const Part* parts, std::uint32_t refused, core::Answer why, const core::Tokens& tokens) {
  core::Member& member = attachment_->member();
  const core::Nanos now = member.lane().now();
  for (std::uint32_t i = refused; i > 0; i--) {
    member.telemetry().ending = core::Ending::kIgnored;
    give_back_part(parts[i - 1]);
  }
  member.telemetry().ending = core::Ending::kSuccess;
  scratch_[kRefused] = refused;
  times_[kOutReady] = parts[refused].kind == core::Kind::kBucket ? ms_between(now, tokens.ready) : 0;
  settle();
  return answer(why, {});
}

// In: Locks, Pools, Ending; of each part what was answered for it. The other way round than they were taken. Ok: all were held still.
std::int32_t Binding::release_together() {
  const std::uint32_t locks = scratch_[kLocks];
  const std::uint32_t pools = scratch_[kPools];
  if (locks > kMostLocks || pools > kMostPools) return kBadArgument;
  Part parts[kMostLocks + kMostPools];
  for (std::uint32_t i = 0; i < locks + pools; i++) {
    const int at = kParts + kPartWords * static_cast<int>(i);
    parts[i].kind = i < locks ? core::Kind::kLock : core::Kind::kPool;
    parts[i].handle = {scratch_[at], 0};
    parts[i].granted = {sequence(at + 1), scratch_[at + 3], false};
    if (parts[i].handle.index >= attachment_->arena().capacity().elements) return kBadArgument;
  }
  bool all = true;
  for (std::uint32_t i = locks + pools; i > 0; i--) {
    read_ending();
    all = give_back_part(parts[i - 1]) == core::Answer::kOk && all;
  }
  settle_if_needed();
  return all ? kOk : kLost;
}

}  // namespace forelock::bind
