// What is wanted together, decided in one call: the parts one after the other, each by the operation that it has alone; at a refusal what
// was taken goes back in reverse. docs/decisions/0014-admission.md says why that is enough.
#include "bind/calls.h"

namespace forelock::bind {

namespace {

// In the sequence of a part that was granted, where no bit of it is used: the holder before died.
constexpr std::uint64_t kDiedMark = 1ull << 63;

}  // namespace

bool Binding::define_together(napi_value object) {
  return add(object, "tryAdmit", hot_call<&Binding::try_admit>) && add(object, "releaseTogether", hot_call<&Binding::release_together>);
}

// Something of that kind with a record, and its generation.
inline bool Binding::find_part(core::Kind kind, Part& part) const {
  const core::Element& element = attachment_->arena().element(part.index);
  const std::uint64_t meta = element.meta.load(std::memory_order_acquire);
  part.kind = kind;
  part.generation = core::Meta::generation(meta);
  return core::Meta::kind(meta) == kind && core::Meta::state(meta) == core::Meta::kLive &&
         element.base.load(std::memory_order_acquire) != 0;
}

// Locks, then pools, then buckets. All is read, and found to make sense, before anything is taken. What has a record stays what it is for
// the arena's life, so who asks for the same again has no use for another look.
bool Binding::read_wanted() {
  const std::uint32_t elements = attachment_->arena().capacity().elements;
  Wanted& wanted = wanted_;
  wanted.number = 0;
  wanted.locks = scratch_[kLocks];
  wanted.pools = scratch_[kPools];
  wanted.buckets = scratch_[kBuckets];
  if (wanted.locks > kMostLocks || wanted.pools > kMostPools || wanted.buckets > kMostBuckets) return false;
  const volatile std::uint32_t* words = scratch_ + kParts;
  Part* part = wanted.parts;
  for (std::uint32_t i = 0; i < wanted.locks; i++, part++, words += kPartWords) {
    part->kind = core::Kind::kLock;
    part->index = words[0];
    part->generation = words[1];
    part->tier = words[2];
    if (part->index >= elements || part->tier >= core::kTiers) return false;
  }
  for (std::uint32_t i = 0; i < wanted.pools; i++, part++, words += kPartWords) {
    part->index = words[0];
    if (part->index >= elements || !find_part(core::Kind::kPool, *part)) return false;
    wanted.units = {};
    wanted.units.handle = {part->index, part->generation};
    wanted.units.kind = core::Kind::kPool;
    wanted.units.shared = true;
    if (!read_amounts(wanted.units.amounts)) return false;
  }
  const volatile double* tokens = times_ + kTogether;
  for (std::uint32_t i = 0; i < wanted.buckets; i++, part++, words += kPartWords) {
    part->index = words[0];
    part->tokens = tokens[i];
    if (part->index >= elements || !(part->tokens > 0) || !find_part(core::Kind::kBucket, *part)) return false;
  }
  if (++last_wanted_ == 0) last_wanted_ = 1;
  scratch_[kAsked] = wanted.number = last_wanted_;
  return true;
}

inline core::Answer Binding::take_lock(Part& part, std::uint32_t asked, core::Nanos at) {
  core::Member& member = attachment_->member();
  const core::Handle handle{part.index, part.generation};
  core::Granted granted;
  core::Answer got = member.try_fast(handle, part.tier, at, granted, (asked & kNamed) != 0 ? scratch_[kWorkflow] : 0);
  if (got == core::Answer::kBusy) {
    core::Request request;
    request.handle = handle;
    request.tier = part.tier;
    if ((asked & kNamed) != 0) read_who(request);
    got = member.try_lock(request, granted);
  }
  part.sequence = granted.sequence | (granted.owner_died ? kDiedMark : 0);
  part.waiter = granted.waiter;
  return got;
}

inline core::Answer Binding::take_units(Part& part, std::uint32_t asked, core::Nanos at) {
  core::Request& request = wanted_.units;
  request.tier = asked & kTierMask;
  if ((asked & kNamed) != 0) {
    read_who(request);
  } else {
    request.tenant = request.workflow = 0;
  }
  core::Granted granted;
  const core::Answer got = attachment_->member().try_units(request, at, granted);
  part.sequence = granted.sequence;
  part.waiter = granted.waiter;
  return got;
}

inline core::Answer Binding::take_tokens_of(const Part& part, std::uint32_t asked, core::Tokens& tokens) {
  core::Member& member = attachment_->member();
  if (!member.telemetry().on() && member.spend_at_once(part.index, part.tokens, member.lane().now()) != core::Bucket::kNotAtOnce) [[likely]]
    return core::Answer::kOk;
  return take_tokens_slowly(part, asked, tokens);
}

core::Answer Binding::take_tokens_slowly(const Part& part, std::uint32_t asked, core::Tokens& tokens) {
  tokens = {};  // what one draws is not said of the next
  core::Member& member = attachment_->member();
  core::Request request;
  request.handle = {part.index, part.generation};
  request.tier = asked & kTierMask;
  if ((asked & kNamed) != 0) read_who(request);
  request.kind = core::Kind::kBucket;
  request.amounts[0] = std::bit_cast<std::uint64_t>(part.tokens);
  const core::Spent spent = member.spend_then(request, tokens);
  return member.try_tokens(request, spent, tokens);
}

inline core::Answer Binding::give_back_part(const Part& part) {
  core::Member& member = attachment_->member();
  switch (part.kind) {
    case core::Kind::kPool:
      return member.release_shared(part.waiter, part.sequence);
    case core::Kind::kBucket:
      member.give_back_tokens(part.index, part.tokens);
      return core::Answer::kOk;
    default:
      if (member.release_fast(part.index, part.sequence & core::Fast::kSequenceMask)) return core::Answer::kOk;
      return member.release(part.index, part.sequence & core::Fast::kSequenceMask);
  }
}

// In: Request (tier | Named | Again) with names; with Again the number of what is wanted, else how many parts of each kind, the parts, the
// amounts of units and the tokens.
std::int32_t Binding::try_admit() {
  const std::uint32_t asked = scratch_[kRequest];
  if ((asked & ~(kTierMask | kNamed | kAgain)) != 0) return kBadArgument;
  if ((asked & kAgain) != 0) [[likely]] {
    if (scratch_[kAsked] != wanted_.number || wanted_.number == 0) return kDiffers;
  } else if (!read_wanted()) {
    return kBadArgument;
  }
  core::Member& member = attachment_->member();
  Wanted& wanted = wanted_;
  member.lane().refresh();
  // The clock is read once: tokens need the time as it is, and without any the coarse one will do.
  const core::Nanos at = wanted.buckets != 0 ? member.lane().now() : member.instant();
  core::Tokens tokens;
  core::Answer got = core::Answer::kOk;
  std::uint32_t taken = 0;
  const auto take = [&](std::uint32_t count, auto&& one) {
    for (; count > 0 && got == core::Answer::kOk; count--) {
      got = one(wanted.parts[taken]);
      if (got == core::Answer::kOk) taken++;
    }
  };
  read_names(asked);
  take(wanted.locks, [&](Part& part) { return take_lock(part, asked, at); });
  take(wanted.pools, [&](Part& part) { return take_units(part, asked, at); });
  take(wanted.buckets, [&](Part& part) { return take_tokens_of(part, asked, tokens); });
  if (got != core::Answer::kOk) return refuse_together(taken, got, tokens);
  volatile std::uint32_t* words = scratch_ + kParts;
  const Part* part = wanted.parts;
  for (std::uint32_t i = 0; i < wanted.locks + wanted.pools; i++, part++, words += kPartWords) {
    words[1] = static_cast<std::uint32_t>(part->sequence);
    words[2] = grant_word(part->sequence & core::Fast::kSequenceMask, (part->sequence & kDiedMark) != 0) |
               (i < wanted.locks ? part->tier : 0);  // for the faces: no bit of it is used
    words[3] = part->waiter;
  }
  settle_if_needed();
  return kOk;
}

std::int32_t Binding::refuse_together(std::uint32_t refused, core::Answer why, const core::Tokens& tokens) {
  core::Member& member = attachment_->member();
  const core::Nanos now = member.lane().now();
  for (std::uint32_t i = refused; i > 0; i--) {
    member.telemetry().ending = core::Ending::kIgnored;
    give_back_part(wanted_.parts[i - 1]);
  }
  member.telemetry().ending = core::Ending::kSuccess;
  scratch_[kRefused] = refused;
  times_[kOutReady] = wanted_.parts[refused].kind == core::Kind::kBucket ? ms_between(now, tokens.ready) : 0;
  settle();
  return answer(why, {});
}

// In: Locks, Pools, Ending; of each part what was answered for it, and of a lock its index. The other way round than they were taken. Ok:
// all were held still.
std::int32_t Binding::release_together() {
  const std::uint32_t elements = attachment_->arena().capacity().elements;
  const std::uint32_t locks = scratch_[kLocks];
  const std::uint32_t pools = scratch_[kPools];
  if (locks > kMostLocks || pools > kMostPools) return kBadArgument;
  Part parts[kMostLocks + kMostPools];
  for (std::uint32_t i = 0; i < locks + pools; i++) {
    const int at = kParts + kPartWords * static_cast<int>(i);
    parts[i].sequence = sequence(at + 1);
    if (i < locks) {
      parts[i].kind = core::Kind::kLock;
      parts[i].index = scratch_[at];
      if (parts[i].index >= elements) return kBadArgument;
    } else {
      parts[i].kind = core::Kind::kPool;
      parts[i].waiter = scratch_[at + 3];
    }
  }
  const bool told = attachment_->member().telemetry().on();
  bool all = true;
  for (std::uint32_t i = locks + pools; i > 0; i--) {
    if (told) [[unlikely]]
      read_ending();
    all = give_back_part(parts[i - 1]) == core::Answer::kOk && all;
  }
  settle_if_needed();
  return all ? kOk : kLost;
}

}  // namespace forelock::bind
