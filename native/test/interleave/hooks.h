// Interleavings by hand: a lane is run up to one of its atomic operations, and there another runs, or it dies or stops.
// All lanes run on one thread, so each run is the same; a test tries every operation in turn.
#pragma once

#include <string>

#include "check.h"
#include "world.h"

namespace forelock::test {

struct Stop {};

// Runs body and, just before its operation number n, intruder. Returns how many operations body made: n was beyond its
// last when the result is not greater than n.
template <typename Body, typename Intruder>
long with_hook(long n, Body body, Intruder intruder) {
  long count = 0;
  const scheduled::HookScope scope([&] {
    if (count++ == n) intruder();
  });
  body();
  return count;
}

// Runs body until condition holds before one of its operations, and leaves it there for ever. True when it was stopped.
template <typename Condition, typename Body>
bool stop_when(Condition condition, Body body) {
  const scheduled::HookScope scope([&] {
    if (condition()) throw Stop{};
  });
  try {
    body();
  } catch (const Stop&) {
    return true;
  }
  return false;
}

template <typename Body>
bool stop_before(long n, Body body) {
  long count = 0;
  return stop_when([&] { return count++ == n; }, body);
}

template <typename Body>
long operations(Body body) {
  return with_hook(-1, body, [] {});
}

inline void expect(bool condition, const std::string& what, long operation) {
  if (!condition) throw Failure(what + " (operation " + std::to_string(operation) + ")");
}

inline core::Request on(core::Handle handle, bool shared = false) {
  core::Request request;
  request.handle = handle;
  request.tier = 1;
  request.shared = shared;
  return request;
}

inline int settled(core::Member& member) {
  member.collect();
  int count = 0;
  for (; member.has_settled(); count++) member.next_settled();
  return count;
}

inline core::Capacity with_elements(std::uint32_t elements, std::uint32_t texts = 32) {
  core::Capacity capacity = World::small();
  capacity.elements = elements;
  capacity.texts = texts;
  return capacity;
}

// Longer than an element is kept from recycling after a grant.
inline void let_rest(World& world) { world.host.time += 10'000 * core::kNanosPerMilli; }

}  // namespace forelock::test
