// What is wanted together, as it was read and found to make sense: who asks for the same again need not write it again.
#pragma once

#include "core/member.h"

namespace forelock::bind {

inline constexpr std::uint32_t kMostLocks = 4, kMostPools = 1, kMostBuckets = 4;

// All without initial values: for most there is no use in a call.
struct Part {
  core::Kind kind;
  std::uint32_t index;
  std::uint32_t generation;
  std::uint32_t tier;  // of a lock; all else has that of the request
  double tokens;
  std::uint64_t sequence;  // of what was granted
  core::WaiterId waiter;
};

struct Wanted {
  std::uint32_t number = 0;  // 0: it is nothing
  std::uint32_t locks = 0, pools = 0, buckets = 0;
  Part parts[kMostLocks + kMostPools + kMostBuckets];
  core::Request units;  // of the pool; who asks is of each call
};

}  // namespace forelock::bind
