// CLOCK_MONOTONIC by the counter of the CPU, where that is as good: it runs at one rate in all states of the CPU, and the kernel keeps its
// own time by it (which it stops doing when the counters of the sockets disagree). A reading costs a third of a system clock's.
// It is set by the system clock once a millisecond, to a moment just before, and its rate is taken from it once a second: so it
// stays within some tens of nanoseconds of it, also when that one is slewed, and behind it rather than ahead; it never goes
// back. Until 10 ms have passed, which is what a rate to 10 ppm takes, and after a leap (a suspended machine, one that was
// moved), it is the system clock itself. Of one thread.
#pragma once

#include "core/units.h"
#include "shm/clock.h"

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace forelock::shm {

class Ticks {
 public:
  Ticks() { use_counter(counter_is_usable()); }

  static bool counter_is_usable();
  bool uses_counter() const { return mode_ != Mode::kSystem; }
  // False: the system clock. Without a usable counter it stays with that.
  void use_counter(bool wanted);

  core::Nanos now() {
#if defined(__x86_64__)
    if (mode_ == Mode::kCounter) [[likely]] {
      const std::uint64_t passed = __rdtsc() - anchor_count_;
      if (passed < window_) [[likely]] {
        const core::Nanos now = anchor_ + ((passed * rate_) >> kShift);
        return last_ = now > last_ ? now : last_;
      }
    }
#endif
    return slowly();
  }

 private:
  enum class Mode { kSystem, kCalibrating, kCounter };
  static constexpr int kShift = 28;  // a millisecond of counts, times ns per count << 28, fits 64 bits
  struct Pair {
    std::uint64_t count;
    core::Nanos time;
    std::uint64_t width;  // counts between which the time was read
  };
  static Pair read();
  core::Nanos slowly();
  bool leapt(const Pair& pair) const;
  void calibrate(const Pair& pair);
  void anchor(const Pair& pair);

  Mode mode_ = Mode::kSystem;
  std::uint64_t anchor_count_ = 0;
  std::uint64_t window_ = 0;  // counts a millisecond
  std::uint64_t rate_ = 0;    // ns per count << kShift
  core::Nanos anchor_ = 0;
  core::Nanos last_ = 0;
  Pair rated_{};                // from which the rate is taken
  std::uint64_t narrow_ = ~0u;  // the least width seen: a wider one was interrupted
};

}  // namespace forelock::shm
