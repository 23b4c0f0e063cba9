// Where the states of a stepped piece of work come to be, so that another run of the same work gets to one of them at full speed.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "test/crash/stepper.h"

namespace forelock::test {

// A state of the arena: it is there when the work has come to an instruction so many times. A run that gets to the same instruction as
// often and finds the same bytes is where that one was.
struct Landmark {
  std::uintptr_t instruction;
  std::uint64_t visits;
  std::size_t bytes;
};

inline std::size_t digest(const void* base, std::size_t size) {
  return std::hash<std::string_view>{}({static_cast<const char*>(base), size});
}

// One for each state behind the first, in their order: steps the work to its end.
inline std::vector<Landmark> landmarks_of(Stepper& stepper, const void* base, std::size_t size) {
  std::vector<Landmark> found;
  std::unordered_map<std::uintptr_t, std::uint64_t> visits;
  const auto* now = static_cast<const unsigned char*>(base);
  std::vector<unsigned char> before(now, now + size);
  while (stepper.step()) {
    const std::uintptr_t at = stepper.instruction();
    const std::uint64_t times = ++visits[at];
    if (std::memcmp(before.data(), base, size) == 0) continue;
    before.assign(now, now + size);
    found.push_back({at, times, digest(base, size)});
  }
  return found;
}

// False when it is somewhere else now: this run went another way, or the machine has no breakpoints. Then it is of no use any more.
inline bool reach(Stepper& stepper, const Landmark& landmark, const void* base, std::size_t size) {
  return stepper.run_to(landmark.instruction, landmark.visits) && digest(base, size) == landmark.bytes;
}

}  // namespace forelock::test
